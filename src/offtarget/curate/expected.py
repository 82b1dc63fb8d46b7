"""How many rows there will be, where that is cheap to know: for the time that is left."""

from collections.abc import Sequence
from pathlib import Path

from offtarget.core.errors import DataError
from offtarget.curate.inputs import BLOCK_BYTES, find_inputs
from offtarget.dataset.containers import container_of


def expected_rows(paths: Sequence[Path], *, plain: bool) -> int | None:
    """Return the rows of the inputs, not parsed; None where only reading them would tell.

    A file of JSON Lines costs a count of its lines (about 1 GB a second), Parquet a look at its
    footer. CSV and compressed files are not counted; nor is an input that the scan itself refuses.
    """
    try:
        inputs = find_inputs(paths, plain=plain)
        total = 0
        for taken in inputs:
            n_rows = len(taken.sources) if taken.source is None else _rows(taken.source.path)
            if n_rows is None:
                return None
            total += n_rows
    except (DataError, OSError):
        return None
    return total


def _rows(path: Path) -> int | None:
    kind = container_of(path)
    if kind == "jsonl":
        with path.open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(BLOCK_BYTES), b""))
    if kind == "parquet":
        from pyarrow import ArrowInvalid, parquet

        try:
            return int(parquet.read_metadata(path).num_rows)
        except ArrowInvalid:
            return None
    return None
