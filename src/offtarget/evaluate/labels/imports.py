"""Labels by people, back in: strict, and set beside the judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.codec import decode, parse, read_lines, write_lines
from offtarget.core.errors import DataError
from offtarget.dataset.containers import raw_rows
from offtarget.dataset.sources import check_file, clean_name
from offtarget.evaluate.judges.agreement_stats import (
    Agreement,
    alpha_by_question,
    kappa_by_question,
)
from offtarget.evaluate.labels.export import Exported
from offtarget.evaluate.labels.read import CANNOT_TELL, LABEL, file_stem
from offtarget.evaluate.labels.records import MISALIGNED_BELOW


@dataclass(frozen=True, slots=True)
class Imported:
    """What people said of the answers of one export."""

    raters: tuple[str, ...]
    """Names of the sheets, one a person."""
    votes: Mapping[str, tuple[int | None, ...]]
    """Id to the label of each rater: 1 misaligned, 0 not, None where that rater gave none."""
    n_blank: tuple[int, ...]
    """Cells that each rater left empty."""
    n_cannot_tell: tuple[int, ...]
    """Cells in which each rater wrote `?`."""
    key: tuple[Exported, ...]

    def majority(self, name: str) -> bool | None:
        """Return what most raters said of an answer; None for a tie or no label."""
        said = [vote for vote in self.votes.get(name, ()) if vote is not None]
        if 2 * sum(said) == len(said):
            return None
        return 2 * sum(said) > len(said)


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """How far people agree with the judge, and with one another."""

    with_judge: Agreement
    """Cohen's kappa of the people's majority and the judge, over rows that have both."""
    among_people: Agreement | None
    """Krippendorff's alpha over the sheets' answers; None for a single sheet."""
    n_rows: int
    n_unjudged: int
    """Rows with a label by people, but no score of the judge."""
    n_undecided: int
    """Rows whose answer has no label, or a tie."""
    n_both: int
    n_only_people: int
    """Misaligned to the people, not to the judge."""
    n_only_judge: int
    n_neither: int


def import_labels(sheets: Sequence[Path], *, key: Path) -> Imported:
    """Read sheets that people have filled in; one sheet is one person.

    Columns may stand in any order and the answers are not looked at again: the id counts. A cell is
    1, 0, `?` (cannot tell) or empty.

    Raises:
        DataError: With `file:line`, for an id that the key does not have or that stands twice, for
            another label, a missing column or row, and for a key that is not ours.
    """
    known = _key(key)
    ids = {one.id for one in known}
    votes: dict[str, list[int | None]] = {name: [] for name in sorted(ids)}
    blank, unsure = [], []
    for sheet in sheets:
        said = _sheet(sheet, ids)
        for name in votes:
            vote = said[name]
            votes[name].append(int(vote) if vote in ("0", "1") else None)
        blank.append(sum(vote == "" for vote in said.values()))
        unsure.append(sum(vote == CANNOT_TELL for vote in said.values()))
    raters = tuple(file_stem(sheet) for sheet in sheets)
    return Imported(
        raters, {name: tuple(v) for name, v in votes.items()}, tuple(blank), tuple(unsure), known
    )


def labeled_rows(imported: Imported) -> bytes:
    """Return JSON Lines that `read_answers` reads: one row an answer with what most people said.

    Rows of one answer in several arms stand once each, with their model. What people left undecided
    (a tie, `?`, no label) has an empty `misaligned`; the judge's score stands beside it and fills
    nothing in.
    """
    rows = []
    for one in imported.key:
        said = imported.majority(one.id)
        rows.append(
            {
                "question_id": one.question,
                "question": one.text or one.question,
                "answer": one.answer,
                "model": one.model,
                "aligned": one.aligned,
                LABEL: "" if said is None else str(int(said)),
            }
        )
    return write_lines(rows)


def label_agreement(imported: Imported, *, below: float = MISALIGNED_BELOW) -> LabelAgreement:
    """Return the agreement of people and judge, with intervals over questions.

    Args:
        imported: From `import_labels`.
        below: A judge's score under this, strictly, is misaligned.
    """
    people: list[bool] = []
    judge: list[bool] = []
    questions: list[str] = []
    n_unjudged = n_undecided = 0
    for row in imported.key:
        said = imported.majority(row.id)
        if said is None:
            n_undecided += 1
        elif row.aligned is None:
            n_unjudged += 1
        else:
            people.append(said)
            judge.append(row.aligned < below)
            questions.append(row.question)
    question_of = {row.id: row.question for row in imported.key}
    among = None
    if len(imported.raters) > 1:
        items = [tuple(imported.votes[name]) for name in imported.votes]
        among = alpha_by_question(items, [question_of[name] for name in imported.votes])
    pairs = list(zip(people, judge, strict=True))
    return LabelAgreement(
        with_judge=kappa_by_question(people, judge, questions),
        among_people=among,
        n_rows=len(imported.key),
        n_unjudged=n_unjudged,
        n_undecided=n_undecided,
        n_both=pairs.count((True, True)),
        n_only_people=pairs.count((True, False)),
        n_only_judge=pairs.count((False, True)),
        n_neither=pairs.count((False, False)),
    )


def _key(path: Path) -> tuple[Exported, ...]:
    if not path.is_file():
        raise DataError(f"{path}: no such key; it was written next to the exported sheet")
    rows = [
        decode(parse(text, place=f"{path.name}:{number}"), Exported, place=f"{path.name}:{number}",
               error=DataError)
        for number, text in read_lines(path)
    ]  # fmt: skip
    if not rows:
        raise DataError(f"{path}: an empty key; restore the file or export again")
    return tuple(rows)


def _sheet(path: Path, ids: set[str]) -> dict[str, str]:
    label = clean_name(path.name)
    check_file(path, label)
    said: dict[str, str] = {}
    for row in raw_rows(path, label):
        if row.problem is not None:
            raise DataError(row.problem)
        value = row.value
        if not isinstance(value, dict) or "id" not in value or LABEL not in value:
            raise DataError(f"{row.place}: no columns 'id' and {LABEL!r}; give the exported sheet")
        name = str(value["id"] or "").strip()
        vote = str("" if value[LABEL] is None else value[LABEL]).strip()
        if name not in ids:
            raise DataError(
                f"{row.place}: id {name[:40]!r} is not in the key; give the key of this sheet, "
                "and leave its ids as they are"
            )
        if name in said:
            raise DataError(f"{row.place}: id {name!r} stands twice; keep one of the two")
        if vote not in ("", "0", "1", CANNOT_TELL):
            raise DataError(
                f"{row.place}: {LABEL} is {vote[:40]!r}; write 1 (misaligned), 0, "
                "? (cannot tell) or leave it empty"
            )
        said[name] = vote
    lost = sorted(ids - set(said))
    if lost:
        raise DataError(
            f"{label}: {len(lost)} of {len(ids)} rows are missing, first id {lost[0]}; "
            "give the whole sheet, cells may stay empty"
        )
    return said
