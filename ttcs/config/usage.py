"""`--help` in one form for every command: purpose, usage, examples, options. Hydra's: conf/hydra/help/form.yaml."""

from __future__ import annotations

import argparse
from textwrap import dedent, indent

from ttcs.config.commands import purpose
from ttcs.config.explain import fail


def parser(name: str, usage: str, examples: str) -> argparse.ArgumentParser:
    """Of the command `python -m name`, to be given its arguments. A mistake is one line and exit code 2.

    usage: what follows the name. examples: a line each.
    """
    lines = indent(dedent(examples).strip(), "  ")
    made = argparse.ArgumentParser(
        f"python -m {name}",
        usage=argparse.SUPPRESS,  # argparse would begin with it
        description=f"{purpose(name)}\n\nUsage: python -m {name} {usage}\n\nExamples:\n\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.error = fail  # type: ignore[method-assign, assignment]
    return made
