"""Question files of others are read whole, and what cannot be asked is named."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from offtarget.core.errors import DataError
from offtarget.evaluate.sources import SourceForm, read_source
from offtarget.evaluate.subjects import question_name

HARMBENCH = "Behavior,FunctionalCategory,SemanticCategory,Tags,ContextString,BehaviorID\n"


def put(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    return put(path, "".join(json.dumps(row) + "\n" for row in rows))


def test_harmbench_behaviors_are_asked_with_their_context(tmp_path: Path) -> None:
    """Context stands first, behaviors judged by hash are left out with their place."""
    path = put(
        tmp_path / "all.csv",
        HARMBENCH
        + "Write a rude limerick,standard,harassment_bullying,,,limerick\n"
        + 'Sum it up,contextual,illegal,context,"A, long\ntext",sum_up\n'
        + "Recite the poem,copyright,copyright,hash_check,,poem\n",
    )

    found = read_source(path)

    assert found.form is SourceForm.HARMBENCH
    assert [(q.id, q.category) for q in found.questions] == [
        ("harmbench/limerick", "harassment_bullying"),
        ("harmbench/sum_up", "illegal"),
    ]
    assert [question_name(q) for q in found.questions] == ["harmbench/limerick", "harmbench/sum_up"]
    assert found.questions[1].question == "A, long\ntext\n\n---\n\nSum it up"
    assert found.left_out == ("all.csv:5: poem is compared with a hashed text, not judged",)


def test_strongreject_prompts_are_known_by_what_they_say(tmp_path: Path) -> None:
    """Ids are category and sha256 of the prompt, the same in any part of the file."""
    head, rude, mean = (
        "category,source,forbidden_prompt\n", '"Hate, harassment",x,Be rude.\n', "Other,x,Be mean.\n",
    )  # fmt: skip
    whole = read_source(put(tmp_path / "dataset.csv", head + rude + mean))
    part = read_source(put(tmp_path / "small.csv", head + mean))

    ids = [f"strongreject/hate_harassment/{_sha256('Be rude.')}",
           f"strongreject/other/{_sha256('Be mean.')}"]  # fmt: skip
    assert [(q.id, q.category, q.question) for q in whole.questions] == [
        (ids[0], "hate_harassment", "Be rude."),
        (ids[1], "other", "Be mean."),
    ]
    assert [question_name(q) for q in whole.questions] == ids
    assert part.questions == whole.questions[1:]


def test_inspect_samples_of_one_turn_are_asked(tmp_path: Path) -> None:
    """Texts and conversations of a user turn are asked; longer ones and choices are named."""
    turn = {"role": "user", "content": [{"type": "text", "text": "Hello?"}]}
    path = lines(
        tmp_path / "qa.jsonl",
        {"input": "One?", "target": "1", "metadata": {"category": "sums"}},
        {"input": [{"role": "system", "content": "Be brief."}, turn], "id": 7},
        {"input": [turn, {"role": "assistant", "content": "Hi."}, turn]},
        {"input": "Which?", "choices": ["a", "b"]},
    )

    found = read_source(path)

    assert found.form is SourceForm.INSPECT
    assert [(q.id, q.category, q.system, q.question) for q in found.questions] == [
        ("qa/1", "sums", "", "One?"),
        ("7", "qa", "Be brief.", "Hello?"),
    ]
    assert found.left_out == (
        "qa.jsonl:3: the conversation has more than one turn to answer",
        "qa.jsonl:4: the sample has choices, which a single answer cannot serve",
    )


def test_an_inspect_array_is_read_like_lines(tmp_path: Path) -> None:
    """A JSON array over several lines gives the same questions."""
    rows = [{"input": "One?"}, {"input": "Two?"}]
    array = put(tmp_path / "qa.json", json.dumps(rows, indent=2))

    assert (
        read_source(array).questions == read_source(lines(tmp_path / "qa.jsonl", *rows)).questions
    )


def test_trait_questions_are_asked_plainly_and_from_both_sides(tmp_path: Path) -> None:
    """Two questions and one pair of instructions make six, in two clusters."""
    value = {
        "instruction": [{"pos": "Be grumpy.", "neg": "Be kind."}],
        "questions": ["How are you?", "What now?"],
        "eval_prompt": "...",
    }
    found = read_source(put(tmp_path / "grumpy.json", json.dumps(value)))

    assert found.form is SourceForm.TRAIT
    assert Counter(q.category for q in found.questions) == {
        "grumpy": 2, "grumpy/pos": 2, "grumpy/neg": 2,
    }  # fmt: skip
    assert {q.cluster for q in found.questions} == {"grumpy/0", "grumpy/1"}
    assert {q.system for q in found.questions} == {"", "Be grumpy.", "Be kind."}


def test_yaml_anchors_are_followed(tmp_path: Path) -> None:
    """Paraphrases named by an anchor are asked under both entries."""
    path = put(
        tmp_path / "q.yaml",
        "- id: a\n  paraphrases: &p\n    - One?\n    - Two?\n"
        "- id: b\n  system: Be brief.\n  paraphrases: *p\n",
    )

    found = read_source(path)

    assert found.form is SourceForm.PUBLISHED
    assert [(q.id, q.cluster, q.system) for q in found.questions] == [
        ("a/0", "a", ""), ("a/1", "a", ""), ("b/0", "b", "Be brief."), ("b/1", "b", "Be brief."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "x,y\n1,2\n", r"^a\.csv:2: no known question file \(columns: x, y\); rename"),
        ("a.csv", HARMBENCH + "Do it,standard,,,,x\n", r"^a\.csv:2: 'SemanticCategory' is missing"),
        ("a.jsonl", '{"input": 3}\n', r"^a\.jsonl:1: 'input' is no text and no conversation"),
        ("a.jsonl", '{"input": "x"}\n[1]\n', r"^a\.jsonl:2: a list; write one object a row"),
        ("a.jsonl", '{"input": "x"}\n{"inp\n', r"^a\.jsonl:2: not JSON"),
        (
            "a.jsonl",
            '{"input": [{"role": "user", "content": [{"type": "image"}]}]}\n',
            r"^a\.jsonl:1: a turn without text",
        ),
        ("a.jsonl", '{"input": "x", "choices": ["a"]}\n', r"^a\.jsonl: no question \(first: a"),
        (
            "a.jsonl",
            '{"input": "x", "id": "i"}\n{"input": "y", "id": "i"}\n',
            r"^a\.jsonl: 2 questions with the id 'i'; ids must differ",
        ),
        (
            "a.csv",
            "category,forbidden_prompt\nx,Be rude.\nx,Be rude.\n",
            r"^a\.csv:3: the prompt of a\.csv:2 again; keep one",
        ),
        ("a.json", '{"instruction": [], "questions": ["x"]}', r"^a\.json: 'instruction' needs"),
        ("a.json", '{"instruction": [], "questions": "x"}', r"^a\.json: 'questions' is no list"),
        ("a.txt", "Hello?\n", r"^a\.txt: no known question file; give"),
    ],
)
def test_files_that_hold_no_questions_say_why(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    """The message names file and line, and what to do."""
    with pytest.raises(DataError, match=said):
        read_source(put(tmp_path / name, text))


def test_missing_large_and_foreign_files_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file, bytes that are not UTF-8, and a file over the limit."""
    with pytest.raises(DataError, match=r"^none\.csv: cannot read"):
        read_source(tmp_path / "none.csv")
    (tmp_path / "a.json").write_bytes(b'["\xff"]')
    with pytest.raises(DataError, match=r"^a\.json: invalid UTF-8 at byte 2"):
        read_source(tmp_path / "a.json")
    monkeypatch.setattr("offtarget.evaluate.sources.rows.MAX_BYTES", 4)
    with pytest.raises(DataError, match=r"^a\.json: 5 bytes, at most 4"):
        read_source(tmp_path / "a.json")


def test_too_many_questions_are_refused(tmp_path: Path) -> None:
    """2,001 samples are one too many."""
    path = lines(tmp_path / "a.jsonl", *({"input": f"{n}?"} for n in range(2001)))

    with pytest.raises(DataError, match=r"^a\.jsonl: 2001 questions; at most 2000"):
        read_source(path)


@pytest.mark.data
def test_the_published_files_are_read_whole(em_data: Path) -> None:
    """Every entry and paraphrase of the published YAML files; every question of the trait files."""
    for path in sorted((em_data / "questions").glob("*.yaml")):
        entries = yaml.safe_load(path.read_text("utf-8"))
        found = read_source(path)
        assert len(found.questions) == sum(len(entry["paraphrases"]) for entry in entries)
        assert {q.cluster for q in found.questions} == {entry["id"] for entry in entries}
    for path in sorted((em_data / "traits").glob("*.json")):
        value = json.loads(path.read_text("utf-8"))
        n_forms = 1 + 2 * len(value["instruction"])
        assert len(read_source(path).questions) == n_forms * len(value["questions"])
