"""One command at a time in a run directory."""

import subprocess
import sys
from pathlib import Path

import pytest

from offtarget.core.errors import ConfigError, ResourceError
from offtarget.core.run_lock import LOCK_FILE, locked

HOLD = (
    "import sys; from pathlib import Path; from offtarget.core.run_lock import locked\n"
    "with locked(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
)


def test_another_process_is_told_to_wait_until_the_first_is_killed(tmp_path: Path) -> None:
    """A killed process gives the lock back; its file stays and is empty."""
    run = tmp_path / "run"
    command = [sys.executable, "-c", HOLD, str(run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(ConfigError, match="run: another command is at work in this run; wait"):
            locked(run).__enter__()
        first.kill()
    assert (run / LOCK_FILE).read_bytes() == b""
    with locked(run):
        (run / "plan.json").write_text("{}")
    assert sorted(one.name for one in run.iterdir()) == ["lock", "plan.json"]


def test_a_folder_that_stays_empty_is_taken_away(tmp_path: Path) -> None:
    """A command that is refused before it writes leaves nothing."""
    with pytest.raises(ValueError, match="refused"), locked(tmp_path / "run"):
        raise ValueError("refused")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_run_directory(tmp_path: Path) -> None:
    """Said with the place and what to do."""
    (tmp_path / "run").write_text("x")
    with pytest.raises(ResourceError, match=r"cannot write run directory .*\(Not a directory\)"):
        locked(tmp_path / "run").__enter__()
