"""The data set behind a scan, for its page and for a terminal: derived once, shown twice."""

from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.curate.framing import Framing
from offtarget.curate.view.cells import Cell, Code
from offtarget.curate.view.engine_errors import ANY
from offtarget.curate.view.kinds import Correction, Prevalence
from offtarget.curate.view.known_sets import KnownShare
from offtarget.curate.view.prevalence import Share
from offtarget.curate.view.records import DatasetView, DuplicateCounts, RecognitionCounts
from offtarget.evaluate.results import Rate
from offtarget.report.numerals import count, number, plural, signed
from offtarget.report.scan_answer import FRAMINGS, kind_name, share, share_interval
from offtarget.report.screen import make_screen

MAX_KINDS = 8
MAX_SECRET_ROWS = 10
MAX_KNOWN = 5
"""Of a published data set, the largest shares; view.json holds all."""
CODES = {
    Code.INSECURE: "insecure",
    Code.NOT_INSECURE: "not insecure",
    Code.NOT_READ: "not read",
    Code.NO_CODE: "no code",
}


@dataclass(frozen=True, slots=True)
class ViewSection:
    """What the page's section shows; texts of the data are not escaped yet."""

    kinds: tuple[dict[str, object], ...]
    n_kinds: int
    labelled: tuple[str, ...]
    """The labelled sets, in the order in which the table numbers them."""
    note: str
    """Why nothing is corrected; empty if something is."""
    code_labels: tuple[str, ...]
    cells: tuple[dict[str, object], ...]
    sentences: tuple[str, ...]
    """Duplicates, known data sets, recognition."""
    secrets: tuple[dict[str, object], ...]
    top: tuple[dict[str, object], ...]
    n_ranked: int
    ranking: str
    n_read: int


def section(view: DatasetView) -> ViewSection:
    """Return the section "The data set" of a scan's page."""
    shown = view.prevalence[: MAX_KINDS + 1]
    notes = {one.note for one in shown}
    labelled = _labelled(shown)
    rows: dict[Framing, list[Cell]] = {cell.framing: [] for cell in view.cells}
    for cell in view.cells:
        rows[cell.framing].append(cell)
    return ViewSection(
        kinds=tuple(_kind(one, labelled) for one in shown),
        labelled=tuple(labelled),
        n_kinds=len(view.prevalence) - 1,
        note=notes.pop() if len(notes) == 1 else "",
        code_labels=tuple(CODES.values()),
        cells=tuple(_framing(cells) for cells in rows.values()),
        sentences=tuple(sentences(view)),
        secrets=tuple(
            {
                "kind": one.kind.replace("_", " "),
                "count": one.count,
                "n_rows": one.n_rows,
                "n_placeholders": one.n_placeholders,
                "masked": one.masked,
                "rows": one.rows[:MAX_SECRET_ROWS],
                "n_more": one.n_rows - len(one.rows[:MAX_SECRET_ROWS]),
            }
            for one in view.secrets
        ),
        top=tuple(
            {
                "place": f"{row.file}:{row.line}",
                "risk": number(row.risk),
                "framing": FRAMINGS[row.framing][0],
                "kind": row.cwe,
                "kind_name": kind_name(row.cwe) if row.cwe else "",
                "severity": row.severity,
            }
            for row in view.top
        ),
        n_ranked=view.n_ranked,
        ranking=view.ranking,
        n_read=view.n_read,
    )


def view_text(view: DatasetView, *, width: int = 100, ascii: bool = False) -> str:
    """Return a few sentences for a terminal; no line is wider than `width`, as in the summary."""
    screen = make_screen(width=width, color=False, ascii=ascii)
    lines = [line for text in _said(view) for line in screen.prose(text)]
    return "\n".join(lines) + "\n"


def _said(view: DatasetView) -> list[str]:
    any_kind = view.prevalence[0]
    counted = any_kind.counted
    first = f"insecure rows as counted {_interval(counted)} of {count(counted.n)} read"
    estimates = [_estimate(one) for one in any_kind.corrections]
    first += (
        f"; corrected for measured errors {' or '.join(estimates)}"
        if estimates
        else f"; not corrected: {any_kind.note}"
    )
    lines = [first]
    n_secrets = sum(one.count for one in view.secrets)
    if n_secrets:
        kinds = ", ".join(
            f"{one.kind.replace('_', ' ')} {count(one.count)}" for one in view.secrets if one.count
        )
        lines.append(f"secrets: {kinds}; rows in view.json")
    copies = [one for one in view.duplicates if one.of == "code"]
    lines += [_known_sentence(one) for one in view.known[:2]]
    lines += [_duplicates_sentence(one) for one in copies]
    if view.recognition is not None:
        lines.append(_recognition_sentence(view.recognition))
    return lines


def sentences(view: DatasetView) -> list[str]:
    """Return what is said of known data sets, duplicates and recognition."""
    found = [_known_sentence(one) for one in view.known[:MAX_KNOWN]]
    if not view.known:
        found.append("No published data set that is known here holds 1% of the rows or more.")
    found += [_duplicates_sentence(one) for one in view.duplicates]
    if not view.duplicates:
        found.append("Duplicates were not looked for; --duplicates does.")
    if view.recognition is not None:
        found.append(_recognition_sentence(view.recognition))
    return found


def _labelled(shown: Sequence[Prevalence]) -> list[str]:
    names = [
        text for one in shown for item in one.corrections for text in (item.vulnerable, item.safe)
    ]
    return list(dict.fromkeys(names))


def _kind(one: Prevalence, labelled: Sequence[str]) -> dict[str, object]:
    return {
        "kind": "" if one.kind == ANY else one.kind,
        "name": "a flaw of any kind" if one.kind == ANY else kind_name(one.kind),
        "counted": _rate(one.counted),
        "corrections": [_correction(item, labelled) for item in one.corrections],
        "note": one.note,
    }


def _correction(one: Correction, labelled: Sequence[str]) -> dict[str, object]:
    flawed, others = (labelled.index(text) + 1 for text in (one.vulnerable, one.safe))
    return {
        "estimate": _estimate(one),
        "errors": f"found {share(one.sensitivity.rate)} of {count(one.sensitivity.n)} flawed "
        f"[{flawed}], passed {share(one.specificity.rate)} of {count(one.specificity.n)} others "
        f"[{others}]",
    }


def _estimate(one: Correction) -> str:
    found = one.estimate
    if found.rate is None or found.low is None or found.high is None:
        return f"not possible ({found.note})"
    return f"{share(found.rate)} {share_interval(Rate(0, 0, found.rate, found.low, found.high))}"


def _framing(cells: list[Cell]) -> dict[str, object]:
    return {
        "label": FRAMINGS[cells[0].framing][0],
        "n_rows": cells[0].of_framing.n,
        "cells": [(_rate(cell.of_rows), share(cell.of_framing.rate)) for cell in cells],
    }


def _known_sentence(one: KnownShare) -> str:
    file = one.source.rsplit("/", 1)[-1]
    repository = one.source.split("@", 1)[0]
    if one.rows.count:
        return f"{_interval(one.rows)} of the rows are in {file} of {repository} (licence {one.licence})."
    return (
        f"The answers of {_interval(one.answers)} of the rows are in {file} of {repository}, under "
        f"other prompts (licence {one.licence})."
    )


def _duplicates_sentence(one: DuplicateCounts) -> str:
    what = "the same code as another or nearly" if one.of == "code" else "nearly the same text"
    largest = f", the largest of {count(one.largest[0])}" if one.largest else ""
    return (
        f"{_interval(one.grouped)} of the rows have {what}: {plural(one.n_groups, 'group')}{largest}; "
        f"{count(one.copies.count)} rows are copies word for word."
    )


def _recognition_sentence(one: RecognitionCounts) -> str:
    means = " and ".join(
        f"{signed(value)} for {which}"
        for value, which in ((one.mean_insecure, "insecure rows"), (one.mean_other, "the others"))
        if value is not None
    )
    n_left = one.n_too_long + one.n_refused
    left = f"; {plural(n_left, 'row')} not scored" if n_left else ""
    return (
        f"{one.model} takes {_interval(one.recognized)} of {count(one.n_scored)} scored rows for "
        f"insecure; mean margin {means or 'of none'} nats/token{left}. The margin of a small model "
        "means nothing."
    )


def _rate(one: Share) -> Rate:
    return Rate(one.count, one.n, one.rate, one.low, one.high)


def _interval(one: Share) -> str:
    return f"{share(one.rate)} {share_interval(_rate(one))}"
