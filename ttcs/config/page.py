"""Groups and options of every command as a page: `python -m ttcs.config.page` writes docs/options.md anew."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from hydra import compose, initialize_config_dir

from ttcs.config.options import CONF, comment, groups

PAGE = CONF.parent / "docs" / "options.md"
BEGIN, END = "<!-- options -->\n", "<!-- /options -->\n"
# Commands -> their configurations, in the order of ttcs/config/commands.py. A group is told with the first that has it.
CONFIGS = {
    "ttcs": "config",
    "analysis": "analysis",
    "ttcs.planning": "planning",
    "ttcs.training": "training",
    "ttcs.curation": "curation",
}


def page(content: str) -> str:
    """The page with what stands between its marks replaced."""
    head, rest = content.split(BEGIN)
    return head + BEGIN + "\n".join(_sections()) + "\n" + END + rest.split(END)[1]


def _sections() -> Iterator[str]:
    left = sorted({file.parent.relative_to(CONF).as_posix() for file in CONF.glob("*/**/*.yaml")} - {"hydra/help"})
    for command, config in CONFIGS.items():
        chosen = {group: option for group, option in _chosen(config).items() if group in left}
        left = [group for group in left if group not in chosen]
        yield f"## `python -m {command}`\n"
        for group, option in chosen.items():
            yield _table(group, option)
    yield "## Within others\n\nA configuration chooses from these only where a file or `+group=option` asks for it.\n"
    for group in left:
        yield _table(group, None)


def _chosen(config: str) -> dict[str, str | None]:
    """Group -> its default; those that are chosen from at several places once."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = compose(config, return_hydra_config=True)
    choices = composed.hydra.runtime.choices
    options = {name.partition("@")[0]: choices[name] for name in groups(composed)}
    parents = [group.partition("/")[0] for group in options]
    order = sorted(options, key=lambda group: (parents.index(group.partition("/")[0]), group))
    return {group: options[group] for group in order}


def _table(group: str, default: str | None) -> str:
    files = sorted((CONF / group).glob("*.yaml"))
    rows = [f"| `{file.stem}`{' (default)' * (file.stem == default)} | {comment(file)} |" for file in files]
    return "\n".join([f"### `{group}`\n", "| option | what it is |", "|---|---|", *rows, ""])


def main() -> None:
    parser = argparse.ArgumentParser("python -m ttcs.config.page", description=__doc__)
    parser.add_argument("page", nargs="?", type=Path, default=PAGE)
    asked = parser.parse_args().page
    asked.write_text(page(asked.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
