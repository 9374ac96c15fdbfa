"""The run of the package is of its own config, questions and models."""

from configs import reproduce
from launch import drawing, pooling, shipping
from tts_jax.store import chains, packed, pool, run, scores, searches


def test_it_is_of_the_default_config_and_of_the_models_that_ship():
  config = reproduce.get_config()
  found = shipping.find(config)
  assert found is not None
  task, questions = pooling.find_questions(config)
  made = drawing.load(config, task)
  assert found.made_for == shipping.made_for(questions, made)


def test_its_stages_are_those_that_this_program_writes(tmp_path):
  found = shipping.find(reproduce.get_config())
  schemas = {
    **dict.fromkeys((chains.STAGE, chains.OF_SEARCH), chains.SCHEMA),
    pool.STAGE: pool.SCHEMA,
    scores.STAGE: scores.SCHEMA,
    searches.STAGE: searches.SCHEMA,
  }
  with run.Run.open(tmp_path, found.config) as folder:
    folder.source = found
    for name, batches in found.stages.items():
      schema = schemas.get(name, chains.SCORES_SCHEMA)
      assert len(folder.stage(name, schema, "inputs").done()) == batches


def test_it_has_every_stage_and_is_small():
  found = packed.load(shipping.FOLDER)
  assert set(found.stages) == {
    *(pool.STAGE, scores.STAGE, searches.STAGE),
    *(chains.STAGE, *chains.SCORES.values()),
    *(chains.OF_SEARCH, chains.SCORES_OF_SEARCH),
  }
  assert "usage.json" in found.files
  size = sum(path.stat().st_size for path in shipping.FOLDER.iterdir())
  assert size < 20e6


def test_its_card_says_how_it_was_made():
  card = (shipping.FOLDER / "README.md").read_text()
  found = packed.load(shipping.FOLDER)
  for word in (
    "python -m launch.reproduce --full",
    "python -m launch.pack_run",
    "Apache-2.0",
    found.commit[:7],
  ):
    assert word in card
