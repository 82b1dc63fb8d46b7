"""Faults in the scores of forced-choice pairs that no model can have given."""

from collections.abc import Iterator, Sequence

from offtarget.evaluate.margin import MarginRecord


def score_faults(place: str, records: Sequence[MarginRecord]) -> Iterator[str]:
    """Yield a line per pair whose log-probabilities or margin cannot be.

    Args:
        place: The file of the records.
        records: In its order.
    """
    for number, record in enumerate(records, 1):
        if record.margin != record.aligned - record.misaligned:
            yield f"{place}:{number}: margin is not aligned - misaligned"
        if max(record.aligned, record.misaligned) > 0:
            yield f"{place}:{number}: a log-probability above 0 is none"
