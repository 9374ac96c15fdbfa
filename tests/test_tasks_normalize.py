import itertools

import pytest

from tts_jax.tasks import normalize

# Each line is one vote group; every pair across lines must differ.
GROUPS = [
  [r"\frac{1}{2}", "0.5", "1/2", r"\dfrac12", ".50", r"$\frac12$", r"\frac 1 2",
   r"\frac{1}2", r"x = \tfrac{1}{2}", r"\boxed{\frac{1}{2}}", r"\( 0.5 \)"],
  [r"-\frac{1}{2}", r"\frac{-1}{2}", "-0.5", "-1/2", "\N{MINUS SIGN}.5"],
  ["1,000", "1000", "1{,}000", r"1,\!000", r"\$1000", "1 000", "1000.0",
   "1000.", r"1000\%", r"1000 \text{ dollars}", "1000 dollars"],
  [r"(1,\frac12)", r"\left( 1, 0.5 \right)", r"\big(1 ; 1/2\big)"],
  [r"(1,\frac12]"],
  [r"\{1,2\}", "2,1", "x=1,2", r"x=1 \text{ or } x=2", "1 and 2",
   r"\left\{ 2, 1.0 \right\}", "1;2", r"1,\quad 2"],
  ["(1,2)", "(x,y)=(1,2)"],
  ["(2,1)"],
  ["[1,2]", r"x \in [1,2]"],
  ["100, 200"],
  ["100200", "100,200"],
  ["x=1,y=2", "y=2,x=1"],
  ["x=2,y=1"],
  [r"3\frac{1}{2}", "3 1/2", "7/2", "3.5"],
  [r"90^\circ", "90", r"90^{\circ}", r"90\text{ degrees}", "90 degrees"],
  [r"15\mbox{ cm}^2", "15", r"15\text{ cm}^{2}", r"15\text{ square units}."],
  [r"\text{(C)}", "C", "(C)", r"\textbf{(C)}"],
  [r"\text{Evelyn}", "evelyn", "Evelyn"],
  [r"3\pi/2", r"\frac{3\pi}{2}", r"\dfrac{3 \pi}2"],
  [r"\frac{\sqrt3}2", r"\frac{\sqrt{3}}{2}", r"\sqrt{3}/2"],
  [r"(-\infty,2)\cup(3,\infty)", r"(3,+\infty) \cup (-\infty, 2)"],
  [r"\begin{pmatrix}1\\2.0\end{pmatrix}",
   r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}",
   r"\begin{bmatrix}1\\2\\\end{bmatrix}"],
  [r"\begin{pmatrix}1&2\end{pmatrix}"],
  ["x+2", "x + 2", "y=x+2"],
  [r"x \leq 5", "x <= 5", r"x\le5"],
  ["x < 5", r"x\lt 5"],
  ["2i", r"2\mathrm{i}"],
  ["2"],
  [r"10:30\text{ a.m.}"],
  [r"10:30\text{ p.m.}"],
  ["3_4"],
  ["x^2", "x^{2}", "x**2"],
]  # fmt: skip
FORMS = [(number, form) for number, g in enumerate(GROUPS) for form in g]


def test_groups_vote_together_and_apart():
  # All ordered pairs: symmetric and transitive on the set, and right.
  forms = [(group, text, normalize.canonical(text)) for group, text in FORMS]
  for (i, a, form_a), (j, b, form_b) in itertools.product(forms, forms):
    assert (form_a == form_b) == (i == j), (a, b, form_a, form_b)


def test_a_form_is_its_own_form():
  for _, text in FORMS:
    form = normalize.canonical(text)
    assert form is not None
    assert normalize.canonical(form) == form


@pytest.mark.parametrize("text", ["", " ", "$$", r"\boxed{}", "1" * 401])
def test_nothing_to_vote_for(text):
  assert normalize.canonical(text) is None


@pytest.mark.parametrize(
  "text",
  [
    *(r"\frac{1}{", "((((1,2", r"1/0", r"\frac{1}{0}", r"\frac", r"\\"),
    *("(1," * 90 + "2" + ")" * 90, "9" * 300, r"9^{9^{9^{9}}}", r"\sqrt["),
    "}" * 50,
  ],
)
def test_malformed_answers_keep_a_form(text):
  assert isinstance(normalize.canonical(text), str)
