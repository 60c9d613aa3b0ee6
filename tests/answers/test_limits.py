"""Nothing an answer holds can hang, crash or run anything."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.answers.crowding import crowding
from ttcs.answers import equivalent, extract, group
from ttcs.answers.process import Worker

ENDLESS = [r"((10!)!)! + \sqrt{2}", r"\sum_{k=1}^{10^{12}} \sin(k^k)"]


@pytest.mark.parametrize("answer", ENDLESS)
def test_an_endless_answer_ends_and_the_next_is_read(answer: str) -> None:
    start = time.monotonic()
    assert not equivalent(answer, "12")
    assert time.monotonic() - start < 5 * crowding()
    assert equivalent(answer, f" {answer}.")  # as text
    start = time.monotonic()
    assert equivalent(r"\sqrt{50}", r"5\sqrt{2}")
    assert time.monotonic() - start < 5 * crowding()


@pytest.mark.parametrize(
    "answer", ["10^{10^{10}}", "9^{9^{9^{9^{9}}}}", "2^{-10^{12}}", "9" * 5000, "(" * 1500, r"\frac{" * 300, "x=" * 700]
)
def test_extremes_are_answers_like_others(answer: str) -> None:
    start = time.monotonic()
    assert group([answer, "1", answer]) == [0, 1, 0]
    assert time.monotonic() - start < 5 * crowding()


def test_off_the_main_thread_and_from_many() -> None:
    results: dict[int, bool] = {}

    def compare(number: int) -> None:
        results[number] = equivalent(rf"\sqrt{{{4 * number}}}", rf"2\sqrt{{{number}}}")

    threads = [threading.Thread(target=compare, args=(number,)) for number in range(2, 12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == dict.fromkeys(range(2, 12), True)


@pytest.mark.parametrize(
    "code",
    [
        "__import__('os').system('touch {0}')",
        "exec(\"open('{0}', 'w')\")",
        "(lambda: open('{0}', 'w'))()",
        "open('{0}','w')+1",
    ],
)
def test_code_is_never_run(code: str, tmp_path: Path) -> None:
    target = tmp_path / "run"
    code = code.format(target)
    assert group([code, "1", rf"\text{{{code}}}"])[1] == 1
    assert extract(rf"\boxed{{{code}}}") is not None
    assert not target.exists()


def test_a_worker_killed_by_somebody_else_is_asked_again() -> None:
    worker = Worker(2.0)
    try:
        expected = worker.ask(r"\sqrt{50}")
        assert expected is not None
        assert worker._child is not None
        worker._child.kill()  # before it is asked: what the next question finds is a pipe without an end
        assert worker.ask(r"\sqrt{50}") == expected
    finally:
        worker.stop()


def _alive(pid: int) -> bool:
    # A child that ended stays in the process table until its new parent looks.
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks processes up in /proc")
def test_the_worker_ends_with_a_parent_that_is_killed() -> None:
    script = (
        "import os, signal, ttcs.answers.grouping as g; g.form('x+1'); "
        "print(g._WORKER._child.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root, check=False)
    deadline = time.monotonic() + 5 * crowding()
    while _alive(int(done.stdout)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(int(done.stdout))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_has_a_worker_of_its_own() -> None:
    script = (
        "import os; from ttcs.answers import equivalent; assert equivalent('x+1', '1+x'); pid = os.fork(); "
        "good = all(equivalent(f'y+{n}', f'{n}+y') for n in range(5)); "
        "os._exit(not good) if pid == 0 else exit(not good or os.waitpid(pid, 0)[1])"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


def test_importing_starts_no_process_and_no_sympy() -> None:
    script = (
        "import sys, ttcs.answers.grouping as g; g.group(['1', '1/2', 'B']); "
        "assert g._WORKER._child is None; assert not {'sympy', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])
