"""Tools are bounded in time, memory and output, and snippets live in a private folder."""

import stat
import sys
from pathlib import Path

import pytest

from offtarget.codescan.engines import folder as folders
from offtarget.codescan.engines.folder import private_folder, write_files
from offtarget.codescan.engines.process import Answer, Limits, run_tool
from offtarget.core.errors import ResourceError


def _python(folder: Path, code: str, limits: Limits) -> Answer:
    return run_tool(
        [sys.executable, "-I", "-c", code], folder=folder, limits=limits, environment={}
    )


def test_a_tool_answers_with_both_streams_and_its_status(tmp_path: Path) -> None:
    """It runs in its folder, with no environment but what it is given."""
    code = (
        "import os, sys; print(os.getcwd(), sorted(os.environ));"
        "print('why', file=sys.stderr); sys.exit(5)"
    )
    answer = _python(tmp_path, code, Limits(timeout_s=60))
    assert answer.output.decode().startswith(str(tmp_path))
    assert b"PATH" not in answer.output
    assert (answer.code, answer.stopped) == (5, "")
    assert answer.failure == "exit status 5: why"


def test_a_tool_that_runs_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    """Also when a child keeps its output open."""
    code = (
        "import subprocess, sys, time;"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); time.sleep(600)"
    )
    answer = _python(tmp_path, code, Limits(timeout_s=1))
    assert answer.failure == "ran over 1 s"


def test_a_tool_that_writes_too_much_is_killed(tmp_path: Path) -> None:
    """Output is not gathered without bound; complaints are cut."""
    endless = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    answer = _python(tmp_path, endless, Limits(timeout_s=60, output_bytes=100_000))
    assert answer.failure == "wrote over 100000 bytes"
    noisy = "import sys; sys.stderr.write('x' * 1_000_000)"
    answer = _python(tmp_path, noisy, Limits(timeout_s=60))
    assert len(answer.complaint) <= 10_000
    assert answer.code == 0


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_a_tool_that_takes_too_much_memory_fails(tmp_path: Path) -> None:
    """It fails alone, and the machine goes on."""
    greedy = "import time; time.sleep(0.5); x = b'x' * (2 << 30); print(len(x))"
    answer = _python(tmp_path, greedy, Limits(timeout_s=60, memory_bytes=1 << 30))
    assert answer.code != 0
    assert "MemoryError" in answer.complaint


def test_a_tool_that_is_killed_says_by_what(tmp_path: Path) -> None:
    """The signal is named."""
    answer = _python(tmp_path, "import os; os.abort()", Limits(timeout_s=60))
    assert answer.failure.startswith("killed by SIGABRT")


def test_the_folder_is_private_and_goes_away() -> None:
    """Nobody else may read data set text, also after an error."""
    with private_folder(100) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        write_files(folder, [("0.py", "x\ud800y"), ("1.py", "")])
        assert (folder / "0.py").read_bytes() == b"x?y"
        assert stat.S_IMODE((folder / "0.py").stat().st_mode) == 0o600
    assert not folder.exists()
    with pytest.raises(ZeroDivisionError), private_folder(100) as folder:
        _ = 1 / 0
    assert not folder.exists()


def test_a_folder_that_does_not_fit_into_memory_lies_on_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """More text than shared memory has room for is no reason to fail."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with private_folder(1 << 60) as folder:
        assert folder.parent == tmp_path
    monkeypatch.setattr(folders, "_IN_MEMORY", tmp_path / "missing")
    with private_folder(10) as folder:
        assert folder.parent == tmp_path


def test_a_machine_without_room_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message says where and what to do."""
    with pytest.raises(ResourceError, match=r"cannot write snippets .*; free space there"):
        write_files(tmp_path / "missing", [("0.py", "x")])
    monkeypatch.setattr(folders, "_IN_MEMORY", tmp_path / "missing")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with (
        pytest.raises(ResourceError, match=r"no temporary folder .*; set TMPDIR"),
        private_folder(10),
    ):
        pass
