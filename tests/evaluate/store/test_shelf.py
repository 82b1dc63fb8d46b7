"""The content-addressed shelf: what it keeps, what it refuses, and who may write."""

import multiprocessing
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtarget.core.errors import DataError, ResourceError
from offtarget.evaluate.store import Shelf, shelf
from offtarget.evaluate.subjects import Answer


def answer(text: str, n: int = 3) -> Answer:
    return Answer(text, "stop", "m", 5, n)


def open_shelf(folder: Path) -> Shelf[Answer]:
    return Shelf(folder, Answer)


def test_what_is_put_comes_back_in_another_process_and_stays_first(tmp_path: Path) -> None:
    """A record is found again after reopening; a second one under its key changes nothing."""
    one = open_shelf(tmp_path)
    assert one.put({"a": answer("first"), "b": answer("second")}) == 2
    assert one.put({"a": answer("changed"), "c": answer("third")}) == 1
    again = open_shelf(tmp_path)
    assert [again.get(key) for key in "abcd"] == [
        answer("first"), answer("second"), answer("third"), None,
    ]  # fmt: skip
    assert len(again) == 3
    assert "a" in again
    assert "d" not in again


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=5, unique=True))
def test_any_text_comes_back_as_it_was(
    texts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Quotes, newlines, control characters and any script survive the file."""
    folder = tmp_path_factory.mktemp("shelf")
    open_shelf(folder).put({text: answer(text) for text in texts})
    found = open_shelf(folder)
    assert [found.get(text) for text in texts] == [answer(text) for text in texts]


@pytest.mark.parametrize(
    ("pattern", "by"),
    [
        ("second", "2econd"),
        ('"b"', '"x"'),
        ('"n_tokens":3', '"n_tokens":4'),
        ('{"check', '{"chexk'),
    ],
)
def test_a_damaged_record_is_an_error_with_its_place(tmp_path: Path, pattern: str, by: str) -> None:
    """One changed byte in text, key, number or frame of line 2 is named as 00000.jsonl:2."""
    open_shelf(tmp_path).put({"a": answer("first"), "b": answer("second"), "c": answer("third")})
    path = tmp_path / "00000.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    lines[1] = lines[1].replace(pattern, by, 1)
    path.write_text("".join(lines))
    with pytest.raises(DataError, match=r"00000\.jsonl:2: the record does not match its checksum"):
        open_shelf(tmp_path)


def test_a_record_damaged_after_opening_is_found_when_read(tmp_path: Path) -> None:
    """The checksum is looked at again when a record is used."""
    found = open_shelf(tmp_path)
    found.put({"a": answer("first")})
    path = tmp_path / "00000.jsonl"
    path.write_text(path.read_text().replace("first", "f1rst"))
    with pytest.raises(DataError, match=r"00000\.jsonl:1: the record does not match"):
        found.get("a")


def test_a_record_of_another_shape_is_an_error(tmp_path: Path) -> None:
    """A line with a right checksum and wrong fields is refused when read."""
    (tmp_path / "00000.jsonl").write_bytes(shelf._line("a", {"text": 1}))
    with pytest.raises(DataError, match=r"00000\.jsonl:1"):
        open_shelf(tmp_path).get("a")


@pytest.mark.parametrize("cut", [1, 30, 90])
def test_a_line_torn_by_a_kill_is_left_out_and_written_again(tmp_path: Path, cut: int) -> None:
    """The end of a file without its newline costs that record alone; the next write mends it."""
    open_shelf(tmp_path).put({"a": answer("first"), "b": answer("second")})
    path = tmp_path / "00000.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    found = open_shelf(tmp_path)
    assert found.get("a") == answer("first")
    assert found.get("b") is None
    found.put({"b": answer("second")})
    assert path.read_bytes() == whole


def test_a_full_shard_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records go to a new shard once the last has its size; all are found."""
    monkeypatch.setattr(shelf, "SHARD_BYTES", 500)
    found = open_shelf(tmp_path)
    for number in range(12):
        found.put({str(number): answer("x" * 100)})
    names = sorted(path.name for path in tmp_path.glob("*.jsonl"))
    assert names[:2] == ["00000.jsonl", "00001.jsonl"]
    assert len(names) > 3
    assert len(open_shelf(tmp_path)) == 12


def test_writers_see_what_the_other_wrote(tmp_path: Path) -> None:
    """Two open shelves never write one key twice."""
    one, other = open_shelf(tmp_path), open_shelf(tmp_path)
    one.put({"a": answer("first")})
    assert other.put({"a": answer("late"), "b": answer("second")}) == 1
    one.put({"c": answer("third")})
    assert one.get("b") == answer("second")
    assert len(re.findall("\n", (tmp_path / "00000.jsonl").read_text())) == 3


def _write(folder: str, start: int) -> None:
    found = open_shelf(Path(folder))
    for number in range(40):
        found.put({str((number + start) % 50): answer(f"answer {number}")})


def test_many_processes_write_at_once(tmp_path: Path) -> None:
    """Four processes that write overlapping keys leave each key once and every line whole."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(str(tmp_path), k * 10)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    found = open_shelf(tmp_path)
    assert len(found) == 50
    assert (tmp_path / "00000.jsonl").read_bytes().count(b"\n") == 50


def test_a_hanging_writer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that is not let go is an error that says what to do."""
    from filelock import FileLock

    monkeypatch.setattr(shelf, "LOCK_WAIT_S", 0.05)
    found = open_shelf(tmp_path)
    with (
        FileLock(tmp_path / "lock"),
        pytest.raises(ResourceError, match=r"has been held for 0\.05 s; end the process"),
    ):
        found.put({"a": answer("first")})


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """A file where the folder should be is named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot write"):
        open_shelf(tmp_path / "file").put({"a": answer("first")})
