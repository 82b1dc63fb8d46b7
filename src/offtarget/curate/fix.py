"""Flagged rows repaired: their code to the sanitizer, its answers back into the conversation."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from offtarget.codescan.engine import Engine
from offtarget.codescan.flaw import Flaw, Snippet, Step
from offtarget.codescan.snippets import Located, code_of
from offtarget.core.finding import Finding, Origin, Severity
from offtarget.core.records import Message
from offtarget.curate.decide import flagged, rules_in
from offtarget.curate.detect import detect_rows
from offtarget.curate.origin import origin_of, squeezed
from offtarget.curate.records import PlacedRow, ScanConfig
from offtarget.curate.row_edits import RowEdit, edited
from offtarget.curate.sanitize import FixStatus, Sanitized, ToSanitize

MAX_NAMED_PROBLEMS = 3


class Sanitizer(Protocol):
    """A function of some module, so that workers can be told its name."""

    def __call__(
        self, items: Sequence[ToSanitize], *, engines: Sequence[Engine], gate: Severity
    ) -> Sequence[Sanitized]:
        """Return each snippet without its flaws at or above the gate, as far as that can be done."""


@dataclass(frozen=True, slots=True)
class FixTask:
    """One flagged row on its way to the sanitizer."""

    file: str
    line: int
    messages: tuple[Message, ...]
    findings: tuple[Finding, ...]
    """Those at or above the gate."""
    language: str = ""
    """Of a plain source file, which is one assistant message; empty for a sample."""


@dataclass(frozen=True, slots=True)
class FixedRow:
    """What became of a flagged row."""

    file: str
    line: int
    status: FixStatus
    """FIXED only if nothing at or above the gate is left in the whole conversation."""
    messages: tuple[Message, ...] = ()
    """The conversation with its code repaired; empty unless it is fixed."""
    edits: tuple[RowEdit, ...] = ()
    """What makes the repaired conversation of the flagged one, in order; empty unless it is fixed,
    or if the sanitizer does not tell."""
    kinds: tuple[str, ...] = ()
    """Kinds of the fixes that were made, sorted, each once."""
    reason: str = ""
    """Why it is not fixed."""


@dataclass(slots=True)
class _Piece:
    """One snippet to repair."""

    message: int
    located: Located
    flaws: list[Flaw]


@dataclass(slots=True)
class _Repair:
    """One row while it is repaired."""

    task: FixTask
    pieces: list[_Piece] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    edits: list[RowEdit] = field(default_factory=list)
    messages: tuple[Message, ...] = ()
    n_changed: int = 0

    def result(self) -> FixedRow:
        file, line = self.task.file, self.task.line
        if not self.problems:
            edits = tuple(sorted(self.edits))
            is_told = edited(self.task.messages, edits) == self.messages
            return FixedRow(
                file, line, FixStatus.FIXED, self.messages,
                edits=edits if is_told else (), kinds=tuple(sorted(self.kinds)),
            )  # fmt: skip
        status = FixStatus.PARTLY if self.n_changed else FixStatus.NOT_FIXABLE
        problems = list(dict.fromkeys(self.problems))[:MAX_NAMED_PROBLEMS]
        return FixedRow(file, line, status, reason="; ".join(problems))


def fix_rows(
    tasks: Sequence[FixTask], engines: Sequence[Engine], sanitizer: Sanitizer, config: ScanConfig
) -> list[FixedRow]:
    """Return the repaired rows, in order; a row's answer does not depend on the other rows.

    Every flawed snippet of the assistant's goes to the sanitizer; where a flaw is inherited, so
    does the code of the turns before it. The repaired conversation is then scanned as a whole.

    Args:
        tasks: Flagged rows.
        engines: The scan's.
        sanitizer: Repairs snippets.
        config: The scan's.

    Raises:
        OfftargetError: If an engine is missing, fails or misses its canary.
    """
    repairs = [_Repair(task) for task in tasks]
    for repair in repairs:
        _cut_answers(repair)
    _cut_prompts(repairs, engines, config)
    items = [
        ToSanitize(piece.located.snippet, tuple(piece.flaws))
        for repair in repairs
        for piece in repair.pieces
    ]
    answers = iter(sanitizer(items, engines=engines, gate=config.gate) if items else ())
    for repair in repairs:
        _put_back(repair, [next(answers) for _ in repair.pieces])
        _check_prompts(repair)
    _check_again(repairs, engines, config)
    return [repair.result() for repair in repairs]


def _cut_answers(repair: _Repair) -> None:
    """Gather the assistant's flawed snippets."""
    for index in sorted({found.message for found in repair.task.findings}):
        located = _code_in(repair.task, index)
        for found in repair.task.findings:
            if found.message != index:
                continue
            place = next((one for one in located if _holds(one, found)), None)
            if place is None:
                repair.problems.append(f"{found.rule} lies in no code")
            else:
                _add(repair, index, place, _flaw(found, place.start))


def _cut_prompts(repairs: Sequence[_Repair], engines: Sequence[Engine], config: ScanConfig) -> None:
    """Gather flawed snippets of the turns before an inherited flaw."""
    places: list[tuple[_Repair, int, Located]] = []
    for repair in repairs:
        last = max((found.message for found in _inherited(repair.task)), default=0)
        for index, turn in enumerate(repair.task.messages[:last]):
            if turn.role != "assistant":
                located = code_of(turn.content, role=turn.role)
                places.extend((repair, index, one) for one in located)
    rows = [
        PlacedRow(
            repair.task.file,
            repair.task.line,
            (Message("assistant", place.snippet.code),),
            language=place.snippet.language,
        )
        for repair, _, place in places
    ]
    scans = detect_rows(rows, engines, allow_unproved=config.allow_unproved)
    for (repair, index, place), scan in zip(places, scans, strict=True):
        for found in flagged(scan, config.gate):
            _add(repair, index, place, _flaw(found, 0))


def _put_back(repair: _Repair, answers: Sequence[Sanitized]) -> None:
    """Replace snippets by what the sanitizer made of them."""
    contents = [turn.content for turn in repair.task.messages]
    pairs = list(zip(repair.pieces, answers, strict=True))
    for piece, answer in sorted(pairs, key=lambda pair: pair[0].located.start, reverse=True):
        code = piece.located.snippet.code
        repair.n_changed += answer.code != code
        repair.kinds.update(edit.kind for edit in answer.edits)
        broken = [one.name for one in answer.obligations if not one.held]
        if answer.status is not FixStatus.FIXED:
            repair.problems.append(answer.reason or f"the sanitizer says {answer.status}")
        elif broken:
            repair.problems.append(f"obligations not met: {', '.join(broken)}")
        start, text = piece.located.start, contents[piece.message]
        repair.edits += [
            RowEdit(piece.message, start + edit.start, start + edit.end, edit.text, edit.reason)
            for edit in answer.edits
        ]
        contents[piece.message] = text[:start] + answer.code + text[start + len(code) :]
    repair.messages = tuple(
        replace(turn, content=content)
        for turn, content in zip(repair.task.messages, contents, strict=True)
    )


def _check_prompts(repair: _Repair) -> None:
    """Note flaws that still stand in the prompt they were taken from."""
    for found in _inherited(repair.task):
        content = repair.task.messages[found.message].content
        earlier = [
            squeezed(turn.content)
            for turn in repair.messages[: found.message]
            if turn.role != "assistant"
        ]
        if origin_of(content, _flaw(found, 0), earlier) is Origin.INHERITED:
            repair.problems.append(f"{found.rule} stays in the prompt")


def _check_again(repairs: Sequence[_Repair], engines: Sequence[Engine], config: ScanConfig) -> None:
    """Scan the rows that are taken for repaired, as a whole."""
    done = [repair for repair in repairs if not repair.problems]
    rows = [
        PlacedRow(one.task.file, one.task.line, one.messages, language=one.task.language)
        for one in done
    ]
    scans = detect_rows(
        rows, engines, scan_prompts=config.scan_prompts, allow_unproved=config.allow_unproved
    )
    for repair, scan in zip(done, scans, strict=True):
        left = flagged(scan, config.gate)
        if left:
            repair.problems.append(f"still found: {', '.join(rules_in(left))}")
        elif repair.messages == repair.task.messages:
            repair.problems.append("nothing was changed")


def _add(repair: _Repair, message: int, place: Located, flaw: Flaw) -> None:
    for piece in repair.pieces:
        if piece.message == message and piece.located.start == place.start:
            piece.flaws.append(flaw)
            return
    repair.pieces.append(_Piece(message, place, [flaw]))


def _code_in(task: FixTask, index: int) -> tuple[Located, ...]:
    """Return the pieces of code in one message; a source file is one piece."""
    turn = task.messages[index]
    if task.language:
        return (Located(Snippet(task.language, turn.content), 0, "bare", closed=True),)
    return code_of(turn.content, role=turn.role)


def _inherited(task: FixTask) -> list[Finding]:
    return [found for found in task.findings if found.origin is Origin.INHERITED]


def _holds(place: Located, found: Finding) -> bool:
    end = place.start + len(place.snippet.code)
    return place.start <= found.span.start and found.span.end <= end


def _flaw(found: Finding, start: int) -> Flaw:
    """Return a finding as a flaw of the snippet that begins at `start`."""
    return Flaw(
        rule=found.rule,
        cwe=found.cwe,
        severity=found.severity,
        confidence=found.confidence,
        engine=found.engine,
        start=found.span.start - start,
        end=found.span.end - start,
        text=found.text,
        trace=tuple(
            Step(step.span.start - start, step.span.end - start, step.text) for step in found.trace
        ),
    )
