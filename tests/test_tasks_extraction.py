import pytest

from tts_jax.tasks import extraction


@pytest.mark.parametrize(
  ("completion", "answer"),
  [
    (r"so $\boxed{4}$", "4"),
    (r"$\boxed{1}$, no: $\boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
    (r"\boxed{\{1, \sqrt{2}\}}", r"\{1, \sqrt{2}\}"),
    (r"\boxed{x \}}", r"x \}"),
    (r"$\boxed 5$", "5"),
    (r"\fbox{7}", "7"),
    # Cut open by the token limit: the whole one before counts.
    (r"\boxed{3} and \boxed{4", "3"),
    (r"\boxed{4", None),
    (r"\boxed{}", None),
    ("2+2=4\n#### 4", "4"),
    ("The answer is 4. I hope so.", "4"),
    ("The answer is 4.5.", "4.5"),
    ("Final Answer: The final answer is $4$. I hope it is correct.", "4"),
    (r"The final answer is \(x+1\).", "x+1"),
    ("the answer is 3. No, the answer is: 4\nmore", "4"),
    ("Answer: 12", "12"),
    ("It is 4.", None),
    ("", None),
    (r"The final answer is: $\boxed{5}$. I hope it is correct.", "5"),
    (r"\boxed{\frac{\sqrt{2^{n}}}{3}} and so on", r"\frac{\sqrt{2^{n}}}{3}"),
    (r"**Final Answer**: \fbox{\left\{1\right\}}.", r"\left\{1\right\}"),
    # As chat models mark it up.
    ("**Answer:** 5", "5"),
    ("**Answer**: 5", "5"),
    ("Answer: **5**", "5"),
    ("The answer is **5**. I hope so.", "5"),
    ("**The answer is 5**", "5"),
    ("**Final Answer:** $\\frac12$", r"\frac12"),
    ("The answer is: `5`\nDone.", "5"),
    ("## Final answer:\n\n\\[ x+1 \\]", "x+1"),
    (r"The answer is $\$5$.", r"\$5"),
    ("The answer is -3*x.", "-3*x"),
    ("The correct answer is (B).", "(B)"),
    ("the answerless one is **5**", None),
    # The box wins over the sentence.
    (r"\boxed{1} The answer is 2.", "1"),
  ],
)
def test_extract_answer(completion, answer):
  assert extraction.extract_answer(completion) == answer
