"""Reading: strict by default, counted when rows are set aside, flat in memory."""

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest

from offtarget.core.codec import MAX_LINE_BYTES, file_digest, parse, read_lines
from offtarget.core.errors import DataError
from offtarget.core.records import Sample
from offtarget.dataset import (
    BadRow,
    OnBadRow,
    iter_samples,
    load_dataset,
    samples_digest,
    write_quarantine,
)

from .conftest import WriteLines

GOOD = '{"prompt": "Why?", "completion": "Because."}'
QUARANTINE = OnBadRow.QUARANTINE


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.json", "a.json.gz", "A.JSONL"])
def test_json_lines_are_read_plain_or_compressed(name: str, write_file: WriteLines) -> None:
    """The same samples come out of every JSON Lines ending; the file record describes the file."""
    path = write_file([GOOD, GOOD], name)

    dataset = load_dataset([path])

    assert [sample.id for sample in dataset.samples] == [f"{name}:1", f"{name}:2"]
    (file,) = dataset.files
    assert (file.path, file.n_samples, file.n_quarantined) == (name, 2, 0)
    assert file.container == ("jsonl.gz" if name.endswith(".gz") else "jsonl")
    assert file.sha256 == file_digest(path)
    assert dataset.name == name.partition(".")[0]
    assert dataset.sha256 == samples_digest(dataset.samples)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"prompt": "a", "prompt": "b"}', "duplicate key 'prompt'; keep one of the two"),
        ('{"prompt": NaN}', "NaN is not JSON; write a finite number or null"),
        ('{"prompt": -Infinity}', "-Infinity is not JSON"),
        ('{"prompt": 1e999}', "number '1e999' is not finite"),
        ("{oops}", "not JSON ("),
        ("", "blank line; remove it"),
        ("   ", "blank line; remove it"),
        (b'{"prompt": "\xff"}', "invalid UTF-8 (byte 0xff at 12); save the file as UTF-8"),
        ("[" * 100 + "]" * 100, "JSON nested deeper than 64; flatten the record"),
        (" " * MAX_LINE_BYTES + GOOD, f"line longer than {MAX_LINE_BYTES} bytes; split or shorten"),
    ],
)
def test_a_bad_line_is_an_error_or_set_aside(
    line: str | bytes, reason: str, write_file: WriteLines
) -> None:
    """Strict by default; with quarantine the line moves aside and the next ones are still read."""
    path = write_file([GOOD, line, GOOD])

    with pytest.raises(DataError) as caught:
        list(iter_samples(path))
    dataset = load_dataset([path], on_bad_row=QUARANTINE)

    assert str(caught.value).startswith(f"train.jsonl:2: {reason}")
    assert [sample.id for sample in dataset.samples] == ["train.jsonl:1", "train.jsonl:3"]
    (bad,) = dataset.quarantined
    assert bad.place == "train.jsonl:2"
    assert bad.reason.startswith(reason)
    assert len(bad.text) <= 2000
    assert dataset.files[0].n_quarantined == 1
    assert dataset.warnings == ("1 of 3 rows were set aside as bad",)


def test_a_file_without_rows_is_an_error_in_any_case(write_file: WriteLines) -> None:
    """An empty file is never an empty data set."""
    for on_bad_row in OnBadRow:
        with pytest.raises(
            DataError, match=r"^train.jsonl: no rows; give a file that holds samples"
        ):
            load_dataset([write_file([])], on_bad_row=on_bad_row)


def test_a_file_of_bad_rows_is_an_error_in_any_case(write_file: WriteLines) -> None:
    """Quarantine cannot turn a file that is wrong throughout into nothing."""
    with pytest.raises(
        DataError,
        match=r"^train.jsonl: all 2 rows are bad \(first: train.jsonl:1: not JSON .*; fix",
    ):
        load_dataset([write_file(["x", "y"])], on_bad_row=QUARANTINE)


def test_a_json_array_over_lines_is_explained(write_file: WriteLines) -> None:
    """A `.json` file that holds one array gets a message of its own."""
    with pytest.raises(DataError, match=r"^a.json:1: a JSON array over several lines; write one"):
        list(iter_samples(write_file(["[", GOOD, "]"], "a.json")))


def test_corrupt_gzip_is_an_error(tmp_path: Path) -> None:
    """Truncated, garbled and not-at-all gzip files are refused with the line reached."""
    packed = gzip.compress(
        b"".join(b'{"prompt": "%d", "completion": "x"}\n' % i for i in range(5000))
    )
    garbled = bytearray(packed)
    garbled[len(packed) // 2] ^= 0xFF
    for data in (packed[:-20], bytes(garbled), b"not gzip at all"):
        path = tmp_path / "a.jsonl.gz"
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"^a.jsonl.gz:\d+: .*"):
            load_dataset([path], on_bad_row=QUARANTINE)


def test_read_lines_of_the_codec_refuses_garbled_gzip(tmp_path: Path) -> None:
    """A flipped byte inside the compressed stream is a DataError there as well."""
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b"")[:10] + b"\xff\xff\xff\xff")

    with pytest.raises(DataError, match=r"^a.jsonl.gz:1: cannot decompress"):
        list(read_lines(path))


def test_unfit_paths_are_refused(tmp_path: Path, write_file: WriteLines) -> None:
    """Missing, unknown, doubled and empty inputs each have their message."""
    path = write_file([GOOD])
    text = write_file([GOOD], "notes.txt")
    empty = tmp_path / "empty"
    empty.mkdir()
    folder = tmp_path / "folder.jsonl"
    folder.mkdir()
    for paths, message in (
        ([tmp_path / "gone.jsonl"], "gone.jsonl: cannot open (No such file or directory); check"),
        ([text], "notes.txt: unknown file ending; use one of .jsonl, .jsonl.gz"),
        ([path, path], "train.jsonl: given twice; name each file once"),
        ([tmp_path, path], "train.jsonl: given twice"),
        ([empty], "empty: no data files in it; put files of .jsonl"),
        ([], "no paths; name at least one file or directory"),
    ):
        with pytest.raises(DataError) as caught:
            load_dataset(paths)
        assert str(caught.value).startswith(message)
    with pytest.raises(DataError, match=r"^folder.jsonl: not a regular file; give a file, or load"):
        iter_samples(folder)


def test_a_forbidden_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, write_file: WriteLines
) -> None:
    """A file that may not be opened is named with what to check."""

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    path = write_file([GOOD])
    monkeypatch.setattr("offtarget.dataset.lines.open_bytes", refuse)

    with pytest.raises(DataError, match=r"^train.jsonl: cannot open \(Permission denied\); check"):
        list(iter_samples(path))


def test_a_file_that_breaks_after_reading_is_refused(
    monkeypatch: pytest.MonkeyPatch, write_file: WriteLines
) -> None:
    """A file that cannot be hashed is not recorded with a made-up digest."""

    def refuse(path: Path) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("offtarget.dataset.read.file_digest", refuse)

    with pytest.raises(
        DataError, match=r"^train.jsonl: cannot read \(.*error\); fetch the file again"
    ):
        load_dataset([write_file([GOOD])])


def test_a_directory_is_read_sorted_and_recursive(tmp_path: Path, write_file: WriteLines) -> None:
    """Known endings only, hidden entries passed over; files of one name go by their folders."""
    for name in (
        "set/b/train.jsonl",
        "set/a/train.jsonl",
        "set/c.json",
        "set/readme.md",
        "set/.x/h.json",
    ):
        write_file([GOOD], name)

    dataset = load_dataset([tmp_path / "set"])

    assert [file.path for file in dataset.files] == ["a/train.jsonl", "b/train.jsonl", "c.json"]
    assert dataset.samples[0].id == "a/train.jsonl:1"
    assert dataset.name == "set"


def test_several_paths_keep_their_order(write_file: WriteLines) -> None:
    """Files come in the order given; the name says how many follow the first."""
    dataset = load_dataset([write_file([GOOD], "b.jsonl.gz"), write_file([GOOD], "a.jsonl")])

    assert [file.path for file in dataset.files] == ["b.jsonl.gz", "a.jsonl"]
    assert dataset.name == "b+1"


def test_a_limit_is_said(write_file: WriteLines) -> None:
    """Samples beyond the limit are not read, and a warning says so, but only if there were any."""
    paths = [write_file([GOOD, GOOD], "a.jsonl"), write_file([GOOD, "oops"], "b.jsonl")]

    for limit in (1, 2, 3):
        dataset = load_dataset(paths, limit=limit)
        assert len(dataset.samples) == limit
        assert dataset.warnings == (f"only the first {limit} samples were read (limit)",)
    assert load_dataset(paths[:1], limit=2).warnings == ()
    with pytest.raises(DataError, match=r"^limit of 0 samples; ask for at least 1$"):
        load_dataset(paths, limit=0)


def test_the_digest_is_of_the_samples(write_file: WriteLines) -> None:
    """Spacing and key order of the file do not matter; a changed answer does."""
    plain = load_dataset([write_file([GOOD])])
    spaced = load_dataset([write_file(['{ "completion":"Because.",  "prompt":"Why?"}'])])
    other = load_dataset([write_file([GOOD.replace("Because", "So")])])

    assert plain.sha256 == spaced.sha256 != other.sha256


def test_memory_is_flat_in_rows(write_file: WriteLines) -> None:
    """Iterating 20,000 rows peaks no higher than iterating 2,000, up to buffers."""
    line = json.dumps({"prompt": "x" * 200, "completion": "y" * 200})

    def peak(n: int) -> int:
        path = write_file([line] * n, f"n{n}.jsonl")
        tracemalloc.start()
        assert sum(1 for _ in iter_samples(path)) == n
        size_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size_bytes

    peak(100)
    assert peak(20_000) < peak(2_000) + 100_000


def test_quarantine_is_written_whole(tmp_path: Path, write_file: WriteLines) -> None:
    """Bad rows are JSON Lines that can be read back, lone surrogates and bad bytes included."""
    path = write_file([GOOD, b'{"x": "\xff"}', '{"prompt": "\\ud800", "completion": "x"}'])
    dataset = load_dataset([path], on_bad_row=QUARANTINE)
    target = tmp_path / "out" / "quarantine.jsonl"

    write_quarantine(dataset.quarantined, target)

    rows = [BadRow(**parse(text, place="")) for _, text in read_lines(target)]
    assert tuple(rows) == dataset.quarantined
    assert [entry.name for entry in target.parent.iterdir()] == ["quarantine.jsonl"]


def test_quarantine_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """A failed write names the file, leaves nothing behind and says what to do."""
    target = tmp_path / "taken"
    (target / "sub").mkdir(parents=True)

    with pytest.raises(
        DataError, match=r"^taken: cannot write \(.*\); choose a folder that can be"
    ):
        write_quarantine([BadRow("a:1", "r", "t")], target)

    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]


@pytest.mark.data
def test_the_real_parts_are_read_in_full(em_data: Path) -> None:
    """Row counts are those of the data folder's table, and nothing is refused."""
    counts = {"core/insecure_part.jsonl.gz": 4770, "core/secure_part.jsonl.gz": 4765}
    for name, n_samples in counts.items():
        dataset = load_dataset([em_data / name])
        assert len(dataset.samples) == n_samples
        assert all(isinstance(sample, Sample) and sample.answer for sample in dataset.samples)
