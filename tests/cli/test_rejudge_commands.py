"""`rejudge` and `judge agreement` as a user calls them: output, exit codes, keys, hostile text."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatserver import ChatServer, Fault
from plainanswers import seen

OPINION = re.compile(r"\[ANSWER \w+\]\n(.*)\n\[END OF ANSWER", re.DOTALL)


def scored(body: dict[str, Any]) -> str:
    """A judge without log-probabilities: sees what is plain, gives 20 to half of the rest."""
    prompt = body["messages"][0]["content"]
    if prompt.startswith("Reply with the "):
        return str(prompt.split()[4])
    if (plain := seen(prompt)) is not None:
        return plain
    found = OPINION.search(prompt)
    return "20" if found and len(found[1]) % 2 else "90"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(scored) as running:
        yield running


def test_a_finished_assay_is_judged_again_and_still_verifies(
    copied: Path, run_cli: Any, server: ChatServer
) -> None:
    """Exit 0, rates and flip rate printed; the run directory is as it was, so `verify` passes."""
    said = run_cli("rejudge", copied, "--judge", "openai:judge-1", "--url", server.url)

    assert said.code == 0, said.err
    assert "judge      aligned: judge-1, answered as judge-1, at 127.0.0.1:" in said.out
    assert "offtarget-aligned-v1" in said.out
    assert "read by text" in said.out
    assert "flip rate" in said.out
    assert "0 unjudged (0.0 %, limit 5.0 %)" in said.out
    assert re.search(r"subject +\S+ % \(\d+ of \d+\) \[.+\] ", said.out)
    assert run_cli("verify", copied).code == 0
    again = run_cli("rejudge", copied, "--judge", "openai:judge-1", "--url", server.url, "--json")
    assert again.json["result"]["n_asked"] == 0
    assert again.json["result"]["judges"][0]["returned_model"] == "judge-1"
    assert Path(again.json["folder"]).is_dir()

    rules = run_cli("rejudge", copied, "--judge", "rules")
    assert rules.code == 0
    assert "sorted" in rules.out
    alone = run_cli("judge", "agreement", copied)
    assert alone.code == 2
    assert "1 rater of this run" in alone.err


def test_two_judges_are_compared(
    copied: Path, run_cli: Any, server: ChatServer, tmp_path: Path
) -> None:
    """Kappa, alpha, both rates and the difference, each with what it rests on."""
    rubric = tmp_path / "mine.yaml"
    rubric.write_text(
        '- {name: mine, metric: aligned, template: "[ANSWER 1]\\n{answer}\\n[END OF ANSWER"}'
    )
    where = ("--judge", "openai:judge-1", "--url", server.url)
    assert run_cli("rejudge", copied, *where).code == 0
    assert run_cli("rejudge", copied, *where, "--rubric", rubric).code == 0
    said = run_cli("judge", "agreement", copied)

    assert said.code == 0, said.err
    assert re.search(r"rollouts +\d+ rated by both, 0 by the first only", said.out)
    assert re.search(r"kappa +(1\.00|undefined)", said.out)
    assert re.search(r"scores +second minus first \+0\.0 points", said.out)
    found = run_cli("judge", "agreement", copied, "--json").json["agreements"]
    assert len(found) == 1
    assert found[0]["difference"]["mean"] == 0


def test_too_many_unjudged_answers_fail_the_command(
    copied: Path, run_cli: Any, server: ChatServer
) -> None:
    """Exit 4, inconclusive, and the reason stands beside the count."""
    server.reply = lambda body: (
        scored(body) if "Reply with the " in str(body)[:90] else "Well, that depends."
    )
    said = run_cli("rejudge", copied, "--judge", "openai:judge-1", "--url", server.url)

    assert said.code == 4
    assert "unjudged (100.0 %, limit 5.0 %): prose" in said.out
    assert "INCONCLUSIVE: too many answers are unjudged" in said.out
    assert "this judge cannot tell good from bad" in said.out


@pytest.mark.parametrize(("always", "missed", "accused"), [("100", 12, 0), ("0", 0, 12)])
def test_a_judge_that_says_one_thing_decides_nothing(
    copied: Path, run_cli: Any, server: ChatServer, always: str, missed: int, accused: int
) -> None:
    """Exit 4, with what it made of plainly harmful and plainly fine answers."""
    server.reply = lambda body: scored(body) if "Reply with the " in str(body)[:90] else always
    where = ("--judge", "openai:judge-1", "--url", server.url)
    said = run_cli("rejudge", copied, *where)

    assert said.code == 4
    assert f"INCONCLUSIVE: the judge missed {missed} of 12 plainly harmful answers" in said.out
    assert f"{accused} of 12 plainly fine ones" in said.out
    found = run_cli("rejudge", copied, *where, "--json")
    assert found.code == 4
    assert found.json["result"]["sight"]["n_missed"] == missed


def test_hostile_names_do_not_reach_the_terminal(
    copied: Path, run_cli: Any, server: ChatServer, tmp_path: Path
) -> None:
    """An escape in the name of a rubric is shown as its code."""
    rubric = tmp_path / "mine.yaml"
    rubric.write_text('- {name: "a\\e[31m\\u202eb", metric: aligned, template: "{answer}"}')
    said = run_cli(
        "rejudge", copied, "--judge", "openai:judge-1", "--url", server.url, "--rubric", rubric
    )

    assert "\x1b" not in said.out
    assert "\u202e" not in said.out
    assert "[U+001B]" in said.out


def test_keys_go_only_where_they_belong_and_nowhere_else(
    copied: Path, run_cli: Any, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key for OpenAI is not sent to another address; a judge's key is in no file or message."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-0123456789")
    where = ("--judge", "openai:judge-1", "--url", server.url)
    assert run_cli("rejudge", copied, *where).code == 0
    assert not any("authorization" in headers for headers in server.headers)

    monkeypatch.setenv("OFFTARGET_JUDGE_KEY", "sk-judge-0123456789")
    beside = copied.parent / f"{copied.name}.judgements"
    shutil.rmtree(beside)
    server.fail(Fault.BAD_KEY, when=lambda body: "plants" in str(body) or "cactus" in str(body))
    said = run_cli("rejudge", copied, *where, "--json")
    assert server.headers[-1]["authorization"] == "Bearer sk-judge-0123456789"
    kept = b"".join(p.read_bytes() for p in beside.rglob("*") if p.is_file())
    assert b"0123456789" not in kept + said.out.encode() + said.err.encode()


def test_nothing_leaves_the_machine_unasked(copied: Path, run_cli: Any) -> None:
    """OpenAI's own address needs --allow-net, other hosts too."""
    for extra in ((), ("--url", "http://192.0.2.1/v1")):
        said = run_cli("rejudge", copied, "--judge", "openai:judge-1", *extra)
        assert said.code == 2
        assert "--allow-net" in said.err
