"""What was served, as the folder of a run describes itself: its configuration, what it was made with, its names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from omegaconf import DictConfig, OmegaConf

from ttcs.config.components import build
from ttcs.config.identity import digest, located, portable
from ttcs.records.folder import QUESTIONS, RECORDS, SUMMARY, begun, claim, write
from ttcs.records.record_file import read
from ttcs.records.summary import Setting, summarize
from ttcs.running.contents import Contents, keep
from ttcs.running.naming import called
from ttcs.running.runner import GROUPS

# The questions that were asked, which lie in the folder itself.
DATASET = {
    "_target_": "ttcs.problems.dataset.jsonl",
    "path": QUESTIONS,
    "limit": None,
    "shard": 0,
    "shards": 1,
    "columns": {
        "_target_": "ttcs.problems.columns.Columns",
        **{"id": "id", "question": "question", "answer": None, "level": None, "family": None},
    },
}


@dataclass(frozen=True, slots=True)
class Described:
    """config: `identity.portable`. contents: of the models; questions have none, they are in the folder."""

    config: Mapping[str, Any]
    contents: Contents
    setting: Setting

    @classmethod
    def of(cls, composed: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]) -> Self:
        """composed: with Hydra's own node. own: group -> settings in the place of those that it has."""
        assert isinstance(composed, DictConfig)
        choices = composed.hydra.runtime.choices
        names = {group: called(group, choices[group], composed[group]) for group in GROUPS if group != "dataset"}
        inside = OmegaConf.masked_copy(composed, [str(key) for key in composed if key not in ("dataset", "hydra")])
        config: dict[str, Any] = {**portable(inside), "dataset": DATASET}
        for group, settings in own.items():
            config[group] = {**config.get(group, {}), **settings}
        setting = Setting(config["n"], config["seed"], **names, dataset="served")
        return cls(config, Contents.of(inside, ()), setting)

    def made_with(self, loaded: Contents) -> Self:
        """The same with the models as they were when they were loaded; their files may have changed since."""
        return replace(self, contents=self.contents.joined(loaded))

    @property
    def digest(self) -> str:
        """Eight hex digits that tell it from others, and its models from others at the same place."""
        return digest({**self.config, "contents": asdict(self.contents)["places"]})

    def begin(self, folder: Path) -> None:
        """Have the folder say all this. UserError where it belongs to another configuration."""
        claim(folder, self.config, "serve.records")
        if not begun(folder):
            keep(folder, self.contents)
        if not (folder / SUMMARY).exists():
            self.conclude(folder)  # what is in it says its names, which others read

    def conclude(self, folder: Path) -> None:
        """Write the totals of what it holds."""
        own, difficulty = self.config, build(located(self.config), "difficulty")
        summary = summarize(read(folder / RECORDS), difficulty, self.setting, own["policy"].get("max_tokens"))
        write(folder / SUMMARY, summary.to_json())
