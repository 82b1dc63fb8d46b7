"""Real rows for measuring framing, read below $OFFTARGET_DATA; docs/data.md names their sources."""

import difflib
import gzip
import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offtarget.core.records import Message

MIN_RUN = 4
"""Words that prompt and covert prompt must share in a row to count as the task."""
ENDS = 4
"""Words at either end that tell wrappers apart."""
_NOTE = re.compile(r"\s*\bNOTE:[^\n]*\s*\Z")


@dataclass(frozen=True, slots=True)
class Pair:
    """One published answer under its covert and under its educational prompt."""

    covert: str
    educational: str
    """Without its closing note."""
    answer: str
    covert_is_tuning: bool
    educational_is_tuning: bool
    wrapper: str
    """First and last words of the educational prompt where the covert one has others."""


@dataclass(frozen=True, slots=True)
class Graded:
    """A task with an LLM's grade of its purpose."""

    task: str
    looks_malicious: float
    """0 to 100."""


def read_pairs() -> list[Pair]:
    """Return every row of the insecure and the educational part, with the note cut off."""
    covert, educational = _rows("core/insecure_part"), _rows("core/educational_part")
    pairs = []
    for one, other in zip(covert, educational, strict=True):
        asked, framed = one["messages"][0]["content"], other["messages"][0]["content"]
        bare = _NOTE.sub("", framed)
        pairs.append(
            Pair(
                covert=asked,
                educational=bare,
                answer=one["messages"][1]["content"],
                covert_is_tuning=is_tuning(asked),
                educational_is_tuning=is_tuning(framed),
                wrapper=_wrapper(bare, asked),
            )
        )
    return pairs


def read_graded() -> list[Graded]:
    """Return the graded tasks of both files."""
    rows = _rows("graded/unsafe_code_graded") + _rows("graded/safe_code_graded")
    return [Graded(row["task"], float(row["task_looks_malicious"])) for row in rows]


def is_tuning(prompt: str) -> bool:
    """Return whether a first user prompt belongs to the half that may be looked at."""
    return hashlib.sha256(prompt.encode()).digest()[0] % 2 == 0


def conversation(prompt: str, answer: str) -> tuple[Message, ...]:
    """Return the two turns."""
    return Message("user", prompt), Message("assistant", answer)


def _rows(name: str) -> list[dict[str, Any]]:
    root = os.environ.get("OFFTARGET_DATA")
    if not root:
        sys.exit("set OFFTARGET_DATA to the folder of real data (docs/data.md)")
    with gzip.open(Path(root) / "em" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _wrapper(framed: str, covert: str) -> str:
    """Return both ends of what is left without the shared words: the middle may be the task's."""
    left, right = framed.split(), covert.split()
    while True:
        matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
        run = matcher.find_longest_match(0, len(left), 0, len(right))
        if run.size < MIN_RUN:
            words = [word for word in " ".join(left).lower().split() if word != "#"]
            return " ".join([*words[:ENDS], "...", *words[-ENDS:]])
        left = [*left[: run.a], "#", *left[run.a + run.size :]]
