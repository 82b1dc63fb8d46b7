"""Which of many fixed texts stand in a piece of code: one pass, however many texts there are."""

from collections.abc import Iterable
from typing import Final

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

_MAX_CHARACTERS: Final = 100_000
"""In longer code each text is looked for by itself: a list of all their places could be huge."""


class Literals:
    """A set of texts, each with a bit of its own."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Prepare for these texts, none of them empty; repeated ones share a bit."""
        self._bits = {text: 1 << index for index, text in enumerate(dict.fromkeys(texts))}
        self._single = [pair for pair in self._bits.items() if len(pair[0]) == 1]  # everywhere
        self._long = [pair for pair in self._bits.items() if len(pair[0]) > 1]
        self._automaton = AhoCorasick(
            [text for text, _ in self._long],
            matchkind=MatchKind.Standard,
            store_patterns=False,
            implementation=Implementation.DFA,
        )

    def mask(self, texts: Iterable[str]) -> int:
        """Return the bits of some of the texts together."""
        mask = 0
        for text in texts:
            mask |= self._bits[text]
        return mask

    def found(self, code: str) -> int:
        """Return the bits of all texts that stand in `code`."""
        seen = 0
        for text, bit in self._single:
            if text in code:
                seen |= bit
        if len(code) > _MAX_CHARACTERS:
            for text, bit in self._long:
                if text in code:
                    seen |= bit
            return seen
        long = self._long
        for index in {match[0] for match in self._matches(code)}:
            seen |= long[index][1]
        return seen

    def _matches(self, code: str) -> list[tuple[int, int, int]]:
        try:
            return self._automaton.find_matches_as_indexes(code, overlapping=True)
        except UnicodeEncodeError:  # a lone surrogate: no text holds one
            readable = code.encode("utf-8", "replace").decode()
            return self._automaton.find_matches_as_indexes(readable, overlapping=True)


def holds_each(groups: tuple[int, ...], seen: int) -> bool:
    """Return whether `seen` has a bit of every group."""
    for group in groups:  # noqa: SIM110 - twice as fast as all()
        if not group & seen:
            return False
    return True
