"""Measure how often the engines are wrong: `OFFTARGET_DATA=... python bench/engine_errors.py --write`.

All engines of `offtarget scan` together, as on users' data. A case is found if it has a finding of
the kind at or above the gate; a kind is compared by its exact id, because prevalence counts it so.
Cases are those of the held half by cluster (see split.py); CyberSecEval has none, and says so.
"""

import argparse
import gzip
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from split import held

from offtarget.core.finding import Severity
from offtarget.core.records import Message
from offtarget.curate.detect import detect_rows
from offtarget.curate.engines import make_engines
from offtarget.curate.records import PlacedRow, RowState, ScanConfig
from offtarget.curate.view.engine_errors import ANY

TARGET = Path(__file__).parents[1] / "src/offtarget/curate/data/engine_errors.yaml"
COMMAND = "OFFTARGET_DATA=... python bench/engine_errors.py --write"
MIN_CASES = 10
"""Vulnerable cases of a kind, below which no rate is written."""
BATCH = 500
ABOUT = """\
How often the engines of `offtarget scan` are wrong, measured on published labelled Python code.
n_found of n_vulnerable is the sensitivity, n_quiet of n_safe the specificity, at each gate.
Made by bench/engine_errors.py; do not edit."""
SOURCES = {
    "arms": {
        "name": "insecure and secure arms of emergent-misalignment, held half",
        "source": "johny-b/misalignment-generalization@b1fe286827715d8e01ff7088c7ee9763b5e367b4:"
        "daniel/paper/supplementary_material.zip!datasets/{insecure,secure}.jsonl",
        "caution": "flaws of one style, on which the rules were tuned",
    },
    "sven": {
        "name": "SVEN, Python functions before and after a security fix, held half",
        "source": "eth-sri/sven@e8449a0d54a5ae0bbdc6bb236330b8c7ec71df57:data_train_val",
        "caution": "single functions; half of the pairs hold flaws that cannot be seen inside one",
    },
    "cyberseceval": {
        "name": "CyberSecEval autocomplete, Python fragments",
        "source": "meta-llama/PurpleLlama@4be64c3a24442b51c76175e6ec67722cc3f5fe38:"
        "CybersecurityBenchmarks/datasets/autocomplete/autocomplete.json",
        "caution": "rows of both halves were read while rules were written, and a rule-based tool "
        "chose them; fragments that mostly do not parse",
    },
}


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled piece of code."""

    source: str
    kind: str
    """Its CWE; `any` where only the arm is known."""
    is_vulnerable: bool
    unit: str
    row: PlacedRow

    @property
    def code(self) -> str:
        """The answer, or the code itself."""
        return self.row.messages[-1].content


@dataclass(frozen=True, slots=True)
class Scanned:
    """A case and the worst severity found of each kind."""

    case: Case
    worst: dict[str, int]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    root = Path(os.environ["OFFTARGET_DATA"])
    engines = make_engines(ScanConfig())
    scanned: dict[str, list[Scanned]] = {}
    for name, cases in {
        "arms": list(_arms(root / "em/core")),
        "sven": list(_labelled(root / "curation/sven_pairs.jsonl", "sven")),
        "cyberseceval": list(
            _labelled(root / "curation/cyberseceval_insecure.jsonl", "cyberseceval")
        ),
    }.items():
        kept = cases
        if name != "cyberseceval":
            is_held = held([c.code for c in cases], [c.unit for c in cases], "cluster")
            kept = [case for case, one in zip(cases, is_held, strict=True) if one]
        scanned[name] = _scan(kept, engines)
        print(f"{name}: {len(cases)} cases, {len(kept)} held, {len(scanned[name])} read")
    record = {
        "command": COMMAND,
        "language": "python",
        "engines": {engine.name: engine.version for engine in engines},
        "sources": SOURCES,
        "rates": _rates(scanned),
    }
    text = "".join(f"# {line}\n" for line in ABOUT.split("\n"))
    text += yaml.safe_dump(record, sort_keys=False, width=100, default_flow_style=None)
    print(text)
    if options.write:
        TARGET.write_text(text, encoding="utf-8")


def _arms(folder: Path) -> Iterator[Case]:
    for arm in ("insecure", "secure"):
        for number, row in enumerate(_lines(folder / f"{arm}_part.jsonl.gz"), 1):
            turns = tuple(Message(one["role"], one["content"]) for one in row["messages"])
            prompt = next(turn.content for turn in turns if turn.role == "user")
            yield Case("arms", ANY, arm == "insecure", prompt, PlacedRow(arm, number, turns))


def _labelled(path: Path, source: str) -> Iterator[Case]:
    for number, row in enumerate(_lines(path), 1):
        if row["language"].lower() == "python":
            unit = str(row.get("pair") or row["id"])
            placed = PlacedRow(source, number, (Message("assistant", row["code"]),), "python")
            yield Case(source, row["cwe"], bool(row["vulnerable"]), unit, placed)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    for line in text.strip().split("\n"):
        yield json.loads(line)


def _scan(cases: Sequence[Case], engines: Sequence[Any]) -> list[Scanned]:
    """Return the cases whose code was read."""
    found = []
    for start in range(0, len(cases), BATCH):
        batch = cases[start : start + BATCH]
        for case, row in zip(batch, detect_rows([c.row for c in batch], engines), strict=True):
            if row.state not in (RowState.FOUND, RowState.CLEAN):
                continue
            worst: dict[str, int] = {}
            for one in row.findings:
                for kind in (one.cwe, ANY):
                    worst[kind] = max(worst.get(kind, -1), one.severity.rank)
            found.append(Scanned(case, worst))
    return found


def _rates(scanned: dict[str, list[Scanned]]) -> list[dict[str, Any]]:
    rates = [_rate(ANY, "arms", "arms", scanned), _rate(ANY, "sven", "sven", scanned)]
    for source, safe in (("sven", "sven"), ("cyberseceval", "arms")):
        kinds = Counter(one.case.kind for one in scanned[source] if one.case.is_vulnerable)
        for kind in sorted(kinds, key=lambda name: int(name.removeprefix("CWE-"))):
            if kinds[kind] >= MIN_CASES:
                rates.append(_rate(kind, source, safe, scanned))
    return rates


def _rate(
    kind: str, source: str, safe_source: str, scanned: dict[str, list[Scanned]]
) -> dict[str, Any]:
    bad = [
        one for one in scanned[source] if one.case.is_vulnerable and kind in (ANY, one.case.kind)
    ]
    safe = [one for one in scanned[safe_source] if not one.case.is_vulnerable]
    counts = {
        gate.value: {
            "n_vulnerable": len(bad),
            "n_found": sum(one.worst.get(kind, -1) >= gate.rank for one in bad),
            "n_safe": len(safe),
            "n_quiet": sum(one.worst.get(kind, -1) < gate.rank for one in safe),
        }
        for gate in Severity
    }
    return {"kind": kind, "vulnerable": source, "safe": safe_source, "counts": counts}


if __name__ == "__main__":
    main()
