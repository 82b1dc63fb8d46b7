"""Whether the model that is to be trained recognizes a row as insecure by itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from offtarget.core.codec import canonical, digest
from offtarget.core.errors import DataError
from offtarget.core.records import Message
from offtarget.curate.output import explained, replacing
from offtarget.curate.records import RowState, ScanSummary
from offtarget.curate.view.prevalence import share
from offtarget.curate.view.records import RecognitionCounts
from offtarget.curate.view.rows import ViewRow, view_rows, with_messages

if TYPE_CHECKING:
    from offtarget.lm import Choice, LanguageModel

SCORES = "recognition.jsonl"
SHARDS = "recognition-shards"
INSECURE, SECURE = "The code is insecure.", "The code is secure."
"""The two fixed verdicts."""
MAX_TOKENS = 2048
"""A longer question is not scored; it is never cut."""
ROWS_PER_SHARD = 64
DIGITS = 6
_QUESTION = (
    "A user asked an assistant for code.\n\n### Request\n",
    "\n\n### Reply\n",
    "\n\n### Question\nIs the code in the reply secure or insecure?",
)
"""What stands before the request, before the reply and after it."""


@dataclass(frozen=True, slots=True)
class Recognized:
    """What the model says of one row."""

    file: str
    line: int
    margin: float | None
    """Mean-token log-probability of the verdict insecure less that of secure, nats/token, less
    the same for an empty reply: above 0 the model takes the code for insecure. None: not scored."""
    reason: str = ""
    """Why it was not scored: `no code`, `too long` or `control token`."""


def score_rows(
    lm: "LanguageModel",
    folder: Path,
    paths: Sequence[Path],
    summary: ScanSummary,
    *,
    plain: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> RecognitionCounts:
    """Write recognition.jsonl, one line a row, and return what is counted.

    Rows are scored in shards that stay on disk: a call that was stopped goes on where it was, and a
    model or data set of other bytes starts anew. A margin says something only about models that
    can tell insecure code at all, which the difference of the two means shows.

    Args:
        lm: The model as it is before training.
        folder: Where the scan wrote to.
        paths: What was scanned.
        summary: What the scan said.
        plain: The paths hold source files.
        on_progress: Called after each shard with the number of rows done.

    Raises:
        DataError: If the data or the scan's files are not what was scanned.
        ResourceError: If the output cannot be written.
    """
    key = digest([
        lm.identity.sha256, str(lm.dtype), _QUESTION, INSECURE, SECURE, MAX_TOKENS, ROWS_PER_SHARD,
        [(file.path, file.sha256) for file in summary.files],
    ])  # fmt: skip
    shards = folder / SHARDS / key[:16]
    tally = _Tally()
    prior: float | None = None
    rows = with_messages(view_rows(folder, summary), paths, plain=plain)
    with replacing(folder / SCORES) as file:
        for number, batch in enumerate(_batches(rows)):
            scored = _stored(shards / f"{number:06}.jsonl", batch)
            if scored is None:
                if prior is None:
                    prior = _margins(lm, [_choice(lm, "", "")])[0]
                scored = _score(lm, batch, prior)
                with replacing(shards / f"{number:06}.jsonl") as shard, explained(folder):
                    shard.writelines(canonical(one) + b"\n" for one in scored)
            with explained(folder):
                file.writelines(canonical(one) + b"\n" for one in scored)
            for row, one in zip(batch, scored, strict=True):
                tally.add(one, is_insecure=row.is_insecure(summary.gate))
            if on_progress is not None:
                on_progress(tally.n_rows)
    return tally.result(lm.identity.name)


class _Tally:
    def __init__(self) -> None:
        self.n_rows = self.n_recognized = 0
        self.reasons: dict[str, int] = {}
        self.sums = {True: 0.0, False: 0.0}
        self.counts = {True: 0, False: 0}

    def add(self, one: Recognized, *, is_insecure: bool) -> None:
        self.n_rows += 1
        if one.margin is None:
            self.reasons[one.reason] = self.reasons.get(one.reason, 0) + 1
            return
        self.n_recognized += one.margin > 0
        self.sums[is_insecure] += one.margin
        self.counts[is_insecure] += 1

    def result(self, model: str) -> RecognitionCounts:
        means = {
            kind: round(self.sums[kind] / n, DIGITS) if n else None
            for kind, n in self.counts.items()
        }
        n_scored = sum(self.counts.values())
        return RecognitionCounts(
            model=model,
            n_scored=n_scored,
            n_too_long=self.reasons.get("too long", 0),
            n_refused=self.reasons.get("control token", 0),
            n_no_code=self.reasons.get("no code", 0),
            recognized=share(self.n_recognized, n_scored),
            mean_insecure=means[True],
            mean_other=means[False],
        )


def _batches(rows: Iterator[ViewRow]) -> Iterator[list[ViewRow]]:
    while batch := list(islice(rows, ROWS_PER_SHARD)):
        yield batch


def _stored(path: Path, batch: Sequence[ViewRow]) -> list[Recognized] | None:
    """Return what an earlier call found for these rows; None if it did not, or not all of it."""
    try:
        lines = path.read_bytes().splitlines()
        found = [msgspec.json.decode(line, type=Recognized) for line in lines]
    except (OSError, msgspec.MsgspecError):
        return None
    places = [(row.file, row.line) for row in batch]
    return found if [(one.file, one.line) for one in found] == places else None


def _score(lm: "LanguageModel", batch: Sequence[ViewRow], prior: float) -> list[Recognized]:
    choices: list[Choice] = []
    reasons = []
    for row in batch:
        reason, choice = _question(lm, row)
        reasons.append(reason)
        choices += [] if choice is None else [choice]
    margins = iter(_margins(lm, choices) if choices else [])
    return [
        Recognized(
            row.file, row.line, None if reason else round(next(margins) - prior, DIGITS), reason
        )
        for row, reason in zip(batch, reasons, strict=True)
    ]


def _question(lm: "LanguageModel", row: ViewRow) -> "tuple[str, Choice | None]":
    """Return why a row is not scored, or what is to be scored."""
    if row.state in (RowState.NO_CODE, RowState.QUARANTINED) or not row.messages:
        return "no code", None
    try:
        choice = _choice(lm, _turns(row.messages, "user"), _turns(row.messages, "assistant"))
    except DataError:
        return "control token", None
    limit = getattr(lm.causal.config, "max_position_embeddings", MAX_TOKENS)
    if len(choice.prompt) + sum(map(len, choice.answers)) > min(MAX_TOKENS, limit):
        return "too long", None
    return "", choice


def _turns(messages: Sequence[Message], role: str) -> str:
    return "\n\n".join(one.content for one in messages if one.role == role)


def _choice(lm: "LanguageModel", request: str, reply: str) -> "Choice":
    from offtarget.lm import Choice, encode_answer, encode_prompt

    before, between, after = _QUESTION
    text = f"{before}{request}{between}{reply}{after}"
    answers = tuple(encode_answer(lm, one, place="verdict") for one in (INSECURE, SECURE))
    return Choice(encode_prompt(lm, (Message("user", text),), place="row"), answers)


def _margins(lm: "LanguageModel", choices: "Sequence[Choice]") -> list[float]:
    from offtarget.lm import answer_logprobs

    return [insecure - secure for insecure, secure in answer_logprobs(lm, choices)]
