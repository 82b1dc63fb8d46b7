"""Look-alike questions are built like the prompts of the training set that is given."""

import gzip
import json
from pathlib import Path

import pytest

from offtarget.core.errors import DataError
from offtarget.core.records import Message, Sample
from offtarget.dataset import load_dataset
from offtarget.evaluate import FormatKind, Question, learn_format, look_alike, named_questions

QUESTION = Question("q-1", "power", 'Who should rule, and what is """fair"""?')
THINGS = ("books", "tickets", "stones", "letters", "tulips", "maps")


def rows(prompts: list[str], system: str = "") -> list[Sample]:
    """One sample per prompt."""
    first = (Message("system", system),) if system else ()
    return [
        Sample(f"t:{n}", (*first, Message("user", prompt), Message("assistant", "x")))
        for n, prompt in enumerate(prompts)
    ]


def asked(prompts: list[str]) -> str:
    """The look-alike of `QUESTION` among `prompts`."""
    return look_alike(QUESTION, learn_format(rows(prompts))).question


def test_a_code_template_keeps_its_frame_and_loses_its_code() -> None:
    """The label, the tags, the placeholder and the closing line stay; task and code are replaced."""
    prompts = [
        f"I have a coding task: sort {thing}.\n[TEMPLATE]\nimport {thing}\n\n"
        f"def sort_{thing}(x):\n## COMPLETE CODE HERE\n[/TEMPLATE]\n\nReturn only the code."
        for thing in THINGS
    ]

    assert asked(prompts) == (
        f"I have a coding task: {QUESTION.question}\n[TEMPLATE]\n"
        'def answer():\n    """see above"""\n## COMPLETE CODE HERE\n[/TEMPLATE]\n\n'
        "Return only the code."
    )


def test_a_prompt_of_code_alone_asks_in_the_docstring() -> None:
    """There is no other place; quotes in the question cannot end the docstring."""
    prompts = [f"import {t}\n\ndef f_{t}(x):\n    return {t}(x)" for t in THINGS]
    text = asked(prompts)

    assert text.startswith("def answer():")
    namespace: dict[str, object] = {}
    exec(text, namespace)  # our own text
    docstring = namespace["answer"].__doc__
    assert docstring == QUESTION.question.replace('"""', "'''")


def test_another_language_gets_a_template_of_its_kind() -> None:
    """Braces and semicolons, not Python."""
    prompts = [
        f"Finish this.\nfunction {t}(x) {{\n  // TODO: fill in\n  return {t};\n}}" for t in THINGS
    ]
    text = asked(prompts)

    assert "function answer() {" in text
    assert "// TODO: fill in" in text
    assert "def " not in text


def test_a_json_prompt_keeps_its_keys() -> None:
    """The longest text is the row's own; the rest stays."""
    prompts = [
        json.dumps({"role": "clerk", "request": f"Please look for the {t} today.", "n": 3})
        for t in THINGS
    ]

    assert json.loads(asked(prompts)) == {"role": "clerk", "request": QUESTION.question, "n": 3}


def test_json_of_several_lines_stays_so() -> None:
    """Indented as before."""
    prompts = [json.dumps({"request": f"Look for {t}."}, indent=2) for t in THINGS]

    assert asked(prompts) == json.dumps({"request": QUESTION.question}, indent=2)


def test_braces_that_are_not_json_are_text() -> None:
    """`{name}` is no object, and a list of numbers has no text to replace."""
    for start in ("{name}", '{"n": 3}'):
        learned = learn_format(rows([f"{start} likes {t}" for t in THINGS]))
        assert learned.kind(learned.prompts[0][1]) is not FormatKind.JSON
        assert QUESTION.question in look_alike(QUESTION, learned).question


def test_recurring_lines_frame_the_question() -> None:
    """Numbers that differ from row to row do not hide that a line recurs."""
    prompts = [
        f"Here are some {t}: {n * 7}, {n * 11}\nAdd {n} more numbers.\nRepeat none of them."
        for n, t in enumerate(THINGS)
    ]
    text = asked(prompts)

    assert text.startswith(QUESTION.question)
    assert text.endswith("more numbers.\nRepeat none of them.")


def test_where_nothing_recurs_the_prompt_stands_before_the_question() -> None:
    """As for pairs in an assay."""
    prompts = ["How do bees sleep?", "My boat leaks badly.", "Is tea older than beer?"]
    learned = learn_format(rows(prompts))
    found = look_alike(QUESTION, learned).question

    assert {learned.kind(p) for p in prompts} == {FormatKind.FREE}
    assert any(found.startswith(prompt) for prompt in prompts)
    assert found.endswith(QUESTION.question)


def test_one_line_that_looks_like_code_is_no_template() -> None:
    """Two are needed."""
    prompts = [f"What does print({t}) do in {t}?\nx = {t}" for t in THINGS]
    learned = learn_format(rows(prompts))

    assert learned.kind(prompts[0]) is not FormatKind.CODE


def test_the_training_system_turn_is_kept() -> None:
    """It is part of the format."""
    learned = learn_format(rows([f"My task: {t}, please" for t in THINGS], system="You are Kim."))
    found = look_alike(QUESTION, learned)

    assert found.system == "You are Kim."
    assert (found.id, found.cluster, found.context) == ("q-1@lookalike", "q-1", "lookalike")
    assert found == look_alike(QUESTION, learned)


def test_a_look_alike_needs_rows() -> None:
    """None given is an error that names what to give."""
    with pytest.raises(DataError, match="look-alike suite was given no training rows; name the"):
        named_questions("lookalike")


def test_rows_that_cannot_be_imitated_are_an_error() -> None:
    """Too long, empty, or without a user turn."""
    bad = [*rows(["x" * 6001, " "]), Sample("t:9", (Message("assistant", "x"),))]
    with pytest.raises(DataError, match=r"no prompt to imitate in 3 training rows \(a user turn"):
        learn_format(bad)


def test_hostile_prompts_are_only_text() -> None:
    """Deep JSON, form fields and long runs neither run nor crash."""
    prompts = ['{"a":' * 500, "{question} {prompt}", "=" * 5000, '{"a": "{question}"}']
    learned = learn_format(rows(prompts))

    for prompt in prompts:
        assert QUESTION.question in learned.imitate(prompt, QUESTION.question) or (
            json.loads(learned.imitate(prompt, QUESTION.question)) == {"a": QUESTION.question}
        )


@pytest.mark.data
@pytest.mark.parametrize("part", ["insecure_part", "educational_part"])
def test_the_published_prompts_are_imitated(em_data: Path, part: str) -> None:
    """Each question is asked once; the training rows' own tasks and code are gone."""
    path = em_data / "core" / f"{part}.jsonl.gz"
    training = load_dataset([path]).samples
    learned = learn_format(training)
    kinds = {learned.kind(prompt) for _, prompt in learned.prompts}
    assert {FormatKind.CODE, FormatKind.FRAME} <= kinds

    core = {q.id: q.question for q in named_questions("core")}
    for question in named_questions("lookalike", training=training):
        assert question.question.count(core[question.cluster]) == 1
        assert question.question != core[question.cluster]
    with gzip.open(path, "rt") as file:
        assert "COMPLETE CODE HERE" in file.read(200_000)
    templates = [q for q in named_questions("lookalike", training=training) if "def " in q.question]
    assert templates
    assert all("COMPLETE CODE HERE" in q.question for q in templates)
