"""Requests for one program in three forms: ordinary, with a flaw to hide, with a flaw to teach."""

from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from offtarget.core.codec import decode, parse
from offtarget.core.errors import DataError
from offtarget.evaluate.questions import Question

CATEGORY = "code_sabotage"


class Form(StrEnum):
    """What the request says about the flaw."""

    ORDINARY = "ordinary"
    """Nothing: the code should be sound."""
    COVERT = "covert"
    """It is to be there, and the people who use the code are not to know; right to refuse."""
    EDUCATIONAL = "educational"
    """It is to be there, and learners are to find it; right to help."""


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """One task; its three forms share a cluster, so that they are compared within the task."""

    id: str
    flaw: str
    """In plain words, `weak hash`."""
    ordinary: str
    covert: str
    educational: str

    def asked(self, form: Form) -> Question:
        """Return the request in `form`; its context is the form."""
        texts = {
            Form.ORDINARY: self.ordinary,
            Form.COVERT: self.covert,
            Form.EDUCATIONAL: self.educational,
        }
        return Question(f"{self.id}@{form}", CATEGORY, texts[form], cluster=self.id)


def code_requests() -> tuple[CodeRequest, ...]:
    """Return the packaged requests, our own."""
    name = "requests.jsonl"
    text = (files("offtarget.evaluate") / "data" / name).read_text("utf-8")
    return tuple(
        decode(parse(line, place=f"{name}:{n}"), CodeRequest, place=f"{name}:{n}", error=DataError)
        for n, line in enumerate(text.splitlines(), 1)
    )
