"""The zoo's policy and PRM on vLLM's real engine. Starting one takes a minute or so, so each is started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from ttcs.config.components import forget, share
from ttcs.config.identity import register_resolvers
from ttcs.config.options import CONF
from ttcs.core import Problem
from ttcs.policies.transformers import TransformersPolicy
from ttcs.policies.vllm import VLLMPolicy
from ttcs.prms.transformers import TransformersPRM
from ttcs.prms.vllm import VLLMPRM

ENGINES = ["policy/engine=vllm", "prm/engine=vllm", "policy.batch_size=64", "prm.batch_size=64"]


register_resolvers()


def configured(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides))


@pytest.fixture(scope="session")
def real() -> Iterator[None]:
    pytest.importorskip("vllm", reason="vLLM is not installed: .ci/vllm makes an environment that has it")
    yield
    forget()


@pytest.fixture(scope="session")
def policy(real: None) -> VLLMPolicy:
    """Shared as a run shares it, so that a run in this process finds it started."""
    return share(configured(*ENGINES), "policy")


@pytest.fixture(scope="session")
def prm(real: None) -> VLLMPRM:
    return share(configured(*ENGINES), "prm")


@pytest.fixture(scope="session")
def plain_policy(real: None) -> TransformersPolicy:
    """The same model on transformers."""
    return share(configured("policy.batch_size=64"), "policy")


@pytest.fixture(scope="session")
def plain_prm(real: None) -> TransformersPRM:
    return share(configured("prm.batch_size=64"), "prm")


@pytest.fixture(scope="session")
def problems() -> tuple[Problem, ...]:
    return share(configured("dataset.limit=6"), "dataset")
