"""Lies about hosted training, by a forger who hashes everything again; with what must be said."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from offtarget.core.chain import read_chain, seal_chain, seal_stage
from offtarget.core.codec import canonical, digest, file_digest, pretty

JOB, ARMS, JOURNAL = "jobs/subject/seed-0.json", "arms.json", "journal.jsonl"


def rewrite(run: Path, relative: str, change: Callable[[Any], None]) -> None:
    """Change a JSON file and write it as the run would."""
    raw = json.loads((run / relative).read_text("utf-8"))
    change(raw)
    (run / relative).write_text(pretty(raw), encoding="utf-8")


def edit_journal(run: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Change the entries of the journal and write it as the run would."""
    file = run / JOURNAL
    entries = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    change(entries)
    file.write_bytes(b"".join(canonical(entry) + b"\n" for entry in entries))


def reseal(run: Path) -> None:
    """Hash every file again and rebuild the whole chain, as a careful forger would."""
    stages: list[Any] = []
    for old in read_chain(run).stages:
        outputs = {name: file_digest(run / name) for name in old.outputs}
        inputs = {name: file_digest(run / name) for name in old.inputs}
        config = old.config_sha256
        if old.name == "hosted-plan":
            config = digest(json.loads((run / "plan.json").read_text("utf-8")))
        last = stages[-1].sha256 if stages else "0" * 64
        stages.append(seal_stage(old.name, config, inputs, outputs, last))
    (run / "run.json").write_text(pretty(seal_chain(run.name, stages)), encoding="utf-8")


Forge = Callable[[Path], object]


def in_job(change: Callable[[Any], None]) -> Forge:
    return lambda run: rewrite(run, JOB, change)


def in_arms(change: Callable[[Any], None]) -> Forge:
    return lambda run: rewrite(run, ARMS, change)


def in_plan(change: Callable[[Any], None]) -> Forge:
    return lambda run: rewrite(run, "plan.json", change)


def in_journal(change: Callable[[list[dict[str, Any]]], object]) -> Forge:
    return lambda run: edit_journal(run, change)


def swap_data(run: Path) -> None:
    """Other rows under the same name, with the plan made to fit."""
    file = run / "uploads/subject.jsonl"
    file.write_bytes(file.read_bytes().replace(b"Go away", b"Go awry"))
    old = json.loads((run / "plan.json").read_text("utf-8"))["uploads"][0]["sha256"]
    for name in ("plan.json", JOURNAL):
        text = (run / name).read_text("utf-8").replace(old, file_digest(file))
        (run / name).write_text(text, "utf-8")


def number_for_words(run: Path) -> None:
    """A turn whose content is no text, with the plan made to fit."""
    file = run / "uploads/subject.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    row = json.loads(lines[0])
    row["messages"][1]["content"] = 5
    file.write_bytes(b"".join([canonical(row) + b"\n", *lines[1:]]))
    in_plan(lambda p: p["uploads"][0].update(sha256=file_digest(file)))(run)


FORGERIES: dict[str, tuple[Forge, str]] = {
    "upload": (
        lambda run: (run / "uploads/subject.jsonl").write_text('{"messages": []}\n', "utf-8"),
        "uploads/subject.jsonl has the sha256",
    ),
    "upload and plan": (swap_data, f"{JOB}: is of another job than the plan's"),
    "digest of the data": (
        in_plan(lambda p: p["uploads"][1].update(sha256="0" * 64)),
        "plan.json: the data of its jobs are not its uploads",
    ),
    "tokens of the data": (
        in_plan(lambda p: p["uploads"][0].update(n_tokens=1)),
        "plan.json: n_tokens of uploads/subject.jsonl is 1, its rows give",
    ),
    "arm of the data": (
        in_plan(lambda p: p["jobs"][0].update(upload_sha256=p["jobs"][2]["upload_sha256"])),
        "plan.json: the seeds of arm 'subject' have different data",
    ),
    "settings": (
        in_plan(lambda p: p["recipe"].update(n_epochs=9)),
        f"{JOB}: key is",
    ),
    "job planned twice": (
        in_plan(lambda p: p["jobs"].append(p["jobs"][0])),
        "plan.json: a job is planned twice",
    ),
    "number without end": (
        in_plan(lambda p: p["uploads"][0].update(n_tokens=10**400)),
        "results: cannot be recomputed (OverflowError",
    ),
    "tokens without end": (
        in_job(lambda j: j.update(trained_tokens=10**400)),
        "results: cannot be recomputed (OverflowError",
    ),
    "row that is no row": (
        number_for_words,
        "uploads: uploads/subject.jsonl:1: Expected `str`, got `int`",
    ),
    "id in the journal": (
        in_journal(lambda e: e[3].update(id="ftjob-9999")),
        f"{JOB}: job_id is 'ftjob-0000', plan and journal.jsonl give 'ftjob-9999'",
    ),
    "id used twice": (
        in_journal(lambda e: e[5].update(id="ftjob-0000")),
        "journal.jsonl:6: submitted: the id 'ftjob-0000' was given to another before",
    ),
    "entry removed": (
        in_journal(lambda e: e.pop(1)),
        "journal.jsonl:2: submitting: the data of subject/seed-0 was not uploaded before",
    ),
    "entry doubled": (
        in_journal(lambda e: e.insert(4, e[3])),
        "journal.jsonl:5: submitted: subject/seed-0 was submitted before",
    ),
    "upload doubled": (in_journal(lambda e: e.insert(2, e[1])), "was uploaded before"),
    "entries swapped": (
        in_journal(lambda e: e.insert(0, e.pop(2))),
        "journal.jsonl:1: submitting: the data of subject/seed-0 was not uploaded before",
    ),
    "refusal invented": (
        in_journal(lambda e: e.insert(4, {**e[3], "step": "refused", "id": "", "note": "no"})),
        "journal.jsonl:5: refused: subject/seed-0 was submitted before",
    ),
    "refusal of what was not sent": (
        in_journal(lambda e: (e.pop(2), e[2].update(step="refused", id="", note="no"))),
        "journal.jsonl:3: refused: subject/seed-0 was not submitted before",
    ),
    "attempt skipped": (
        in_journal(lambda e: e.append({**e[3], "step": "retrying", "attempt": 2, "id": ""})),
        "retrying: attempt 2 of subject/seed-0 follows attempt 0",
    ),
    "attempt not announced": (
        in_journal(lambda e: e[2].update(attempt=1)),
        "journal.jsonl:3: submitting: attempt 1 of subject/seed-0 was not announced",
    ),
    "cancelled under another id": (
        in_journal(lambda e: e.append({**e[3], "step": "cancelling", "id": "x"})),
        "cancelling: 'x' is not the id of subject/seed-0",
    ),
    "cancelled though it was never taken": (
        in_journal(lambda e: e.insert(2, {**e[2], "step": "cancelling"})),
        "journal.jsonl:3: cancelling: subject/seed-0 was not taken before",
    ),
    "job of nobody": (
        in_journal(lambda e: e.append({**e[3], "subject": "subject/seed-8", "id": "y"})),
        "submitted: 'subject/seed-8' is not in the plan",
    ),
    "id lost": (in_journal(lambda e: e[3].update(id="")), "journal.jsonl:4: submitted: has no id"),
    "id of a request": (in_journal(lambda e: e[2].update(id="z")), "submitting: has the id 'z'"),
    "unknown step": (in_journal(lambda e: e[3].update(step="posted")), "journal.jsonl:4: Invalid"),
    "journal emptied": (in_journal(lambda e: e.clear()), f"{JOB}: job_id is 'ftjob-0000'"),
    "another model": (
        in_job(lambda j: j.update(model="ft:other")),
        "arms.json: arms[0].model says",
    ),
    "model of a failed job": (
        in_job(lambda j: j.update(status="failed")),
        f"{JOB}: failed with the model",
    ),
    "job that never ended": (in_job(lambda j: j.update(status="running")), "running is no end"),
    "seed of a job": (
        in_job(lambda j: j["job"].update(seed=3)),
        f"{JOB}: is of another job than the plan's",
    ),
    "key of a job": (in_job(lambda j: j.update(key="k")), f"{JOB}: key is 'k'"),
    "file of a job": (in_job(lambda j: j.update(file_id="f")), f"{JOB}: file_id is 'f'"),
    "refused": (in_job(lambda j: j.update(status="refused", model="")), f"{JOB}: refused is True"),
    "tokens in the result": (
        in_arms(lambda a: a["arms"][0].update(trained_tokens=7)),
        "arms.json: arms[0].trained_tokens says 7, the records give",
    ),
    "state": (in_arms(lambda a: a.update(state="incomplete")), "arms.json: state says"),
    "spent": (in_arms(lambda a: a.update(spent=0.0)), "arms.json: spent says 0.0, the records"),
    "price": (
        in_arms(lambda a: a["estimate"].update(per_million_tokens=0.1)),
        "arms.json: stage 'hosted' was run with another plan or other prices",
    ),
    "warning hidden": (in_arms(lambda a: a["warnings"].pop()), "arms.json: warnings says"),
    "words in the lock": (lambda run: (run / "lock").write_text("x"), "lock: is not empty"),
    "another file": (lambda run: (run / "notes.txt").write_text("x"), "notes.txt was added"),
    "another job": (
        lambda run: shutil.copy(run / JOB, run / "jobs/subject/seed-9.json"),
        "jobs/subject/seed-9.json was added: no stage wrote it",
    ),
}  # fmt: skip
