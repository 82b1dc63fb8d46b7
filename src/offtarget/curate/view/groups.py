"""Duplicate rows of a scan: sketched one by one, grouped at the end, written by group."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from offtarget.codescan.fences import fences_of
from offtarget.core.codec import canonical
from offtarget.core.records import Message
from offtarget.curate.output import explained, replacing
from offtarget.curate.view.duplicates import THRESHOLD, Groups, Ints, find_groups
from offtarget.curate.view.prevalence import share
from offtarget.curate.view.records import DuplicateCounts
from offtarget.curate.view.rows import ViewRow
from offtarget.curate.view.signatures import SignatureStore, sketch

DUPLICATES = "duplicates.jsonl"
MAX_SIZES = 20


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """One line of duplicates.jsonl."""

    of: str
    """`code` or `row`."""
    size: int
    is_exact: bool
    """All have the same words in the same order."""
    rows: tuple[str, ...]
    """`FILE:ROW`, in the order of the data."""


class DuplicateRows:
    """Finds groups of rows with the same code and with the same text; use it in a `with`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._stores: dict[str, SignatureStore] = {}
        self._files: list[tuple[str, int]] = []
        self._lines: list[int] = []

    def __enter__(self) -> Self:
        for of in ("code", "row"):
            self._stores[of] = self._stack.enter_context(SignatureStore(self.folder))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def add(self, row: ViewRow) -> None:
        """Sketch one row."""
        code, rest = _parts(row.messages)
        of_code, of_row = sketch((code, rest))
        self._stores["code"].add(of_code)
        self._stores["row"].add(of_row)
        if not self._files or self._files[-1][0] != row.file:
            self._files.append((row.file, len(self._lines)))
        self._lines.append(row.line)

    def write(self) -> tuple[DuplicateCounts, ...]:
        """Write duplicates.jsonl, the largest groups first; return what is counted.

        Raises:
            ResourceError: If it cannot be written.
        """
        found = []
        with replacing(self.folder / DUPLICATES) as file:
            for of, store in self._stores.items():
                groups = find_groups(*store.read())
                members = _members(groups.near)
                for rows in members:
                    is_exact = len(set(groups.exact[rows].tolist())) == 1
                    places = tuple(self._place(row) for row in rows)
                    with explained(self.folder):
                        file.write(canonical(DuplicateGroup(of, len(rows), is_exact, places)))
                        file.write(b"\n")
                found.append(_counts(of, groups, [len(rows) for rows in members]))
        return tuple(found)

    def _place(self, row: int) -> str:
        starts = [start for _, start in self._files]
        name, _ = self._files[int(np.searchsorted(starts, row, side="right")) - 1]
        return f"{name}:{self._lines[row]}"


def _parts(messages: Sequence[Message]) -> tuple[str, str]:
    """Return the code of the assistant's turns, and all the other text.

    What stands between fences is code; an answer without fences is taken whole.
    """
    codes, rest = [], []
    for message in messages:
        text = message.content
        if message.role != "assistant":
            rest.append(text)
        elif "```" not in text:
            codes.append(text)
        else:
            position = 0
            for fence in fences_of(text):
                rest.append(text[position : fence.start])
                codes.append(text[fence.start : fence.end])
                position = fence.end
            rest.append(text[position:])
    return "\n".join(codes), "\n".join(rest)


def _members(firsts: Ints) -> list[list[int]]:
    """Return the groups of two or more, the largest first, equal sizes by their first row."""
    groups: dict[int, list[int]] = defaultdict(list)
    counts = np.bincount(firsts, minlength=len(firsts))
    for row in np.flatnonzero(counts[firsts] > 1).tolist():
        groups[int(firsts[row])].append(row)
    return sorted(groups.values(), key=lambda rows: (-len(rows), rows[0]))


def _counts(of: str, groups: Groups, sizes: Sequence[int]) -> DuplicateCounts:
    n = len(groups.near)
    copies = np.bincount(groups.exact, minlength=n)
    return DuplicateCounts(
        of=of,
        threshold=THRESHOLD,
        n_groups=len(sizes),
        grouped=share(sum(sizes), n),
        copies=share(int(copies[copies > 1].sum()), n),
        n_distinct=n - sum(sizes) + len(sizes),
        largest=tuple(sizes[:MAX_SIZES]),
    )
