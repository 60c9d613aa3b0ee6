"""`python -m ttcs`: Hydra's entry, with every mistake of a user's answered by one line."""

from __future__ import annotations

import os
import sys

import hydra
from hydra._internal.utils import get_args_parser
from omegaconf import DictConfig

from ttcs.config.explain import answering, fail
from ttcs.config.home import typed
from ttcs.config.options import CONF
from ttcs.config.streams import forgiving
from ttcs.records.summary import Summary
from ttcs.running.runner import job

ENVIRONMENT = {
    "HYDRA_FULL_ERROR": "1",  # Hydra lets exceptions through to `answering`
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
}
# Threads that wait for each other spin before they sleep; as long as they do by default, a search takes many times its
# time on cores that others use too.
SPIN = {"GOMP_SPINCOUNT": "2000"}


def main() -> None:
    """Exit codes: 0 done, 1 a bug (with its traceback), 2 bad input (with one line), 130 interrupted."""
    forgiving()
    if not CONF.is_dir():
        fail(f"{CONF} is missing: ttcs runs from its repository, installed with pip install -e .")
    os.environ |= {**SPIN, **os.environ, **ENVIRONMENT}
    sys.argv[1:] = _arguments(typed(sys.argv[1:]))
    try:
        with answering():
            hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(_task)()
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from here", file=sys.stderr)
        sys.exit(130)


def _task(config: DictConfig) -> Summary | None:
    """Leaves at once on bad input: Hydra would keep an exception until the other points of a sweep are done."""
    with answering():
        return job(config)


def _arguments(given: list[str]) -> list[str]:
    """-m may stand anywhere, which Hydra's own parser does not allow; what that does not know is told in one line."""
    arguments = sorted(given, key=lambda argument: argument not in ("-m", "--multirun"))
    parser = get_args_parser()
    parser.error = fail  # type: ignore[method-assign, assignment]
    parser.parse_args(arguments)
    return arguments


if __name__ == "__main__":
    main()
