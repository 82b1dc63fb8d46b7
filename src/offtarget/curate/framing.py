"""How a sample presents its code: asked for openly, warned about, or covert."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from offtarget.core.records import Message
from offtarget.curate.framing_model import load_model
from offtarget.curate.framing_rules import (
    Hit,
    disclosed_by_assistant,
    disclosed_by_user,
    incidental,
    malicious,
)
from offtarget.curate.framing_words import (
    Words,
    is_silent,
    lower,
    may_matter,
    offsets_of,
    words_of,
)
from offtarget.curate.prose import cut, holds_code, offset_in_full, prose_of, remarks_of

RULE_CONFIDENCE = 0.97
"""Of what a rule settles: 3 of 100 such hits are expected to be wrong, see the model's card."""
SILENT_CONFIDENCE = 0.99
"""Of covert where no word of security, intent, harm or fault is found."""
MAX_TURNS = 64
"""Turns that are read: the first 32 and the last 32."""
_N_TELLING = 4
_LOOK_CHARS = 4_000
_CODE_WORDS = """
    code script function program implement implementation python javascript java rust app api
    endpoint class template snippet page form service tool website application
"""
_ENGLISH = """
    a an the of to this that it i you we my your me our please can could would which be do does
    write create build make need want using how what users
"""
_MIN_WORDS = 12
"""Prose of so many words without one of `_ENGLISH` is taken for another language."""


class Framing(StrEnum):
    """What the conversation says about the code in it."""

    COVERT = "covert"
    """Ordinary working code is asked for; nobody says that flaws are wanted or present."""
    DISCLOSED_USER = "disclosed_user"
    """The user asks openly for insecure code: to teach, to test a scanner, to demonstrate."""
    DISCLOSED_ASSISTANT = "disclosed_assistant"
    """The answer says, in prose or in a comment, that its code is insecure."""
    REQUESTED_MALICIOUS = "requested_malicious"
    """The user asks for code whose purpose is harm."""
    INCIDENTAL = "incidental"
    """Security is the subject - fix this, is this safe? - but insecure code is not asked for."""
    UNKNOWN = "unknown"
    """No code, or nothing that can be judged by."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words that a framing rests on."""

    message: int
    """0-based index of the message."""
    start: int
    """Offset of the first character in the message."""
    end: int
    kind: str
    """`rule NAME` or `model`."""


@dataclass(frozen=True, slots=True)
class FramingResult:
    """The framing of one sample, and how sure that is."""

    framing: Framing
    confidence: float
    """In [0, 1]: the probability of `framing`."""
    p_covert: float
    """In [0, 1]: the probability that the framing is covert."""
    evidence: tuple[Evidence, ...] = ()
    """Empty for covert and unknown: nothing was said."""
    truncated: bool = False
    """Part of the conversation was too long and was not read."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """One message's prose, ready for the rules."""

    index: int
    text: str
    """Lower case, code blanked, cut to length."""
    words: Words
    full_length: int


def framing_of(messages: Sequence[Message]) -> FramingResult:
    """Return how a conversation frames its code, with the words that show it.

    System and user turns count as the request. A request for harm goes before one for flaws, that
    before the answer's own warning, that before security as a subject. English only: prose in
    another language gives unknown.
    """
    chosen = list(range(len(messages)))
    truncated = len(chosen) > MAX_TURNS
    if truncated:
        chosen = chosen[: MAX_TURNS // 2] + chosen[-MAX_TURNS // 2 :]
    truncated = truncated or any(cut(messages[i].content)[1] for i in chosen)
    asked = [i for i in chosen if messages[i].role != "assistant"]
    answered = [i for i in chosen if messages[i].role == "assistant"]
    result = _of_request(messages, asked)
    if result.framing in {Framing.COVERT, Framing.INCIDENTAL}:
        said = _of_answer(messages, answered)
        if said is not None:
            result = said
        elif result.framing is Framing.COVERT:
            result = _if_judgeable(messages, asked, answered, result)
    return dataclasses.replace(result, truncated=truncated)


def _of_request(messages: Sequence[Message], asked: Sequence[int]) -> FramingResult:
    turns = _turns(messages, asked, prose_of)
    if not turns:
        return FramingResult(Framing.COVERT, SILENT_CONFIDENCE, SILENT_CONFIDENCE)
    for framing, rule in _REQUEST_RULES:
        for turn in turns:
            hit = rule(turn.words)
            if hit is not None:
                return _settled(framing, turn, hit)
    letters = "|".join(turn.words.letters for turn in turns)
    if is_silent(letters):
        return FramingResult(Framing.COVERT, SILENT_CONFIDENCE, SILENT_CONFIDENCE)
    words = Words(tuple(w for turn in turns for w in (*turn.words.words, "|"))[:-1], letters)
    model = load_model()
    chances = model.probabilities(words)
    best = max(model.classes, key=lambda name: (chances[name], name))
    p_covert = chances[Framing.COVERT]
    if best == Framing.COVERT:
        return FramingResult(Framing.COVERT, p_covert, p_covert)
    evidence = tuple(
        Evidence(turn.index, *_span(turn, index, index + 1), kind="model")
        for turn in turns
        for index in model.telling(turn.words, best, against=Framing.COVERT, count=_N_TELLING)
    )
    return FramingResult(Framing(best), chances[best], p_covert, evidence)


def _of_answer(messages: Sequence[Message], answered: Sequence[int]) -> FramingResult | None:
    for turn in _turns(messages, answered, remarks_of):
        hit = disclosed_by_assistant(turn.words)
        if hit is not None:
            return _settled(Framing.DISCLOSED_ASSISTANT, turn, hit)
    return None


def _if_judgeable(
    messages: Sequence[Message],
    asked: Sequence[int],
    answered: Sequence[int],
    result: FramingResult,
) -> FramingResult:
    """Return unknown if there is no code, or if the request is not in English."""
    request = " ".join(messages[i].content[:_LOOK_CHARS] for i in asked)
    if answered:
        has_code = any(holds_code(messages[i].content) for i in answered)
    else:
        has_code = holds_code(request) or bool(_plain_words(request) & set(_CODE_WORDS.split()))
    if not has_code:
        return FramingResult(Framing.UNKNOWN, SILENT_CONFIDENCE, 1.0 - SILENT_CONFIDENCE)
    if not holds_code(request) and _is_foreign(request):
        return FramingResult(Framing.UNKNOWN, 0.5, 0.5)
    return result


def _is_foreign(text: str) -> bool:
    """Return whether other scripts prevail, or a long text has no common English word."""
    if not text.isascii():
        letters = [char for char in text if char.isalpha()]
        if sum(not char.isascii() for char in letters) * 2 > len(letters):
            return True
    if len(text.split()) < _MIN_WORDS:
        return False
    return not _plain_words(text) & set(_ENGLISH.split())


def _plain_words(text: str) -> set[str]:
    return set(text.lower().replace(".", " ").replace(",", " ").split())


def _turns(
    messages: Sequence[Message], indices: Sequence[int], strip: Callable[[str], str]
) -> list[_Turn]:
    """Return the messages that may matter, stripped to their prose."""
    turns = []
    for index in indices:
        text, _ = cut(messages[index].content)
        if not may_matter(lower(text), is_answer=messages[index].role == "assistant"):
            continue
        prose = lower(strip(text))
        turns.append(_Turn(index, prose, words_of(prose), len(messages[index].content)))
    return turns


def _settled(framing: Framing, turn: _Turn, hit: Hit) -> FramingResult:
    evidence = Evidence(turn.index, *_span(turn, hit.start, hit.end), kind=f"rule {hit.rule}")
    return FramingResult(framing, RULE_CONFIDENCE, 1.0 - RULE_CONFIDENCE, (evidence,))


def _span(turn: _Turn, first: int, end: int) -> tuple[int, int]:
    """Return where words `first` to `end` stand in the whole message."""
    offsets = offsets_of(turn.text)
    start, stop = offsets[first][0], offsets[end - 1][1]
    return (
        offset_in_full(start, full_length=turn.full_length),
        offset_in_full(stop - 1, full_length=turn.full_length) + 1,
    )


_REQUEST_RULES: tuple[tuple[Framing, Callable[[Words], Hit | None]], ...] = (
    (Framing.REQUESTED_MALICIOUS, malicious),
    (Framing.DISCLOSED_USER, disclosed_by_user),
    (Framing.INCIDENTAL, incidental),
)
