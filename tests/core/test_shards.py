"""Shards: the same bytes from any number of workers, whatever is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import works

from offtarget.core.errors import ConfigError, DataError, ResourceError, VerifyError
from offtarget.core.isolate import Limits
from offtarget.core.shard_files import drop_stale, read_shards
from offtarget.core.shards import (
    MAX_BYTES,
    MAX_ROWS,
    Part,
    Progress,
    Shard,
    Work,
    cut_shards,
    make_shard,
    parse_part,
    run_shards,
)
from offtarget.core.workers import InProcessExecutor, LocalExecutor

MIB = 1024 * 1024
LIMITS = Limits(row_timeout_s=20, memory_bytes=256 * MIB)
SHORT = Limits(row_timeout_s=0.4, next_row_timeout_s=0, wall_factor=2.0, memory_bytes=64 * MIB)


def shards_of(rows: list[bytes], n_rows: int = 4) -> list[Shard]:
    blocks = [rows[start : start + n_rows] for start in range(0, len(rows), n_rows)]
    return [make_shard(index, block) for index, block in enumerate(blocks)]


def numbered(n: int) -> list[bytes]:
    return [b"row %d" % number for number in range(n)]


def result(
    directory: Path, rows: list[bytes], work: Work, *, workers: int = 2, limits: Limits = LIMITS
) -> list[bytes]:
    shards = shards_of(rows)
    with LocalExecutor(workers, limits=limits) as executor:
        run_shards(shards, work, executor=executor, directory=directory)
    return list(read_shards(directory, len(shards)))


def stored(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_the_cut_depends_on_rows_and_bytes_alone() -> None:
    """At most so many rows and bytes a shard, none over two files, a huge row by itself."""
    small = [b"x"] * (MAX_ROWS + 1)
    large = [b"y" * (MAX_BYTES // 2), b"y" * (MAX_BYTES // 2), b"z", b"w" * (MAX_BYTES + 1), b"z"]

    shards = list(cut_shards([small, [], large]))

    assert [shard.index for shard in shards] == [0, 1, 2, 3, 4, 5]
    assert [len(shard.rows) for shard in shards] == [MAX_ROWS, 1, 2, 1, 1, 1]
    assert [row for shard in shards for row in shard.rows] == small + large
    assert make_shard(0, [b"ab", b"c"]).sha256 != make_shard(0, [b"a", b"bc"]).sha256


def test_any_number_of_workers_writes_the_same_bytes(tmp_path: Path) -> None:
    """One, two and three workers and no worker at all leave equal files."""
    rows = numbered(50)
    rows[7], rows[30], rows[49] = b"raise 7", b"kill always", b"raise 49"
    folders = [tmp_path / str(n) for n in range(1, 4)]
    for workers, folder in enumerate(folders, 1):
        lines = result(folder, rows, works.Shout(), workers=workers)
    calm = [row for row in rows if not row.startswith(b"kill")]
    for folder, executor in ((tmp_path / "a", InProcessExecutor()), (tmp_path / "b", None)):
        with LocalExecutor(2) as local:
            run_shards(shards_of(calm), works.Shout(), executor=executor or local, directory=folder)

    assert stored(folders[0]) == stored(folders[1]) == stored(folders[2])
    assert stored(tmp_path / "a") == stored(tmp_path / "b")
    assert lines[0] == b"ROW 0"
    assert lines[7] == b"lost raise 7: reading this row fails (ValueError: " + (
        b"<object object at 0x> in raise 7)"
    )
    assert lines[30] == b"lost kill always: reading this row kills the worker process"
    assert [line for line in lines if not line.startswith(b"lost")] == [
        row.upper() for row in rows if row.startswith(b"row")
    ]


def test_a_worker_killed_once_loses_nothing(tmp_path: Path) -> None:
    """Rows whose worker was killed from outside are done again."""
    marks = tmp_path / "marks"
    marks.mkdir()
    rows = [b"kill once %d" % number if number % 9 == 0 else b"row" for number in range(40)]

    lines = result(tmp_path / "out", rows, works.Shout(marks=marks))

    assert len(list(marks.iterdir())) == 5
    assert lines == [row.upper() for row in rows]


def test_workers_killed_at_random_change_no_byte(tmp_path: Path) -> None:
    """kill -9 of whatever child there is, again and again, and the files are those of a calm run."""
    rows = numbered(120)
    work = works.Shout(pause_s=0.005)
    calm = result(tmp_path / "calm", rows, work)
    is_over = threading.Event()
    n_killed = 0

    def kill() -> None:
        nonlocal n_killed
        while n_killed < 4 and not is_over.wait(0.25):
            for child in psutil.Process().children()[:1]:
                child.kill()
                n_killed += 1

    killer = threading.Thread(target=kill)
    killer.start()
    lines = result(tmp_path / "killed", rows, work)
    is_over.set()
    killer.join()

    assert n_killed > 0
    assert lines == calm
    assert stored(tmp_path / "killed") == stored(tmp_path / "calm")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"hang", b"reading this row takes longer than 0.4 s"),
        (b"spin", b"reading this row takes longer than 0.4 s"),
        (b"fill", b"reading this row takes more than 64 MiB"),
        (b"kill always", b"reading this row kills the worker process"),
    ],
)
def test_one_bad_row_is_lost_alone(row: bytes, reason: bytes, tmp_path: Path) -> None:
    """Halving finds the row that stalls, fills or kills; its neighbors go through."""
    rows = numbered(8)
    rows[5] = row

    lines = result(tmp_path, rows, works.Shout(), limits=SHORT)

    assert lines[5] == b"lost " + row + b": " + reason
    assert [line for number, line in enumerate(lines) if number != 5] == [
        other.upper() for number, other in enumerate(rows) if number != 5
    ]


@pytest.mark.parametrize(
    ("work", "error", "message"),
    [
        (works.Unprepared(), VerifyError, r"^engine 'x': misses its canary; install it again$"),
        (works.Broken(), VerifyError, r"^engine 'x': not found; install it$"),
        (works.DiesPreparing(), ResourceError, r"^5 workers died while they started; check memory"),
    ],
)
def test_work_that_fails_without_rows_is_no_rows_fault(
    work: Work, error: type[Exception], message: str, tmp_path: Path
) -> None:
    """A missing tool fails the pass; it never loses row after row, and stores no such shard."""
    with pytest.raises(error, match=message):
        result(tmp_path, numbered(1), work)

    assert not list(tmp_path.iterdir())


def test_a_missing_line_is_noticed(tmp_path: Path) -> None:
    """Work that drops rows cannot shift the lines of the others."""
    lines = result(tmp_path, numbered(1), works.Miscounting())

    assert lines == [b"lost row 0: reading this row fails (AssertionError: 0 lines for 1 rows)"]


def test_a_worker_that_does_not_start_in_time_is_an_error(tmp_path: Path) -> None:
    """The wait for workers has an end."""
    limits = Limits(start_timeout_s=0.0)

    with pytest.raises(ResourceError, match=r"^a worker was not ready after 0 s; use fewer"):
        result(tmp_path, numbered(1), works.Shout(), limits=limits)


def test_too_many_lost_rows_fail_the_pass(tmp_path: Path) -> None:
    """Losing is for exceptions."""
    with pytest.raises(ResourceError, match=r"^more than 1 rows could not be read \(last: shard 1"):
        run_shards(
            shards_of([b"raise"] * 3, n_rows=1),
            works.Shout(),
            executor=InProcessExecutor(),
            directory=tmp_path,
            max_lost=1,
        )


def test_a_second_pass_does_only_what_is_missing(tmp_path: Path) -> None:
    """Finished shards are taken over; damaged ones, other rows and another key are done again."""
    shards = shards_of(numbered(12))

    def resumed(shards: list[Shard], work: Work) -> int:
        executor = InProcessExecutor()
        return run_shards(shards, work, executor=executor, directory=tmp_path).n_resumed

    assert resumed(shards, works.Shout()) == 0
    before = stored(tmp_path)
    assert resumed(shards, works.Shout()) == 3
    damaged = tmp_path / "000001.shard"
    damaged.write_bytes(damaged.read_bytes().replace(b"ROW 5", b"ROW 6"))
    assert resumed(shards, works.Shout()) == 2
    damaged.write_bytes(damaged.read_bytes()[:-3])
    assert resumed(shards, works.Shout()) == 2
    assert stored(tmp_path) == before
    assert resumed([*shards[:2], make_shard(2, [b"other"])], works.Shout()) == 2
    assert resumed(shards, works.Shout(key="louder")) == 0


def test_parts_done_apart_make_the_whole(tmp_path: Path) -> None:
    """Parts 1/2 and 2/2 leave the files of one pass, which then finds nothing left to do."""
    shards = shards_of(numbered(20))
    executor = InProcessExecutor()
    work = works.Shout()
    run_shards(shards, work, executor=executor, directory=tmp_path / "whole")
    parts = tmp_path / "parts"

    first = run_shards(shards, work, executor=executor, directory=parts, part=parse_part("1/2"))
    run_shards(shards, work, executor=executor, directory=parts, part=Part(2, 2))

    assert first == Progress(n_shards=3, n_rows=12, n_elsewhere=2)
    assert stored(parts) == stored(tmp_path / "whole")
    last = run_shards(shards, work, executor=executor, directory=parts)
    assert last == Progress(n_shards=5, n_rows=20, n_resumed=5)


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2", "1/2/3", ""])
def test_a_part_that_is_none_is_refused(text: str) -> None:
    """Parts count from 1."""
    with pytest.raises(ConfigError, match=r"^shard '.*' is not i/n; write the part and"):
        parse_part(text)


def test_zero_workers_are_refused() -> None:
    """The number is never guessed."""
    with pytest.raises(ConfigError, match=r"^0 workers; use at least 1$"):
        LocalExecutor(0)


def test_a_missing_shard_is_an_error_and_stale_ones_are_dropped(tmp_path: Path) -> None:
    """What is concatenated is whole, and only of this input."""
    run_shards(
        shards_of(numbered(12)), works.Shout(), executor=InProcessExecutor(), directory=tmp_path
    )
    (tmp_path / "000000.shard.77.part").write_bytes(b"torn")
    (tmp_path / "mine.txt").write_bytes(b"kept")

    drop_stale(tmp_path, 2)

    assert sorted(stored(tmp_path)) == ["000000.shard", "000001.shard", "mine.txt"]
    with pytest.raises(DataError, match=r"^000002.shard: missing or damaged; run the same command"):
        list(read_shards(tmp_path, 3))


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """The message says what to do, and that nothing is lost."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(
        ResourceError, match=r"^cannot write '000000.shard' in .*; free disk space .* are kept$"
    ):
        result(tmp_path / "file", numbered(1), works.Shout())


def test_shards_are_read_as_they_are_needed(tmp_path: Path) -> None:
    """However many shards there are, a few are held."""
    n_read = 0

    def endless() -> Iterator[Shard]:
        nonlocal n_read
        for index in range(200):
            n_read += 1
            yield make_shard(index, [b"row"])

    def check(progress: Progress) -> None:
        assert n_read - progress.n_shards <= 4

    with LocalExecutor(2) as executor:
        run_shards(
            endless(), works.Shout(), executor=executor, directory=tmp_path, on_progress=check
        )

    assert n_read == 200


def test_workers_are_kept_between_calls_but_not_after_an_error(tmp_path: Path) -> None:
    """A reader that fails leaves no answer behind for the next call."""

    def failing() -> Iterator[Shard]:
        yield make_shard(0, [b"old"])
        raise DataError("train.jsonl:5: not JSON")

    with LocalExecutor(1) as executor:
        with pytest.raises(DataError, match="not JSON"):
            run_shards(failing(), works.Shout(), executor=executor, directory=tmp_path / "a")
        for name in ("b", "c"):
            run_shards(
                [make_shard(0, [name.encode()])],
                works.Shout(),
                executor=executor,
                directory=tmp_path / name,
            )
        children = psutil.Process().children()
        assert len(children) == 1

    assert list(read_shards(tmp_path / "c", 1)) == [b"C"]
    assert not psutil.Process().children()


PARENT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import works
from offtarget.core.shards import make_shard, run_shards
from offtarget.core.workers import LocalExecutor
shards = [make_shard(i, [b"row %d" % i]) for i in range(40)]
shards.append(make_shard(40, [sys.argv[3].encode()]))
with LocalExecutor(2) as executor:
    run_shards(shards, works.Shout(pause_s=0.05), executor=executor, directory=Path(sys.argv[2]))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent_and_finished_shards_stay(
    number: signal.Signals, tmp_path: Path
) -> None:
    """However the parent ends, no child is left, and the next pass goes on where it stopped."""
    here = str(Path(__file__).parent)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, here, str(tmp_path), "spin"], stderr=subprocess.DEVNULL
    )
    wait_until(lambda: len(list(tmp_path.glob("*.shard"))) == 40)
    children = psutil.Process(parent.pid).children()
    os.kill(parent.pid, number)
    parent.wait()
    wait_until(lambda: not any(child.is_running() for child in children))

    assert len(children) == 2
    shards = [make_shard(i, [b"row %d" % i]) for i in range(40)]
    with LocalExecutor(1) as executor:
        progress = run_shards(shards, works.Shout(), executor=executor, directory=tmp_path)
    assert progress.n_resumed == 40


def test_a_module_in_the_working_folder_is_not_imported(tmp_path: Path) -> None:
    """A folder that is scanned cannot slip its own `json.py` into a worker."""
    (tmp_path / "msgspec.py").write_text("raise SystemExit(9)\n", encoding="utf-8")
    (tmp_path / "json.py").write_text("raise SystemExit(9)\n", encoding="utf-8")
    code = PARENT.replace("0.05", "0")
    here = str(Path(__file__).parent)

    done = subprocess.run(
        [sys.executable, "-P", "-c", code, here, str(tmp_path / "out"), "row"],
        cwd=tmp_path,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0
    assert len(list((tmp_path / "out").glob("*.shard"))) == 41


def wait_until(is_true: object) -> None:
    assert callable(is_true)
    for _ in range(1200):
        if is_true():
            return
        time.sleep(0.05)
    raise AssertionError("waited a minute in vain")
