from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.estimates.evaluate import evaluate
from analysis.runs import variants
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import simulated, write


def estimates(*runs: tuple[str, int]) -> pd.DataFrame:
    return pd.DataFrame([{"method": "beam_search", "settings": text, "n": n, "correct": 1.0} for text, n in runs])


def series(*runs: tuple[str, int]) -> dict[str, list[int]]:
    found = variants.named(estimates(*runs))
    return {str(name): sorted(rows["n"]) for name, rows in found.groupby("method")}


def test_one_setting_needs_no_name() -> None:
    assert series(("max_steps=40, width=4", 4), ("max_steps=40, width=4", 16)) == {"beam_search": [4, 16]}


def test_variants_are_named_by_what_differs_alone() -> None:
    found = series(("k=1, max_steps=40, width=4", 16), ("k=3, max_steps=40, width=4", 16))
    assert found == {"beam_search (k=1)": [16], "beam_search (k=3)": [16]}


def test_settings_that_change_with_n_are_not_one_line() -> None:
    assert series(("k=1", 4), ("k=3", 16)) == {"beam_search (k=1)": [4], "beam_search (k=3)": [16]}


def test_a_width_that_is_the_root_of_n_is_one_variant() -> None:
    roots = [("width=2", 4), ("width=4", 16), ("width=8", 64)]
    assert series(*roots) == {"beam_search": [4, 16, 64]}
    fixed = [("width=4", 4), ("width=4", 64)]
    assert series(*roots, *fixed) == {"beam_search (width=√N)": [4, 16, 64], "beam_search (width=4)": [4, 16, 64]}


def test_a_single_width_that_happens_to_be_the_root_is_no_variant() -> None:
    assert series(("k=1, width=4", 16), ("k=3, width=4", 16), ("k=1, width=4", 4), ("k=3, width=4", 4)) == {
        "beam_search (k=1)": [4, 16],
        "beam_search (k=3)": [4, 16],
    }


def test_lookahead_runs_are_told_apart(tmp_path: Path) -> None:
    for k in (1, 3):
        for n in (4, 16):
            made = simulated(4, n, k)
            write(tmp_path / f"{k}-{n}", made, strategy="lookahead", n=n, width=4, settings={"k": k})
    assert set(evaluate(load(tmp_path))["method"]) == {"lookahead (k=1)", "lookahead (k=3)"}


def test_runs_are_parted_by_their_verifier(tmp_path: Path) -> None:
    for name in ("strong", "weak"):
        for seed in (0, 1):
            write(tmp_path / f"{name}{seed}", simulated(3, 4, seed), n=4, seed=seed, prm=name)
    found = variants.by(load(tmp_path), "prm")
    assert {name: list(one.runs["run"]) for name, one in found.items()} == {
        "strong": ["strong0", "strong1"],
        "weak": ["weak0", "weak1"],
    }


def test_verifiers_of_one_name_are_told_apart_by_their_settings(tmp_path: Path) -> None:
    for quality in (0.2, 0.9):
        folder = write(tmp_path / str(quality), simulated(3, 4), n=4)
        with (folder / "config.yaml").open("a") as file:
            file.write(f"prm:\n  quality: {quality}\n  seed: 0\n")
    assert list(variants.by(load(tmp_path), "prm")) == ["tiny (quality=0.2)", "tiny (quality=0.9)"]


def test_an_option_that_is_younger_than_a_record_is_no_difference(tmp_path: Path) -> None:
    write(tmp_path / "old", simulated(3, 4), n=4)
    with (write(tmp_path / "young", simulated(3, 4), n=4, seed=1) / "config.yaml").open("a") as file:
        file.write("prm:\n  blind: 0.0\n")
    assert list(variants.by(load(tmp_path), "prm")) == ["tiny"]


def test_lists_and_nested_settings_tell_runs_apart(tmp_path: Path) -> None:
    for name, accuracy, prompt in (("a", "[0.9, 0.8]", "x"), ("b", "[0.9, 0.7]", "x"), ("c", "[0.9, 0.8]", "null")):
        with (write(tmp_path / name, simulated(3, 4), n=4) / "config.yaml").open("a") as file:
            file.write(f"policy:\n  accuracy: {accuracy}\n  prompt:\n    system: {prompt}\n  cache_gb: 1\n")
    records = load(tmp_path)
    with pytest.raises(RecordsError, match=r"different policy.accuracy .* a has \[0.9, 0.8\], b has \[0.9, 0.7\]"):
        evaluate(records.only(["a", "b"]))
    with pytest.raises(RecordsError, match=r"different policy.prompt.system .* a has x, c has None"):
        evaluate(records.only(["a", "c"]))


def test_what_cannot_change_a_result_is_no_difference(tmp_path: Path) -> None:
    for seed, gigabytes in enumerate(("1.0", "null")):
        with (write(tmp_path / gigabytes, simulated(3, 4, seed), n=4, seed=seed) / "config.yaml").open("a") as file:
            file.write(f"policy:\n  cache_gb: {gigabytes}\n")
    assert len(variants.by(load(tmp_path), "policy")) == 1
    assert not evaluate(load(tmp_path)).empty
