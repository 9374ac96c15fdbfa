"""Chat templates of published models, rendered as `transformers` does it."""

import dataclasses
import datetime
import functools
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jinja2
import jinja2.ext
import jinja2.sandbox

from tts_jax import errors, json_input
from tts_jax.tasks import tokenization

_FILE = "chat_template.jinja"
# All that `load` reads beside what a tokenizer is made of.
FILES = (_FILE,)
# Of several templates, the one for plain chats.
_DEFAULT = "default"
_SPECIAL = tuple(
  f"{name}_token" for name in ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
)

Message = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class ChatTemplate:
  """How a model is shown a chat.

  Attributes:
    source: the template.
    place: the file that it is from, for messages.
    special: special tokens by their names, such as "bos_token".
    date: what a template that asks for today's date is told.
  """

  source: str
  place: str
  special: tuple[tuple[str, str], ...]
  date: datetime.date

  def render(
    self, messages: Sequence[Message], *, add_generation_prompt: bool = True
  ) -> str:
    """The text of a chat.

    Args:
      messages: each with "role" and "content".
      add_generation_prompt: end with what an answer of the model begins with.

    Raises:
      InputError: the template is malformed, or refuses these messages.
    """
    try:
      return _compiled(self.source, self.date).render(
        **dict(self.special),
        messages=messages,
        tools=None,
        documents=None,
        add_generation_prompt=add_generation_prompt,
      )
    except jinja2.TemplateSyntaxError as error:
      raise errors.InputError(
        f"{self.place}: line {error.lineno} of the chat template:"
        f" {error.message}"
      ) from error
    except jinja2.TemplateError as error:
      raise errors.InputError(
        f"{self.place}: the chat template refuses the prompt: {error}"
      ) from error

  def prompt(self, text: str, system: str = "") -> str:
    """What the model reads before it answers a user.

    Args:
      text: what the user says.
      system: what the system says before; empty: nothing.

    Raises:
      InputError: as `render`; nothing in the prompt says that an answer is due.
    """
    messages = [{"role": "user", "content": text}]
    if system:
      messages.insert(0, {"role": "system", "content": system})
    found = self.render(messages)
    if found == self.render(messages, add_generation_prompt=False):
      raise errors.InputError(
        f"{self.place}: the chat template has no generation prompt: with"
        " add_generation_prompt it is the same as without; write its turns out"
        " in config.prompt.template, with the format 'plain'"
      )
    return found


def load(folder: pathlib.Path, date: datetime.date) -> ChatTemplate:
  """Reads a Hugging Face folder's chat template.

  It is in chat_template.jinja, or else in tokenizer_config.json, where it may
  be a list of named ones.

  Args:
    folder: the model's.
    date: as of `ChatTemplate`.

  Raises:
    InputError: there is none; of several none is for plain chats; it is
      malformed.
  """
  path, place = folder / tokenization.CONFIG_FILE, folder / _FILE
  settings = json_input.read_object(path) if path.is_file() else {}
  source: Any
  if place.is_file():
    source = place.read_text(encoding="utf-8")
  else:
    place, source = path, settings.get("chat_template")
  if isinstance(source, list):
    named = {one.get("name"): one.get("template") for one in source}
    if _DEFAULT not in named:
      raise errors.InputError(
        f"{place}: chat_template has {', '.join(map(repr, named))}; it must"
        f" have {_DEFAULT!r}"
      )
    source = named[_DEFAULT]
  if not isinstance(source, str):
    raise errors.InputError(
      f"{folder}: the model has no chat template, neither {_FILE} nor"
      f" chat_template in {path.name}; config.prompt.format 'chat' needs one"
    )
  special = {
    name: token
    for name in _SPECIAL
    if (token := tokenization.special_token(settings, name)) is not None
  }
  found = ChatTemplate(source, str(place), tuple(special.items()), date)
  found.prompt("?")  # Refuses it now, not at the first question.
  return found


class _Generation(jinja2.ext.Extension):
  """`{% generation %}`, which marks what a model has written: shown as it is.

  `transformers` reads from it what to train on.
  """

  tags = {"generation"}  # noqa: RUF012 (as its base has it)

  def parse(self, parser: Any) -> jinja2.nodes.Node:
    """The block, as the parser meets it."""
    line = next(parser.stream).lineno
    body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
    call = self.call_method("_written")
    return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

  def _written(self, caller: Callable[[], str]) -> str:
    return caller()


@functools.lru_cache(maxsize=8)
def _compiled(source: str, date: datetime.date) -> jinja2.Template:
  """The template as `transformers` compiles it, but for the date."""
  environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=[_Generation, jinja2.ext.loopcontrols],
  )
  environment.filters["tojson"] = _to_json
  environment.globals["raise_exception"] = _raise_exception
  environment.globals["strftime_now"] = date.strftime
  return environment.from_string(source)


def _raise_exception(message: str) -> None:
  raise jinja2.TemplateError(message)


def _to_json(
  value: Any,
  ensure_ascii: bool = False,
  indent: int | None = None,
  separators: tuple[str, str] | None = None,
  sort_keys: bool = False,
) -> str:
  """JSON as it is: that of jinja2 escapes what HTML would read."""
  return json.dumps(
    value,
    ensure_ascii=ensure_ascii,
    indent=indent,
    separators=separators,
    sort_keys=sort_keys,
  )
