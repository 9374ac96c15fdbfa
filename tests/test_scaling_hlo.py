"""Programs' texts, some lines of which were written by the TPU compiler."""

import pathlib
import re

import pytest

from tts_jax import errors
from tts_jax.scaling import chips, hlo

TEXT = (pathlib.Path(__file__).parent / "golden/decode_step.hlo").read_text()
CACHE = {2 * 8 * 512 * 128}
MOVES = {
  "copy": "%c.1 = bf16[2,8,512,128]{2,3,1,0} copy(%named)",
  "copy-start": "%c.2 = (bf16[2,8,512,128]{2,3,1,0}, bf16[2,8,512,128]{3,2,1,0}"
  ", u32[]) copy-start(%named)",
  "fusion": "%c.3 = bf16[2,8,128,512]{3,2,1,0} fusion(%named), kind=kLoop,"
  " calls=%fused_moves",
}


def test_collectives_and_what_each_sends():
  found = hlo.collectives(TEXT)
  assert [
    (one.kind, one.group, one.directions, one.bytes, one.sent, one.in_loop)
    for one in found
  ] == [
    ("all-reduce", 8, 2, 2 * 2**20, 2 * 7 / 8 * 2 * 2**20, True),
    ("all-reduce", 2, 1, 2 * 4 * 256, 2 / 2 * 2 * 4 * 256, True),
    ("all-gather", 4, 1, 4 * 4 * 384, 3 / 4 * 4 * 4 * 384, True),
    ("collective-permute", 2, 1, 4 * 256, 4 * 256, True),
    ("reduce-scatter", 4, 1, 4 * 8 * 16, 3 * 4 * 8 * 16, False),
  ]
  assert found[0].origin == "while/body/dot_general"
  assert str(found[0].arrays[0]) == "bf16[4,64,4096]"
  # 3.67 MB over two links of 45 GB/s.
  seconds = chips.sending(chips.CHIPS["v5e"], found[:1])
  assert seconds == pytest.approx(40.8e-6, rel=0.01)


@pytest.mark.parametrize(
  ("groups", "count"),
  [
    ("mesh['a'=1,'b'=8,'c'=2], device_ids=([2,8]T(1,0)) {'b'}", 8),
    ("mesh['a'=1,'b'=8,'c'=2], device_ids=([2,8]T(1,0)) {'c','b'}", 16),
    ("mesh['a'=4,'b'=2] {'a'}", 4),
    ("[2,8]<=[16]", 8),
    ("{{0,1,2},{3,4,5}}", 3),
  ],
)
def test_those_that_take_part_are_counted(groups, count):
  told = re.search(r"replica_groups=mesh\[[^\]]*\] \{[^}]*\}", TEXT)
  text = TEXT.replace(told[0], f"replica_groups={groups}", 1)
  assert hlo.collectives(text)[0].group == count
  with pytest.raises(errors.InputError, match="unknown groups: replica_group"):
    hlo.collectives(TEXT.replace(told[0], "replica_groups=ring", 1))


@pytest.mark.parametrize(
  ("strategy", "links"),
  [
    ("colors:6 phases:3 num_dims:3 active_dims:111 dim_sizes:2,2,2", 3),
    ("colors:3 phases:3 num_dims:3 active_dims:111 dim_sizes:2,2,2", 3),
    ("colors:6 phases:2 num_dims:2 active_dims:11 dim_sizes:4,2", 3),
    ("colors:2 phases:1 num_dims:1 active_dims:1 dim_sizes:8", 2),
  ],
)
def test_a_link_is_counted_once(strategy, links):
  text = TEXT.replace("colors:2 phases:1 cores:{8}", strategy, 1)
  assert text != TEXT
  assert hlo.collectives(text)[0].directions == links


def test_a_cache_that_is_read_ahead_or_written_in_place_is_not_copied():
  text = TEXT.replace("MOVED", "%x.1 = s32[] constant(1)")
  assert hlo.copies(text, CACHE) == []
  text = TEXT.replace("MOVED", MOVES["fusion"])
  outside = hlo.copies(text, CACHE, in_loop=False)
  assert [one.name for one in outside] == ["copy.234"]


@pytest.mark.parametrize("kind", sorted(MOVES))
def test_a_copied_cache_is_found(kind):
  text = TEXT.replace("MOVED", MOVES[kind])
  assert [one.operation for one in hlo.copies(text, CACHE)] == [kind]
  assert hlo.copies(text, {7}) == []


def test_what_is_no_program_is_refused():
  with pytest.raises(errors.InputError, match="no ENTRY"):
    hlo.parse("HloModule x")
  with pytest.raises(errors.InputError, match="unknown dtype odd"):
    assert hlo.Array("odd", (2,)).bytes


def test_a_cache_that_is_updated_on_the_die_is_told_apart():
  moves = MOVES["copy-start"].replace("3,2,1,0}", "3,2,1,0:T(8,128)S(1)}")
  (one,) = hlo.copies(TEXT.replace("MOVED", moves), CACHE)
  assert one.writes_back
  (one,) = hlo.copies(TEXT.replace("MOVED", MOVES["copy-start"]), CACHE)
  assert not one.writes_back
