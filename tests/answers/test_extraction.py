import pytest

from ttcs.answers import extract


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


def test_a_thousand_open_boxes_are_no_trouble() -> None:
    assert extract(r"\boxed{" * 1000) is None
