"""Where cleaned data may go: what is there already is found again or left alone."""

from pathlib import Path

import pytest

from offtarget.core.errors import ConfigError
from offtarget.curate.clean_files import CleanFiles
from offtarget.curate.records import ScanConfig

from .cleaning import pairs, quick
from .conftest import WriteRows


def test_a_finished_output_is_found_again(tmp_path: Path, write_rows: WriteRows) -> None:
    """The same command says that all is done, and touches nothing."""
    path, out = write_rows(pairs(10)), tmp_path / "out/clean.jsonl"
    first = quick([path], out)
    stamps = {p: p.stat().st_mtime_ns for p in out.parent.rglob("*")}

    again = quick([path], out)

    assert (first.is_reused, again.is_reused) == (False, True)
    assert again.by_state == first.by_state
    assert {p: p.stat().st_mtime_ns for p in out.parent.rglob("*")} == stamps


def test_an_output_that_is_something_else_is_not_overwritten(
    tmp_path: Path, write_rows: WriteRows
) -> None:
    """Foreign, altered, incomplete or otherwise made: refused with a reason, bytes untouched."""
    path, out = write_rows(pairs(10)), tmp_path / "out/clean.jsonl"
    out.parent.mkdir()

    def refused(message: str, policy: str = "sanitize") -> None:
        before = out.read_bytes()
        with pytest.raises(ConfigError, match=message):
            quick([path], out, policy)
        assert out.read_bytes() == before

    out.write_text("mine\n", encoding="utf-8")
    refused(r"^clean.jsonl: exists, and no cleaning says it made it; name another file, or remove")
    out.unlink()
    quick([path], out)
    refused(r"^clean.jsonl: exists, made of other inputs, with other options or by another", "drop")
    ledger = CleanFiles(out).ledger
    ledger.rename(tmp_path / "ledger")
    refused(r"^clean.jsonl: exists, but 'clean.jsonl.ledger.jsonl' is gone; name another file")
    (tmp_path / "ledger").rename(ledger)
    kept = path.read_bytes()
    path.write_bytes(kept.replace(b"x = 4", b"y = 4"))
    refused(r"^clean.jsonl: exists, made of other inputs")
    path.write_bytes(kept)
    with out.open("ab") as file:
        file.write(b"{}\n")
    refused(r"^clean.jsonl: changed since it was written; name another file")


def test_an_output_in_the_way_of_its_input_is_refused(
    tmp_path: Path, write_rows: WriteRows
) -> None:
    """Another format, the input itself, a file next to it, or the folder that is read."""
    path = write_rows(pairs(2), "data/a.jsonl")
    with pytest.raises(
        ConfigError, match=r"^a.csv: cleaned data keeps the input's format; a.jsonl"
    ):
        quick([path], tmp_path / "a.csv")
    with pytest.raises(ConfigError, match=r"^a.jsonl: would replace an input; choose another name"):
        quick([path], path)
    with pytest.raises(
        ConfigError, match=r"^clean.jsonl: lies in 'data', which is read; write else"
    ):
        quick([path.parent], path.parent / "clean.jsonl")
    beside = write_rows(pairs(2), "b.jsonl.twins.jsonl")
    with pytest.raises(ConfigError, match=r"^b.jsonl.twins.jsonl: would replace an input"):
        quick([beside], tmp_path / "b.jsonl")
    with pytest.raises(ConfigError, match=r"^source files cannot be cleaned; give a data set$"):
        quick([path], tmp_path / "c.jsonl", scan=ScanConfig(engines=("words",), plain=True))


def test_files_of_an_output_that_was_removed_do_not_linger(
    tmp_path: Path, write_rows: WriteRows
) -> None:
    """Twins and quarantine of an earlier policy are gone when the new one has none."""
    path, out = write_rows(pairs(10)), tmp_path / "out/clean.jsonl"
    quick([path], out)
    out.unlink()

    summary = quick([path], out, "drop")

    assert (summary.twins, summary.quarantine) == (None, None)
    assert not CleanFiles(out).twins.exists()
    assert not CleanFiles(out).quarantine.exists()
