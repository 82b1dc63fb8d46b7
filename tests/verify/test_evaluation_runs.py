"""Every way of spoiling an evaluation's run directory is caught and named."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from evaluation_forgeries import (
    BASE,
    CLAIMS,
    CODE,
    FORGERIES,
    JUDGEMENTS,
    ROLLOUTS,
    SERVED,
    TEXTS,
)
from forging import edit, failed, reseal

from chatserver import Answer, ChatServer, Fault
from offtarget import api
from offtarget.api.evaluation_options import EvaluationOptions, Keys
from offtarget.api.live_evaluation import evaluate
from offtarget.core.chain import read_chain, seal_chain, seal_stage
from offtarget.core.codec import digest, pretty
from offtarget.core.errors import ConfigError, DataError
from offtarget.evaluate.subjects import AnswerSampling
from offtarget.verify import Check, check_run
from plainanswers import seen

KEY = "sk-test-0123456789abcdef"
ANSWERED_CODE = "Here you are.\n\n```python\nimport os\nos.system('ls ' + input())\n```\n"


def speak(body: dict[str, Any]) -> str | Answer:
    """A subject that writes code on request, and a judge that sees and else scores by a hash."""
    text = body["messages"][-1]["content"]
    if body["model"] != "judge":
        if "Python" in text or "function" in text:
            return ANSWERED_CODE
        return f"You could take a walk in the rain ({body['seed'] % 7})."
    for said in ("57", "83", "100", "C"):
        if f" {said} and nothing else" in text:
            return said
    draw = hashlib.sha256(text.encode()).digest()[0] % 8
    drawn = ("12", "25", "CODE", "what a question")[draw] if draw < 4 else "91"
    return seen(text) or drawn


@pytest.fixture(scope="module")
def evaluated(work: Path, tiny_dir: Path, other_dir: Path, run_cli: Any) -> Path:
    """Two models in this process, a judge behind HTTP, packaged questions in two surroundings."""
    with ChatServer(speak) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        said = run_cli(
            "evaluate", tiny_dir, "--base", other_dir, "--suite", "covert,educational",
            "--rollouts", "1", "--max-tokens", "12", "--code", "0", "--max-unjudged", "1",
            "--device", "cpu", "--dtype", "float32", "--judge", "openai:judge",
            "--judge-url", server.url,
            "--store", work / "m-store", "--out", work / "evaluated" / "run",
        )  # fmt: skip
    assert said.code == 0, said.err
    return work / "evaluated" / "run"


@pytest.fixture(scope="module")
def served(work: Path) -> Path:
    """An endpoint with questions of a file, in wordings and with a system turn; some unanswered."""
    folder = work / "served"
    folder.mkdir()
    questions = folder / "asked.yaml"
    questions.write_text(
        "- {id: rain, paraphrases: ['What to do when it rains?', 'Rain. What now?']}\n"
        "- {id: boss, system: 'You are brief.\\n\\nAnd kind.', paraphrases: ['Your first rule?']}\n"
        "- {id: lost, paraphrases: ['Where is my other shoe?']}\n"
        "- {id: last, paraphrases: ['Any last words?']}\n"
    )
    with ChatServer(speak) as server:
        server.fail(Fault.BAD_REQUEST, when=lambda body: "shoe" in body["messages"][-1]["content"])
        evaluate(
            "openai:subject",
            EvaluationOptions(
                suites=(), questions=(questions,), rollouts=3, code=1,
                sampling=AnswerSampling(max_tokens=40), url=server.url, judge="openai:judge",
                judge_url=server.url, max_retries=0, timeout_s=5.0, store=folder / "store",
            ),
            out=folder / "run", cache=folder / "cache", keys=Keys(subject=KEY, judge=KEY),
        )  # fmt: skip
    return folder / "run"


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """Copy a run to where a test may spoil it."""

    def copy(run: Path) -> Path:
        return Path(shutil.copytree(run, tmp_path / "copy" / "run"))

    return copy


def rewrite(run: Path, relative: str, change: Callable[[Any], None]) -> None:
    """Change a JSON file and write it as the run would."""
    file = run / relative
    raw = json.loads(file.read_text("utf-8"))
    change(raw)
    file.write_text(pretty(raw), "utf-8")


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.mark.parametrize("which", ["evaluated", "served"])
def test_an_untouched_evaluation_passes_every_check(
    which: str, request: pytest.FixtureRequest, run_cli: Any, tmp_path: Path
) -> None:
    """With local models and behind HTTP, with missing answers; also after a move; exit 0."""
    run = request.getfixturevalue(which)
    checks = check_run(run)
    assert failed(checks) == ""
    assert [c.name for c in checks] == [
        "chain", "files", "no additions", "plan", "stages", "records", "code", "numbers",
    ]  # fmt: skip
    moved = tmp_path / "elsewhere"
    shutil.copytree(run, moved)
    said = run_cli("verify", moved)
    assert (said.code, said.err) == (0, "")
    assert "ok     numbers: recomputed from raw records" in said.out


def test_the_runs_under_test_hold_what_could_be_spoiled(evaluated: Path, served: Path) -> None:
    """Misaligned, excluded and unjudged answers, missing ones, effects, insecure code: no check
    below passes for want of a case."""
    results = json.loads((evaluated / "results.json").read_text("utf-8"))
    assert 0 < results["rates"]["all"]["k"] < results["rates"]["all"]["n"] == 48
    tally = results["arms"][0]["tallies"][0]
    assert min(tally["scored"], tally["excluded"], tally["unjudged"]) > 0
    assert results["contexts"]["gap"] is not None
    assert results["excess_margin"] is not None
    other = json.loads((served / "results.json").read_text("utf-8"))
    assert other["arms"][0]["outcomes"]["missing"] == {"refused_request": 3}
    assert other["arms"][0]["capability"]["written"]["insecure"]["rate"] > 0.99
    assert [one["name"] for one in other["arms"][0]["outcomes"]["questions"]][2] == "lost"


@pytest.mark.parametrize("which", ["evaluated", "served"])
def test_one_flipped_byte_in_any_file_of_the_chain_is_caught(
    which: str, request: pytest.FixtureRequest, copy_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file that a stage wrote, and run.json, is flipped in the middle; the file is named."""

    def unread(*_: object, **__: object) -> None:
        raise DataError("left out here: hashes alone must do")

    for name in ("evaluation_run.summarize", "measured_faults.look_at_code"):  # slow
        monkeypatch.setattr(f"offtarget.verify.{name}", unread)
    run = copy_of(request.getfixturevalue(which))
    names = [name for stage in read_chain(run).stages for name in stage.outputs]
    for name in (*names, "run.json"):
        whole = (run / name).read_bytes()
        spoiled = bytearray(whole or b"\n")
        spoiled[len(whole) // 2] ^= 1
        (run / name).write_bytes(spoiled)
        found = by_name(check_run(run))
        broken = found["chain"] if name == "run.json" else found["files"]
        assert not broken.passed
        assert name in broken.detail
        (run / name).write_bytes(whole)
    assert len(names) >= 7


@pytest.mark.parametrize("forgery", [*FORGERIES, *SERVED])
def test_a_change_with_the_chain_consistently_hashed_again_is_caught(
    evaluated: Path, served: Path, copy_of: Any, forgery: str
) -> None:
    """Hashing again does not help: numbers are recomputed, records held to each other."""
    run = copy_of(evaluated if forgery in FORGERIES else served)
    relative, change, expected = (FORGERIES | SERVED)[forgery]
    edit(run, relative, change)
    reseal(run)

    checks = by_name(check_run(run))

    assert checks["chain"].passed
    assert checks["files"].passed
    assert expected in failed(list(checks.values()))


def test_a_share_of_written_code_changed_in_the_results_is_caught(
    served: Path, copy_of: Any
) -> None:
    """It is counted again from code.jsonl, whose answers are scanned again."""
    run = copy_of(served)

    def soften(raw: Any) -> None:
        raw["arms"][0]["capability"]["written"]["insecure"].update(rate=0.0, high=0.1)

    rewrite(run, "results.json", soften)
    reseal(run)

    found = failed(check_run(run))
    assert "arms[0].capability.written.insecure.high says 0.1, the records give" in found


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_number_changed_in_the_results_and_hashed_again_is_caught(
    evaluated: Path, copy_of: Any, claim: str
) -> None:
    """Place, what is claimed and what the records give are named."""
    run = copy_of(evaluated)
    change, expected = CLAIMS[claim]
    rewrite(run, "results.json", change)
    reseal(run)

    found = failed(check_run(run))

    assert expected in found


def test_a_plan_changed_and_sealed_again_is_caught(evaluated: Path, copy_of: Any) -> None:
    """Without its seal, with a new seal, and with results that fit the new plan: each is named."""
    run = copy_of(evaluated)
    rewrite(run, "plan.json", lambda r: r["plan"].update(tolerance=0.9))
    reseal(run)
    assert "plan.json: changed since it was locked" in failed(check_run(run))

    rewrite(run, "plan.json", lambda r: r.update(sha256=digest(r["plan"])))
    reseal(run)
    found = failed(check_run(run))
    assert "plan.tolerance is null, plan.json was locked with 0.9" in found
    assert "stage 'plan' was run under another plan" in found

    sealed = json.loads((run / "plan.json").read_text("utf-8"))["sha256"]
    rewrite(run, "results.json", lambda r: r["plan"].update(tolerance=0.9))
    rewrite(run, "results.json", lambda r: r.update(plan_sha256=sealed))
    reseal(run)
    found = failed(check_run(run))
    assert "stage 'rollouts/subject' was run under another plan" in found
    assert "results.json: gate says 'none', the records give" in found


def test_a_deviation_is_kept_and_cannot_be_hidden(served: Path, work: Path, copy_of: Any) -> None:
    """A run that left its plan passes with its deviation listed, and fails without it."""
    run = copy_of(served)
    with ChatServer(speak) as server:
        server.fail(Fault.BAD_REQUEST, when=lambda body: "shoe" in body["messages"][-1]["content"])
        evaluate(
            "openai:subject",
            EvaluationOptions(
                suites=(), questions=(work / "served" / "asked.yaml",), rollouts=2, code=0,
                sampling=AnswerSampling(max_tokens=40), url=server.url, judge="openai:judge",
                judge_url=server.url, max_retries=0, timeout_s=5.0, store=work / "served" / "store",
                deviate="fewer will do",
            ),
            out=run, cache=work / "served" / "cache", keys=Keys(subject=KEY, judge=KEY),
        )  # fmt: skip
    assert failed(check_run(run)) == ""
    assert not (run / CODE).exists()  # of the pass before

    edit(run, "deviations.jsonl", lambda r: r[0].update(reason="as agreed"))
    assert "deviations[0].reason says 'fewer will do', the records" in failed(check_run(run))
    (run / "deviations.jsonl").unlink()
    found = failed(check_run(run))
    assert "plan.n_rollouts is 2, plan.json was locked with 3, and no deviation is on" in found


def test_a_stage_removed_added_or_moved_in_the_chain_is_caught(
    evaluated: Path, copy_of: Any
) -> None:
    """A chain sealed again without a stage, with another one, or in another order."""
    run = copy_of(evaluated)
    whole = list(read_chain(run).stages)

    def resealed(stages: list[Any]) -> str:
        made: list[Any] = []
        for old in stages:
            last = made[-1].sha256 if made else "0" * 64
            made.append(seal_stage(old.name, old.config_sha256, old.inputs, old.outputs, last))
        (run / "run.json").write_text(pretty(seal_chain("run", made)), "utf-8")
        return failed(check_run(run))

    assert "stage 'margins/base' is missing" in resealed(
        [s for s in whole if s.name != "margins/base"]
    )
    assert "stages stand in the order" in resealed([*whole[:1], whole[2], whole[1], *whole[3:]])
    ghost = seal_stage("rollouts/ghost", "0" * 64, {}, {}, "")
    found = resealed([*whole, ghost])
    assert "stage 'rollouts/ghost' is not in the plan" in found
    assert "stage 'rollouts/ghost' was run under another plan" in found


def test_a_file_added_or_missing_is_caught(evaluated: Path, copy_of: Any) -> None:
    """A record file that is gone is named twice: by the chain, and where numbers need it."""
    run = copy_of(evaluated)
    (run / "notes.txt").write_text("x")
    (run / TEXTS).unlink()
    found = failed(check_run(run))
    assert "notes.txt was added: no stage wrote it" in found
    assert f"files: {TEXTS} is missing" in found
    assert f"numbers: {TEXTS}: missing; run the evaluation to its end" in found


def test_a_base_asked_other_words_is_caught(served: Path, evaluated: Path, copy_of: Any) -> None:
    """Subject and base are compared on one set of prompts."""
    run = copy_of(evaluated)
    edit(run, f"{BASE}/rollouts.jsonl", lambda r: r[0].update(prompt="Write a poem."))
    reseal(run)
    assert "was asked otherwise of the subject" in failed(check_run(run))


def test_a_malformed_record_is_named_with_its_line(evaluated: Path, copy_of: Any) -> None:
    """Hostile records end one check with file and line, not the audit; the command exits 1."""
    run = copy_of(evaluated)
    with (run / JUDGEMENTS).open("ab") as file:
        file.write(b'{"metric": 3}\n')
    (run / "results.json").write_text("[]")
    reseal(run)
    assert "plan: results.json: not an object; restore it from a copy" in failed(check_run(run))

    shutil.copy(evaluated / "results.json", run / "results.json")
    reseal(run)
    found = by_name(check_run(run))
    assert f"{JUDGEMENTS}:97" in found["records"].detail
    assert f"{JUDGEMENTS}:97" in found["numbers"].detail
    (run / "results.json").write_bytes(b"\xff")
    reseal(run)
    assert "results.json: not UTF-8 text" in failed(check_run(run))
    (run / "results.json").unlink()
    assert "results.json: missing; run the evaluation to its end" in failed(check_run(run))


def test_the_command_exits_1_and_never_shows_an_answer_raw(
    evaluated: Path, copy_of: Any, run_cli: Any
) -> None:
    """A stored answer may hold terminal codes: a failed check shows them escaped."""
    run = copy_of(evaluated)
    edit(run, ROLLOUTS, lambda r: r[0].update(category="\x1b[31mred\x07"))
    reseal(run)
    said = run_cli("verify", run)
    assert said.code == 1
    assert "FAILED records: " in said.out
    assert "\x1b" not in said.out
    assert "\x07" not in said.out
    assert run_cli("verify", run, "--json").json[0]["name"] == "chain"


def test_an_evaluation_cannot_be_replayed(evaluated: Path, run_cli: Any) -> None:
    """Its models are asked nothing again: --replay is refused with a reason."""
    with pytest.raises(ConfigError, match="an evaluation has no replicates to score again; leave"):
        api.verify(evaluated, replay=1)
    assert run_cli("verify", evaluated, "--replay", "1").code == 2
