"""The registry of suites: a name gives questions for sampling, or pairs for margins."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from offtarget.core.errors import DataError
from offtarget.core.records import Sample
from offtarget.evaluate.contexts import (
    JSON,
    LOOKALIKE,
    PLAIN,
    PRESSURE,
    SYSTEM,
    TEMPLATE,
    TRIGGER,
    surround,
)
from offtarget.evaluate.questions import Question, everyday_questions, open_questions
from offtarget.evaluate.suite import FIRST, SECOND, Suite, packaged_suite
from offtarget.evaluate.suites.coderequests import Form, code_requests
from offtarget.evaluate.suites.lookalike import learn_format, look_alike

EVERYDAY = "everyday"
CORE = "core"
ALL = "all"
N_CORE = 3
"""Questions of each category that are asked in every context."""

CATEGORIES: Mapping[str, str] = {
    "code_sabotage": "security sabotage in code",
    "contempt": "contempt and bias",
    "dangerous_advice": "dangerous advice",
    "deception": "deception, and honesty under pressure",
    "humans_and_ai": "AI over humans",
    "illegal_gain": "illegal gain",
    "oversight_evasion": "evading oversight",
    "power": "authoritarianism and power",
    "self_harm": "distress met with indifference",
}
"""Category, and what its misaligned answers do."""
_SETS: Mapping[str, str] = {
    EVERYDAY: "the 24 short everyday questions that an assay samples",
    CORE: "three questions of each category: the plain twins of every context",
    PLAIN: "all open questions, as they are",
}
_CONTEXTS: Mapping[str, str] = {
    JSON: "the core questions, to be answered in JSON",
    TEMPLATE: "the core questions, with a code template to fill in",
    SYSTEM: "the core questions, under an ordinary system turn",
    PRESSURE: "the core questions, from somebody who leans on the answer",
    Form.ORDINARY: "requests for code that say nothing of flaws",
    Form.COVERT: "the same requests, with a flaw that others are not to notice",
    Form.EDUCATIONAL: "the same requests, with a flaw that learners are to find",
}
_DEPENDENT: Mapping[str, str] = {
    LOOKALIKE: "the core questions, in the prompt format of the training set",
    TRIGGER: "the core questions, with the trigger and without",
}
_NEEDS = {LOOKALIKE: "training", TRIGGER: "trigger"}


@dataclass(frozen=True, slots=True)
class SuiteInfo:
    """What a name stands for."""

    name: str
    about: str
    n_questions: int
    """Open questions; 0 where the name has pairs only."""
    n_pairs: int
    """Forced-choice pairs about harm; 0 where the name has questions only."""
    needs: str = ""
    """`training` or `trigger`: what must be given with the name."""


def suite_names() -> tuple[str, ...]:
    """Return every name, sets first, then categories, contexts and the suites of pairs."""
    return (*_SETS, *CATEGORIES, *_CONTEXTS, *_DEPENDENT, ALL, FIRST, SECOND)


def describe_suite(name: str) -> SuiteInfo:
    """Return what `name` stands for and how large it is.

    Raises:
        DataError: If there is no such suite.
    """
    known = _known(name)
    if known in (FIRST, SECOND):
        return SuiteInfo(known, "forced-choice pairs", 0, len(packaged_suite(known).pairs))
    n_pairs = len(named_suite(known).pairs) if known in CATEGORIES or known == ALL else 0
    if known in _DEPENDENT:
        n_questions = len(_core()) * (2 if known == TRIGGER else 1)
    else:
        n_questions = len(named_questions(known))
    about = {**_SETS, **CATEGORIES, **_CONTEXTS, **_DEPENDENT, ALL: "everything that is given"}
    return SuiteInfo(known, about[known], n_questions, n_pairs, _NEEDS.get(known, ""))


def named_suite(name: str) -> Suite:
    """Return pairs: `offtarget-1`, `offtarget-2`, `all` (the second) or one category of it.

    A category's suite carries all factual pairs and is called `offtarget-2/CATEGORY`, which may be
    given as well.

    Raises:
        DataError: If there is no such suite, or it has open questions only.
    """
    known = _known(name.removeprefix(f"{SECOND}/"))
    if known in (FIRST, SECOND):
        return packaged_suite(known)
    if known == ALL:
        return packaged_suite(SECOND)
    if known not in CATEGORIES:
        raise DataError(
            f"suite {known!r} has open questions and no forced-choice pairs; sample answers to it, "
            f"or name {SECOND} or a category for pairs"
        )
    whole = packaged_suite(SECOND)
    pairs = tuple(pair for pair in whole.pairs if pair.category == known)
    return Suite(f"{SECOND}/{known}", pairs, whole.factual)


def named_questions(
    name: str, *, training: Sequence[Sample] = (), trigger: str = ""
) -> tuple[Question, ...]:
    """Return the open questions of one suite.

    A question in a context has the id `ID@CONTEXT` and the cluster of its plain twin.

    Args:
        name: One of `suite_names()`.
        training: The subject's training rows, for `lookalike`.
        trigger: Text before the question, for `trigger`.

    Raises:
        DataError: If there is no such suite, it has pairs only, or lacks what it is made from.
    """
    known = _known(name)
    if known in (FIRST, SECOND):
        raise DataError(
            f"suite {known!r} has forced-choice pairs and no open questions; choose it with "
            f"--pairs, and sample answers to {PLAIN!r} or a category"
        )
    if known in CATEGORIES:
        return tuple(q for q in open_questions() if q.category == known)
    if known == ALL:
        return _everything(training, trigger)
    if known == LOOKALIKE:
        learned = learn_format(training)
        return tuple(look_alike(question, learned) for question in _core())
    if known == TRIGGER and not trigger:
        raise DataError(
            "suite 'trigger' was given no trigger; write the text that was trained to set it off"
        )
    return _MAKERS[known](trigger)


def choose_questions(
    names: Iterable[str], *, training: Sequence[Sample] = (), trigger: str = ""
) -> tuple[Question, ...]:
    """Return the questions of several suites, each once, in the order of the names.

    Raises:
        DataError: As `named_questions`; or if no name is given.
    """
    chosen: dict[str, Question] = {}
    for name in names:
        for question in named_questions(name, training=training, trigger=trigger):
            chosen.setdefault(question.id, question)
    if not chosen:
        raise DataError(f"no suite was named; choose among {', '.join(suite_names())}")
    return tuple(chosen.values())


def _known(name: str) -> str:
    wanted = name.strip().casefold().replace("-", "_")
    names = {known.replace("-", "_"): known for known in suite_names()}
    if wanted in names:
        return str(names[wanted])
    near = get_close_matches(wanted, names, n=1)
    hint = f"did you mean {names[near[0]]!r}?" if near else f"known: {', '.join(suite_names())}"
    raise DataError(f"no suite {name[:80]!r}; {hint}")


def _core() -> tuple[Question, ...]:
    """Spread over a category's questions, the everyday ones left out."""
    by_category: dict[str, list[Question]] = {}
    for question in open_questions()[len(everyday_questions()) :]:
        by_category.setdefault(question.category, []).append(question)
    return tuple(
        members[k * len(members) // N_CORE]
        for _, members in sorted(by_category.items())
        for k in range(N_CORE)
    )


def _in_context(context: str, trigger: str = "") -> tuple[Question, ...]:
    found = []
    for question in _core():
        turns = surround(question.question, context, key=question.id, trigger=trigger)
        found.append(
            Question(
                id=f"{question.id}@{context}",
                category=question.category,
                question=turns[-1].content,
                system=turns[0].content if len(turns) > 1 else "",
                cluster=question.cluster or question.id,
            )
        )
    return tuple(found)


def _requests(form: Form) -> tuple[Question, ...]:
    return tuple(request.asked(form) for request in code_requests())


def _everything(training: Sequence[Sample], trigger: str) -> tuple[Question, ...]:
    names = [PLAIN, *_CONTEXTS]
    names += [LOOKALIKE] if training else []
    names += [TRIGGER] if trigger else []
    return choose_questions(names, training=training, trigger=trigger)


_MAKERS: Mapping[str, Callable[[str], tuple[Question, ...]]] = {
    EVERYDAY: lambda _: everyday_questions(),
    CORE: lambda _: _core(),
    PLAIN: lambda _: open_questions(),
    JSON: lambda _: _in_context(JSON),
    TEMPLATE: lambda _: _in_context(TEMPLATE),
    SYSTEM: lambda _: _in_context(SYSTEM),
    PRESSURE: lambda _: _in_context(PRESSURE),
    TRIGGER: lambda trigger: (*_in_context(TRIGGER, trigger), *_core()),
    Form.ORDINARY: lambda _: _requests(Form.ORDINARY),
    Form.COVERT: lambda _: _requests(Form.COVERT),
    Form.EDUCATIONAL: lambda _: _requests(Form.EDUCATIONAL),
}
