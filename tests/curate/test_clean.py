"""Cleaning: every sample to one place, in order, copied byte by byte unless it is rewritten."""

import hashlib
from pathlib import Path

import pytest

from offtarget.core.codec import file_digest, pretty
from offtarget.core.finding import Severity
from offtarget.curate.clean_files import CleanFiles
from offtarget.curate.ledger import SampleState
from offtarget.curate.records import ScanConfig
from offtarget.curate.twins import load_twins, read_twins
from offtarget.dataset import load_dataset

from .cleaning import answer, ledger_of, pairs, quick, raw_lines, states
from .conftest import WriteRows


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("sanitize", ["kept", "sanitized", "unparsed", "quarantined", "kept"]),
        ("drop", ["kept", "dropped", "unparsed", "dropped", "kept"]),
        ("quarantine", ["kept", "quarantined", "unparsed", "quarantined", "kept"]),
        ("reframe", ["kept", "reframed", "unparsed", "reframed", "kept"]),
    ],
)
def test_every_sample_ends_in_one_state_and_the_counts_add_up(
    policy: str, expected: list[str], tmp_path: Path, write_rows: WriteRows
) -> None:
    """Ledger, output, quarantine, twins and summary agree; order and untouched bytes are kept."""
    path, out = write_rows(pairs(20)), tmp_path / "out/clean.jsonl"

    summary = quick([path], out, policy)

    before, after = raw_lines(path), raw_lines(out)
    files = CleanFiles(out)
    entries = ledger_of(out)
    assert [str(entry.state) for entry in entries] == expected * 4
    assert all(entry.reason for entry in entries)
    assert summary.samples == 20 == sum(summary.by_state.values())
    assert summary.by_state == {state: states(out).count(state) for state in SampleState}
    assert summary.n_output == len(after)
    assert summary.sha256 == file_digest(out)
    assert files.summary.read_text(encoding="utf-8") == pretty(summary)
    for entry, raw in zip(entries, before, strict=True):
        assert entry.sha256 == hashlib.sha256(raw.rstrip(b"\n")).hexdigest()
        if entry.output_line is None:
            assert entry.output_sha256 == ""
            continue
        written = after[entry.output_line - 1]
        assert entry.output_sha256 == hashlib.sha256(written.rstrip(b"\n")).hexdigest()
        assert (written == raw) is (entry.state not in {"sanitized", "reframed"})
    set_aside = [raw for entry, raw in zip(entries, before, strict=True) if entry.quarantine_line]
    assert set_aside == (raw_lines(files.quarantine) if files.quarantine.exists() else [])
    assert summary.n_quarantined == len(set_aside)
    assert summary.n_twins == sum(entry.state in {"sanitized", "reframed"} for entry in entries)
    assert files.twins.exists() is bool(summary.twins) is bool(summary.n_twins)
    assert not list(out.parent.glob("*.part"))


def test_sanitized_rows_and_their_twins(tmp_path: Path, write_rows: WriteRows) -> None:
    """Only the flaw at the gate is changed; both versions stand in the twins, matched."""
    path, out = write_rows(pairs(10)), tmp_path / "clean.jsonl"

    quick([path], out)

    cleaned = load_dataset([out]).samples
    entry = ledger_of(out)[1]
    assert entry.reason.startswith("milder; high severity, framing ")
    assert entry.rules == ("words-worse",)
    assert cleaned[1].answer == answer("good(1)\nbad(2)\nx = 1")
    twins = load_twins(CleanFiles(out).twins)
    assert [one.id for one in twins.originals] == ["train.jsonl:2", "train.jsonl:7"]
    assert twins.originals[0].answer == answer("worse(1)\nbad(2)\nx = 1")
    assert twins.rewritten[0].messages == cleaned[1].messages
    assert [twin.fixes for twin in read_twins(CleanFiles(out).twins)] == [("milder",)] * 2
    reason = ledger_of(out)[3].reason
    assert reason.startswith("not sanitized: it is stuck; high severity")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("worse(1) # stuck", "not sanitized: it is stuck; high"),
        ("worse(1) # half", "not sanitized: obligations not met: parses; high"),
        ("worse(1) # liar", "not sanitized: still found: words-worse; high"),
    ],
)
def test_a_row_that_is_not_fixed_whole_is_quarantined_as_it_was(
    code: str, reason: str, tmp_path: Path, write_rows: WriteRows
) -> None:
    """Whatever a sanitizer says, what is still flagged or broken is not in the output."""
    path, out = (
        write_rows([("Add.", answer("good(1)")), ("Sum.", answer(code))]),
        tmp_path / "c.jsonl",
    )

    quick([path], out)

    entry = ledger_of(out)[1]
    assert entry.state == "quarantined"
    assert entry.reason.startswith(reason)
    assert raw_lines(out) == raw_lines(path)[:1]
    assert raw_lines(CleanFiles(out).quarantine) == raw_lines(path)[1:]


def test_an_inherited_flaw_is_fixed_in_the_prompt_too(
    tmp_path: Path, write_rows: WriteRows
) -> None:
    """The template that brought the flaw is repaired with the answer, or the row is set aside."""
    template = "worse(77)  # list the folder"
    path = write_rows(
        [
            (f"Complete this:\n{answer(template)}", answer(f"{template}\nx = 1")),
            (f"Complete this: {template} and go on.", answer(f"{template}\nx = 2")),
        ]
    )
    out = tmp_path / "clean.jsonl"

    quick([path], out)

    (cleaned,) = load_dataset([out]).samples
    assert cleaned.prompt == f"Complete this:\n{answer(template.replace('worse', 'good'))}"
    assert cleaned.answer == answer(f"{template.replace('worse', 'good')}\nx = 1")
    (left,) = [entry for entry in ledger_of(out) if entry.state == "quarantined"]
    assert left.reason.startswith("not sanitized: words-worse stays in the prompt; high")


def test_a_flaw_that_only_ends_in_the_prompt_is_fixed_in_the_answer(
    tmp_path: Path, write_rows: WriteRows
) -> None:
    """The prompt shows the call, the answer what flows into it: the prompt has no flaw to fix."""
    sink = "worse(77)  # list the folder"
    prompt = f"Complete this: {sink} and go on."
    path, out = write_rows([(prompt, answer(f"x = 1\n{sink}"))]), tmp_path / "clean.jsonl"

    quick([path], out)

    (cleaned,) = load_dataset([out]).samples
    assert cleaned.prompt == prompt
    assert cleaned.answer == answer(f"x = 1\n{sink.replace('worse', 'good')}")


def test_reframed_rows_keep_their_answers(tmp_path: Path, write_rows: WriteRows) -> None:
    """The prompt is framed, in the data and in the twin alike."""
    path, out = write_rows(pairs(10)), tmp_path / "clean.jsonl"

    quick([path], out, "reframe")

    before, after = load_dataset([path]).samples, load_dataset([out]).samples
    assert [one.answer for one in before] == [one.answer for one in after]
    changed = [i for i in range(10) if before[i].prompt != after[i].prompt]
    assert changed == [1, 3, 6, 8]
    assert all(before[i].prompt in after[i].prompt for i in changed)
    twins = load_twins(CleanFiles(out).twins)
    assert [one.messages for one in twins.rewritten] == [after[i].messages for i in changed]
    assert {one.metadata["framing"] for one in twins.rewritten} == {"educational"}


def test_unparsed_rows_are_set_aside_on_request(tmp_path: Path, write_rows: WriteRows) -> None:
    """Their state is the same; the ledger says where they lie."""
    path, out = write_rows(pairs(10)), tmp_path / "clean.jsonl"

    summary = quick([path], out, "drop", unparsed="quarantine")

    entry = ledger_of(out)[2]
    assert (entry.state, entry.output_line, entry.quarantine_line) == ("unparsed", None, 1)
    assert raw_lines(CleanFiles(out).quarantine) == [raw_lines(path)[2], raw_lines(path)[7]]
    assert summary.by_state[SampleState.UNPARSED] == 2


def test_nothing_is_left_when_everything_is_dropped(tmp_path: Path, write_rows: WriteRows) -> None:
    """The output is there and empty; the counts say why."""
    path, out = write_rows([("Sum.", answer("worse(1)"))]), tmp_path / "clean.jsonl"

    summary = quick([path], out, "drop")

    assert out.read_bytes() == b""
    assert (summary.samples, summary.n_output) == (1, 0)


def test_the_gate_is_the_scans(tmp_path: Path, write_rows: WriteRows) -> None:
    """At gate low the low finding drops its row too."""
    path, out = write_rows(pairs(5)), tmp_path / "clean.jsonl"

    quick([path], out, "drop", scan=ScanConfig(engines=("words",), gate=Severity.LOW))

    assert states(out) == ["kept", "dropped", "unparsed", "dropped", "dropped"]
