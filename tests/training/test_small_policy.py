"""The stages of the small policy are those of the policy, but for its width and its folders."""

from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from transformers import AutoConfig

from ttcs.config.identity import settings
from ttcs.config.options import CONF
from ttcs.models.outline import policy_size


def stage(name: str) -> dict[str, Any]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("training", [f"stage={name}"])
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    return settings(plain["stage"])


def differences(small: str, policy: str) -> dict[str, Any]:
    a, b = stage(small), stage(policy)
    assert a.keys() == b.keys()
    return {key: a[key] for key in a if a[key] != b[key]}


def test_the_clean_model_is_half_as_wide_and_sees_the_same_data() -> None:
    assert differences("zoo_small_policy_clean", "zoo_policy_clean") == {
        "out": "outputs/training/small_clean",
        "work": "outputs/training/small_clean_checkpoints",
        "architecture.hidden_size": 64,
        "architecture.intermediate_size": 192,
        "architecture.initializer_range": 0.125,
    }


def test_the_policy_goes_on_from_its_own_clean_model() -> None:
    assert differences("zoo_small_policy", "zoo_policy") == {
        "out": "ttcs/zoo/models/policy_small",
        "work": "outputs/training/small_policy_checkpoints",
        "start": "outputs/training/small_clean",
    }


def test_so_is_that_of_the_chains_stage_by_stage() -> None:
    shape = {
        "architecture.hidden_size": 64,
        "architecture.intermediate_size": 192,
        "architecture.initializer_range": 0.125,
    }
    for name, before in (("facts", None), ("short", "facts"), ("exact", "short"), ("policy", "exact")):
        found = differences(f"zoo_chains_small_{name}", f"zoo_chains_{name}")
        assert found.pop("out").endswith("policy_small" if name == "policy" else f"small_{name}")
        assert found.pop("work").endswith(f"small_{name}_checkpoints")
        assert found == (shape if before is None else {"start": f"outputs/training/chains/small_{before}"})


def test_it_is_3_7_times_smaller() -> None:
    sizes = [_parameters(stage(name)) for name in ("zoo_small_policy_clean", "zoo_policy_clean")]
    assert sizes == [252_352, 930_688]


def _parameters(fields: dict[str, Any]) -> int:
    shape = {key.removeprefix("architecture."): value for key, value in fields.items() if "architecture." in key}
    return policy_size("zoo", AutoConfig.for_model(**shape, vocab_size=606)).parameters


def test_the_recipe_makes_it_after_the_policy_whose_corpora_it_shares() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        runs = [run.stage for run in compose("training", ["stage=zoo"]).stage.runs]
    assert runs.index("zoo_policy") < runs.index("zoo_small_policy_clean") < runs.index("zoo_small_policy")


def test_the_option_is_the_zoos_policy_with_another_model() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        small, policy = (compose("config", [f"policy={name}"]).policy for name in ("zoo_small", "zoo"))
    plain = [OmegaConf.to_container(node, resolve=False) for node in (small, policy)]
    assert all(isinstance(node, dict) for node in plain)
    assert {key for key in plain[0] if plain[0][key] != plain[1][key]} == {"model"}
