"""Chat templates, against the texts that `transformers` makes of them."""

import datetime
import json

import chat_templates
import pytest

from tts_jax import errors
from tts_jax.tasks import chat

_DATE = datetime.date(2025, 3, 1)
_SPECIAL = {"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": 0}}


def _folder(path, template=None, file=None, **settings):
  if template is not None:
    settings["chat_template"] = template
  record = {**_SPECIAL, **settings}
  (path / "tokenizer_config.json").write_text(json.dumps(record))
  if file is not None:
    (path / "chat_template.jinja").write_text(file)
  return path


@pytest.mark.parametrize(
  ("template", "system", "expected"),
  [
    (
      chat_templates.CHATML,
      "",
      "<|im_start|>system\nYou help.<|im_end|>\n<|im_start|>user\n 1+1? "
      "<|im_end|>\n<|im_start|>assistant\n",
    ),
    (
      chat_templates.CHATML,
      "Be brief.",
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n 1+1? "
      "<|im_end|>\n<|im_start|>assistant\n",
    ),
    (
      chat_templates.HEADERS,
      "Be brief.",
      "<s><|start_header_id|>system<|end_header_id|>\n\nToday Date: 01 Mar 2025"
      "\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n1+1?"
      "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    (
      chat_templates.TURNS,
      "",
      "<s><start_of_turn>user\n1+1?<end_of_turn>\n<start_of_turn>model\n",
    ),
  ],
)
def test_a_prompt_is_that_of_transformers(tmp_path, template, system, expected):
  found = chat.load(_folder(tmp_path, template), _DATE)
  assert found.prompt(" 1+1? ", system) == expected


def test_blocks_leave_no_blanks_and_what_is_missing_is_empty(tmp_path):
  """Whitespace as `trim_blocks` and `lstrip_blocks` have it."""
  template = (
    "{% for message in messages %}\n"
    "  {% if loop.first %}\n"
    "{{ unk_token }}[{{ message.content }}]\n"
    "  {% endif %}\n"
    "{% endfor %}\n"
    "{% if add_generation_prompt %}\n"
    "A:\n"
    "{% endif %}\n"
  )
  found = chat.load(_folder(tmp_path, template), _DATE)
  assert found.prompt("é<") == "[é<]\nA:\n"


def test_json_is_not_escaped_and_loops_can_be_left(tmp_path):
  template = (
    "{% for message in messages %}{{ message | tojson }}{% break %}{% endfor %}"
    "{% generation %}{% if add_generation_prompt %}>{% endif %}"
    "{% endgeneration %}"
  )
  found = chat.load(_folder(tmp_path, template), _DATE)
  assert found.prompt("é<&'") == '{"role": "user", "content": "é<&\'"}>'


def test_a_file_wins_over_the_config_and_a_list_has_a_default(tmp_path):
  named = [
    {"name": "tool_use", "template": "tools"},
    {"name": "default", "template": chat_templates.CHATML},
  ]
  found = chat.load(_folder(tmp_path, named), _DATE)
  assert found.prompt("x").endswith("assistant\n")
  assert found.place.endswith("tokenizer_config.json")
  found = chat.load(_folder(tmp_path, named, chat_templates.TURNS), _DATE)
  assert found.prompt("x").endswith("model\n")
  assert found.place.endswith("chat_template.jinja")


@pytest.mark.parametrize(
  ("template", "file", "message"),
  [
    (None, None, "has no chat template, neither chat_template.jinja nor"),
    ([{"name": "rag", "template": "x"}], None, "has 'rag'; it must have 'def"),
    ("{{ bos_token }", None, "tokenizer_config.json: line 1 of the chat"),
    (None, "a\n{% if %}", "chat_template.jinja: line 2 of the chat template"),
    (None, "{% for m in messages %}", "Unexpected end of template"),
    (chat_templates.INSTRUCTIONS, None, "has no generation prompt"),
    ("{{ messages[0].a.b }}", None, "refuses the prompt: 'dict object' has no"),
    ("{{ messages.append(1) }}", None, "refuses the prompt: .* is unsafe"),
    ("{{ raise_exception('no') }}", None, "refuses the prompt: no$"),
  ],
)
def test_a_bad_template_is_an_error(tmp_path, template, file, message):
  with pytest.raises(errors.InputError, match=message) as caught:
    chat.load(_folder(tmp_path, template, file), _DATE)
  assert "\n" not in str(caught.value)


def test_a_system_that_a_template_refuses_is_an_error(tmp_path):
  found = chat.load(_folder(tmp_path, chat_templates.TURNS), _DATE)
  with pytest.raises(errors.InputError, match="System role not supported"):
    found.prompt("x", "Be brief.")


def test_a_malformed_config_is_named(tmp_path):
  (tmp_path / "tokenizer_config.json").write_text("[1]")
  with pytest.raises(
    errors.InputError, match=r"config.json: must be a JSON obj"
  ):
    chat.load(tmp_path, _DATE)
