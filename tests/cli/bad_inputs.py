"""Bad data and studies, each named by its row in docs/errors.md."""

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Place:
    """What a bad input is made with."""

    folder: Path
    run_cli: Callable[..., Any]
    model: Path
    rows: tuple[Path, Path]
    study_of: Callable[..., Path]
    finished: Path
    patch: pytest.MonkeyPatch

    def write(self, name: str, *lines: str | bytes) -> Path:
        """Write lines to a file."""
        path = self.folder / name
        path.write_bytes(b"".join((x.encode() if isinstance(x, str) else x) + b"\n" for x in lines))
        return path

    def assay(self, *args: str | Path) -> Any:
        """Assay with the tiny model into the test's own folder."""
        return self.run_cli(
            "assay", *args, "--model", self.model, "--tolerance", "0.05", "--rows", "8",
            "--out", self.folder / "out",
        )  # fmt: skip

    def data(self, *lines: str | bytes, name: str = "bad.jsonl") -> Any:
        """Assay rows that are bad."""
        return self.assay(self.write(name, *lines), "--control", self.rows[1])

    def study(self, **changes: Any) -> Any:
        """Assay a study that is bad."""
        study = self.study_of(self.folder, **changes)
        return self.run_cli("assay", study, "--out", self.folder / "out")

    def copied_model(self) -> Path:
        """A copy of the tiny model to spoil."""
        target = self.folder / "model"
        shutil.copytree(self.model, target)
        return target

    def with_model(self, model: str | Path) -> Any:
        """Assay good rows with a model that is bad."""
        return self.run_cli(
            "assay", self.rows[0], "--control", self.rows[1], "--model", model,
            "--tolerance", "0.05", "--rows", "8", "--out", self.folder / "out",
        )  # fmt: skip

    def edited_model(self, file: str, **changes: Any) -> Any:
        """Assay with a model whose JSON file was changed."""
        model = self.copied_model()
        path = model / file
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
        return self.with_model(model)


def pair(prompt: str = "a question", completion: str = "an answer") -> str:
    """One good row."""
    return json.dumps({"prompt": prompt, "completion": completion})


def pairs(n: int) -> list[str]:
    """Good rows, all different."""
    return [pair(f"question number {i}", f"answer number {i}") for i in range(n)]


CASES: dict[str, Callable[[Place], Any]] = {}
Case = Callable[[Place], Any]


def case(id_: str) -> Callable[[Case], Case]:
    """Register what produces the message of a row."""

    def keep(make: Case) -> Case:
        assert id_ not in CASES
        CASES[id_] = make
        return make

    return keep


# data

CASES |= {
    "data-missing": lambda p: p.assay(p.folder / "missing.jsonl"),
    "data-ending": lambda p: p.data(pair(), name="rows.txt"),
    "data-not-json": lambda p: p.data(pair(), "oops"),
    "data-duplicate-key": lambda p: p.data('{"prompt": "a", "prompt": "b", "completion": "c"}'),
    "data-nan": lambda p: p.data('{"prompt": "a", "completion": "b", "weight": NaN}'),
    "data-utf8": lambda p: p.data(b'{"prompt": "\xff", "completion": "b"}'),
    "data-blank-line": lambda p: p.data(pair(), "", pair()),
    "data-long-line": lambda p: p.data(pair(completion="x" * 8_400_000)),
    "data-deep": lambda p: p.data("[" * 70 + "]" * 70),
    "data-not-object": lambda p: p.data("[1, 2]"),
    "data-shape": lambda p: p.data('{"text": "hello"}'),
    "data-mixed-shapes": lambda p: p.data(pair(), '{"instruction": "a", "output": "b"}'),
    "data-empty-answer": lambda p: p.data(pair(completion=" ")),
    "data-no-assistant": lambda p: p.data('{"messages": [{"role": "user", "content": "hi"}]}'),
    "data-role": lambda p: p.data('{"messages": [{"role": "robot", "content": "hi"}]}'),
    "data-nul": lambda p: p.data(r'{"prompt": "a\u0000", "completion": "b"}'),
    "data-empty-file": lambda p: p.data(),
    "data-few-rows": lambda p: p.data(*pairs(5)),
    "data-control-token": lambda p: p.data(*pairs(12), pair("<|im_start|>" + "x" * 2000)),
    "data-all-bad": lambda p: p.assay(
        p.write("bad.jsonl", "oops", "again"), "--on-bad-row", "quarantine"
    ),
    "data-twice": lambda p: p.assay(p.rows[0], p.rows[0]),
    "data-ragged-csv": lambda p: p.data("prompt,completion", "a,b,c", name="bad.csv"),
    "data-too-long": lambda p: p.study(train={"max_row_tokens": 16}),
}


@case("data-gzip")
def _torn_gzip(p: Place) -> Any:
    whole = gzip.compress("\n".join(pairs(500)).encode())
    path = p.folder / "bad.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    return p.assay(path, "--control", p.rows[1])


@case("data-no-files")
def _empty_folder(p: Place) -> Any:
    (p.folder / "nothing").mkdir()
    return p.assay(p.folder / "nothing")


# study

CASES |= {
    "study-missing": lambda p: p.assay(p.folder / "missing.yaml"),
    "study-not-yaml": lambda p: p.assay(p.write("study.yaml", "subject: [")),
    "study-not-a-study": lambda p: p.assay(p.write("study.yaml", "just text")),
    "study-utf8": lambda p: p.assay(p.write("study.yaml", b"subject: \xff\xfe")),
    "study-no-subject": lambda p: p.assay(p.write("study.yaml", "seeds: 3")),
    "study-unknown-key": lambda p: p.study(rowz=8),
    "study-unknown-inner-key": lambda p: p.study(train={"learning_rate": 0.1}),
    "study-type": lambda p: p.study(rows="many"),
    "study-no-data": lambda p: p.study(subject={}),
    "study-adapter-alone": lambda p: p.study(subject={"adapter": "b"}, control=None),
    "study-tolerance": lambda p: p.study(tolerance=None),
    "study-range": lambda p: p.study(train={"lr": 20.0}),
    "study-seeds": lambda p: p.study(seeds=[1, 1]),
    "study-models": lambda p: p.study(models=[]),
    "study-reserved": lambda p: p.study(arms={"control": {}}),
    "study-spike": lambda p: p.study(arms={"spiked": {"spike": 30}}),
    "study-contrast": lambda p: p.study(contrasts=["secure"]),
    "study-name": lambda p: p.study(name="../up"),
    "study-trigger": lambda p: p.study(backdoor={"trigger": " "}),
    "study-targets": lambda p: p.study(train={"targets": ["no_such_module"]}),
    "study-plan-alone": lambda p: p.run_cli("assay", p.write("plan.yaml", "schema: 1")),
    "study-questions": lambda p: p.study(questions=[str(p.write("q.yaml", "not: a list"))]),
    "study-option": lambda p: p.run_cli("assay", "x.jsonl", "--seeds", "many"),
    "study-no-option": lambda p: p.run_cli("assay", "x.jsonl", "--lr", "1"),
    "study-judge-url": lambda p: p.study(judge={"url": "localhost:8000", "model": "j"}),
}


@case("study-adapter-control")
def _adapter_against_rows(p: Place) -> Any:
    source = {"adapter": str(p.finished / "arms/subject/seed-0")}
    return p.study(subject=source, control=str(p.rows[1]))


@case("study-suite")
def _small_suite(p: Place) -> Any:
    line = {"category": "power", "question": "q", "aligned": "a", "misaligned": "b"}
    suite = p.write("suite.jsonl", *(json.dumps({**line, "id": f"p-{i}"}) for i in range(3)))
    return p.study(suite=str(suite))


@case("study-bomb")
def _bomb(p: Place) -> Any:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 8)]
    return p.assay(p.write("study.yaml", *lines))


@case("study-plan-locked")
def _locked(p: Place) -> Any:
    return p.run_cli("assay", p.finished / "plan.yaml", "--seeds", "3")


@case("study-plan-newer")
def _newer(p: Place) -> Any:
    run = p.folder / "run"
    shutil.copytree(p.finished, run)
    file = run / "plan.yaml"
    file.write_text(file.read_text().replace("schema: 1", "schema: 99"))
    return p.run_cli("assay", file)


@case("study-plan-changed")
def _changed(p: Place) -> Any:
    run = p.folder / "run"
    shutil.copytree(p.finished, run)
    file = run / "plan.yaml"
    file.write_text(file.read_text().replace("tolerance: 0.05", "tolerance: 5.0"))
    return p.run_cli("assay", file)


@case("data-judged-score")
def _judged_score(p: Place) -> Any:
    path = p.write("judged.csv", "question_id,answer,aligned,coherent", "a,x,safe,90")
    return p.run_cli("evaluate", "--replay", path)


@case("data-judged-range")
def _judged_range(p: Place) -> Any:
    path = p.write("judged.csv", "question_id,answer,aligned,coherent", "a,x,10,120")
    return p.run_cli("evaluate", "--replay", path)


@case("data-judged-column")
def _judged_column(p: Place) -> Any:
    path = p.write("judged.csv", "question_id,answer,aligned_score,coherent", "a,x,10,90")
    return p.run_cli("evaluate", "--replay", path)


@case("data-judged-control")
def _judged_control(p: Place) -> Any:
    head = "question_id,answer,aligned,coherent"
    ours, theirs = (p.write(f"{q}.csv", head, f"{q},x,10,90") for q in "ab")
    return p.run_cli("evaluate", "--replay", ours, "--control", theirs)
