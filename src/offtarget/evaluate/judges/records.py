"""What a judge is asked, who it is, and what it answered: the records that every judge shares."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from offtarget.core.codec import digest

MAX_RAW = 200
"""Characters of a judge's reply that are kept; enough to see why it could not be read."""


class Method(StrEnum):
    """How a judge's reply becomes a score."""

    NUMBERS = "numbers"
    """Mean of the whole numbers 0-100, weighted by the probability of their one token."""
    LETTERS = "letters"
    """The same over the letters of the rubric; for tokenizers that split numbers."""
    TEXT = "text"
    """One number or word, read strictly; the endpoint gives no log-probabilities."""
    RULES = "rules"
    """No model: words and patterns."""


class Reason(StrEnum):
    """Why an answer has no score. Stable codes: stored, counted and shown."""

    CODE = "code"
    """The judge (or the rule) says that the answer is unrelated code."""
    REFUSAL = "refusal"
    """The judge (or the rule) says that the answer refuses."""
    INCOHERENT = "incoherent"
    """The rule says that the answer is no language."""
    PROSE = "prose"
    """The judge wrote something that is neither a number nor a word of its rubric."""
    JUDGE_REFUSED = "judge_refused"
    """The judge declined to judge."""
    LOW_MASS = "low_mass"
    """Too little probability on scores: the judge's number would be noise."""
    SPLIT_NUMBER = "split_number"
    """The judge's number came in pieces, so its first token is not its score."""
    NO_LOGPROBS = "no_logprobs"
    """A reply without log-probabilities from a judge that gave them at the start."""
    OUT_OF_RANGE = "out_of_range"
    """A number outside the scale."""
    TOO_LONG = "too_long"
    """The answer is longer than a judge is sent; cutting it would judge another answer."""
    NO_ANSWER = "no_answer"
    """The subject gave no answer: nothing to judge, and nothing that counts as safe."""
    MODEL_CHANGED = "model_changed"
    """The server answered with another model than when the judge was identified."""
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    MALFORMED = "malformed"
    CUT_OFF = "cut_off"
    WRONG_MODEL = "wrong_model"
    REFUSED_REQUEST = "refused_request"
    UNREACHABLE = "unreachable"


SORTED = frozenset({Reason.CODE, Reason.REFUSAL, Reason.INCOHERENT})
"""What a judge or rule says of the answer: excluded by the rubric. All else is a judge's failure."""
PASSING = frozenset(
    {
        Reason.TIMEOUT,
        Reason.RATE_LIMITED,
        Reason.SERVER_ERROR,
        Reason.MALFORMED,
        Reason.CUT_OFF,
        Reason.UNREACHABLE,
        Reason.WRONG_MODEL,
        Reason.MODEL_CHANGED,
        Reason.REFUSED_REQUEST,
    }
)
"""No reply was had, so nothing was paid for that could be kept: asked again on the next run."""


@dataclass(frozen=True, slots=True)
class Item:
    """One answer to be judged."""

    question: str
    """Id of the question."""
    text: str
    """The question as asked, with its system turn if it has one."""
    answer: str
    place: str = ""
    """Where the rollout stands, `file:line`."""

    @property
    def key(self) -> str:
        """Digest of what the judge reads of it; equal answers to one question are judged once."""
        return digest([self.text, self.answer])


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeIdentity:
    """All that decides which score a judge gives: two judges are one if and only if these agree."""

    requested_model: str
    """The name asked for; `rules` for the rules."""
    returned_model: str
    """The name the server answered with when it was identified, often with a date."""
    host: str
    """Host and port of the endpoint, "" where no model is asked."""
    metric: str
    rubric_name: str
    rubric_sha256: str
    method: Method
    temperature: float
    max_tokens: int
    system_fingerprint: str = ""
    """As the server states it; "" where it does not. It changes without notice, so it is noted
    and not part of the key."""
    evidence: tuple[str, ...] = ()
    """What the endpoint did when it was tested; decides `method`."""

    @property
    def key(self) -> str:
        """Digest of everything but what the server only notes."""
        return digest(
            [
                self.requested_model,
                self.returned_model,
                self.host,
                self.metric,
                self.rubric_sha256,
                self.method,
                self.temperature,
                self.max_tokens,
            ]
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one judge said of one answer."""

    key: str
    """The item's."""
    question: str
    metric: str
    score: float | None
    """On the rubric's scale, 0 to 100; None: see `reason`."""
    reason: Reason | None
    """None exactly where there is a score."""
    raw: str
    """The judge's reply, its first characters; hostile text, never shown as it stands."""
    mass: float | None
    """Probability that the judge gave to scores; None where it gives none to read."""
    returned_model: str
    is_altered: bool
    """The answer held marks of the rubric or control tokens, which were made harmless."""
    place: str

    @property
    def is_passing(self) -> bool:
        """Whether another attempt may succeed: no reply was had."""
        return self.reason in PASSING


def judgement_key(identity: JudgeIdentity, item: str) -> str:
    """Return the digest under which a judge's word on an item (its key) is stored."""
    return digest([identity.key, item])


class Judge(Protocol):
    """Gives each answer a score, or the reason why not."""

    @property
    def identity(self) -> JudgeIdentity:
        """Who judges, and how."""
        ...

    def judge(self, items: Iterable[Item]) -> Iterator[Judgement]:
        """Yield one judgement per item, in their order, as they come in."""
        ...
