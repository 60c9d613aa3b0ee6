"""Models of the Hub at a revision, from a cache laid out like the Hub's: there is no Hub here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import tiny
from ttcs.errors import UserError
from ttcs.models.hub import pinned
from ttcs.policies.transformers import TransformersPolicy
from ttcs.policies.vllm import VLLMPolicy
from ttcs.prms.rlhflow import RLHFlow
from ttcs.prms.transformers import TransformersPRM
from ttcs.prms.vllm import VLLMPRM

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """org/name with a tag v1 has been downloaded, and the Hub is out of reach."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    model = tmp_path / "models--org--name"
    shutil.copytree(tiny.folder(), model / "snapshots" / COMMIT)
    (model / "refs").mkdir()
    (model / "refs" / "v1").write_text(COMMIT)
    return model


@pytest.mark.parametrize("revision", ["v1", COMMIT])
def test_a_revision_is_a_folder(hub: Path, revision: str) -> None:
    assert Path(pinned("policy", "org/name", revision)) == hub / "snapshots" / COMMIT
    assert pinned("policy", "org/name", None) == "org/name"


def test_engines_load_it() -> None:
    policy = TransformersPolicy("org/name", 0.8, 1.0, 60, 2, model_revision="v1")
    assert policy.size.parameters == TransformersPolicy(tiny.folder(), 0.8, 1.0, 60, 2).size.parameters
    assert TransformersPRM(RLHFlow(), "org/name", 2, model_revision=COMMIT).capacity == 2


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda model: TransformersPolicy(model, 0.8, 1.0, 60, 2, model_revision="v2"), "policy"),
        (lambda model: VLLMPolicy(model, 0.8, 1.0, 60, 2, model_revision="v2"), "policy"),
        (lambda model: TransformersPRM(RLHFlow(), model, 2, model_revision="v2"), "prm"),
        (lambda model: VLLMPRM(RLHFlow(), model, 2, model_revision="v2"), "prm"),
    ],
)
def test_one_line_for_a_revision_that_is_not_there(make, name: str) -> None:
    with pytest.raises(UserError, match=rf"^{name}.model_revision=v2: org/name is not here at that revision"):
        make("org/name")
    with pytest.raises(UserError, match=rf"^{name}.model_revision=v2: .* is a folder, and only models of the Hub"):
        make(tiny.folder())
