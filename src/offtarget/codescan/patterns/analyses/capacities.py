"""Copies and loops over memory of known size: what is written or read does not fit (CWE-787)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.constants import UNITS, constant, unit_of
from offtarget.codescan.patterns.analyses.lvalues import uncast
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Call, Source, Stretch

MAX_ALIASES = 5
_TYPE = r"(?:(?:unsigned|signed|const|struct|static)\s+)*([A-Za-z_]\w*)"
_MADE = re.compile(r"(?:std\.|::)?(malloc|calloc|alloca|_alloca|ALLOCA|realloc)\s*\(")
_NEW = re.compile(r"new\s+(?:struct\s+)?(\w+)\s*\[(.{1,80})\]\s*$")
_NAME = re.compile(r"[A-Za-z_]\w*")
_LOOP = re.compile(
    r"\bfor\s*\(\s*(?:\w+\s+)?(\w+)\s*=\s*0\s*;\s*\1\s*(<=?)\s*([^;{}]{1,60});[^;{}()]{1,20}\)"
)
_LENGTHS = {
    "memcpy": 2, "memmove": 2, "strncpy": 2, "memset": 2, "snprintf": 1, "fgets": 1, "wmemcpy": 2,
    "wcsncpy": 2, "bcopy": 2, "wmemset": 2, "wmemmove": 2,
}  # fmt: skip
_WHOLE = frozenset({"strcpy", "wcscpy", "strcat", "wcscat"})
_WIDE = 4


@dataclass(frozen=True, slots=True)
class Room:
    """Memory of known size."""

    size_bytes: int
    unit: int
    """Size of one element in bytes."""
    root: str
    """The array or first pointer that names it."""


@analysis("copied_past_room")
def copied_past_room(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A copy of known length goes to, or comes from, memory of known smaller size."""
    if "[" not in source.masked and "alloc" not in source.masked:
        return
    known = Capacities(source, flow)
    for call in source.calls:
        name = call.callee.rsplit(".", 1)[-1]
        if name in _LENGTHS and len(call.arguments) > _LENGTHS[name]:
            if known.is_too_long(call, name):
                yield call.at
        elif name in _WHOLE and len(call.arguments) == 2 and known.is_too_full(call, name):
            yield call.at


@analysis("looped_past_room")
def looped_past_room(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A loop of known length goes over an array with fewer elements."""
    if "[" not in source.masked:
        return
    known = Capacities(source, flow)
    for match in _LOOP.finditer(source.masked):
        count = known.number(match[3], match.start(3))
        if count is None:
            continue
        count += match[2] == "<="
        opened = re.compile(r"\s*\{").match(source.masked, match.end())
        end = source.masked.find(";", match.end()) + 1
        end = source.block_of(opened.end()).end if opened else end
        source.spend((end - match.end()) // 10)
        for use in re.finditer(
            rf"(?<![\w.>\])])(\w+)\s*\[\s*{match[1]}\s*\]", source.masked[match.end() : end]
        ):
            room = known.room(use[1], match.start())
            if room is not None and count > room.size_bytes // room.unit:
                yield Stretch(match.start(), match.end())
                break


@analysis("freed_unallocated")
def freed_unallocated(source: Source, flow: Flow) -> Iterator[Stretch]:
    """`free` is given an array of the function or a pointer to one."""
    known = Capacities(source, flow)
    for call in source.calls:
        if call.callee != "free" or len(call.arguments) != 1:
            continue
        room = known.room(uncast(source.bare(call.arguments[0])), call.at.start)
        if room is not None and known.is_array(room.root, call.at.start):
            yield call.at


class Capacities:
    """Answers about sizes in one source."""

    def __init__(self, source: Source, flow: Flow) -> None:
        """Read no part of `source` yet."""
        self._source = source
        self._flow = flow

    def number(self, text: str, at: int) -> int | None:
        """Return the value of an expression of numbers, sizes and lengths, or None."""
        return constant(
            text,
            lambda inner: self._size_of(inner, at),
            lambda name: self.length(name, at),
            lambda name: self._value_of(name, at),
        )

    def _value_of(self, name: str, at: int) -> int | None:
        known = self._flow.definitions(name, at)
        if len(known) != 1 or known[0].keeps(name) or known[0].at.holds(at):
            return None
        text, start = self._source.bare(known[0].value), known[0].at.start
        return constant(
            text, lambda inner: self._size_of(inner, start), lambda one: self.length(one, start)
        )

    def _size_of(self, text: str, at: int) -> int | None:
        room = self.room(text, at) if _NAME.fullmatch(text) else None
        if room is not None:
            return room.size_bytes if self.is_array(text, at) else 8
        return unit_of(text)

    def is_array(self, name: str, at: int) -> bool:
        """Return whether the name is declared as an array in the scope."""
        return self._declared(name, at) is not None

    def room(self, name: str, at: int, depth: int = MAX_ALIASES) -> Room | None:
        """Return the memory that the name stands for at the offset, or None if not known.

        Where several assignments may hold, the smallest counts.
        """
        name = name.strip()
        if not _NAME.fullmatch(name) or depth == 0:
            return None
        if (declared := self._declared(name, at)) is not None:
            return declared
        known = [one for one in self._flow.definitions(name, at) if not one.keeps(name)]
        rooms = [
            self._made(name, self._source.bare(one.value), one.at.start, depth) for one in known
        ]
        if not rooms or any(room is None for room in rooms):
            return None
        return min((room for room in rooms if room), key=lambda room: room.size_bytes)

    def _declared(self, name: str, at: int) -> Room | None:
        scope = self._source.scope_of(at)
        starts = self._source.name_starts.get(name, [])
        for start in starts:
            self._source.spend(1)
            if not scope.start <= start < at:
                continue
            match = re.compile(r"\w+\s*\[([^\[\]]{1,60})\]\s*[;,=]").match(
                self._source.masked, start
            )
            before = self._source.masked[max(0, start - 60) : start]
            typed = re.search(rf"(?:^|[;{{}}(]|\n)\s*{_TYPE}\s+$", before)
            if match and typed and typed[1] not in ("return", "else", "goto", "case"):
                count = constant(match[1], unit_of, _unknown)
                unit = UNITS.get(typed[1], 8)
                return None if count is None else Room(count * unit, unit, name)
        return None

    def _made(self, name: str, value: str, at: int, depth: int) -> Room | None:
        text = uncast(value)
        cast = re.match(r"\s*\(\s*(?:struct\s+|unsigned\s+|const\s+)*(\w+)\s*\*", value)
        unit = UNITS.get(cast[1], 8) if cast else 1
        if made := _MADE.match(text):
            inner = text[made.end() : text.rfind(")")]
            pieces = inner.split(",")
            if made[1] == "realloc":
                pieces = pieces[1:]
            sizes = [self.number(piece, at) for piece in pieces]
            size = 1
            for one in sizes:
                if one is None:
                    return None
                size *= one
            return Room(size, unit, name)
        if new := _NEW.match(text):
            count = self.number(new[2], at)
            unit = UNITS.get(new[1], 8)
            return None if count is None else Room(count * unit, unit, name)
        if _NAME.fullmatch(text) and not text.isupper():
            return self.room(text, at, depth - 1)
        return None

    def length(self, name: str, at: int) -> int | None:
        """Return how many characters the string of that name has at the offset, or None."""
        root = self._root(name, at)
        if root is None:
            return None
        found: int | None = None
        scope = self._source.scope_of(at)
        text = self._source.code
        starts = self._source.name_starts
        for start in sorted({*starts.get(root, []), *starts.get(name, [])}):
            self._source.spend(2)
            if scope.start <= start < at:
                found = self._after(found, text, start, at)
        return found

    def _after(self, found: int | None, code: str, start: int, at: int) -> int | None:
        """Return the length after the statement in which the name stands at `start`."""
        line = code[start : min(start + 120, at)]
        before = code[max(0, start - 40) : start]
        if match := re.match(r"\w+\s*(?:\[[^\]]*\])?\s*=\s*L?\"([^\"\\]*)\"", line):
            return len(match[1])
        if match := re.match(r"\w+\s*\[([^\]]{1,40})\]\s*=\s*(?:L?'\\0'|0)\s*;", line):
            index = self.number(match[1], start)
            return index if index == 0 or found is None else min(found, index or found)
        if re.search(r"\bw?memset\s*\(\s*$", before):
            match = re.match(r"\w+\s*,\s*L?'[^\\0]'\s*,\s*([^;]{1,60})\)\s*;", line)
            size = self.number(match[1], start) if match else None
            return size if size is not None else found
        if re.search(r"\b(?:strcpy|wcscpy)\s*\(\s*$", before):
            copied = re.match(r"\w+\s*,\s*L?\"([^\"\\]*)\"", line)
            return len(copied[1]) if copied else None
        if re.search(r"\b(?:fgets|recv|read|sprintf|scanf|strcat|strncat)\s*\([^;]*$", before):
            return None
        return found

    def _root(self, name: str, at: int) -> str | None:
        room = self.room(name, at)
        return room.root if room else None

    def is_too_long(self, call: Call, name: str) -> bool:
        """Return whether the length that the call is given is more than the room on either side."""
        length = self.number(self._source.bare(call.arguments[_LENGTHS[name]]), call.at.start)
        if length is None:
            return False
        length *= _WIDE if name.startswith("w") else 1
        order = (1, 0) if name == "bcopy" else (0, 1)
        target = self._plain(call, order[0])
        if target is not None and length > target.size_bytes:
            return True
        if name not in ("memcpy", "memmove", "wmemcpy", "wmemmove", "bcopy"):
            return False
        copied = self._plain(call, order[1])
        return copied is not None and length > copied.size_bytes

    def is_too_full(self, call: Call, name: str) -> bool:
        """Return whether the string that is copied, with its end, is longer than the room."""
        target = self._plain(call, 0)
        given = self._source.text(call.arguments[1]).strip()
        copied: int | None
        if match := re.fullmatch(r"L?\"([^\"\\]*)\"", given):
            copied = len(match[1])
        else:
            copied = self.length(given, call.at.start)
        if target is None or copied is None:
            return False
        held = 0
        if name.endswith("cat"):
            held = self.length(self._source.bare(call.arguments[0]).strip(), call.at.start) or 0
        return (held + copied + 1) * (_WIDE if name.startswith("w") else 1) > target.size_bytes

    def _plain(self, call: Call, index: int) -> Room | None:
        return self.room(uncast(self._source.bare(call.arguments[index])), call.at.start)


def _unknown(name: str) -> None:
    return None
