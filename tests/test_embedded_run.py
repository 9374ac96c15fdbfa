"""The run of the package is of its own config, questions and models."""

import pytest

from configs import reproduce, train_gsm_symbolic, train_larger
from launch import drawing, pooling, shipping
from tts_jax.scaling import exchange_folds
from tts_jax.store import chains, packed, pool, run, scores, searches
from tts_jax.tasks import gsm_symbolic
from tts_jax.verify import embedded


def test_it_is_of_the_default_config_and_of_the_models_that_ship():
  config = reproduce.get_config()
  found, _ = shipping.find(config)
  assert found is not None
  task, questions = pooling.find_questions(config)
  made = drawing.load(config, task)
  assert found.made_for == shipping.made_for(questions, made)


def test_its_stages_are_those_that_this_program_writes(tmp_path):
  found, _ = shipping.find(reproduce.get_config())
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


def test_a_larger_model_answered_every_question_of_it():
  folder = embedded.larger("", "")
  assert folder == embedded.LARGER
  ids = [question.id for question in gsm_symbolic.reporting_questions()]
  right = exchange_folds.larger(folder, ids)
  assert f"{right.mean():.3f}" in (folder / "README.md").read_text()


def test_the_larger_model_is_as_much_larger_as_the_config_says():
  def parameters(config):
    shape = config.model
    heads = 2 * (shape.heads + shape.kv_heads) * shape.head_width
    layer = shape.width * (heads + 3 * shape.mlp_width + 2)
    tokens = config.tokenizer.vocabulary * shape.width
    return tokens + shape.layers * layer + shape.width

  small, large = train_gsm_symbolic.get_config(), train_larger.get_config()
  ratio = parameters(large) / parameters(small)
  assert ratio == pytest.approx(
    reproduce.get_config().exchange.size_ratio, abs=0.05
  )
  assert large.data == small.data
  assert large.schedule == small.schedule
