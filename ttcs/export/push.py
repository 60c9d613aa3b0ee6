"""An exported folder -> a data set of the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import HFValidationError, LocalTokenNotFoundError

from ttcs.errors import UserError


def push(folder: Path, name: str, public: bool) -> str:
    """Make the data set `name` (USER/NAME) where there is none, put the folder's files into it, and return its address.

    public: whether a data set that is made here can be seen by all. The token is that of `hf auth login` or HF_TOKEN,
    the Hub that of HF_ENDPOINT. UserError for what the Hub refuses.
    """
    api = HfApi()
    try:
        made = api.create_repo(name, repo_type="dataset", private=not public, exist_ok=True)
        message = "Records of a search, exported by ttcs"
        api.upload_folder(repo_id=name, repo_type="dataset", folder_path=folder, commit_message=message)
    except (HFValidationError, LocalTokenNotFoundError, httpx2.HTTPError) as error:
        raise UserError(f"cannot push to {name}: {' '.join(str(error).split())}") from error
    return str(made)
