"""Put the changes of several fixes into one text, and keep edits against the original."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.curate.sanitize.records import Edit, Fix
from offtarget.curate.sanitize.source import Source


@dataclass(frozen=True, slots=True)
class Offer:
    """A fix for one flaw, with what its edits are to say."""

    fix: Fix
    rule: str
    kind: str
    reason: str

    def edits(self) -> list[Edit]:
        """Return the fix's own changes as edits."""
        return [
            Edit(one.start, one.end, one.text, self.rule, self.kind, self.reason)
            for one in self.fix.changes
        ]


def combined(source: Source, offers: Sequence[Offer]) -> tuple[list[Edit], list[Offer]]:
    """Return the edits of as many offers as go together, and those offers.

    An offer whose changes all stand already costs nothing; one that overlaps others is left out.
    """
    edits: list[Edit] = []
    taken: list[Offer] = []
    for offer in offers:
        own = offer.edits()
        known = {(edit.start, edit.end, edit.text) for edit in edits}
        fresh = [edit for edit in own if (edit.start, edit.end, edit.text) not in known]
        if not fresh and own:
            taken.append(offer)
            continue
        if any(_clash(one, other) for one in fresh for other in edits):
            continue
        if any(
            _clash(one, other) for index, one in enumerate(fresh) for other in fresh[index + 1 :]
        ):
            continue
        edits += fresh
        taken.append(offer)
    head = _head(source, taken)
    if head is not None:
        edits.append(head)
    return sorted(edits, key=lambda edit: (edit.start, edit.end)), taken


def applied(code: str, edits: Sequence[Edit]) -> str:
    """Return the code after edits that do not overlap, sorted by start and end."""
    parts: list[str] = []
    position = 0
    for edit in edits:
        parts += [code[position : edit.start], edit.text]
        position = edit.end
    return "".join([*parts, code[position:]])


def composed(first: Sequence[Edit], second: Sequence[Edit], size: int) -> list[Edit]:
    """Return one list of edits against the original that equals two lists in a row.

    Args:
        first: Edits against the original code.
        second: Edits against what the first ones made of it.
        size: Characters of the original code.
    """
    pieces = _split(_pieces(first, size), second)
    edits: list[Edit] = []
    position = 0
    pending: list[Edit] = []
    for piece in [*pieces, (size, size, None)]:
        start, end, edit = piece
        if edit is not None:
            pending.append(edit)
            continue
        if pending or start > position:
            told = pending[-1] if pending else None
            text = "".join(one.text for one in pending)
            if told is not None:
                edits.append(Edit(position, start, text, told.rule, told.kind, told.reason))
        pending = []
        position = end
    return [edit for edit in edits if edit.text or edit.end > edit.start]


_Piece = tuple[int, int, Edit | None]
"""A stretch of the original, or an edit's text; an empty text marks a deletion."""


def _pieces(edits: Sequence[Edit], size: int) -> list[_Piece]:
    pieces: list[_Piece] = []
    position = 0
    for edit in edits:
        if edit.start > position:
            pieces.append((position, edit.start, None))
        pieces.append((0, 0, edit))
        position = edit.end
    if size > position:
        pieces.append((position, size, None))
    return pieces


def _split(pieces: list[_Piece], edits: Sequence[Edit]) -> list[_Piece]:
    """Put further edits, which count in the text that the pieces make, among the pieces."""
    result: list[_Piece] = []
    queue = list(pieces)
    place = 0
    for edit in edits:
        while queue and place + _size(queue[0]) <= edit.start:
            place += _size(queue[0])
            result.append(queue.pop(0))
        if queue and place < edit.start:
            left, right = _cut(queue[0], edit.start - place)
            result.append(left)
            queue[0] = right
            place = edit.start
        result.append((0, 0, edit))
        while queue and place + _size(queue[0]) <= edit.end and edit.end > edit.start:
            place += _size(queue[0])
            queue.pop(0)
        if queue and place < edit.end:
            queue[0] = _cut(queue[0], edit.end - place)[1]
            place = edit.end
    return result + queue


def _size(piece: _Piece) -> int:
    return len(piece[2].text) if piece[2] is not None else piece[1] - piece[0]


def _cut(piece: _Piece, index: int) -> tuple[_Piece, _Piece]:
    start, end, edit = piece
    if edit is None:
        return (start, start + index, None), (start + index, end, None)
    texts = (edit.text[:index], edit.text[index:])
    left, right = (
        Edit(edit.start, edit.end, text, edit.rule, edit.kind, edit.reason) for text in texts
    )
    return (0, 0, left), (0, 0, right)


def _clash(one: Edit, other: Edit) -> bool:
    """Return whether two edits want the same characters, or the same place, for themselves."""
    if one.start == one.end or other.start == other.end:
        if (one.start, one.end) == (other.start, other.end):
            return True
        point, span = (one, other) if one.start == one.end else (other, one)
        return span.start < point.start < span.end
    return one.start < other.end and other.start < one.end


def reaches(source: Source, fix: Fix) -> bool:
    """Return whether names that are imported for a fix are known where its changes stand.

    In a fragment the first lines may be the inside of one function, and the change in another.
    """
    if not fix.imports and not fix.guards:
        return True
    place, indent, _ = _import_place(source)
    first = min(change.start for change in fix.changes)
    last = max(change.end for change in fix.changes)
    if first < place:
        return False
    lines = source.code[place:last].split("\n")[1:]
    return all(line.startswith(indent) for line in lines if line.strip())


def _head(source: Source, offers: Sequence[Offer]) -> Edit | None:
    """Return the edit that adds the imports and guards which the offers need."""
    imports = dict.fromkeys(line for offer in offers for line in offer.fix.imports)
    guards = dict.fromkeys(text for offer in offers for text in offer.fix.guards)
    if not imports and not guards:
        return None
    place, indent, is_after = _import_place(source)
    lines = [indent + line for line in imports]
    helpers = ["\n".join(indent + x if x else x for x in g.rstrip().split("\n")) for g in guards]
    if is_after:
        text = "".join(f"\n{line}" for line in lines)
        text += "".join(f"\n\n\n{helper}" for helper in helpers)
    else:
        following = source.code[place:].lstrip()
        gap = "\n\n\n" if following.startswith(("def ", "class ", "@", "async ")) else "\n\n"
        text = "\n\n\n".join(["\n".join(lines), *helpers] if lines else helpers) + gap
    return Edit(place, place, text, offers[0].rule, "import", "names that the fixes need")


def _import_place(source: Source) -> tuple[int, str, bool]:
    """Return where imports go, with which indent, and whether that is after another import."""
    last: ast.stmt | None = None
    for index, statement in enumerate(source.tree.body):
        is_docstring = index == 0 and isinstance(statement, ast.Expr)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            last = statement
        elif not (is_docstring and isinstance(getattr(statement, "value", None), ast.Constant)):
            break
    if last is not None:
        end = source.span(last)[1]
        line_end = source.code.find("\n", end)
        line_end = len(source.code) if line_end < 0 else line_end
        if source.code[line_end - 1 : line_end] == "\r":
            line_end -= 1
        shared = [s for s in source.tree.body if end <= source.span(s)[0] < line_end]
        if not shared:
            return line_end, source.indent(last), True
    body = source.tree.body
    first = body[0]
    if len(body) > 1 and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        first = body[1]
    return source.line_start(source.span(first)[0]), source.indent(first), False
