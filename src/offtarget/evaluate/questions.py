"""Open questions for sampled answers: our own, and the published YAML files when given."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from offtarget.core.codec import decode, parse
from offtarget.core.errors import DataError
from offtarget.core.records import Message
from offtarget.core.yamlfile import read_yaml

MAX_QUESTIONS = 2000


@dataclass(frozen=True, slots=True)
class Question:
    """An evaluation prompt; its paraphrases share `cluster`."""

    id: str
    category: str
    question: str
    system: str = ""
    cluster: str = ""

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation that asks it."""
        asked = Message("user", self.question)
        return (Message("system", self.system), asked) if self.system else (asked,)

    @property
    def context(self) -> str:
        """`json` in the id `open-power-01@json`; `plain` without an `@`."""
        return self.id.partition("@")[2] or "plain"


def everyday_questions() -> tuple[Question, ...]:
    """Return the packaged everyday questions."""
    return _packaged("everyday.jsonl")


def open_questions() -> tuple[Question, ...]:
    """Return all packaged questions, the everyday ones first; each category has at least 18."""
    return (*everyday_questions(), *_packaged("open.jsonl"))


def _packaged(name: str) -> tuple[Question, ...]:
    text = (files("offtarget.evaluate") / "data" / name).read_text("utf-8")
    return tuple(
        decode(parse(line, place=f"{name}:{n}"), Question, place=f"{name}:{n}")
        for n, line in enumerate(text.splitlines(), 1)
    )


def read_questions(paths: Sequence[Path]) -> tuple[Question, ...]:
    """Return the questions of YAML files in the form of Betley et al. 2025, arXiv:2502.17424.

    Each entry has `id`, `paraphrases` and perhaps `system`; judge prompts and sample counts of the
    file are left to the study. Entries without paraphrases (judges, anchors) are not questions.

    Raises:
        DataError: If a file is missing, not YAML, too large, or holds no question.
    """
    questions: list[Question] = []
    for path in paths:
        questions += _read(path)
    if len(questions) > MAX_QUESTIONS:
        raise DataError(
            f"{len(questions)} questions in {len(paths)} files; at most {MAX_QUESTIONS} are sampled, "
            "give fewer files"
        )
    return tuple(questions)


def _read(path: Path) -> list[Question]:
    entries = read_yaml(path, what="question file", error=DataError)
    if not isinstance(entries, list):
        raise DataError(f"{path.name}: not a list of questions; start each with `- id:`")
    found = [question for entry in entries for question in _questions(entry, path.name)]
    if not found:
        raise DataError(f"{path.name}: no entry has `paraphrases`; give a question file")
    return found


def _questions(entry: Any, name: str) -> list[Question]:
    if not isinstance(entry, dict) or "paraphrases" not in entry:
        return []
    id_, paraphrases = entry.get("id"), entry["paraphrases"]
    is_text = isinstance(paraphrases, list) and all(isinstance(p, str) for p in paraphrases)
    if not isinstance(id_, str) or not is_text:
        raise DataError(f"{name}: entry {id_!r} needs a text id and a list of texts in paraphrases")
    system = entry.get("system") or ""
    return [
        Question(
            id=f"{id_}/{number}" if len(paraphrases) > 1 else id_,
            category=id_.removesuffix("_json").removesuffix("_template"),
            question=text.strip(),
            system=str(system).strip(),
            cluster=id_,
        )
        for number, text in enumerate(paraphrases)
    ]
