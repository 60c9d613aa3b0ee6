"""Stages that look at one row at a time: what each drops and what it spares."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.curation.rows import row
from ttcs.config.options import CONF
from ttcs.core import Problem
from ttcs.curation import rules
from ttcs.curation.decontaminate import against, ngrams
from ttcs.curation.domains import GivenDomain, KeywordDomain
from ttcs.curation.failed import Failed
from ttcs.curation.length import Length, Tokens, characters, words
from ttcs.curation.quality import Quality
from ttcs.curation.row import Drop
from ttcs.errors import UserError
from ttcs.problems.columns import Columns, problem, stem

TRIANGLE = "    A\n   / \\\n  /   \\\n /_____\\\nB       C"
SPOILT = [
    (rules.image, {"question": "What is shown? ![](a.png)"}),
    (rules.image, {"question": "See https://example.org/plot.jpg for data."}),
    (rules.image, {"question": r"\includegraphics[width=2in]{a}"}),
    (rules.image, {"answer": "<img src=a>"}),
    (rules.image, {"question": "[asy] draw((0,0)--(1,1)); [/asy]"}),
    (rules.image_reference, {"question": "As shown in the figure, AB = 2."}),
    (rules.image_reference, {"question": "Find x in the diagram below."}),
    (rules.image_reference, {"question": "In the figure, AB is parallel to CD."}),
    (rules.image_reference, {"question": "The graph shown has five vertices."}),
    (rules.image_reference, {"question": "Use the following diagram to find y."}),
    (rules.ascii_art, {"question": f"Find the area:\n{TRIANGLE}"}),
    (rules.ascii_art, {"thinking": f"Draw it.\n{TRIANGLE}\nNow measure."}),
    (rules.ascii_art, {"answer": "┌──┬──┐\n│  │  │\n└──┴──┘"}),
    (rules.encoding, {"question": "caf\N{REPLACEMENT CHARACTER}"}),
    (rules.encoding, {"thinking": "a na\u00c3\u00afve na\u00c3\u00a9 guess"}),
    (rules.encoding, {"answer": "bell \x07"}),
    (rules.html, {"question": "<p>What is 1 + 1?</p>"}),
    (rules.html, {"question": 'a <span class="x">b'}),
    (rules.html, {"answer": "2&nbsp;m"}),
    (rules.latex, {"question": r"\begin{align} x = 1"}),
    (rules.latex, {"answer": r"\[ x = 1"}),
    (rules.latex, {"answer": "```python\nprint(2)"}),
    (rules.latex, {"question": r"\left( x + 1 )"}),
    (rules.numbering, {"question": "7. Find x."}),
    (rules.numbering, {"question": "1. Find x.\n3. Find y."}),
    (rules.numbering, {"question": "Problem 12. Find x."}),
]
SPARED = [
    {"question": "Is the graph of f in the image of the map, and how many edges has a graph?"},
    {"question": "How many vertices are there in the graph?"},
    {"question": "Find all x in the image."},
    {"question": "What is the least significant figure of 2.50?"},
    {"question": "1. Find x.\n2. Find y."},
    {"question": "It takes 3.5 hours.\n12 men work."},
    {"question": "If $0<p$ and $q>1$, what is pq?"},
    {"question": r"Let $\left\{ x \right\}$ and $x \rightarrow 1 \\[2pt]$, $a \leftarrow b$."},
    {"question": r"\begin{align} x &= 1 \\ y &= 2 \end{align}"},
    {"answer": "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |"},
    {"answer": "First.\n\n---\n\n***\n\nSecond."},
    {"answer": "```python\nprint(2)\n```"},
    {"thinking": "x = 1\ny = 2\nx + y = 3\n- 5\n12\n+ 34\n----\n46"},
    {"thinking": "Perhaps I should draw the figure below.\n<p> is the price."},
    {"question": "Où est Zoë? naïve café, “quotes” and ½ – 3 €"},
]


@pytest.mark.parametrize(("rule", "changes"), SPOILT)
def test_a_rule_hits(rule, changes):
    assert rule(row(**changes))


@pytest.mark.parametrize("changes", SPARED)
@pytest.mark.parametrize("rule", sorted({rule.__name__ for rule, _ in SPOILT}))
def test_a_rule_spares(rule, changes):
    assert not getattr(rules, rule)(row(**changes))


def test_the_first_rule_that_is_broken_is_the_reason_and_yaml_names_all_of_them():
    stage = Quality({"image": rules.image, "html": rules.html})
    assert stage.judge(row(question="<br><img>")) == Drop("image")
    assert stage.judge(row(question="<br>")) == Drop("html")
    assert stage.judge(row()) == row()
    named = yaml.safe_load((CONF / "curation.yaml").read_text())["stages"]["quality"]["rules"].values()
    assert {node["_target_"].rpartition(".")[2] for node in named} == {rule.__name__ for rule, _ in SPOILT}


def failed():
    node = yaml.safe_load((CONF / "curation.yaml").read_text())["stages"]["failed"]
    return Failed(node["patterns"], node["within"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"error": "503"}, "error"),
        ({"question": ""}, "no question"),
        ({"thinking": ""}, "no thinking"),
        ({"answer": ""}, "no answer"),
        ({"answer": "Error: request failed"}, "error message"),
        ({"thinking": "google.api_core.exceptions.Exception: no"}, "error message"),
        ({"answer": "HTTP 429 Too Many Requests"}, "error message"),
        ({"thinking": "RESOURCE_EXHAUSTED"}, "error message"),
        ({"answer": "The request timed out."}, "error message"),
    ],
)
def test_failed_generations(changes, reason):
    assert failed().judge(row(**changes)) == Drop(reason)


@pytest.mark.parametrize("text", ["The error is 2 %.", "x" * 300 + " 429 Too Many Requests", "An exceptional group."])
def test_generations_that_speak_of_errors_are_none(text):
    assert failed().judge(row(answer=text)) == row(answer=text)


def test_a_pattern_that_is_none():
    with pytest.raises(UserError, match=r"failed\.patterns: not a regular expression"):
        Failed(["("], 10)


TEST = "A train of length 200 m passes a bridge in 30 seconds; how long is it?"


def decontaminate(n=8):
    return against({"first": [Problem("1", TEST)], "short": [Problem("2", "Solve $x^2 = 4$.")]}, n)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (TEST, "first"),
        ("Suppose A TRAIN, of length $200$ m -- passes a bridge. When?", "first"),  # 8 words running
        ("Suppose a train of length 200 m passes the bridge in 30 seconds; how?", None),  # 7 at most
        ("Solve x^2=4", "short"),
        ("Please solve x^2 = 4.", None),  # short ones must match as a whole
        ("Solve x^2 - 4.", None),
        ("Solve x^2 = 4 and a train of length 300 m", None),
        ("???", None),
    ],
)
def test_eight_words_running_are_contamination(question, found):
    judged = decontaminate().judge(row(question=question))
    assert judged == (row(question=question) if found is None else Drop(f"in {found}"))


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12), st.integers(1, 4))
def test_contamination_is_a_common_run_of_n_words(test, own, n):
    stage = against({"t": [Problem("1", " ".join(test))]}, n)
    runs = {tuple(test[i : i + n]) for i in range(len(test) - n + 1)} if len(test) >= n else {tuple(test)}
    mine = {tuple(own[i : i + n]) for i in range(len(own) - n + 1)} if len(own) >= n else {tuple(own)}
    assert (stage.judge(row(question=" ".join(own))) == Drop("in t")) == bool(runs & mine)


def test_how_options_are_listed_is_no_contamination():
    columns = Columns("id", "q", "a", None, None, wrong=("b", "c"))
    tests = [problem("t:1", {"id": "1", "q": "Which?", "a": "four", "b": "five", "c": "six"}, columns, 0)]
    assert "(A)" in tests[0].question and stem(tests[0]) == "Which?"
    stage = against({"t": tests}, 8)
    listed = row(question="What is it?\n\n(A) x\n(B) y\n\nAnswer with the letter of the right option.")
    assert stage.judge(listed) == listed
    assert stage.judge(row(question="which")) == Drop("in t")


def test_a_test_question_without_words_matches_itself():
    assert against({"t": [Problem("1", "$+$")]}, 8).judge(row(question="-")) == row(question="-")
    assert against({"t": [Problem("1", "$+$")]}, 8).judge(row(question="+")) == Drop("in t")
    assert list(ngrams("a b", 8)) == []


@pytest.mark.parametrize(
    ("tests", "n", "line"), [({}, 8, "names no test set"), ({"t": []}, 0, "n=0 is not a positive")]
)
def test_bad_decontamination(tests, n, line):
    with pytest.raises(UserError, match=line):
        against(tests, n)


KEYWORDS = {"geometry": ["triangle", "right angle"], "numbers": ["prime", "integer"]}


@pytest.mark.parametrize(
    ("question", "domain"),
    [
        ("How many Triangles are there?", "geometry"),
        ("Primes and integers in a triangle", "numbers"),
        ("a right angle, and a triangle of prime sides", "geometry"),
        ("a triangle of prime sides", "geometry"),  # a tie: the first
        ("primed triangulation", "other"),
    ],
)
def test_keywords(question, domain):
    stage = KeywordDomain(KEYWORDS, "other")
    assert stage.judge(row(question=question, domain=None)) == row(question=question, domain=domain)
    assert stage.judge(row(question=question, domain="given")) == row(question=question, domain="given")


def test_rows_without_a_domain():
    assert GivenDomain(None).judge(row(domain=None)) == Drop("no domain")
    assert GivenDomain("rest").judge(row(domain=None)) == row(domain="rest")
    assert KeywordDomain(KEYWORDS, None).judge(row(domain=None)) == Drop("no domain")
    with pytest.raises(UserError, match="more than 3 words"):
        KeywordDomain({"x": ["one two three four"]}, None)


def test_lengths():
    text = "Count on from 1."
    assert Length(words).judge(row(thinking=text)).length == 4
    assert Length(characters).judge(row(thinking=text)).length == 16
    tokens = Length(Tokens("ttcs/zoo/models/policy")).judge(row(thinking=text)).length
    assert 4 <= tokens <= 16
