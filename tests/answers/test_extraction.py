import pytest

from ttcs.answers import equivalent, extract, group


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"so \boxed{42}", "42"),
        (r"\boxed{1}, no: \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        (r"\boxed   {  x^2 } end", "x^2"),
        (r"$\boxed 5$.", "5"),
        (r"\fbox{12}", "12"),
        (r"\fbox{3} but \boxed{4}", "4"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{5} and then \boxed{\frac{1}{", "5"),
        (r"put it in \boxed{} please", None),
        (r"\boxed{\frac{1}{2", None),
        (r"\boxed", None),
        ("Final Answer: The final answer is $[2,5)$. I hope it is correct.", "[2,5)"),
        ("The final answer is 12.5. Good.", "12.5"),
        ("**Answer:** 4.", "4"),
        ("✅ Final Answer: **73**", "73"),
        ("Final Answer: The largest $n$ is 34.", "34"),
        (r"Answer: 3, but \boxed{7}", "7"),
        ("<think>41</think><answer> 48 </answer>", "48"),
        ("24 + 48 = 72\n#### 1,234", "1,234"),
        ("答案是 28", "28"),
        ("Therefore, the probability is 2/3. <|im_start|>user", "2/3"),
        ("So the sky is blue.", None),
        ("nothing here", None),
        ("", None),
    ],
)
def test_finds_the_final_answer(text: str, answer: str | None) -> None:
    assert extract(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"The roots are $\boxed{1}$ and $\boxed{-2}$.", "1, -2"),
        (r"\[\boxed{4},\ \boxed{9}\]", "4, 9"),
        (r"\boxed{2}, \boxed{5}, and \boxed{11}.", "2, 5, 11"),
        (r"$x = \boxed{3}$ or $x = \boxed{-3}$.", "3 or -3"),
        (r"\boxed{3} \text{ or } \boxed{4}", "3 or 4"),
        (r"$x = \boxed{3}$ and $y = \boxed{4}$.", "x = 3, y = 4"),
        (r"\boxed{5} cm and \boxed{7} cm", "5, 7"),
        (r"$\boxed{30}^\circ$, $\boxed{60}^\circ$", "30, 60"),
        (r"$\boxed{x < 1}$ or $\boxed{x > 2}$", "x < 1 or x > 2"),
        (r"\boxed{7} at first. In all \boxed{1} and \boxed{2}", "1, 2"),
        (r"First $\boxed{12}$. Adding $3$ gives $\boxed{15}$.", "15"),
        (r"\boxed{1}, then \boxed{2}", "2"),
        (r"$\boxed{5}$ and $\boxed{5}$", "5"),
        (r"$\boxed{15\frac{39}{40}}$, or $\boxed{\frac{639}{40}}$", r"\frac{639}{40}"),
        (r"\boxed{\boxed{1}, \boxed{2}}", "1, 2"),
        (r"\boxed{x = \boxed{5}}", "5"),
        (r"\boxed{1} and \boxed{}", "1"),
        (r"\boxed{1} and \boxed{2", "1"),
        ("\\boxed{\u200b12}", "12"),
    ],
)
def test_boxes_that_nothing_parts_are_one_list(text: str, answer: str) -> None:
    assert extract(text) == answer


@pytest.mark.parametrize(
    ("text", "reference", "right"),
    [
        (r"$\boxed{1}$ and $\boxed{2}$", "2", False),
        (r"$\boxed{1}, \boxed{-2}$", "1,-2", True),
        (r"$x = \boxed{3}$ and $y = \boxed{4}$", "(3,4)", True),
        (r"$x = \boxed{3}$ and $y = \boxed{4}$", "(4,3)", False),
        (r"\begin{align*} x &= \boxed{1} \\ y &= \boxed{2} \end{align*}", "(1,2)", True),
        (r"\boxed{1,000} and \boxed{2,000}", "2000, 1000", True),
        (r"\boxed{x < 1} or \boxed{x > 2}", r"(-\infty,1)\cup(2,\infty)", True),
        (r"\boxed{(1,2)} and \boxed{(3,4)}", "(3,4), (1,2)", True),
        (r"\boxed{\sqrt{8}} or \boxed{2\sqrt{2}}", r"2\sqrt{2}", True),
        ("The answer is $1$ and $2$.", "1", False),
        ("The answer is $x=1$ or $x=2$.", "1, 2", True),
        ("The answer is 1/2, or 0.5.", "1/2", True),
    ],
)
def test_a_list_is_compared_as_a_whole(text: str, reference: str, right: bool) -> None:
    answer = extract(text)
    assert answer is not None
    one, other = group([answer, reference])
    assert equivalent(answer, reference) == right == (one == other)


HOSTILE = [
    r"\boxed{",
    r"\boxed{1} and ",
    "$",
    r"\(",
    "<answer>",
    "<|",
    "answer is ",
    "the answer is 42, which ",
    " ",
    "so ",
]


@pytest.mark.parametrize("start", ["", "The answer is ", r"\boxed{"])
@pytest.mark.parametrize("repeated", HOSTILE)
def test_a_long_text_takes_no_longer_than_its_length(start: str, repeated: str) -> None:
    # Were it quadratic, this would not end in minutes.
    extract(start + repeated * (30_000 // len(repeated)))


def test_a_thousand_open_boxes_are_no_trouble() -> None:
    assert extract(r"\boxed{" * 1000) is None
