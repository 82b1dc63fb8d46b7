"""Take the flaws out of snippets: offer fixes, scan again, keep what every obligation allows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from offtarget.codescan.engine import Engine
from offtarget.codescan.flaw import Flaw, Snippet
from offtarget.codescan.language import Language
from offtarget.core.finding import Severity
from offtarget.curate.sanitize.apply import Offer, applied, combined, composed, reaches
from offtarget.curate.sanitize.fixes import kinds_for
from offtarget.curate.sanitize.obligations import no_new_finding, obligations
from offtarget.curate.sanitize.records import (
    Edit,
    Fix,
    FixStatus,
    Obligation,
    Refusal,
    Sanitized,
)
from offtarget.curate.sanitize.source import Source

_MAX_ROUNDS = 3
_MAX_FLAWS = 200
"""A snippet with more is left alone; what people write has a handful."""


@dataclass(frozen=True, slots=True)
class ToSanitize:
    """One snippet and the flaws that are to be taken out."""

    snippet: Snippet
    flaws: tuple[Flaw, ...]


@dataclass
class _Work:
    """Where one snippet stands between rounds."""

    original: str
    wanted: tuple[Flaw, ...]
    code: str
    flaws: tuple[Flaw, ...]
    """Of all engines, in `code`."""
    edits: list[Edit] = field(default_factory=list)
    held: dict[str, Obligation] = field(default_factory=dict)
    blocked: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Offers that broke an obligation, and how."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why no fix was offered, by rule."""
    queue: list[list[Offer]] = field(default_factory=list)
    """Sets of offers that are still to be tried in this round."""
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class _Trial:
    """A candidate for the next code of one snippet."""

    work: _Work
    offers: tuple[Offer, ...]
    edits: tuple[Edit, ...]
    code: str


def sanitize_code(
    code: str,
    flaws: Sequence[Flaw],
    *,
    engines: Sequence[Engine],
    gate: Severity = Severity.MEDIUM,
) -> Sanitized:
    """Return the Python code with as many of the flaws taken out as all obligations allow.

    Args:
        code: The snippet; it is never executed.
        flaws: What was found in it; those below the gate are left.
        engines: Every engine that must not find anything new.
        gate: Least severity of a flaw that is worked on.
    """
    item = ToSanitize(Snippet(Language.PYTHON, code), tuple(flaws))
    return sanitize_many([item], engines=engines, gate=gate)[0]


def sanitize_many(
    items: Sequence[ToSanitize],
    *,
    engines: Sequence[Engine],
    gate: Severity = Severity.MEDIUM,
) -> list[Sanitized]:
    """Return one answer a snippet, in order; engines are called on whole batches.

    Raises:
        ResourceError: If an engine fails.
    """
    results: dict[int, Sanitized] = {}
    works: dict[int, _Work] = {}
    for index, item in enumerate(items):
        wanted = tuple(flaw for flaw in item.flaws if flaw.severity.rank >= gate.rank)
        code = item.snippet.code
        if item.snippet.language != Language.PYTHON:
            reason = f"no fixes for {item.snippet.language} yet"
            results[index] = Sanitized(code, FixStatus.NOT_FIXABLE, left=wanted, reason=reason)
        elif len(item.flaws) > _MAX_FLAWS:
            reason = f"{len(item.flaws)} flaws are too many for one snippet"
            results[index] = Sanitized(code, FixStatus.NOT_FIXABLE, left=wanted, reason=reason)
        elif not wanted:
            results[index] = Sanitized(code, FixStatus.FIXED, reason="nothing to fix")
        else:
            works[index] = _Work(code, wanted, code, item.flaws)
    active = list(works.values())
    for work, flaws in zip(active, _scanned([w.code for w in active], engines), strict=True):
        work.flaws = flaws
    for _ in range(_MAX_ROUNDS):
        active = [work for work in works.values() if not work.is_done]
        for work in active:
            offers = _offers(work, gate)
            work.queue = [offers] if offers else []
            work.is_done = not offers
        _run(active, engines)
    for index, work in works.items():
        results[index] = _result(work, gate)
    return [results[index] for index in range(len(items))]


def _offers(work: _Work, gate: Severity) -> list[Offer]:
    """Return a fix for every flaw that some kind takes, without those that failed before."""
    source = Source(work.code)
    if not source.is_read:
        work.reasons["*"] = "the code cannot be read"
        return []
    offers: list[Offer] = []
    for flaw in work.flaws:
        is_wanted = flaw.severity.rank >= gate.rank
        refusals = []
        for kind in kinds_for(flaw.rule):
            if not is_wanted and not kind.is_small:
                continue
            fix: Fix | Refusal
            try:
                fix = kind.propose(source, flaw)
            except RecursionError:
                fix = Refusal("the code is nested too deeply")
            if isinstance(fix, Fix) and not reaches(source, fix):
                fix = Refusal("an import would not reach the place in this fragment")
            if isinstance(fix, Refusal):
                refusals.append(fix.reason)
                continue
            offer = Offer(fix, flaw.rule, kind.id, kind.title)
            broken = work.blocked.get(_key(offer))
            if broken is None:
                offers.append(offer)
                break
            refusals.append(broken)
        else:
            if is_wanted:
                work.reasons[flaw.rule] = refusals[0] if refusals else "no fix of this kind of flaw"
    return offers


def _run(active: Iterable[_Work], engines: Sequence[Engine]) -> None:
    """Try the queued offers of all snippets; where a set fails, its members one by one."""
    waiting = [work for work in active if work.queue]
    while waiting:
        trials = [_trial(work, work.queue.pop(0)) for work in waiting]
        scans = _scanned([trial.code for trial in trials], engines)
        for trial, flaws in zip(trials, scans, strict=True):
            _judge(trial, flaws)
        waiting = [work for work in waiting if work.queue]


def _trial(work: _Work, offers: Sequence[Offer]) -> _Trial:
    edits, taken = combined(Source(work.code), offers)
    return _Trial(work, tuple(taken), tuple(edits), applied(work.code, edits))


def _judge(trial: _Trial, flaws: tuple[Flaw, ...]) -> None:
    """Keep a trial, or split it, or remember that its only offer is no good."""
    work = trial.work
    fixed = [flaw for flaw in work.flaws if flaw.rule in {offer.rule for offer in trial.offers}]
    checked = [
        *obligations(Source(work.code), Source(trial.code), trial.edits, fixed),
        no_new_finding(work.flaws, flaws),
    ]
    broken = next((one for one in checked if not one.held), None)
    if broken is None and trial.edits:
        work.edits = composed(work.edits, trial.edits, len(work.original))
        work.held |= {one.name: one for one in checked}
        work.code, work.flaws = trial.code, flaws
        work.queue = []  # what is left is offered again, at its new place
    elif len(trial.offers) > 1:
        work.queue += [[offer] for offer in trial.offers]
        work.queue += [[one, other] for one, other in _pairs(trial.offers)]
    elif trial.offers and broken is not None:
        work.blocked[_key(trial.offers[0])] = f"{broken.name}: {broken.detail}"


def _pairs(offers: Sequence[Offer]) -> list[tuple[Offer, Offer]]:
    """Return neighbors, for flaws that only go together; none where two were tried already."""
    return list(pairwise(offers)) if len(offers) > 2 else []


def _key(offer: Offer) -> tuple[str, str, str]:
    """Return what an offer is known by after other edits moved it."""
    return offer.rule, offer.kind, "\n".join(change.text for change in offer.fix.changes)


def _scanned(codes: Sequence[str], engines: Sequence[Engine]) -> list[tuple[Flaw, ...]]:
    """Return the flaws of all engines in each code."""
    if not codes:
        return []
    snippets = [Snippet(Language.PYTHON, code) for code in codes]
    scans = [engine.scan(snippets) for engine in engines if Language.PYTHON in engine.languages]
    return [tuple(flaw for scan in row for flaw in scan.flaws) for row in zip(*scans, strict=True)]


def _result(work: _Work, gate: Severity) -> Sanitized:
    left = tuple(flaw for flaw in work.flaws if flaw.severity.rank >= gate.rank)
    reason = "; ".join(
        f"{flaw.rule}: {work.reasons.get(flaw.rule, work.reasons.get('*', 'still found'))}"
        for flaw in {flaw.rule: flaw for flaw in left}.values()
    )
    if not work.edits:
        return Sanitized(work.original, FixStatus.NOT_FIXABLE, left=left, reason=reason)
    again = _offers(work, gate)
    stable = Obligation("idempotent", not again, "" if not again else "another round would go on")
    if again:
        left = tuple(flaw for flaw in work.wanted if flaw.severity.rank >= gate.rank)
        return Sanitized(
            work.original, FixStatus.NOT_FIXABLE, (), (stable,), left, "not stable after 3 rounds"
        )
    status = FixStatus.PARTLY if left else FixStatus.FIXED
    promises = (*work.held.values(), stable)
    return Sanitized(work.code, status, tuple(work.edits), promises, left, reason)
