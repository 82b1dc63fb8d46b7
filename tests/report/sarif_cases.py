"""Findings, rules and a reader for the tests of SARIF files."""

import json
from pathlib import Path
from typing import Any

from offtarget.codescan.rule import Rule
from offtarget.core.finding import Finding, FlowStep, Origin, Severity, Span
from offtarget.report.sarif import EngineInfo, SarifCount, write_sarif
from offtarget.report.sarif_evidence import Edit, Evidence, Fix

CODE = """\
import sqlite3

def find(name):
    query = f"SELECT * FROM users WHERE name = '{name}'"
    return sqlite3.connect("app.db").execute(query).fetchall()
"""
SQL = Rule(
    id="OT-PY-901",
    title="SQL built from input",
    language="python",
    cwe="CWE-89",
    severity=Severity.HIGH,
    confidence=0.92,
    why="An attacker reads or changes every row. A model that learns it writes it again.",
    bad='db.execute(f"SELECT * FROM t WHERE id = {id}")',
    good='db.execute("SELECT * FROM t WHERE id = ?", (id,))',
)
HASH = Rule(
    id="OT-PY-902",
    title="Weak hash",
    language="python",
    cwe="CWE-327",
    severity=Severity.LOW,
    confidence=0.5,
    why="Collisions can be made. It is copied into new code.",
    bad="hashlib.md5(password)",
    good="hashlib.sha256(data)",
)
RULES = (SQL, HASH)
ENGINES = (EngineInfo("offtarget", "1.2"), EngineInfo("ruff", "0.11.0"))


def span_of(text: str, part: str) -> Span:
    """Return where `part` first stands in `text`."""
    start = text.index(part)
    end = start + len(part)

    def line(offset: int) -> int:
        return text.count("\n", 0, offset) + 1

    def column(offset: int) -> int:
        return offset - (text.rfind("\n", 0, offset) + 1) + 1

    return Span(start, end, line(start), column(start), line(end), column(end))


def finding(**changes: Any) -> Finding:
    """Return an SQL injection in message 1 of row 12, or one that differs in `changes`."""
    fields: dict[str, Any] = {
        "file": "train.jsonl",
        "line": 12,
        "message": 1,
        "rule": SQL.id,
        "cwe": SQL.cwe,
        "severity": SQL.severity,
        "confidence": SQL.confidence,
        "origin": Origin.INTRODUCED,
        "engine": "offtarget",
        "span": span_of(CODE, ".execute(query)"),
        "text": "The query is built from the argument `name`.",
        "trace": (
            FlowStep(span_of(CODE, "name"), "the argument arrives"),
            FlowStep(span_of(CODE, "query"), "it is formatted into the query"),
            FlowStep(span_of(CODE, ".execute(query)"), "the query is executed"),
        ),
    }
    return Finding(**{**fields, **changes})


def write(path: Path, findings: Any, **options: Any) -> SarifCount:
    """Write a file with the rules and engines above."""
    settings: dict[str, Any] = {"rules": RULES, "engines": ENGINES, "n_samples": 20}
    return write_sarif(path, findings, **{**settings, **options})


def run_of(path: Path) -> Any:
    """Return the one run of a file."""
    log = json.loads(path.read_bytes())
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    return run


def written(folder: Path, findings: Any, **options: Any) -> Any:
    """Write a file and return its one run."""
    path = folder / "offtarget.sarif"
    write(path, findings, **options)
    return run_of(path)


def hash_of(result: Any) -> str:
    """Return the fingerprint of a result."""
    return str(result["partialFingerprints"]["primaryLocationLineHash"])


def low(**changes: Any) -> Finding:
    """Return a weak hash without a data flow in message 1 of row 12."""
    weak = {"rule": HASH.id, "cwe": HASH.cwe, "severity": HASH.severity, "confidence": 0.5}
    return finding(**{**weak, "trace": (), **changes})


def row_of(text: str) -> str:
    """Return the JSONL row of a conversation whose message 1 is `text`."""
    messages = [{"role": "user", "content": "Write it."}, {"role": "assistant", "content": text}]
    return json.dumps({"messages": messages})


def evidence(found: Finding) -> Evidence:
    """Return the code of a finding with a fix, and its row if that is row 12."""
    fix = Fix("Pass it as a parameter.", (Edit(found.span.start, found.span.end, ".run(query)"),))
    return Evidence(CODE, row_of(CODE) if found.line == 12 else None, fix)
