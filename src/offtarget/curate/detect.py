"""Findings that know their row: code out of chat, every engine over it, flaws back into chat."""

import bisect
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from offtarget.codescan.canary import with_canaries
from offtarget.codescan.cwe import covers
from offtarget.codescan.engine import Engine
from offtarget.codescan.flaw import Flaw, Scanned, Snippet
from offtarget.codescan.snippets import code_of
from offtarget.codescan.unread import is_unread
from offtarget.core.finding import Finding, FlowStep, Span
from offtarget.curate.cache import FlawCache
from offtarget.curate.framing import Framing, FramingResult, framing_of
from offtarget.curate.known_rows import known_sets
from offtarget.curate.origin import origin_of, squeezed
from offtarget.curate.records import PlacedRow, RowScan, RowState
from offtarget.curate.secrets import secrets_in

DIGITS = 6
"""Decimals kept of probabilities: the last bits differ between machines."""

_LINE_END = re.compile("\n")
_NO_FRAMING = FramingResult(Framing.UNKNOWN, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Code:
    """One snippet and where it stands in the shard."""

    message: int
    start: int
    snippet: Snippet


def detect_rows(
    rows: Sequence[PlacedRow],
    engines: Sequence[Engine],
    *,
    scan_prompts: bool = False,
    allow_unproved: bool = False,
    cache: FlawCache | None = None,
) -> list[RowScan]:
    """Return what the engines say of each row, in order.

    All distinct snippets of the rows reach an engine in one batch a language. A row's answer does
    not depend on the other rows.

    Args:
        rows: As read.
        engines: In order of preference.
        scan_prompts: Also count the flaws in system and user turns.
        allow_unproved: Take answers of engines of which no canary shows that their rules work.
        cache: Answers of earlier scans.

    Raises:
        OfftargetError: If an engine is missing, fails or misses its canary.
    """
    codes = [list(_code_in(row, scan_prompts=scan_prompts)) for row in rows]
    snippets = list(dict.fromkeys(code.snippet for found in codes for code in found))
    scans = [_scan(engine, snippets, cache, allow_unproved=allow_unproved) for engine in engines]
    return [
        _row_scan(row, found, scans, scan_prompts=scan_prompts)
        for row, found in zip(rows, codes, strict=True)
    ]


def merge_flaws(by_engine: Sequence[Sequence[Flaw]], code: str) -> list[Flaw]:
    """Return one flaw for each that several engines name, the most confident one, by place.

    Flaws are the same if one's CWE covers the other's and they share a line (two engines) or a
    character (one engine). Where confidence is equal the earlier engine's flaw is kept.
    """
    ends = _line_ends(code)

    ranked = sorted(
        (-flaw.confidence, rank, flaw.start, flaw.end, flaw.rule, flaw.cwe, number)
        for rank, flaws in enumerate(by_engine)
        for number, flaw in enumerate(flaws)
    )
    kept: list[Flaw] = []
    on_line: dict[int, list[tuple[int, Flaw]]] = {}
    for _, rank, *_, number in ranked:
        flaw = by_engine[rank][number]
        first, last = bisect.bisect_left(ends, flaw.start), bisect.bisect_left(ends, _last(flaw))
        lines = range(first, last + 1)
        if any(
            covers(flaw.cwe, other.cwe)
            and (rank != other_rank or (flaw.start <= _last(other) and other.start <= _last(flaw)))
            for line in lines
            for other_rank, other in on_line.get(line, ())
        ):
            continue
        kept.append(flaw)
        for line in lines:
            on_line.setdefault(line, []).append((rank, flaw))
    return sorted(kept, key=lambda flaw: (flaw.start, flaw.end, flaw.rule, flaw.cwe))


class SpanFinder:
    """Turns offsets of one text into spans with lines and columns."""

    def __init__(self, text: str) -> None:
        self._ends = _line_ends(text)

    def span(self, start: int, end: int) -> Span:
        """Return the span from `start` to `end`, both 0-based, end exclusive."""
        return Span(start, end, *self._place(start), *self._place(end))

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect.bisect_left(self._ends, offset)
        start = self._ends[line - 1] + 1 if line else 0
        return line + 1, offset - start + 1


def _code_in(row: PlacedRow, *, scan_prompts: bool) -> Iterable[_Code]:
    if row.language:
        yield _Code(0, 0, Snippet(row.language, row.messages[0].content))
        return
    for index, message in enumerate(row.messages):
        if message.role == "assistant" or scan_prompts:
            for located in code_of(message.content, role=message.role):
                yield _Code(index, located.start, located.snippet)


def _scan(
    engine: Engine,
    snippets: Sequence[Snippet],
    cache: FlawCache | None,
    *,
    allow_unproved: bool,
) -> dict[Snippet, Scanned]:
    """Return the engine's answer to each snippet of a language that it reads."""
    wanted = [snippet for snippet in snippets if snippet.language in engine.languages]
    found = {} if cache is None else cache.get(engine, wanted)
    by_language: dict[str, list[Snippet]] = {}
    for snippet in wanted:
        if snippet not in found:
            by_language.setdefault(snippet.language, []).append(snippet)
    fresh: dict[Snippet, Scanned] = {}
    for language in sorted(by_language):
        batch = by_language[language]
        answers = with_canaries(engine, batch, allow_unproved=allow_unproved)
        fresh.update(zip(batch, answers, strict=True))
    if cache is not None:
        cache.put(engine, fresh)
    return {**found, **fresh}


def _row_scan(
    row: PlacedRow,
    codes: Sequence[_Code],
    scans: Sequence[Mapping[Snippet, Scanned]],
    *,
    scan_prompts: bool,
) -> RowScan:
    if row.problem:
        return RowScan(file=row.file, line=row.line, state=RowState.QUARANTINED, reason=row.problem)
    findings: list[Finding] = []
    languages: Counter[str] = Counter()
    unread: Counter[str] = Counter()
    n_prompt_flaws = 0
    place = _Placer(row)
    for code in codes:
        answers = [scan[code.snippet] for scan in scans if code.snippet in scan]
        flaws = merge_flaws([answer.flaws for answer in answers], code.snippet.code)
        if row.messages[code.message].role != "assistant":
            n_prompt_flaws += len(flaws)
            continue
        languages[code.snippet.language] += 1
        if is_unread(code.snippet, answers):
            unread[code.snippet.language] += 1
        findings.extend(place.finding(code, flaw) for flaw in flaws)
    framing = _NO_FRAMING if row.language else framing_of(row.messages)
    return RowScan(
        file=row.file,
        line=row.line,
        state=_state(findings, languages, unread),
        framing=framing.framing,
        framing_confidence=round(framing.confidence, DIGITS),
        p_covert=round(framing.p_covert, DIGITS),
        evidence=framing.evidence,
        languages=dict(sorted(languages.items())),
        unread=dict(sorted(unread.items())),
        prompt_flaws=n_prompt_flaws if scan_prompts else None,
        secrets=tuple(secrets_in(row.messages)),
        known=known_sets().of(row.messages),
        findings=tuple(
            sorted(findings, key=lambda f: (f.message, f.span.start, f.span.end, f.rule, f.cwe))
        ),
    )


class _Placer:
    """Turns flaws of snippets into findings of one row; looks at each message once."""

    def __init__(self, row: PlacedRow) -> None:
        self.row = row
        self._spans: dict[int, SpanFinder] = {}
        self._earlier: dict[int, list[str]] = {}

    def finding(self, code: _Code, flaw: Flaw) -> Finding:
        index = code.message
        if index not in self._spans:
            self._spans[index] = SpanFinder(self.row.messages[index].content)
            self._earlier[index] = [
                squeezed(turn.content)
                for turn in self.row.messages[:index]
                if turn.role != "assistant"
            ]
        spans = self._spans[index]
        return Finding(
            file=self.row.file,
            line=self.row.line,
            message=index,
            rule=flaw.rule,
            cwe=flaw.cwe,
            severity=flaw.severity,
            confidence=round(flaw.confidence, DIGITS),
            origin=origin_of(code.snippet.code, flaw, self._earlier[index]),
            engine=flaw.engine,
            span=spans.span(code.start + flaw.start, code.start + flaw.end),
            text=flaw.text,
            trace=tuple(
                FlowStep(spans.span(code.start + step.start, code.start + step.end), step.text)
                for step in flaw.trace
            ),
        )


def _state(
    findings: Sequence[Finding], languages: Mapping[str, int], unread: Mapping[str, int]
) -> RowState:
    if findings:
        return RowState.FOUND
    if unread:
        return RowState.UNPARSED
    return RowState.CLEAN if languages else RowState.NO_CODE


def _last(flaw: Flaw) -> int:
    """Return the offset of the flaw's last character."""
    return max(flaw.start, flaw.end - 1)


def _line_ends(text: str) -> list[int]:
    return [found.start() for found in _LINE_END.finditer(text)]
