"""`python -m ttcs`: Hydra's entry, with every mistake of a user's answered by one line."""

from __future__ import annotations

import os
import sys

from ttcs.config.command import command
from ttcs.config.explain import fail
from ttcs.config.options import CONF
from ttcs.config.streams import forgiving
from ttcs.running.runner import job

ENVIRONMENT = {
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
}
# Threads that wait for each other spin before they sleep; as long as they do by default, a search takes many times its
# time on cores that others use too.
SPIN = {"GOMP_SPINCOUNT": "2000"}


def main() -> None:
    """Exit codes: those of `command`, and 130 interrupted."""
    forgiving()
    if not CONF.is_dir():
        fail(f"{CONF} is missing: the installation is not whole, install it again")
    os.environ |= {**SPIN, **os.environ, **ENVIRONMENT}
    try:
        command("config", job)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from here", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
