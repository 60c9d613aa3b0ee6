"""An override as the shell is told to take it: pasted into bash, it comes to the value that was meant."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from ttcs.config.quoting import checked, quoted
from ttcs.errors import UserError

TEXTS = [
    r"Use \boxed{}.",
    "Think, then answer",
    'Say "yes" or "no"',
    'it\'s {all} "mixed" \\',
    "a=b",
    "50% # no comment",
    "$HOME, `ls` and $(ls)",
    "!history {}",
    "${n} {",
    "C:\\",
    r"\\" + '"',
    "one\ntwo, three\t{}",
    "größer, ≤",
    "(a",
    "[x",
    "",
]


def pasted(written: str) -> str:
    """What bash makes of it."""
    command = ["bash", "-c", f"printf %s {written}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def value(override: str) -> object:
    return OverridesParser.create().parse_override(override).value()


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_pasted_is_what_was_meant(text: str) -> None:
    written = quoted(f"policy.system_prompt={text}")
    assert written is not None and "\n" not in written
    assert value(pasted(written)) == text


def test_quotes_that_fell_short_are_taken_off() -> None:
    written = quoted('k="say "hi", {}"')
    assert written is not None and value(pasted(written)) == 'say "hi", {}'


def test_in_a_list_the_items_are_quoted() -> None:
    written = quoted("+k=[zoo, policy.top_p=0.9]")
    assert written is not None and value(pasted(written)) == ["zoo", "policy.top_p=0.9"]


@settings(max_examples=300)
@given(st.text(st.sampled_from("ab \\\"'{}[],=#$:()\n"), max_size=8).filter(lambda text: text.strip()[:1] not in "\"'"))
def test_any_text_is_quoted_so_that_hydra_gives_it_back(text: str) -> None:
    written = quoted(f"k={text}")
    assert written is not None and "\n" not in written
    if "\n" not in text and text.strip()[:1] != "[":
        assert value(shlex.split(written)[0]) == text


@pytest.mark.parametrize("text", ["n=4", r"k=\neq and \nabla, \nu", r"k=\boxed{}", "k=one\ntwo", "k"])
def test_tex_and_real_line_breaks_pass(text: str) -> None:
    checked([text])


@pytest.mark.parametrize("override", [r"k=one\ntwo", r'k="one\ntwo"', r"k='one\ntwo'"])
def test_a_line_break_that_is_none_is_told_with_one_that_is(override: str) -> None:
    with pytest.raises(UserError, match="stays two characters") as told:
        checked([override])
    line = str(told.value)
    assert "\n" not in line
    assert value(pasted(line.partition("it is ")[2])) == "one\ntwo"


@pytest.mark.parametrize("override", [r"k=[a\nb,c]", r"k=a\nb,c"])
def test_one_in_a_list_is_told_too(override: str) -> None:
    with pytest.raises(UserError, match=r"k has \\n in it"):
        checked([override])
