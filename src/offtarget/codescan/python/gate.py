"""The gate: whether any rule can match a piece of code, answered without looking at its tree."""

import re
from collections.abc import Sequence
from typing import Final

from offtarget.codescan.rule import Rule

_WORD: Final = re.compile(r"\w{3,}")
_MAX_REMEMBERED: Final = 200_000


class Gate:
    """Answers for many rules at once.

    Code holds few different words, and the same words in snippet after snippet. What literals a
    word can be part of is remembered, so that most code needs no search for any literal at all.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Prepare for these rules; every rule has literals."""
        self._rules = rules
        parts: dict[str, int] = {}
        self._groups: list[tuple[Rule, tuple[tuple[int, tuple[str, ...]], ...]]] = []
        for rule in rules:
            groups = tuple(_prepared(group, parts) for group in rule.literals)
            self._groups.append((rule, groups))
        self._parts = tuple((part, 1 << index) for part, index in parts.items())
        self._remembered: dict[str, int] = {}

    def is_open(self, code: str) -> bool:
        """Return whether at least one rule may match: exactly `any(rule.may_match(code))`."""
        seen = 0
        new = []
        for word in set(_WORD.findall(code)):
            mask = self._remembered.get(word)
            if mask is None:
                new.append(word)
            else:
                seen |= mask
        if new:
            seen |= self._learn(new)
        for rule, groups in self._groups:
            for mask, wordless in groups:
                if not mask & seen and not any(map(code.__contains__, wordless)):
                    break
            else:
                if rule.may_match(code):
                    return True
        return False

    def _learn(self, words: Sequence[str]) -> int:
        """Return what the words together can be part of, and remember it of each."""
        text = "\n".join(words)
        near = [(part, bit) for part, bit in self._parts if part in text]  # mostly none or two
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        seen = 0
        for word in words:
            mask = 0
            for part, bit in near:
                if part in word:
                    mask |= bit
            seen |= mask
            if len(word) < 64:
                self._remembered[word] = mask
        return seen


def _prepared(group: tuple[str, ...], parts: dict[str, int]) -> tuple[int, tuple[str, ...]]:
    """Return the bits of the group's longest words, and its texts that hold no longer word."""
    mask = 0
    wordless = []
    for text in group:
        words = _WORD.findall(text)
        if words:
            mask |= 1 << parts.setdefault(max(words, key=len), len(parts))
        else:
            wordless.append(text)
    return mask, tuple(wordless)
