"""Every number of every yaml under conf/ has a range, and one outside of it is refused before anything is loaded."""

from __future__ import annotations

import inspect
import math
import typing
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import OmegaConf

from ttcs.config.bounds import checked, numbers
from ttcs.config.components import _hints, build
from ttcs.config.identity import register_resolvers
from ttcs.config.options import CONF
from ttcs.config.ranges import FOREIGN, RANGES
from ttcs.errors import UserError, told

FILES = sorted(file.relative_to(CONF) for file in CONF.rglob("*.yaml") if "hydra" not in file.parts)
# What else can be null: names, texts, paths and parts that are left out.
NOT_NUMBERS = {
    *(
        "account",
        "answer_after",
        "api_key_env",
        "behind",
        "candidates",
        "chat_template",
        "config",
        "constraint",
        "enforce_eager",
        "hosts",
    ),
    *(
        "error",
        "experiment",
        "family",
        "format",
        "fsdp",
        "id",
        "level",
        "lora",
        "methods",
        "model",
        "order",
        "otherwise",
    ),
    *("model_revision", "records", "reference_revision", "remark", "revision", "saved"),
    *("uri", "entity", "mode"),
    *("partition", "path", "pilot", "policies", "qos", "quantization", "reference", "served_model", "selection"),
    *("system", "system_prompt", "text", "tokenizer", "weights", "name", "domain", "solved", "difficulty", "prompt"),
    *("reasoning", "large", "resume_body", "resume_message", "speculative_config", "fsdp_config", "lora_config"),
}
# 0 means something: none of it, no limit on what is kept, the first seed or shard, greedy decoding.
ZERO = {
    *("seed", "shard", "waits", "least", "k", "retries", "temperature", "temperatures", "hot_temperature", "cache_gb"),
    *(
        "flip",
        "hot",
        "power",
        "mixed",
        "share",
        "worked",
        "slip",
        "slips",
        "erring",
        "small",
        "comparisons",
        "misconception",
        "misconceptions",
        "quality",
        "blind",
        "spread",
        "tail",
        "template",
        "rule",
        "missed",
        "check",
        "deviation",
        "noise",
        "last_noise",
        *("mistake", "liked", "centre"),
    ),
    *(
        "accuracy",
        "validation",
        "dropout",
        "deepen",
        "token_loss",
        "next_loss",
        "own_loss",
        "care",
        "rounds",
        "words",
        "price",
    ),
    *("warmup_steps", "weight_decay", "max_grad_norm", "adam_beta1", "adam_beta2", "dataloader_num_workers", "sure"),
    *("min_p", "top_k", "max_num_timeout", "gpus_per_node", "n_jobs", "attempts", "ahead"),
}
MINUS_ONE = {"n_jobs", "top_k"}  # joblib: all cores; a server: all tokens
ANY = {"sure", "centre", "mistake", "liked"}  # a score: verifiers have scales of their own; logarithms


def merged(group: Path, option: str) -> dict[str, Any]:
    """The yaml with those of its group that it stands on, which say whose settings its numbers are."""
    node = yaml.safe_load((CONF / group / f"{option}.yaml").read_text(encoding="utf-8")) or {}
    below: dict[str, Any] = {}
    for entry in node.pop("defaults", []):
        inner, name = next(iter(entry.items())) if isinstance(entry, dict) else (".", entry)
        inside = group != Path() or inner == "."  # the options of a command's groups have yamls of their own
        if inside and name is not None and name != "_self_" and (CONF / group / str(inner) / f"{name}.yaml").exists():
            below |= merged(group / inner, name)
    return _over(below, node)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {key: _over(below[key], above[key]) for key in above if isinstance(below.get(key), dict) and above[key]}
    return below | above | both


def placed(file: Path) -> dict[str, Any]:
    """The yaml at its place in the configuration, without Hydra's own."""
    node = merged(file.parent, file.stem)
    node.pop("hydra", None)
    first = (CONF / file).read_text(encoding="utf-8").partition("\n")[0]
    return node if len(file.parts) == 1 or first == "# @package _global_" else {file.parts[0]: node}


def leaves(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Everything but what is handed on to others; a list of plain values is one leaf."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name not in FOREIGN:
                yield from leaves(value, (*path, str(name)))
    elif isinstance(node, list) and any(isinstance(item, Mapping) for item in node):
        for number, item in enumerate(node):
            yield from leaves(item, (*path, str(number)))
    else:
        yield path, node


def numeric(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return any(type(item) in (int, float) for item in items)


def with_value(node: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    changed = deepcopy(node)
    at: Any = changed
    for name in path[:-1]:
        at = at[int(name)] if isinstance(at, list) else at[name]
    at[path[-1]] = value
    return changed


def refused(node: dict[str, Any], path: tuple[str, ...], value: Any) -> bool:
    try:
        checked(with_value(node, path, value), RANGES, FOREIGN)
    except UserError as error:
        assert str(error).startswith(f"{'.'.join(path)}={value} is not a ") and "\n" not in str(error)
        return True
    return False


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_number_has_a_range_and_is_in_it(file: Path) -> None:
    node = placed(file)
    checked(node, RANGES, FOREIGN)
    ranged = {key for key, _, _ in numbers(node, RANGES, FOREIGN)}
    for path, value in leaves(node):
        if (numeric(value) or (value is None and path[-1] not in NOT_NUMBERS)) and ".".join(path) not in ranged:
            assert refuses(file, path), "ttcs/config/ranges.py says what a number may be, or the strategy itself"


@pytest.mark.parametrize("stage", sorted(file.stem for file in FILES if file.parts[0] == "stage"))
def test_every_number_of_a_stage_is_in_its_range_as_the_command_puts_it_together(stage: str) -> None:
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("training", [f"stage={stage}"])
    whole = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    checked({"stage": whole["stage"]}, RANGES, FOREIGN)  # type: ignore[call-overload, index]


def refuses(file: Path, path: tuple[str, ...]) -> bool:
    """Whether a strategy itself refuses a number that is none of its kind: then it needs no line in the table."""
    if file.parts[0] != "strategy":
        return False
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", [f"strategy={file.stem}", "n=8", f"{'.'.join(path)}=-7"])
    try:
        build(config, "strategy")
    except Exception as error:  # Hydra's, around ours
        return told(error) is not None
    return False


def test_a_strategy_may_say_itself_what_its_numbers_may_be() -> None:
    assert refuses(Path("strategy/beam_search.yaml"), ("strategy", "max_steps"))
    assert not refuses(Path("prm/zoo.yaml"), ("prm", "batch_size"))


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_number_out_of_its_range_is_refused(file: Path) -> None:
    node = placed(file)
    whole = {key: limits.whole for key, _, limits in numbers(node, RANGES, FOREIGN)}
    for path, value in leaves(node):
        if ".".join(path) not in whole:
            continue
        names = {path[-1], path[-2] if len(path) > 1 else ""}
        wrong: list[Any] = [math.nan, math.inf, -math.inf, "abc", True, *([1.5, 1e30] * whole[".".join(path)])]
        wrong += [] if names & ANY else [-7, -0.5]
        wrong += [] if names & (MINUS_ONE | ANY) else [-1]
        wrong += [] if names & ZERO else [0]
        for number in wrong:
            assert refused(node, path, number), f"{'.'.join(path)}={number}"
            assert not isinstance(value, list) or refused(node, path, [*value, number])


def components(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where a component stands, and its class or function."""
    if isinstance(node, Mapping):
        yield from [(path, node["_target_"])] if isinstance(node.get("_target_"), str) else []
        for name, value in node.items():
            yield from components(value, (*path, str(name)))
    for number, item in enumerate(node if isinstance(node, list) else []):
        yield from components(item, (*path, str(number)))


COMPONENTS = sorted({(path[:1], target) for file in FILES for path, target in components(placed(file))})


@pytest.mark.parametrize(("place", "target"), COMPONENTS)
def test_a_setting_that_no_yaml_names_has_a_range_too(place: tuple[str, ...], target: str) -> None:
    component = get_object(target)
    if inspect.isfunction(component) and target.startswith(("ttcs.choice.reduction.", "ttcs.curation.sampling.")):
        return  # called with its numbers, not given them
    if target.startswith("ttcs.strategies."):
        return  # checks its fields where it is made
    hints = _hints(component)
    for name in inspect.signature(component).parameters:
        if {int, float} & _kinds(hints.get(name)):
            node: dict[str, Any] = {"_target_": target, name: 1}
            for key in reversed(place):
                node = {key: node}
            assert list(numbers(node, RANGES, FOREIGN)), (
                f"ttcs/config/ranges.py does not say what {target}.{name} may be"
            )


def _kinds(hint: Any) -> set[Any]:
    """The types in an annotation, those of a union and of the items of a list."""
    return set() if typing.get_origin(hint) in (Mapping, Callable) else {hint, *typing.get_args(hint)}
