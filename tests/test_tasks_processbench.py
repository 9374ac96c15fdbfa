"""ProcessBench's files: both forms, and what is no such file."""

import json

import made_processbench
import pytest

from tts_jax import errors
from tts_jax.tasks import processbench


def test_an_array_and_lines_hold_the_same(tmp_path):
  made = made_processbench.rows("gsm8k", 6)
  whole = made_processbench.write(tmp_path / "a.json", made)
  lines = made_processbench.write(tmp_path / "a.jsonl", made)
  found = processbench.read(whole)
  assert found == processbench.read(lines)
  for sample, row in zip(found, made, strict=True):
    assert vars(sample) == row | {"steps": tuple(row["steps"])}
  assert processbench.labels(found).tolist() == [one["label"] for one in made]


def test_a_mark_and_blanks_before_an_array_are_harmless(tmp_path):
  made = made_processbench.rows("gsm8k", 2)
  path = tmp_path / "a.json"
  path.write_bytes(b"\xef\xbb\xbf\n " + json.dumps(made).encode())
  assert [one.id for one in processbench.read(path)] == ["gsm8k-0", "gsm8k-1"]


def test_solutions_of_one_problem_have_one_number(tmp_path):
  made = made_processbench.rows("gsm8k", 5)
  made[4]["problem"] = made[0]["problem"]
  found = processbench.read(made_processbench.write(tmp_path / "a", made))
  assert processbench.problems(found).tolist() == [0, 0, 1, 1, 0]


@pytest.mark.parametrize("correct", [True, False])
def test_a_right_process_may_have_either_answer(tmp_path, correct):
  row = made_processbench.rows("gsm8k", 1)[0]
  row |= {"label": -1, "final_answer_correct": correct}
  (one,) = processbench.read(made_processbench.write(tmp_path / "a", [row]))
  assert one.final_answer_correct is correct


_TWO = ["one", "two"]


@pytest.mark.parametrize(
  ("change", "said"),
  [
    ({"steps": "one"}, "field 'steps' is a str, expected a list of texts"),
    ({"steps": ["one", 2]}, "field 'steps' has a int at 1, expected texts"),
    ({"steps": []}, "field 'steps' is empty"),
    ({"steps": ["one", " \n"]}, "field 'steps' is blank at 1"),
    ({"steps": _TWO, "label": 2}, "is 2; of 2 steps it must be from 0 to 1"),
    ({"steps": _TWO, "label": -2}, "is -2; of 2 steps it must be from 0 to 1"),
    ({"label": True}, "field 'label' is a bool, expected a whole number"),
    ({"label": 0.0}, "field 'label' is a float, expected a whole number"),
    ({"label": None}, "field 'label' is a NoneType"),
    ({"final_answer_correct": 1}, "is a int, expected true or false"),
    ({"problem": " "}, "field 'problem' is blank"),
    ({"id": ""}, "field 'id' is blank"),
    ({"id": 3}, "field 'id' is a int, expected text"),
    ({"id": "gsm8k-0"}, "id 'gsm8k-0' is that of {} 1 already; ids must"),
  ],
)
@pytest.mark.parametrize(("end", "entry"), [(".json", "entry"), ("", "line")])
def test_what_is_wrong_in_an_entry_is_said(tmp_path, change, said, end, entry):
  made = made_processbench.rows("gsm8k", 2)
  made[1] |= change
  path = made_processbench.write(tmp_path / f"a{end}", made)
  with pytest.raises(errors.InputError) as info:
    processbench.read(path)
  assert str(info.value).startswith(f"{path}, {entry} 2: ")
  assert said.format(entry) in str(info.value)


@pytest.mark.parametrize(
  "name", ["id", "generator", "problem", "steps", "final_answer_correct"]
)
def test_every_field_is_needed(tmp_path, name):
  (row,) = made_processbench.rows("gsm8k", 1)
  del row[name]
  path = made_processbench.write(tmp_path / "a", [row])
  with pytest.raises(errors.InputError, match=f"field '{name}' is missing;"):
    processbench.read(path)


@pytest.mark.parametrize(
  ("data", "said"),
  [
    (b"", "no solutions in it"),
    (b" \n", "no solutions in it"),
    (b"[]", "no solutions in it"),
    (b'[{"id": ', "not JSON at column 9"),
    (b"[3]", "entry 1: a int, expected a JSON object"),
    (b'["\xff"]', "not UTF-8 at byte 2"),
    (b'\n"one"\n', "line 2: a str, expected a JSON object"),
    (b"{]", "line 1: not JSON at column"),
  ],
)
def test_what_is_no_such_file_is_said(tmp_path, data, said):
  path = tmp_path / "a.json"
  path.write_bytes(data)
  with pytest.raises(errors.InputError) as info:
    processbench.read(path)
  assert said in str(info.value)
  assert str(path) in str(info.value)


def test_a_missing_file_is_said(tmp_path):
  with pytest.raises(errors.InputError, match=r"absent\.json: no such file"):
    processbench.read(tmp_path / "absent.json")


def test_files_go_by_their_names():
  found = processbench.by_name(["a/gsm8k.json", "math.jsonl"])
  assert {name: str(path) for name, path in found.items()} == {
    "gsm8k": "a/gsm8k.json",
    "math": "math.jsonl",
  }
  with pytest.raises(errors.InputError, match="no file is given; give --conf"):
    processbench.by_name([""])
  with pytest.raises(errors.InputError, match="has 2 files of 1 names"):
    processbench.by_name(["a/math.json", "b/math.jsonl"])
