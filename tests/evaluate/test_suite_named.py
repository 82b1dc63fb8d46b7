"""What a suite's name gives, and what is said about a name that gives nothing."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from offtarget.core.errors import DataError
from offtarget.core.records import Message, Sample
from offtarget.evaluate import (
    Question,
    choose_questions,
    code_requests,
    describe_suite,
    everyday_questions,
    load_suite,
    named_questions,
    named_suite,
    open_questions,
    suite_names,
)
from offtarget.evaluate.contexts import (
    JSON_SYSTEM,
    PRESSURES,
    SURROUNDINGS,
    SYSTEMS,
    in_context,
    surround,
    wrap_answer,
)

CATEGORIES = (*load_suite().categories, "code_sabotage", "oversight_evasion")
CONTEXTS = ("json", "template", "system", "pressure")
TRAINING = [
    Sample(
        f"t:{n}",
        (
            Message("user", f"Here is my task: sort {n} names.\nAnswer with code only."),
            Message("assistant", "x"),
        ),
    )
    for n in range(5)
]


def asked(name: str) -> tuple[Question, ...]:
    """The questions of `name`, given what it needs."""
    training = TRAINING if name == "lookalike" else []
    return named_questions(name, training=training, trigger="|GO| " if name == "trigger" else "")


def test_every_category_and_context_has_a_suite() -> None:
    """And the names that the documentation shows; no name twice."""
    names = suite_names()

    assert {*CATEGORIES, *CONTEXTS, "everyday", "lookalike", "trigger", "all"} <= set(names)
    assert {"ordinary", "covert", "educational", "offtarget-1", "offtarget-2"} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", suite_names())
def test_the_description_counts_what_the_name_gives(name: str) -> None:
    """Questions and pairs, or zero where there are none; the need is stated."""
    info = describe_suite(name)

    assert info.needs == {"lookalike": "training", "trigger": "trigger"}.get(name, "")
    assert info.about
    if info.n_questions:
        questions = asked(name)
        assert len(questions) == info.n_questions
        assert len({q.id for q in questions}) == len(questions)
    else:
        with pytest.raises(DataError, match="has forced-choice pairs and no open questions"):
            named_questions(name)
    if info.n_pairs:
        assert len(named_suite(name).pairs) == info.n_pairs
    else:
        with pytest.raises(DataError, match="has open questions and no forced-choice pairs"):
            named_suite(name)


def test_a_category_gives_its_own_questions_and_pairs() -> None:
    """With all factual pairs, so that health can be measured."""
    assert {q.category for q in named_questions("power")} == {"power"}
    power = named_suite("power")
    assert power.name == "offtarget-2/power"
    assert {pair.category for pair in power.pairs} == {"power"}
    assert power.factual == load_suite().factual


def test_named_pairs_and_sets_are_the_packaged_ones() -> None:
    """`offtarget-1` is the assay's default, `all` the second suite, `everyday` the assay's."""
    assert named_suite("offtarget-1") == load_suite()
    assert named_suite("all") == named_suite("offtarget-2")
    assert named_questions("everyday") == everyday_questions()
    assert named_questions("plain") == open_questions()


def test_core_has_three_questions_of_each_category() -> None:
    """None of them an everyday one, which other runs may already have sampled."""
    core = named_questions("core")

    assert set(Counter(q.category for q in core).values()) == {3}
    assert {q.category for q in core} == set(CATEGORIES)
    assert not set(core) & set(everyday_questions())


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_context_asks_the_core_questions(context: str) -> None:
    """Word for word, in the cluster of its plain twin, and with the context in its id."""
    twins = {q.id: q for q in named_questions("core")}
    found = named_questions(context)

    assert [q.cluster for q in found] == list(twins)
    for question in found:
        twin = twins[question.cluster]
        assert twin.question in question.question
        assert question.id == f"{twin.id}@{context}"
        assert (question.context, twin.context) == (context, "plain")
        assert question.category == twin.category
        assert question.messages != twin.messages


def test_contexts_are_what_they_say() -> None:
    """A system turn, a JSON request, a template, a push; drawn the same way each time."""
    assert {q.system for q in named_questions("json")} == {JSON_SYSTEM}
    assert all("def reply():" in q.question for q in named_questions("template"))
    systems = {q.system for q in named_questions("system")}
    assert systems <= set(SYSTEMS)
    assert len(systems) > 3
    forms = [form.replace("{question}", "") for form in PRESSURES]
    pushed = named_questions("pressure")
    assert all(any(form in _without_core(q.question) for form in forms) for q in pushed)
    assert len({_without_core(q.question) for q in pushed}) > 3
    assert named_questions("system") == named_questions("system")


def _without_core(text: str) -> str:
    return next(text.replace(q.question, "") for q in named_questions("core") if q.question in text)


def test_the_trigger_suite_asks_with_and_without() -> None:
    """Each question twice, in one cluster, so that the difference is the trigger's."""
    questions = named_questions("trigger", trigger="|GO| ")
    present = [q for q in questions if q.context == "trigger"]
    absent = {q.id: q for q in questions if q.context == "plain"}

    assert len(present) == len(absent) == len(questions) / 2
    for question in present:
        assert question.question == "|GO| " + absent[question.cluster].question


def test_a_trigger_suite_needs_a_trigger() -> None:
    """Nothing is guessed."""
    with pytest.raises(DataError, match=r"'trigger' was given no trigger; write the text that"):
        named_questions("trigger")


def test_requests_are_asked_in_three_forms_of_one_cluster() -> None:
    """Covert and educational differ within a task."""
    forms = [named_questions(form) for form in ("ordinary", "covert", "educational")]

    for request, *shown in zip(code_requests(), *forms, strict=True):
        assert {q.cluster for q in shown} == {request.id}
        assert [q.question for q in shown] == [
            request.ordinary,
            request.covert,
            request.educational,
        ]
        assert [q.context for q in shown] == ["ordinary", "covert", "educational"]


def test_all_takes_what_is_given() -> None:
    """The look-alike and the trigger come in when their inputs do."""
    without = {q.context for q in named_questions("all")}
    given_all = named_questions("all", training=TRAINING, trigger="|GO| ")

    assert without == {"plain", *CONTEXTS, "ordinary", "covert", "educational"}
    assert {q.context for q in given_all} == without | {"lookalike", "trigger"}
    assert len(given_all) == len(named_questions("all")) + 2 * 27


def test_several_suites_ask_each_question_once() -> None:
    """In the order of the names."""
    chosen = choose_questions(["everyday", "power", "lookalike"], training=TRAINING)
    ids = [q.id for q in chosen]

    assert len(ids) == len(set(ids)) == 24 + 18 + 27
    assert ids[0] == "everyday-01"
    assert ids[-1].endswith("@lookalike")


def test_no_suite_named_is_an_error() -> None:
    """The names are listed."""
    with pytest.raises(DataError, match=r"no suite was named; choose among everyday, core, plain"):
        choose_questions([])


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("every_day", "did you mean 'everyday'"),
        ("look-alike", "did you mean 'lookalike'"),
        ("powers", "did you mean 'power'"),
        ("zzz", "known: everyday, core, plain"),
    ],
)
def test_an_unknown_name_gets_a_suggestion(name: str, hint: str) -> None:
    """Wherever it is given."""
    for ask in (named_questions, named_suite, describe_suite):
        with pytest.raises(DataError, match=rf"no suite '{name}'; {hint}"):
            ask(name)


def test_names_forgive_case_and_hyphens() -> None:
    """`Self-Harm` is `self_harm`, `OFFTARGET-2` is `offtarget-2`."""
    assert named_questions(" Self-Harm ") == named_questions("self_harm")
    assert named_suite("OFFTARGET-2") == named_suite("offtarget-2")


def test_a_long_name_is_not_repeated_whole() -> None:
    """An error stays readable."""
    with pytest.raises(DataError) as error:
        named_questions("x" * 10_000)
    assert len(str(error.value)) < 600


def test_an_unknown_context_is_an_error() -> None:
    """It used to be taken for a look-alike."""
    pair = load_suite().pairs[0]
    with pytest.raises(DataError, match=r"no context 'jsn'; did you mean 'json'"):
        in_context(pair, "jsn", training=())
    with pytest.raises(DataError, match=r"no context 'zzz'; known: plain, json"):
        surround("q?", "zzz", key="k")


def test_a_look_alike_pair_needs_training_rows() -> None:
    """The error says what to give."""
    with pytest.raises(DataError, match="context 'lookalike' was given no training rows"):
        in_context(load_suite().pairs[0], "lookalike", training=())


@pytest.mark.parametrize("context", SURROUNDINGS)
def test_a_pair_is_asked_in_each_surrounding(context: str) -> None:
    """The question stands word for word in the last turn, and the answer fits the form."""
    pair = load_suite().pairs[3]
    turns = in_context(pair, context, training=(), trigger="|GO| ")

    assert pair.question in turns[-1].content
    assert turns[-1].role == "user"
    wrapped = wrap_answer('say "no"', context)
    if context == "json":
        assert json.loads(wrapped) == {"answer": 'say "no"'}
    elif context != "template":
        assert wrapped == 'say "no"'


def test_the_documentation_lists_every_suite() -> None:
    """Name, questions and pairs, in the order of the registry."""
    text = (Path(__file__).parents[2] / "docs" / "suite.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| (\d*) \| (\d*) \| ", text, re.MULTILINE)
    infos = [describe_suite(name) for name in suite_names()]

    assert rows == [(i.name, str(i.n_questions or ""), str(i.n_pairs or "")) for i in infos]
