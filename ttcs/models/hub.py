"""A model of the Hugging Face Hub at one of its revisions, as a folder, which everything here reads."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RevisionNotFoundError

from ttcs.errors import UserError

SMALL = ("*.json", "*.txt", "*.model", "*.jinja", "*.py")  # all but the weights
WEIGHTS = ("*.safetensors", "*.bin")
COPIES = ("original/*", "*.gguf", "*.onnx", "onnx/*")  # the same weights for others


def pinned(name: str, model: str, revision: str | None, weights: bool = True, key: str = "model_revision") -> str:
    """The folder of a model at a branch, tag or commit; without a revision the model as it is named.

    name: of the component, and key: of its setting, for what a person is told. weights: fetch them too. UserError for a
    revision that there is not, and of a folder, which has none.
    """
    if revision is None:
        return model
    given = f"{name}.{key}={revision}"
    if Path(model).expanduser().is_dir() or model.startswith((".", "/", "~")):
        raise UserError(f"{given}: {model} is a folder, and only models of the Hub have revisions")
    wanted = [*SMALL, *WEIGHTS] if weights else [*SMALL]
    try:
        return snapshot_download(model, revision=revision, allow_patterns=wanted, ignore_patterns=[*COPIES])
    except RevisionNotFoundError as error:
        raise UserError(f"{given}: {model} has no such revision") from error
    except LocalEntryNotFoundError as error:
        raise UserError(f"{given}: {model} is not here at that revision, and the Hub cannot be asked") from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise UserError(f"{given}: cannot fetch {model}: {(str(error).splitlines() or [''])[0]}") from error
