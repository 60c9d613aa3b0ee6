from __future__ import annotations

from analysis.drawing import style


def test_looks_are_fixed_and_distinct() -> None:
    assert len({look.colour for look in style.LOOKS.values()}) == len(style.LOOKS)
    assert len({look.marker for look in style.LOOKS.values()}) == len(style.LOOKS)
    assert style.look("my_search") == style.look("my_search")
    assert style.look("my_search").label == "My search"


def test_a_variant_has_the_label_and_colour_of_its_method() -> None:
    assert style.look("beam_search/majority").label == "Beam search (majority)"
    assert style.look("lookahead (k=3)").label == "Lookahead (k=3)"
    assert style.look("beam_search/majority").colour == style.look("beam_search").colour


def test_no_two_methods_of_a_figure_look_the_same() -> None:
    names = ["majority", "lookahead (k=1)", "lookahead (k=3)", "last", "min", "prod", "mean"]
    found = style.looks(names)
    assert list(found) == names
    assert len({look.colour for look in found.values()}) == len(names)
    assert found["majority"] == style.LOOKS["majority"]
    assert found["lookahead (k=1)"].colour == style.LOOKS["lookahead"].colour
    assert found["lookahead (k=1)"].line != found["lookahead (k=3)"].line


def test_order_is_that_of_the_ranks_and_keeps_what_is_unknown() -> None:
    assert style.ordered(["prod", "dvts", "last", "greedy", "lookahead (k=3)", "lookahead (k=1)"]) == [
        "greedy", "dvts", "lookahead (k=1)", "lookahead (k=3)", "prod", "last",
    ]  # fmt: skip
