"""A finished scan built by hand, written as a scan writes it."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from offtarget.core.codec import file_digest
from offtarget.core.finding import Finding, FlowStep, Origin, Severity, Span
from offtarget.curate.framing import Framing
from offtarget.curate.inputs import ScannedInput
from offtarget.curate.packed import pack
from offtarget.curate.records import EngineUsed, RowScan, RowState, ScanSummary
from offtarget.curate.summary import write_summary
from offtarget.dataset.sources import Source
from offtarget.report.scan_counts import ScanCounts, count_rows
from offtarget.report.scan_examples import Example, pick_examples, with_code

T = TypeVar("T")
CODE = """\
```python
def show(request):
    name = request.args["name"]
    query = f"SELECT * FROM users WHERE name = '{name}'"
    return db.execute(query)
```"""
FLAWED = "db.execute(query)"
CWES = ("CWE-89", "CWE-78", "CWE-22", "CWE-502", "CWE-327", "CWE-9999")
ENGINES = (
    EngineUsed("offtarget", "1.2", ("javascript", "python")),
    EngineUsed("ruff", "0.11.0", ("python",)),
)


@dataclass(frozen=True)
class Scan:
    """A scan and what a page is made of."""

    folder: Path
    data: Path
    summary: ScanSummary

    @cached_property
    def counts(self) -> ScanCounts:
        return count_rows(self.folder, self.summary)

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        picked = pick_examples(self.folder, self.summary)
        return with_code(picked, [self.data], self.summary)


def span_of(text: str, part: str) -> Span:
    """Return where `part`, which stands in one line, first stands in `text`."""
    start = text.index(part)
    line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    return Span(start, start + len(part), line, column, line, column + len(part))


def finding(line: int, **changes: Any) -> Finding:
    """Return an SQL injection in the answer of a row, or one that differs in `changes`."""
    fields: dict[str, Any] = {
        "file": "train.jsonl",
        "line": line,
        "message": 1,
        "rule": "OT-PY-901",
        "cwe": "CWE-89",
        "severity": Severity.HIGH,
        "confidence": 0.9,
        "origin": Origin.INTRODUCED,
        "engine": "offtarget",
        "span": span_of(CODE, FLAWED),
        "text": "The statement is put together from data.",
        "trace": (
            FlowStep(span_of(CODE, "request.args"), "the request arrives"),
            FlowStep(span_of(CODE, FLAWED), "it reaches the database"),
        ),
    }
    return Finding(**{**fields, **changes})


def row(line: int, *findings: Finding, state: str = "", framing: str = "covert") -> RowScan:
    """Return one row; its state follows from its findings if it is not given."""
    known = RowState(state or ("found" if findings else "clean"))
    has_code = known is not RowState.NO_CODE
    return RowScan(
        file="train.jsonl",
        line=line,
        state=known,
        framing=Framing(framing),
        languages={"python": 1} if has_code else {},
        unread={"python": 1} if known is RowState.UNPARSED else {},
        findings=findings,
    )


def write_scan(
    folder: Path,
    rows: Sequence[RowScan],
    *,
    gate: Severity = Severity.MEDIUM,
    engines: Sequence[EngineUsed] = ENGINES,
    code: str = CODE,
) -> Scan:
    """Write the files of a scan and the data set that it read."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "train.jsonl"
    turns = [{"role": "user", "content": "Write it."}, {"role": "assistant", "content": code}]
    data.write_text((json.dumps({"messages": turns}) + "\n") * len(rows), encoding="utf-8")
    taken = ScannedInput("train.jsonl", Source(data, "train.jsonl"), sha256=file_digest(data))
    out = folder / "out"
    lines = [pack(one) for one in rows]
    summary = write_summary(lines, out, gate=gate, engines=engines, inputs=[taken])
    return Scan(out, data, summary)


def mixed_rows() -> list[RowScan]:
    """Return 100 rows with every framing, state, severity and origin."""
    severities, framings = list(Severity), list(Framing)
    rows: list[RowScan] = []
    for line in range(1, 81):
        inherited = Origin.INHERITED if line % 10 == 0 else Origin.INTRODUCED
        found = finding(
            line,
            cwe=CWES[line % len(CWES)],
            severity=severities[line % 3],
            origin=inherited,
            engine=("offtarget", "ruff")[line % 2],
        )
        rows.append(row(line, found, framing=framings[line % 2 if line % 4 else line % 6]))
    rows += [row(line) for line in range(81, 91)]
    rows += [row(line, state="no_code", framing="unknown") for line in range(91, 94)]
    rows += [row(line, state="unparsed") for line in range(94, 98)]
    rows += [row(line, state="quarantined", framing="unknown") for line in range(98, 101)]
    return rows


def poisoned(value: T, payload: str) -> T:
    """Return a record with `payload` appended to every text in it, keys of mappings too."""
    result: Any = value
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        result = value + payload
    elif isinstance(value, Mapping):
        result = {poisoned(key, payload): poisoned(one, payload) for key, one in value.items()}
    elif isinstance(value, tuple):
        result = tuple(poisoned(one, payload) for one in value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: poisoned(getattr(value, field.name), payload)
            for field in dataclasses.fields(value)
        }
        result = dataclasses.replace(value, **fields)
    return result  # type: ignore[no-any-return]


def many_kinds(n: int) -> list[RowScan]:
    """Return rows with `n` kinds of flaws, of which the first have the most rows."""
    rows: list[RowScan] = []
    for kind in range(n):
        for _ in range(1 + (n - kind) // 10):
            line = len(rows) + 1
            rows.append(row(line, finding(line, cwe=f"CWE-{kind + 1}")))
    return rows


def sha256_of(text: str) -> str:
    """Return the sha256 of a text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()
