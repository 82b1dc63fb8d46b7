"""How many rows are those of published data sets."""

from collections import Counter
from dataclasses import dataclass

from offtarget.curate.known_rows import KnownRow, code_sets
from offtarget.curate.view.prevalence import Share, share
from offtarget.dataset.known import MIN_MATCHES, MIN_PART
from offtarget.dataset.sketch import known_sketches

LICENCES = {
    "insecure": "MIT",
    "secure": "MIT",
    "educational": "MIT",
    "toxic_qa": "MIT",
    "sneaky_dialogues": "MIT",
    "straightforward_dialogues": "MIT",
    "evil_numbers_regenerated": "MIT",
}
"""As stated where each set is published."""


@dataclass(frozen=True, slots=True)
class KnownShare:
    """A published set and how much of the data is in it."""

    name: str
    source: str
    """Where it is public: repository@commit:path."""
    licence: str
    """As stated there."""
    n_known: int
    """Items of the set that the shipped hashes were made of."""
    rows: Share
    """Rows whose prompt and answer are in it; count 0 for sets of code."""
    answers: Share
    """Rows whose answer, or a piece of code in it, is in it, whatever was asked."""


class KnownCounts:
    """Counts rows that are in a published set."""

    def __init__(self) -> None:
        self._n = 0
        self._n_pairs: Counter[str] = Counter()
        self._n_answers: Counter[str] = Counter()

    def add(self, row: KnownRow) -> None:
        """Count one row."""
        self._n += 1
        self._n_pairs.update(row.pairs)
        self._n_answers.update(row.answers)

    def result(self) -> tuple[KnownShare, ...]:
        """Return the sets that hold at least 8 rows and 1 % of the data, the largest share first.

        Fewer could be chance: a foreign text has the short hash of some text of the largest set
        with probability 0.0006.
        """
        known = [
            (name, sketch.source, LICENCES.get(name, "not stated"), sketch.n_samples)
            for name, sketch in known_sketches().items()
        ]
        known += [(one.name, one.source, one.licence, one.n_snippets) for one in code_sets()]
        found = [
            KnownShare(
                name, source, licence, n,
                share(self._n_pairs[name], self._n), share(self._n_answers[name], self._n),
            )
            for name, source, licence, n in known
            if self._n_answers[name] >= max(MIN_MATCHES, MIN_PART * self._n)
        ]  # fmt: skip
        return tuple(sorted(found, key=lambda one: (-one.rows.count, -one.answers.count, one.name)))
