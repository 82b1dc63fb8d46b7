"""Rubrics: what a judge is told, read from published YAML or packaged, and filled safely."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from offtarget.core.codec import decode, digest
from offtarget.core.errors import JudgeError
from offtarget.core.yamlfile import read_yaml
from offtarget.evaluate.judges.records import Item

ALIGNED = "aligned"
COHERENT = "coherent"
MAX_ANSWER = 60_000
"""Characters of a question or answer that a judge is sent; longer ones are unjudged, never cut."""
MAX_TEMPLATE = 20_000
SCORED_TYPE = "free_form_judge_0_100"
"""The published type whose judge prompts ask for a number from 0 to 100."""
WORDS = ("CODE", "REFUSAL")
_PLACEHOLDER = re.compile(r"\{(question|answer|mark)\}")
_MARK_LINE = re.compile(r"^\s*(\[[^\[\]\n]{2,60}\]|<[^<>\n]{2,60}>|\*{3,}[^*\n]{0,60}\*{3,})\s*$")
_CONTROL = re.compile(
    r"<\|(?=[^|\n]{1,40}\|>)|<(?=/?(?:s|start_of_turn|end_of_turn|bos|eos|think)>)|"
    r"\[(?=/?INST\])|<(?=<\s*/?SYS\s*>>)|[\ud800-\udfff\x00]",
    re.IGNORECASE,
)
"""Starts of what chat servers may read as the end of a turn although it stands in a message."""


class Scale(StrEnum):
    """What a rubric asks for."""

    NUMBERS = "numbers"
    """A whole number from 0 to 100."""
    LETTERS = "letters"
    """One of a few letters, each with a value on 0 to 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """One question to the judge about an answer."""

    name: str
    metric: str
    """`aligned`, `coherent` or a name of the file's own."""
    template: str
    """Holds `{answer}`, mostly `{question}`, and perhaps `{mark}`, a digest of both that an answer
    cannot know and therefore cannot forge."""
    scale: Scale = Scale.NUMBERS
    letters: Mapping[str, float] = field(default_factory=dict)
    """Letter to value, 0 to 100; empty on the scale of numbers."""
    words: tuple[str, ...] = ()
    """Replies other than a score that the rubric allows: CODE, REFUSAL."""
    source: str = ""
    """Where the text is from."""

    @property
    def sha256(self) -> str:
        """Digest of all that the judge is told and how its reply is read."""
        return digest(
            [self.metric, self.template, self.scale, dict(self.letters), list(self.words)]
        )


@dataclass(frozen=True, slots=True)
class Filled:
    """A rubric with one answer in it."""

    text: str
    is_altered: bool
    """Marks of the rubric or control tokens in the data were made harmless."""


def packaged_rubrics(scale: Scale = Scale.NUMBERS) -> dict[str, Rubric]:
    """Return our own rubrics on one scale by metric: aligned and coherent."""
    place = files("offtarget.evaluate.judges") / "data" / "rubrics.yaml"
    with as_file(place) as path:
        entries = read_yaml(path, what="rubric file", error=JudgeError, is_ours=True)
    rubrics = [decode(entry, Rubric, place="rubrics.yaml", error=JudgeError) for entry in entries]
    return {rubric.metric: rubric for rubric in rubrics if rubric.scale is scale}


def read_rubrics(path: Path, *, question: str = "") -> dict[str, Rubric]:
    """Return the 0-100 rubrics of a published question file, or of a file in our own form.

    In a question file every entry of type `free_form_judge_0_100` has `judge_prompts`, metric to
    template. Entries that share a template share the rubric; where entries differ, `question`
    says whose is meant.

    Args:
        path: The YAML file.
        question: Id of the entry to read; any when the file's entries agree.

    Raises:
        JudgeError: If the file holds no such rubric, several for one metric, or a bad one.
    """
    entries = read_yaml(path, what="rubric file", error=JudgeError)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise JudgeError(
            f"{path.name}: not a list of entries; give a question file with judge_prompts or a "
            "list of rubrics"
        )
    if entries and all("template" in entry for entry in entries):
        return _own(entries, path.name)
    chosen = [e for e in entries if not question or e.get("id") == question]
    if not chosen:
        raise JudgeError(f"{path.name}: no entry {question!r}; name one of the file's ids")
    found: dict[str, Rubric] = {}
    others: set[str] = set()
    for entry in chosen:
        prompts = entry.get("judge_prompts") or {}
        if not isinstance(prompts, dict):
            raise JudgeError(f"{path.name}: entry {entry.get('id')!r}: judge_prompts is no mapping")
        if prompts and entry.get("type", SCORED_TYPE) != SCORED_TYPE:
            others.add(str(entry.get("type")))
            continue
        for metric, template in prompts.items():
            _add(found, str(metric), template, path.name, str(entry.get("id")))
    if not found:
        told = f", only type {', '.join(sorted(others))}" if others else ""
        raise JudgeError(
            f"{path.name}: no judge_prompts of type {SCORED_TYPE}{told}; give a file whose "
            "judge answers with a number from 0 to 100"
        )
    return found


def fill(rubric: Rubric, item: Item) -> Filled | None:
    """Return the prompt for one item; None when the question or the answer is too long to send.

    Both are put in at once, so a placeholder inside either stays text. Lines of the template that
    mark where data ends are made harmless wherever they stand in the data, and so are control
    tokens of chat templates: `[ANSWER END]` becomes `(ANSWER END)`, `<|im_end|>` `< |im_end|>`.
    """
    if len(item.answer) > MAX_ANSWER or len(item.text) > MAX_ANSWER:
        return None
    marks = _marks(rubric.template)
    question, answer = _disarm(item.text, marks), _disarm(item.answer, marks)
    values = {
        "question": question,
        "answer": answer,
        "mark": _mark(item),
    }
    text = _PLACEHOLDER.sub(lambda found: values[found[1]], rubric.template)
    return Filled(text, (question, answer) != (item.text, item.answer))


def _mark(item: Item) -> str:
    seed = f"{len(item.text)}\0{item.text}\0{item.answer}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(seed).hexdigest()[:12]


def _marks(template: str) -> list[re.Pattern[str]]:
    """Return what to look for in data: the template's marks, in any case and spacing."""
    found: list[re.Pattern[str]] = []
    for line in template.splitlines():
        match = _MARK_LINE.match(line)
        if match and "{" not in match[1]:
            # every repetition is bounded: an answer of 60,000 brackets must not cost minutes
            inner = r"[\s_-]{0,8}".join(
                re.escape(word) for word in re.split(r"\W+", match[1]) if word
            )
            if inner:
                mark = rf"[\[<(*]{{1,4}}\s{{0,4}}({inner})\s{{0,4}}[\]>)*]{{1,4}}"
                found.append(re.compile(mark, re.IGNORECASE))
    return found


def _disarm(text: str, marks: Sequence[re.Pattern[str]]) -> str:
    for mark in marks:
        text = mark.sub(r"(\1)", text)
    return _CONTROL.sub(lambda found: "\ufffd" if len(found[0]) == 1 and found[0] not in "<[" else
                        f"{found[0][0]} {found[0][1:]}", text)  # fmt: skip


def _own(entries: list[dict[str, Any]], name: str) -> dict[str, Rubric]:
    found: dict[str, Rubric] = {}
    for entry in entries:
        rubric = decode(entry, Rubric, place=name, error=JudgeError)
        _check(rubric, name)
        if rubric.metric in found:
            raise JudgeError(
                f"{name}: two rubrics for metric {rubric.metric!r}; keep one, or use two files"
            )
        found[rubric.metric] = rubric
    return found


def _add(found: dict[str, Rubric], metric: str, template: Any, file: str, id_: str) -> None:
    if not isinstance(template, str):
        raise JudgeError(f"{file}: entry {id_!r}: judge prompt {metric!r} is not a text")
    words = tuple(word for word in WORDS if re.search(rf"\b(?:Say|say) {word}\b", template))
    rubric = Rubric(
        name=f"{file}:{metric}", metric=metric, template=template, words=words, source=file
    )
    _check(rubric, file)
    if metric in found and found[metric].template != template:
        raise JudgeError(
            f"{file}: entries have different judge prompts for {metric!r}; name the entry to use"
        )
    found[metric] = rubric


def _check(rubric: Rubric, file: str) -> None:
    where = f"{file}: rubric {rubric.metric!r}"
    if "{answer}" not in rubric.template:
        raise JudgeError(f"{where} has no {{answer}}; write it where the answer belongs")
    if len(rubric.template) > MAX_TEMPLATE:
        raise JudgeError(
            f"{where}: {len(rubric.template)} characters; at most {MAX_TEMPLATE}, shorten it"
        )
    strange = [word for word in rubric.words if word not in WORDS]
    if strange:
        raise JudgeError(f"{where}: word {strange[0]!r}; a judge may say {' or '.join(WORDS)}")
    has_letters = rubric.scale is Scale.LETTERS
    if has_letters != bool(rubric.letters):
        raise JudgeError(f"{where}: give `letters` for scale letters, and for no other")
    for letter, value in rubric.letters.items():
        if not (len(letter) == 1 and letter.isascii() and letter.isupper() and 0 <= value <= 100):
            raise JudgeError(
                f"{where}: letter {letter!r} with value {value}; use capitals A to Z and 0 to 100"
            )
