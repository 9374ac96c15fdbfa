"""An answer as one reads it: what, how sure, what was done and spent."""

from typing import Any

from tts_jax.solving import deciding, solver


def text(solved: solver.Solved, calibration_error: float | None) -> str:
  """Some lines of text.

  Args:
    solved: the answer.
    calibration_error: of the verifier's scores, as it was measured; None where
      it was not.
  """
  spent = solved.spent
  read = spent.tokens["prefilled"] + spent.tokens["lookahead"]
  lines = [
    *solved.solution.strip().splitlines(),
    f"answer: {'none' if solved.answer is None else solved.answer}",
  ]
  if solved.correct is not None:
    lines.append(f"graded: {'right' if solved.correct else 'wrong'}")
  lines += [
    f"confidence: {confidence(solved, calibration_error)}",
    f"strategy: {deciding.words(solved.decision.plan)} ({solved.decision.why})",
    f"spent: {spent.generations} generations,"
    f" {spent.tokens['generated']:,} tokens generated, {read:,} read besides,"
    f" {spent.flops:.3g} FLOPs",
  ]
  return "\n".join(lines)


def confidence(solved: solver.Solved, calibration_error: float | None) -> str:
  """How sure the verifier is, and what is known of its word."""
  if solved.score is None or solved.share is None:
    return "none: no solution states an answer"
  said = (
    f"{solved.score:.2f} by the verifier, {solved.share:.0%} of the vote;"
    " the score is of one chosen for it, so rather too high"
  )
  if calibration_error is None:
    return f"{said}; its calibration was not measured"
  return f"{said}; over all samples it is calibrated to {calibration_error:.3f}"


def calibration_error(regimes: dict[str, Any]) -> float | None:
  """Of the verifier that ships, from the figures that stand beside it.

  Args:
    regimes: as `verify.saved.regimes` gives them; other verifiers have none.
  """
  found = regimes.get("shipped", {}).get("ece")
  return None if found is None else float(found)
