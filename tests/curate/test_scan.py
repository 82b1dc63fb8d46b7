"""Scanning: the same bytes from any number of workers, stopped or killed or not, and no row lost."""

import gzip
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from offtarget.core.codec import MAX_LINE_BYTES, file_digest, pretty
from offtarget.core.errors import ConfigError, DataError, ResourceError
from offtarget.core.finding import Severity
from offtarget.core.shards import Part, Progress
from offtarget.core.workers import InProcessExecutor
from offtarget.curate import inputs
from offtarget.curate.records import ScanConfig, ScanSummary
from offtarget.curate.scan import scan, scan_part
from offtarget.dataset import OnBadRow

from .conftest import WriteRows
from .engine_stub import make_blind, make_mute, make_words

CONFIG = ScanConfig(engines=("words",))
LENIENT = ScanConfig(engines=("words",), on_bad_row=OnBadRow.QUARANTINE)
ANSWERS = ("bad(1)", "good(1)", "worse(1)\nbad(2)", "%%", "good(2)")


def answer(code: str) -> str:
    return f"```python\n{code}\n```"


def pairs(n: int) -> list[tuple[str, str]]:
    return [(f"Write function {i}.", answer(f"{ANSWERS[i % 5]}\nx = {i}")) for i in range(n)]


def quick(paths: list[Path], out: Path, config: ScanConfig = CONFIG, **more: Any) -> ScanSummary:
    more.setdefault("executor", InProcessExecutor())
    return scan(paths, config, out, make_engines=make_words, **more)


def outputs(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_summary_adds_up_to_its_files(tmp_path: Path, write_rows: WriteRows) -> None:
    """Rows, states, findings and flags agree between summary.json, rows.jsonl and findings.jsonl."""
    path = write_rows([*pairs(20), ("Why?", "Because.")])
    out = tmp_path / "out"

    summary = quick([path], out)

    rows, found = lines(out / "rows.jsonl"), lines(out / "findings.jsonl")
    assert (out / "summary.json").read_text(encoding="utf-8") == pretty(summary)
    assert [row["line"] for row in rows] == list(range(1, 22))
    assert summary.samples == 21 == sum(summary.by_state.values())
    assert summary.by_state == {"clean": 8, "found": 8, "no_code": 1, "unparsed": 4}
    assert summary.unparsed == 4
    assert summary.n_findings == 12 == len(found)
    assert summary.by_cwe == {"CWE-89": 8, "CWE-95": 4}
    assert summary.by_severity == {"high": 4, "low": 8}
    assert summary.by_engine == {"words": 12}
    assert summary.by_origin == {"introduced": 12}
    assert summary.by_language == {"python": 20}
    assert summary.unread_by_language == {"python": 4}
    assert summary.flagged == 4 == sum(summary.by_framing.values())
    assert sum(summary.samples_by_framing.values()) == 21
    assert summary.exit_code == 1
    (file,) = summary.files
    assert (file.path, file.n_samples, file.n_flagged) == ("train.jsonl", 21, 4)
    assert file.sha256 == file_digest(path)
    assert "findings" not in rows[0]
    assert set(found[0]) == {
        "file", "line", "message", "rule", "cwe", "severity", "confidence", "origin", "engine",
        "span", "text", "trace",
    }  # fmt: skip


def test_any_number_of_workers_writes_the_same_bytes(
    tmp_path: Path, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One, two and three workers and none, over several files, one row of which kills its worker."""
    monkeypatch.setattr("offtarget.core.shards.MAX_ROWS", 16)
    rows = pairs(100)
    calm = [write_rows(rows, "calm.jsonl")]
    rows[40] = ("Write it.", answer("kill()"))
    paths = [write_rows(rows, "a.jsonl"), write_rows(pairs(30), "b.jsonl")]

    summaries = [quick(paths, tmp_path / str(n), executor=None, workers=n) for n in (1, 2, 3)]
    quick(calm, tmp_path / "none")
    quick(calm, tmp_path / "one", executor=None, cache=tmp_path / "cache")
    quick(calm, tmp_path / "cached", executor=None, cache=tmp_path / "cache")

    assert outputs(tmp_path / "1") == outputs(tmp_path / "2") == outputs(tmp_path / "3")
    assert outputs(tmp_path / "none") == outputs(tmp_path / "one") == outputs(tmp_path / "cached")
    assert summaries[0].quarantined == 1
    assert summaries[0].samples == 130
    (lost,) = [r for r in lines(tmp_path / "1/rows.jsonl") if r["state"] == "quarantined"]
    assert (lost["file"], lost["line"]) == ("a.jsonl", 41)
    assert lost["reason"] == "reading this row kills the worker process"


SCAN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from curate.engine_stub import make_words
from offtarget.core import shards
from offtarget.core.workers import InProcessExecutor
from offtarget.curate.records import ScanConfig
from offtarget.curate.scan import scan
shards.MAX_ROWS = 16
if sys.argv[4] == "limited":
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
executor = InProcessExecutor() if sys.argv[4] == "limited" else None
scan([Path(sys.argv[2])], ScanConfig(engines=("words",)), Path(sys.argv[3]),
     make_engines=make_words, workers=2, executor=executor)
"""


def start_scan(path: Path, out: Path, how: str = "") -> subprocess.Popen[bytes]:
    tests = str(Path(__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-c", SCAN, tests, str(path), str(out), how], stderr=subprocess.PIPE
    )


def test_a_scan_that_was_killed_goes_on_where_it_was(
    tmp_path: Path, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 in the middle, the same command again: the same bytes, finished shards not redone."""
    monkeypatch.setattr("offtarget.core.shards.MAX_ROWS", 16)
    path = write_rows(pairs(3000))
    out = tmp_path / "out"
    process = start_scan(path, out)
    deadline = time.monotonic() + 120
    while len(list(out.glob("shards/*.shard"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    n_done = len(list(out.glob("shards/*.shard")))
    last: list[Progress] = []

    quick([path], out, on_progress=last.append)
    quick([path], tmp_path / "calm")

    assert 5 <= n_done < 188
    assert not (out / "summary.json").is_symlink()
    assert last[-1].n_resumed == n_done
    assert outputs(out) == outputs(tmp_path / "calm")


def test_a_disk_that_fills_is_explained_and_nothing_is_lost(
    tmp_path: Path, write_rows: WriteRows
) -> None:
    """Writing fails for real; the message says what to do, and doing it finishes the scan."""
    path = write_rows(pairs(400))
    out = tmp_path / "out"

    process = start_scan(path, out, "limited")
    said = process.communicate()[1].decode()

    assert process.returncode != 0
    assert "ResourceError: cannot write" in said
    assert "free disk space or fix permissions and run the same command again" in said
    assert len(list(out.glob("shards/*.shard"))) == 25
    assert not list(out.glob("*.part"))
    assert not (out / "summary.json").exists()
    done = start_scan(path, out)
    assert done.communicate()[1] == b""
    assert outputs(out) == outputs(_calm(path, tmp_path))
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def _calm(path: Path, folder: Path) -> Path:
    quick([path], folder / "calm")
    return folder / "calm"


def test_parts_done_apart_make_the_whole(
    tmp_path: Path, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two halves of the shards, then a scan that only puts them together."""
    monkeypatch.setattr("offtarget.core.shards.MAX_ROWS", 16)
    path = write_rows(pairs(100))
    out = tmp_path / "out"
    for number in (1, 2):
        scan_part(
            [path],
            CONFIG,
            out,
            part=Part(number, 2),
            make_engines=make_words,
            executor=InProcessExecutor(),
        )
    assert not (out / "summary.json").exists()
    last: list[Progress] = []

    quick([path], out, on_progress=last.append)

    assert last[-1] == Progress(n_shards=7, n_rows=100, n_resumed=7)
    assert outputs(out) == outputs(_calm(path, tmp_path))


def test_the_gate_and_the_engines_decide(tmp_path: Path, write_rows: WriteRows) -> None:
    """A lower gate flags more and scans nothing again; another engine scans anew."""
    path = write_rows(pairs(5))
    out = tmp_path / "out"
    counts: list[int] = []

    def flagged(config: ScanConfig) -> int:
        summary = quick([path], out, config, on_progress=lambda p: counts.append(p.n_resumed))
        return summary.flagged

    assert flagged(CONFIG) == 1
    assert flagged(ScanConfig(engines=("words",), gate=Severity.LOW)) == 2
    assert flagged(ScanConfig(engines=("other",))) == 1
    assert counts == [0, 1, 0]


def test_a_scan_that_read_nothing_does_not_pass(tmp_path: Path, write_rows: WriteRows) -> None:
    """Nothing flagged is 0 only where something was read, or there was no code at all."""
    unread = quick([write_rows([("Why?", answer("%%"))])], tmp_path / "a")
    silent = quick([write_rows([("Why?", "Because.")])], tmp_path / "b")
    clean = quick([write_rows([("Why?", answer("good(1)"))])], tmp_path / "c")

    assert [s.exit_code for s in (unread, silent, clean)] == [4, 0, 0]


def test_a_bad_row_is_an_error_or_quarantined(tmp_path: Path, write_rows: WriteRows) -> None:
    """Strict by default; else it is a row of its own, in its place, with its reason."""
    path = write_rows(pairs(3))
    text = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([text[0], "{oops}", *text[1:]]) + "\n", encoding="utf-8")

    with pytest.raises(DataError, match=r"^train.jsonl:2: not JSON"):
        quick([path], tmp_path / "a")
    summary = quick([path], tmp_path / "b", LENIENT)

    rows = lines(tmp_path / "b/rows.jsonl")
    assert [row["state"] for row in rows] == ["found", "quarantined", "clean", "found"]
    assert rows[1]["reason"].startswith("not JSON")
    assert (summary.samples, summary.quarantined) == (4, 1)


def test_files_of_one_name_go_by_their_folders(tmp_path: Path, write_rows: WriteRows) -> None:
    """Rows, errors and the summary tell a/train.jsonl from b/train.jsonl."""
    paths = [write_rows(pairs(1), "a/train.jsonl"), write_rows(pairs(1), "b/train.jsonl")]

    summary = quick(paths, tmp_path / "out")
    paths[1].write_text("{oops}\n", encoding="utf-8")

    assert [file.path for file in summary.files] == ["a/train.jsonl", "b/train.jsonl"]
    with pytest.raises(DataError, match=r"^b/train.jsonl:1: not JSON"):
        quick(paths, tmp_path / "out")


def test_a_file_that_changes_while_it_is_read_is_an_error(
    tmp_path: Path, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Appended, rewritten in place, cut off or removed: no summary is written of a mixture."""
    monkeypatch.setattr("offtarget.core.shards.MAX_ROWS", 16)
    path = write_rows(pairs(5000))
    whole = path.read_bytes()
    changes = {
        "changed": lambda: path.write_bytes(whole + whole[:100]),
        "chang": lambda: path.write_bytes(whole.replace(b"good(2)", b"good(3)")),
        "change": lambda: path.write_bytes(whole[: len(whole) // 2 + 5]),
        "gone": path.unlink,
    }
    for word, change in changes.items():
        path.write_bytes(whole)

        def once(progress: Progress, change: Any = change) -> None:
            if progress.n_shards == 2:
                change()

        with pytest.raises(DataError, match=rf"^train.jsonl: {word}.* while it was read .* again$"):
            quick([path], tmp_path / word, on_progress=once)
        assert not (tmp_path / word / "summary.json").exists()


def test_a_line_of_200_megabytes_is_an_error_or_set_aside(tmp_path: Path) -> None:
    """It is never held whole, and the rows around it are scanned."""
    good = json.dumps({"prompt": "Why?", "completion": answer("worse(1)")}) + "\n"
    path = tmp_path / "train.jsonl"
    with path.open("wb") as file:
        file.write(good.encode())
        for _ in range(200):
            file.write(b"x" * 1_000_000)
        file.write(b"\n" + good.encode())
    message = f"line longer than {MAX_LINE_BYTES} bytes; split or shorten it"

    with pytest.raises(DataError, match=f"^train.jsonl:2: {message}"):
        quick([path], tmp_path / "a")
    summary = quick([path], tmp_path / "b", LENIENT)

    assert (summary.samples, summary.flagged, summary.quarantined) == (3, 2, 1)
    assert lines(tmp_path / "b/rows.jsonl")[1]["reason"] == message


def test_a_gzip_bomb_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that grows a thousandfold beyond the limit is named; an ordinary one is scanned."""
    monkeypatch.setattr(inputs, "MAX_EXPANDED_BYTES", 4 * 1024 * 1024)
    bomb, sound = tmp_path / "bomb.jsonl.gz", tmp_path / "sound.jsonl.gz"
    bomb.write_bytes(gzip.compress(b" " * (16 * 1024 * 1024)))
    row = json.dumps({"prompt": "Why?", "completion": answer("bad(1)")}) + "\n"
    sound.write_bytes(gzip.compress(row.encode() * 10))

    with pytest.raises(
        DataError,
        match=r"^bomb.jsonl.gz: \d+ bytes expand to more than 4194304; decompress the file first",
    ):
        quick([bomb], tmp_path / "a", LENIENT)
    assert quick([sound], tmp_path / "b").samples == 10


def test_source_files_are_scanned_as_they_are(tmp_path: Path) -> None:
    """One file is one row with its language by name; hidden files and data stay out."""
    src = tmp_path / "src"
    (src / "lib").mkdir(parents=True)
    (src / ".git").mkdir()
    empty = tmp_path / "empty"
    empty.mkdir()
    for name, text in {
        "a.py": "worse(1)\n", "lib/b.js": "worse(1)\n", ".git/c.py": "worse(1)\n", "d.csv": "x\n",
    }.items():  # fmt: skip
        (src / name).write_text(text, encoding="utf-8")
    (src / "lib" / "latin.py").write_bytes(b"s = '\xe9'\n")
    config = ScanConfig(engines=("words",), plain=True, on_bad_row=OnBadRow.QUARANTINE)

    summary = quick([src], tmp_path / "out", config)

    rows = lines(tmp_path / "out/rows.jsonl")
    assert [(row["file"], row["state"]) for row in rows] == [
        ("src/a.py", "found"), ("src/lib/b.js", "unparsed"), ("src/lib/latin.py", "quarantined"),
    ]  # fmt: skip
    assert rows[2]["reason"] == "invalid UTF-8 at byte 5; save it as UTF-8"
    assert (summary.samples, summary.flagged) == (3, 1)
    strict = ScanConfig(engines=("words",), plain=True)
    with pytest.raises(DataError, match=r"^src/lib/latin.py: invalid UTF-8 at byte 5; save it"):
        quick([src], tmp_path / "strict", strict)
    for path, message in (
        (empty, "no source files; name files"), (src / "gone", "no such file or directory"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=f"^{path.name}: {message}"):
            quick([path], tmp_path / "none", strict)


def test_a_source_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Bytes that are no text, and files too large to be code, have their messages."""
    for content, message in (
        (b"a\0b", "holds a NUL byte, so it is no text; leave it out"),
        (b"#" * (MAX_LINE_BYTES + 1), f"longer than {MAX_LINE_BYTES} bytes; split it or leave"),
    ):
        path = tmp_path / "a.py"
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"^a.py: {message}"):
            quick([path], tmp_path / "out", ScanConfig(engines=("words",), plain=True))


def test_an_engine_that_finds_nothing_is_no_proof_of_clean_data(
    tmp_path: Path, write_rows: WriteRows
) -> None:
    """A broken engine fails the scan; an unproved one needs to be allowed, and is named."""
    path = write_rows(pairs(5))
    allowed = ScanConfig(engines=("mute",), allow_unproved=True)

    for make, message in ((make_blind, "^blind: found nothing in"), (make_mute, "^mute: found no")):
        with pytest.raises(ResourceError, match=message):
            scan([path], CONFIG, tmp_path / "out", make_engines=make)
    summary = scan(
        [path], allowed, tmp_path / "b", make_engines=make_mute, executor=InProcessExecutor()
    )

    assert summary.engines[0].unproved == ("python",)
    assert not (tmp_path / "out").exists()


def test_no_engine_and_no_place_to_write_are_errors(tmp_path: Path, write_rows: WriteRows) -> None:
    """Each says what to do."""
    path = write_rows(pairs(1))

    with pytest.raises(ConfigError, match=r"^no engine; name at least one$"):
        quick([path], tmp_path / "out", ScanConfig(engines=()))
    with pytest.raises(ResourceError, match=r"^cannot write '000000.shard' in .*; free disk space"):
        quick([path], path)
