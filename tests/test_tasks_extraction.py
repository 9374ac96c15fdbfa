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
    # The box wins over the sentence.
    (r"\boxed{1} The answer is 2.", "1"),
  ],
)
def test_extract_answer(completion, answer):
  assert extraction.extract_answer(completion) == answer
