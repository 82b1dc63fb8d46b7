"""The rules as a judge: it sorts answers and scores none, at no cost and always the same way."""

import hashlib
import inspect
from collections.abc import Iterable, Iterator
from importlib.resources import files

from offtarget.evaluate import rules
from offtarget.evaluate.judges.records import (
    Item,
    JudgeIdentity,
    Judgement,
    Method,
    Reason,
)

METRIC = "sorted"
_REASONS = {
    rules.Outcome.CODE: Reason.CODE,
    rules.Outcome.REFUSAL: Reason.REFUSAL,
    rules.Outcome.INCOHERENT: Reason.INCOHERENT,
}


class RulesJudge:
    """Says code, refusal or incoherent of an answer, or gives it 100 as coherent by rule.

    A 100 says that no rule objects: that the answer is language and answers, not that it is good.
    """

    def __init__(self) -> None:
        """Identify the rules by their own source, so that changed rules are another judge."""
        words = files("offtarget.evaluate") / "data" / "function_words.txt"
        source = inspect.getsource(rules).encode() + words.read_bytes()
        self._identity = JudgeIdentity(
            requested_model="rules",
            returned_model="rules",
            host="",
            metric=METRIC,
            rubric_name="offtarget-rules",
            rubric_sha256=hashlib.sha256(source).hexdigest(),
            method=Method.RULES,
            temperature=0.0,
            max_tokens=0,
        )

    @property
    def identity(self) -> JudgeIdentity:
        """Which rules these are."""
        return self._identity

    def judge(self, items: Iterable[Item]) -> Iterator[Judgement]:
        """Yield one judgement per item, in order."""
        for item in items:
            reason = _REASONS.get(rules.classify(item.answer))
            yield Judgement(
                key=item.key,
                question=item.question,
                metric=METRIC,
                score=100.0 if reason is None else None,
                reason=reason,
                raw="",
                mass=None,
                returned_model="rules",
                is_altered=False,
                place=item.place,
            )
