"""The place in a snippet that a rule's matcher found, before its checks."""

from collections.abc import Mapping
from dataclasses import dataclass

from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Function, Source, Stretch

MAX_BESIDE = 400
"""Characters of a line looked at on each side of a site."""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A candidate: where it is, its named parts, and what is known of the snippet."""

    source: Source
    flow: Flow
    at: Stretch
    parts: Mapping[str, Stretch]
    """`0`, `1`, ... of a call, `target` and `value` of an assignment, `$A` of a pattern as `A`."""

    def some(self, name: str) -> list[Stretch]:
        """Return the parts that `name` means: `any` and `rest` are several, `node` is the whole."""
        numbered = [part for key, part in self.parts.items() if key.isdecimal()]
        if name == "node":
            return [self.at]
        if name == "any":
            return numbered
        if name == "rest":
            return numbered[1:]
        if name == "last":
            return numbered[-1:]
        return [self.parts[name]] if name in self.parts else []

    def _given_name(self, function: Function) -> str:
        """Return what a function without a name is assigned to: the start of its line."""
        start = self.source.code.rfind("\n", 0, function.at.start) + 1
        return self.source.masked[max(start, function.at.start - MAX_BESIDE) : function.at.start]

    @property
    def line(self) -> str:
        """The lines that the site stands on, and the name of its function."""
        code = self.source.code
        start = code.rfind("\n", max(0, self.at.start - MAX_BESIDE), self.at.start) + 1
        end = code.find("\n", self.at.end, self.at.end + MAX_BESIDE)
        function = self.source.function_of(self.at.start)
        name = "" if function is None else function.name or self._given_name(function)
        before = code[start or max(0, self.at.start - MAX_BESIDE) : self.at.start]
        after = code[self.at.end : end if end >= 0 else self.at.end + MAX_BESIDE]
        return f"{name} {before}{self.source.text(self.at)[:MAX_BESIDE]}{after}"
