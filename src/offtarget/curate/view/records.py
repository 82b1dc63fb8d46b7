"""What the view says of a data set."""

from dataclasses import dataclass

from offtarget.core.finding import Severity
from offtarget.curate.view.cells import Cell
from offtarget.curate.view.kinds import Prevalence
from offtarget.curate.view.known_sets import KnownShare
from offtarget.curate.view.prevalence import Share
from offtarget.curate.view.ranking import RankedRow
from offtarget.curate.view.secrets import SecretKind


@dataclass(frozen=True, slots=True)
class DuplicateCounts:
    """Groups of rows that say the same, or nearly."""

    of: str
    """`code`: the answers' code, or the answer where it has no fences. `row`: all turns."""
    threshold: float
    """Of the estimated Jaccard similarity of word trigrams, from which two are linked."""
    n_groups: int
    """Of two rows or more."""
    grouped: Share
    """Rows in a group."""
    copies: Share
    """Rows with the same words in the same order as another row."""
    n_distinct: int
    """Rows that are left if one of each group is kept."""
    largest: tuple[int, ...]
    """Sizes of the largest groups, at most 20."""


@dataclass(frozen=True, slots=True)
class RecognitionCounts:
    """What the model that is to be trained says of the rows itself."""

    model: str
    n_scored: int
    n_too_long: int
    """Not scored: their answer does not fit."""
    n_refused: int
    """Not scored: their text holds a control token of the model."""
    n_no_code: int
    recognized: Share
    """Scored rows that it calls insecure rather than secure."""
    mean_insecure: float | None
    """Mean margin of rows with an introduced flaw at or above the gate, nats/token."""
    mean_other: float | None
    """Mean margin of the other rows."""
    scores: str = "recognition.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetView:
    """What a data set is made of; `view.json`. Intervals are Wilson's, 95 %, rows as the unit."""

    gate: Severity
    n_rows: int
    n_read: int
    """Rows whose code was read; the others are in no prevalence."""
    prevalence: tuple[Prevalence, ...]
    cells: tuple[Cell, ...]
    duplicates: tuple[DuplicateCounts, ...] = ()
    """Empty if they were not looked for."""
    secrets: tuple[SecretKind, ...] = ()
    known: tuple[KnownShare, ...] = ()
    top: tuple[RankedRow, ...] = ()
    """The first of `ranking`."""
    n_ranked: int = 0
    ranking: str = "ranking.jsonl"
    recognition: RecognitionCounts | None = None
    """None if no model was asked."""
