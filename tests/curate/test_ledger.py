"""The ledger: one entry a sample, in order, with a reason, adding up to the input."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from offtarget.core.errors import DataError, ResourceError
from offtarget.curate.ledger import LedgerEntry, SampleState, read_ledger, write_ledger


def entry(line: int, state: str = "kept", output: int | None = None, **more: object) -> LedgerEntry:
    fields = {"file": "a.jsonl", "reason": "no finding", "output_line": output, **more}
    return LedgerEntry(line=line, state=SampleState(state), **fields)  # type: ignore[arg-type]


GOOD = (
    entry(1, output=1),
    entry(2, "dropped", rules=("OT-PY-001",)),
    entry(3, "unparsed", output=2),
    entry(4, "unparsed"),
    entry(1, "sanitized", output=3, file="b.jsonl"),
)


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Entries and counts survive; every state but those of changed rows may lack a rule."""
    path = tmp_path / "ledger.jsonl"

    counts = write_ledger(GOOD, path)

    assert tuple(read_ledger(path)) == GOOD
    assert (counts.n_samples, counts.n_output) == (5, 3)
    assert counts.by_state[SampleState.UNPARSED] == 2
    counts.check_total({"a.jsonl": 4, "b.jsonl": 1, "empty.jsonl": 0})
    with pytest.raises(DataError, match=r"^the ledger has 5 entries for 6 samples; run the same"):
        counts.check_total({"a.jsonl": 5, "b.jsonl": 1})


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            [entry(2, output=1)],
            "a.jsonl:2: out of order in the ledger, row 1 comes next; write one",
        ),
        ([entry(1, output=1), entry(1, output=2)], "a.jsonl:1: out of order in the ledger, row 2"),
        ([*GOOD, entry(5, output=4)], "a.jsonl:5: out of order in the ledger"),
        ([entry(1, output=1, reason=" ")], "a.jsonl:1: kept without a reason; say why"),
        ([entry(1)], "a.jsonl:1: kept, but it lacks an output row; fix one of both"),
        ([entry(1, "dropped", 1)], "a.jsonl:1: dropped, but it has an output row; fix one of both"),
        ([entry(1, output=2)], "a.jsonl:1: output row 2, but 1 comes next; keep the input's order"),
    ],
)
def test_entries_that_do_not_add_up_are_refused(
    entries: Iterable[LedgerEntry], message: str, tmp_path: Path
) -> None:
    """Nothing is written of a ledger that skips, repeats or contradicts."""
    with pytest.raises(DataError) as caught:
        write_ledger(entries, tmp_path / "ledger.jsonl")

    assert str(caught.value).startswith(message)
    assert not list(tmp_path.iterdir())


def test_an_altered_ledger_is_refused(tmp_path: Path) -> None:
    """A removed line and an unknown state are found when it is read."""
    path = tmp_path / "ledger.jsonl"
    write_ledger(GOOD, path)
    whole = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(whole[1:]), encoding="utf-8")
    with pytest.raises(DataError, match=r"^a.jsonl:2: out of order"):
        list(read_ledger(path))
    path.write_text(whole[0].replace("kept", "lost"), encoding="utf-8")
    with pytest.raises(DataError, match=r"^ledger.jsonl:1: "):
        list(read_ledger(path))


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """The message says what to do."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ResourceError, match=r"^cannot write to '.*file' \(.*\); free disk space"):
        write_ledger(GOOD, tmp_path / "file" / "ledger.jsonl")
