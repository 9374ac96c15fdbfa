"""The paper's figures by number, each drawn from a run's summary.

numbering.draw(paper_figures.find("9")[0], summary)
"""

import functools
from collections.abc import Callable
from typing import Any

from matplotlib import figure

from tts_jax import errors
from tts_jax.report import (
  curves,
  exchange_figures,
  numbering,
  policy_figures,
  predicted_figures,
  revision_figures,
  search_figures,
  verifier_figures,
)

# What makes a run's data; {run} is its folder.
_RUN = "python -m launch.reproduce --out {run}"
_ORM = "python -m launch.compare_verifiers with --run outcome=FOLDER"
_REST_EM = "python -m launch.compare_revisions with --run rest_em=FOLDER"

_of_run = functools.partial(numbering.Figure, source=_RUN)


def find(asked: str, version: str = "v1") -> list[numbering.Figure]:
  """The figures of a number, or of a name.

  Args:
    asked: such as "4", "17-29" or "exchange"; empty: all of them.
    version: of the paper, one of `numbering.NUMBERINGS`.

  Raises:
    InputError: there is none, or no such version.
  """
  if version not in numbering.NUMBERINGS:
    raise errors.InputError(
      f"there is no version {version!r} of the paper; there are"
      f" {', '.join(numbering.NUMBERINGS)}"
    )
  if not asked:
    return list(FIGURES)
  found = [one for one in FIGURES if one.is_called(asked, version)]
  if not found:
    known = [one.number(version) or one.name for one in FIGURES]
    raise errors.InputError(
      f"there is no figure {asked} in the numbering of {version}; there are"
      f" {', '.join(dict.fromkeys(known))}"
    )
  return found


def _methods(
  summary: numbering.Summary, accounts: numbering.Accounts
) -> figure.Figure:
  there = summary["curves"]
  lines = [
    curves.Line(
      label=label,
      look=look,
      values=there[name],
      verified=name != "majority",
    )
    for name, (label, look) in search_figures.METHODS.items()
    if name in there
  ]
  return curves.single(lines, verifier=accounts.verifier, height=3.0)


# What stands side by side in each bin: the first pair that was measured.
_PAIRS = (
  ("beam_4", "best_of_n_weighted"),
  ("beam_sqrt", "best_of_n_weighted"),
  ("best_of_n_weighted", "majority"),
)


def _bars(key: str) -> numbering.Draw:
  def drawn(summary: numbering.Summary, _: numbering.Accounts) -> figure.Figure:
    bins = summary[key]
    # Without a search, what is left to compare are choices among samples.
    left, right = next(
      (pair for pair in _PAIRS if set(pair) <= set(bins[0])), _PAIRS[-1]
    )
    return search_figures.beam_by_bin(
      bins, beam=left, baseline=right, columns=3, width=3.4, height=3.0
    )

  return drawn


def _optimal(name: str) -> numbering.Draw:
  def drawn(
    summary: numbering.Summary, accounts: numbering.Accounts
  ) -> figure.Figure:
    return policy_figures.compute_optimal(
      policy_figures.read_family(summary["policy"], name),
      # Of the base model's samples; revisions draw others.
      summary.get("majority_at_k") if name == "search" else None,
      baseline=policy_figures.BASELINES[name],
      verifier=accounts.verifier,
    )

  return drawn


def _difficulty(
  summary: numbering.Summary, _: numbering.Accounts
) -> figure.Figure:
  policy = summary.get("policy", {})
  there = "search" in policy.get("families", {})
  return policy_figures.difficulty_estimates(
    summary["difficulty"],
    policy_figures.read_family(policy, "search") if there else None,
  )


def _choices(
  summary: numbering.Summary, _: numbering.Accounts
) -> figure.Figure:
  policy = summary["policy"]
  name = next(
    n for n in ("pooled", *policy["families"]) if n in policy["families"]
  )
  family = policy_figures.read_family(policy, name)
  estimates = family["by_difficulty"]
  estimate = next(n for n in ("predicted", *estimates) if n in estimates)
  return policy_figures.choices_by_bin(family, estimate=estimate)


def _of_revisions(
  function: Callable[..., figure.Figure], **kwargs: Any
) -> numbering.Draw:
  return lambda summary, _: function(summary["revisions"], **kwargs)


FIGURES: tuple[numbering.Figure, ...] = (
  _of_run(
    name="overview",
    v1="1",
    iclr="1",
    caption="What a compute-optimal policy gains, and what it replaces.",
    needs=("policy.families", "policy.baseline", "exchange.families"),
    drawn=lambda summary, accounts: exchange_figures.overview(
      summary["policy"], summary["exchange"], form=accounts.form
    ),
  ),
  _of_run(
    name="search_methods",
    v1="3",
    iclr="3",
    caption="Search methods against budget (figure 3, left).",
    needs=("curves",),
    drawn=_methods,
  ),
  _of_run(
    name="search_by_bin",
    v1="3",
    iclr="3",
    caption="Beam search and best-of-N by difficulty (figure 3, right).",
    needs=("curves_by_bin",),
    drawn=_bars("curves_by_bin"),
  ),
  _of_run(
    name="compute_optimal_search",
    v1="4",
    iclr="4",
    caption="Compute-optimal search against best-of-N.",
    needs=("policy.families.search", "policy.baseline"),
    drawn=_optimal("search"),
  ),
  _of_run(
    name="along_chain",
    v1="6",
    iclr="9",
    caption="pass@1 along the chain of revisions (left).",
    needs=("revisions.pass_at_1_along_chain",),
    drawn=_of_revisions(revision_figures.along_chain),
  ),
  _of_run(
    name="sequential_against_parallel",
    v1="6",
    iclr="9",
    caption="Sequential against parallel (right).",
    needs=("revisions.sequential_vs_parallel",),
    drawn=_of_revisions(revision_figures.sequential_against_parallel),
  ),
  _of_run(
    name="ratios",
    v1="7",
    iclr="7",
    caption="Sequential to parallel, by budget and by difficulty.",
    needs=("revisions.ratio_curves", "revisions.ratio_curves_by_bin"),
    drawn=_of_revisions(revision_figures.ratios),
  ),
  _of_run(
    name="compute_optimal_revisions",
    v1="8",
    iclr="6",
    caption="Compute-optimal revisions against parallel samples.",
    needs=("policy.families.revisions", "policy.baseline"),
    drawn=_optimal("revisions"),
  ),
  _of_run(
    name="exchange",
    v1="9",
    iclr="8",
    caption="Test-time compute against a larger model at equal FLOPs.",
    needs=("exchange.families", "exchange.forms"),
    drawn=lambda summary, accounts: exchange_figures.exchange(
      summary["exchange"], form=accounts.form
    ),
  ),
  _of_run(
    name="ratios_by_majority",
    v1="10",
    iclr="10",
    caption="Figure 7 with a vote over all answers.",
    needs=("revisions.majority_curves", "revisions.majority_curves_by_bin"),
    drawn=_of_revisions(revision_figures.ratios, by="majority_curves"),
  ),
  _of_run(
    name="search_by_predicted_bin",
    v1="11",
    iclr="11",
    caption="Beam search and best-of-N by predicted difficulty.",
    needs=("curves_by_predicted_bin",),
    drawn=_bars("curves_by_predicted_bin"),
  ),
  _of_run(
    name="ratios_by_predicted_bin",
    v1="12",
    iclr="12",
    caption="Sequential to parallel by predicted difficulty.",
    needs=("revisions.ratio_curves_by_predicted_bin",),
    drawn=lambda summary, _: predicted_figures.ratios_by_bin(
      summary["revisions"]["ratio_curves_by_predicted_bin"]
    ),
  ),
  _of_run(
    name="best_of_n_by_model",
    iclr="13",
    caption="Best-of-N and its weighted form, by PRM and by ORM.",
    needs=("verifier.curves",),
    drawn=lambda summary, accounts: verifier_figures.best_of_n_by_model(
      summary["verifier"],
      summary["verifier"].get("regimes", {}).get("outcome"),
      verifier=accounts.verifier,
    ),
  ),
  _of_run(
    name="aggregations",
    v1="13",
    iclr="14",
    caption="Last, least and product of step scores.",
    needs=("verifier.aggregations",),
    drawn=lambda summary, _: search_figures.aggregations(summary["verifier"]),
  ),
  numbering.Figure(
    name="prm_against_orm",
    v1="14",
    iclr="15",
    caption="A process against an outcome reward model.",
    needs=("verifier.regimes.frozen.curves", "verifier.regimes.outcome.curves"),
    source=_ORM,
    drawn=lambda summary, _: search_figures.prm_against_orm(
      summary["verifier"]["regimes"]["frozen"],
      summary["verifier"]["regimes"]["outcome"],
    ),
  ),
  _of_run(
    name="weak_verifiers",
    iclr="17",
    caption="What weak verifiers leave of the gain.",
    needs=("weak_verifiers.curves", "weak_verifiers.share"),
    drawn=lambda summary, accounts: verifier_figures.weak_verifiers(
      summary["weak_verifiers"], verifier=accounts.verifier
    ),
  ),
  _of_run(
    name="revision_verifiers",
    v1="15",
    iclr="18",
    caption="The revision verifier with and without history, and the PRM.",
    needs=("revisions.verifier_ablation",),
    drawn=_of_revisions(revision_figures.by_verifier),
  ),
  numbering.Figure(
    name="rest_em",
    v1="16",
    iclr="19",
    caption="A revision model trained on its own chains (ReST^EM).",
    needs=(
      "revisions.pass_at_1_along_chain",
      "revisions.rest_em.pass_at_1_along_chain",
    ),
    source=_REST_EM,
    drawn=lambda summary, _: revision_figures.along_chain(
      summary["revisions"],
      summary["revisions"]["rest_em"]["pass_at_1_along_chain"],
    ),
  ),
  _of_run(
    name="transcripts",
    v1="17-29",
    iclr="20-32",
    caption="Transcripts of chains, and of beams with step scores.",
    pages=("chains.html", "trees.html"),
  ),
  _of_run(
    name="difficulty",
    caption="Estimates of difficulty: rank correlation, and worth to a policy.",
    needs=("difficulty.estimates",),
    drawn=_difficulty,
  ),
  _of_run(
    name="policy",
    caption="The strategy chosen in each bin at each budget.",
    needs=("policy.families", "policy.baseline"),
    drawn=_choices,
  ),
  _of_run(
    name="policy_average",
    caption="A budget met on average over questions, beside each one's own.",
    needs=("policy.averaged.families", "policy.families", "policy.baseline"),
    drawn=lambda summary, _: policy_figures.averaged(summary["policy"]),
  ),
)
