"""What revisions measured in a run, laid out for its policy."""

from launch import planning, revision_report
from tts_jax.scaling import measured, measurements, measuring, optimal_summary
from tts_jax.store import chains, run


def revised(
  folder: run.Run,
  found: revision_report.Found | None,
  made: measurements.Measurements,
  count: measuring.Count,
) -> dict[str, dict[int, measured.Cell]]:
  """Chains at every ratio, and searches whose finals were revised.

  Args:
    folder: of the run.
    found: its chains; None: it has none.
    made: of its pool and searches.
    count: FLOPs of a ledger.
  """
  if found is None:
    return {}
  samples = made.samples
  ids, prompts = samples.question_ids, samples.prompt_length
  cells = measuring.of_revisions(
    found.chains, found.chosen, ids, prompts, found.count
  )
  if found.combined:
    begun = chains.load_chains(folder.path, chains.OF_SEARCH)
    search = optimal_summary.of_pool(made, count)[planning.REVISED]
    cells |= measuring.of_combined(
      found.combined, search, begun, prompts, found.count
    )
  return cells
