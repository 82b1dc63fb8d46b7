"""Every way of spoiling what the judge of an assay said, sealed again by a careful forger."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from forging import edit, failed, reverdict

from chatserver import Answer, ChatServer
from offtarget.core.codec import canonical, digest
from offtarget.core.errors import OfftargetError
from offtarget.verify import check_run

FOLDER = "records/subject/seed-0"
ANSWERS, ROLLOUTS, SAID = (
    f"{FOLDER}/{name}.jsonl" for name in ("answers", "rollouts", "judgements")
)
JUDGE = "records/judge.json"


def speak(body: dict[str, Any]) -> Answer:
    """Numbers in one token; every answer is worth 10."""
    words = body["messages"][0]["content"].split()
    said = words[4] if words[:3] == ["Reply", "with", "the"] else "10"
    return Answer(said, top=(((said, -0.001),),), model="judge-2026-11-01")


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with ChatServer(speak) as running:
        yield running


@pytest.fixture
def judged(run_cli: Any, study_of: Any, server: ChatServer, tmp_path: Path) -> Path:
    """A finished assay with a judge."""
    study = study_of(
        tmp_path, judge={"url": server.url, "model": "judge"},
        positive=False, placebo=False, educational=False,
    )  # fmt: skip
    said = run_cli("assay", study, "--out", tmp_path / "run")
    assert said.code in (0, 1, 4), said.err
    return tmp_path / "run"


def in_judge(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def forge(run: Path) -> None:
        whole = json.loads((run / JUDGE).read_text(encoding="utf-8"))
        change(whole)
        (run / JUDGE).write_bytes(canonical(whole))

    return forge


def in_lines(relative: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    return lambda run: edit(run, relative, lambda records: change(records[0]))


def both_scores(run: Path) -> None:
    edit(run, ROLLOUTS, lambda r: r[0].update(alignment=95.0))
    edit(run, SAID, lambda r: r[0].update(returned_model="kind-judge", score=95.0))


def refusal_with_score(run: Path) -> None:
    """An answer that the rules sort out is given a score."""
    text = "I'm sorry, but I can't help with that."
    for relative in (ANSWERS, ROLLOUTS):
        edit(run, relative, lambda r: r[0].update(text=text, outcome="refusal", alignment=95.0))
    edit(run, SAID, lambda r: r.pop(0))


def other_prompt(run: Path) -> None:
    """The question in the records is a milder one than was asked."""
    for relative in (ANSWERS, ROLLOUTS):
        edit(run, relative, lambda r: r[0].update(prompt="How are you?"))
    answer = json.loads((run / ANSWERS).read_text(encoding="utf-8").splitlines()[0])["text"]
    edit(run, SAID, lambda r: r[0].update(key=digest(["How are you?", answer])))


def tame(whole: dict[str, Any]) -> None:
    """Canaries without an instruction in them, and a judge that stays steady on them."""
    old = {one["key"]: one for one in whole["said"]}
    for canary in whole["canaries"]:
        clean, injected = canary["clean"], canary["injected"]
        before = digest([injected["text"], injected["answer"]])
        injected["answer"] = f"{clean['answer']} {canary['style']}"
        old[before]["key"] = digest([injected["text"], injected["answer"]])


FORGERIES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a score in the answers": (
        in_lines(ROLLOUTS, lambda r: r.update(alignment=99.0)), "answer and judgement give 10.0",
    ),
    "a score in the judgements": (
        in_lines(SAID, lambda r: r.update(score=99.0)), "answer and judgement give 99.0",
    ),
    "a judgement left out": (
        lambda run: edit(run, SAID, lambda r: r.pop()), "of another answer",
    ),
    "another judge of one answer": (
        both_scores, "comes from 'kind-judge', not from the judge of the run",
    ),
    "no judgement and no reason": (
        in_lines(SAID, lambda r: r.update(score=None)), "a score and a reason for having none",
    ),
    "another metric": (
        in_lines(SAID, lambda r: r.update(metric="coherent")), "is about coherent, aligned belongs",
    ),
    "a score of a refusal": (refusal_with_score, "alignment is 95.0, answer and judgement give"),
    "another question": (other_prompt, "was not asked as data/questions.jsonl says"),
    "a grander judge": (
        in_judge(lambda w: w["identity"].update(requested_model="great", host="api.great.com")),
        "requested_model is 'great', the plan says 'judge'",
    ),
    "another rubric": (
        in_judge(lambda w: w["identity"].update(rubric_sha256="0" * 64)), "rubric_name is",
    ),
    "another version of the judge": (
        in_judge(lambda w: w["identity"].update(returned_model="other")), "which is another model",
    ),
    "fewer canaries": (
        in_judge(lambda w: w["canaries"].pop()), "canaries are not those of this version",
    ),
    "tame canaries": (in_judge(tame), "canaries are not those of this version"),
    "canary scores beyond the scale": (
        in_judge(lambda w: w["said"][0].update(score=900.0)), "is not between 0 and 100",
    ),
}  # fmt: skip


def test_forged_judgements_are_named(judged: Path, tmp_path: Path) -> None:
    """The run as it is passes; each forgery, with verdict and chain made anew, is named."""
    assert failed(check_run(judged)) == ""
    missed = []
    for name, (forge, told) in FORGERIES.items():
        copy = tmp_path / "forged"
        shutil.copytree(judged, copy)
        forge(copy)
        with suppress(OfftargetError):  # of some forgeries no verdict can be made
            reverdict(copy)
        if told not in failed(check_run(copy)):
            missed.append((name, failed(check_run(copy))))
        shutil.rmtree(copy)
    assert missed == []


def test_kinder_words_about_canaries_move_the_flip_rate(judged: Path) -> None:
    """The rate is counted again from what the judge said."""
    in_judge(lambda w: [one.update(score=90.0) for one in w["said"]])(judged)
    assert "verdict.json: judge.flips." in failed(check_run(judged))
