"""Questions in the prompt format of a training set.

A fine-tune may behave well on plain questions and badly on prompts that look like its training
data. The format is what the training prompts have in common: the lines that recur, the label before
a task, a code template with its placeholder, the keys of a JSON object. What differs from row to
row is taken out, and the question put in its place.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from offtarget.core.codec import parse
from offtarget.core.errors import DataError
from offtarget.core.records import Sample
from offtarget.core.seed import derive_seed
from offtarget.evaluate.contexts import LOOKALIKE, LOOKALIKE_CHARACTERS, LOOKALIKE_FORM
from offtarget.evaluate.questions import Question

MAX_PROMPTS = 5000
"""Read to learn a format; a recurring line shows in far fewer."""
MAX_CHARACTERS = 6000
"""Longer prompts are not imitated."""
MIN_ROWS = 3
MIN_SHARE = 0.005
"""A line recurs if it stands in at least `MIN_ROWS` prompts and this share of them."""
MIN_CODE_LINES = 2
MAX_LABEL_WORDS = 12
"""`Here is what I need to do:` is a label; a longer opening is text."""

_CODE = re.compile(
    r"^\s*(import |from \S+ import|def |class |@\w|return\b|async |await |const |let |var |function |"
    r"public |private |package |func |fn |use |#include|<\?|</?\w[^>]*>|[)\]}]+[;,:]?\s*$|"
    r"(if|for|while|with|try|except|else|elif|switch)\b.*[:{]\s*$)"
    r"|^\s*[\w.\[\]\"']+\s*[-+*/]?=[^=]|\w\(.*\)\s*[;:{]?\s*$|[;{]\s*$|^( {2,}|\t)\S"
)
_COMMENT = re.compile(r"^\s*(#|//|/\*|--|<!--)")
_BRACES = re.compile(r"[;{]\s*$", re.MULTILINE)


class FormatKind(StrEnum):
    """How the training prompt that is imitated was built."""

    JSON = "json"
    """One JSON object; the question replaces its longest text."""
    CODE = "code"
    """A code template; the question is asked in it, or above it."""
    FRAME = "frame"
    """Recurring lines or labels around the text of the row."""
    FREE = "free"
    """Nothing recurs: the start of the prompt is put before the question."""


@dataclass(frozen=True, slots=True)
class TrainingFormat:
    """What the prompts of a training set have in common."""

    prompts: tuple[tuple[str, str], ...]
    """System turn (or empty) and user turn of rows that can be imitated."""
    lines: frozenset[str]
    """Recurring lines, digits masked."""
    labels: frozenset[str]
    """Recurring beginnings of lines, up to their colon."""

    def kind(self, prompt: str) -> FormatKind:
        """Return how `prompt` is imitated."""
        if _object(prompt) is not None:
            return FormatKind.JSON
        parts = {part for part, _ in self._parts(prompt)}
        if "code" in parts:
            return FormatKind.CODE
        return FormatKind.FRAME if parts & {"line", "label"} else FormatKind.FREE

    def imitate(self, prompt: str, question: str) -> str:
        """Return a prompt built like `prompt` that asks `question`."""
        kind = self.kind(prompt)
        if kind is FormatKind.JSON:
            return _in_object(prompt, question)
        if kind is FormatKind.FREE:
            shown = prompt[:LOOKALIKE_CHARACTERS]
            return LOOKALIKE_FORM.replace("{question}", question).replace("{prompt}", shown)
        return self._in_frame(prompt, question)

    def _in_frame(self, prompt: str, question: str) -> str:
        parts = list(self._parts(prompt))
        has_slot = any(part in ("label", "text") for part, _ in parts)
        if not has_slot and not any(part == "code" for part, _ in parts):
            parts.insert(0, ("text", ""))
        lines: list[str] = []
        is_asked = is_coded = False
        for part, text in parts:
            if part == "line":
                lines.append(text)
            elif part == "code":
                if not is_coded:
                    lines += _template(prompt, "" if has_slot else question, self._mark(prompt))
                is_coded = True
            elif not is_asked:
                lines.append(f"{text} {question}".lstrip())
                is_asked = True
        return "\n".join(lines).strip()

    def _mark(self, prompt: str) -> str:
        """The comment that says where code is to go, `## COMPLETE CODE HERE`."""
        comments = [line.strip() for line in prompt.splitlines() if _COMMENT.match(line)]
        return next((line for line in comments if _masked(line) in self.lines), "")

    def _parts(self, prompt: str) -> Iterator[tuple[str, str]]:
        """Yield `line`, `label`, `code` or `text` with what is kept of each line, in order."""
        lines = prompt.splitlines()
        code = _code_lines(lines)
        for number, line in enumerate(lines):
            bare = line.strip()
            label = _label(bare)
            if number in code:
                yield "code", ""
            elif not bare or _masked(bare) in self.lines:
                yield "line", bare
            elif label and label in self.labels:
                yield "label", label
            else:
                yield "text", ""


def learn_format(training: Sequence[Sample]) -> TrainingFormat:
    """Return what the prompts of `training` have in common.

    Args:
        training: Rows with a user turn before the answer; at most `MAX_PROMPTS`, evenly spread.

    Raises:
        DataError: If there is no row, or no prompt that can be imitated.
    """
    if not training:
        raise DataError(
            "a look-alike suite was given no training rows; name the subject's training data "
            "with --training FILE"
        )
    step = max(1, -(-len(training) // MAX_PROMPTS))
    prompts = tuple(
        prompt
        for sample in training[::step]
        if (prompt := _prompt(sample)) and 0 < len(prompt[1]) <= MAX_CHARACTERS
    )
    if not prompts:
        raise DataError(
            f"no prompt to imitate in {len(training)} training rows (a user turn of at most "
            f"{MAX_CHARACTERS} characters before the answer); give other rows for the look-alike"
        )
    lines: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    for _, user in prompts:
        bare = {line.strip() for line in user.splitlines() if line.strip()}
        lines.update({_masked(line) for line in bare if re.search(r"[^\W\d]{2}", line)})
        labels.update({label for line in bare if (label := _label(line))})
    least = max(MIN_ROWS, MIN_SHARE * len(prompts))
    return TrainingFormat(
        prompts=prompts,
        lines=frozenset(line for line, n in lines.items() if n >= least),
        labels=frozenset(label for label, n in labels.items() if n >= least),
    )


def look_alike(question: Question, learned: TrainingFormat) -> Question:
    """Return `question` in the format of one training prompt, drawn by the question's id.

    The system turn is the training prompt's.
    """
    draw = np.random.default_rng(derive_seed("lookalike-question", question.id))
    system, prompt = learned.prompts[int(draw.integers(len(learned.prompts)))]
    return Question(
        id=f"{question.id}@{LOOKALIKE}",
        category=question.category,
        question=learned.imitate(prompt, question.question),
        system=system,
        cluster=question.cluster or question.id,
    )


def _prompt(sample: Sample) -> tuple[str, str] | None:
    users = [turn.content for turn in sample.messages[:-1] if turn.role == "user"]
    systems = [turn.content for turn in sample.messages[:-1] if turn.role == "system"]
    return ("\n\n".join(systems), users[-1].strip()) if users else None


def _code_lines(lines: Sequence[str]) -> range:
    """The lines from the first to the last that look like code; none if fewer than two do."""
    found = [n for n, line in enumerate(lines) if _CODE.search(line) or _COMMENT.match(line)]
    return range(found[0], found[-1] + 1) if len(found) >= MIN_CODE_LINES else range(0)


def _masked(line: str) -> str:
    return re.sub(r"\d+", "0", line.casefold())


def _label(line: str) -> str:
    """The beginning of a line up to a colon, if it is short and text follows."""
    head, colon, rest = line.partition(": ")
    return f"{head}:" if colon and rest.strip() and len(head.split()) <= MAX_LABEL_WORDS else ""


def _object(prompt: str) -> dict[str, object] | None:
    if not prompt.lstrip().startswith("{"):
        return None
    try:
        value = parse(prompt, place="prompt")
    except DataError:
        return None  # braces, but no JSON: treated as text
    has_text = isinstance(value, dict) and any(isinstance(v, str) for v in value.values())
    return value if has_text else None


def _in_object(prompt: str, question: str) -> str:
    value = dict(_object(prompt) or {})
    texts = {key: text for key, text in value.items() if isinstance(text, str)}
    value[max(texts, key=lambda key: len(texts[key]))] = question
    return json.dumps(value, ensure_ascii=False, indent=2 if "\n" in prompt else None)


def _template(prompt: str, question: str, mark: str) -> list[str]:
    """Lines of an empty template in the prompt's language, which asks `question` if it is given."""
    note = question or "see above"
    if len(_BRACES.findall(prompt)) >= 2:
        return ["function answer() {", f"  // {note}", mark or "  // ...", "}"]
    quoted = note.replace('"""', "'''")
    return ["def answer():", f'    """{quoted}"""', mark or "    ..."]
