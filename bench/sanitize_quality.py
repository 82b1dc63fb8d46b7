"""What the sanitizer does to published insecure code, and to code that was fixed already.

Usage: OFFTARGET_DATA=... python bench/sanitize_quality.py [--half tuned|held|both] [--rows N]
       [--split cluster|prompt]

Rows are the assistant's answers of the insecure arm that our engine or ruff flags at medium and
above. Fixes were developed on the rows whose first user prompt has a sha256 that starts with an
even byte; of the others, those without a near-duplicate among them are held (bench/split.py) and the
ones to report. `broken` means that an obligation, checked again
from outside, does not hold. Bandit, where it is installed, has no part in the rewriting: it judges
the same rows before and after. The fixed side of SVEN should hardly change.
"""

import argparse
import ast
import gzip
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from split import SPLITS, Split, held

from offtarget.codescan.engine import Engine
from offtarget.codescan.engines.bandit import BanditEngine
from offtarget.codescan.engines.ruff import RuffEngine
from offtarget.codescan.flaw import Flaw, Snippet
from offtarget.codescan.python import PythonEngine
from offtarget.core.errors import ResourceError
from offtarget.core.finding import Severity
from offtarget.core.stats import wilson
from offtarget.curate.sanitize import FixStatus, Sanitized, ToSanitize, sanitize_many

BATCH = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One flagged snippet and what became of it."""

    code: str
    cwes: frozenset[str]
    result: Sanitized


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("tuned", "held", "both"), default="held")
    parser.add_argument("--rows", type=int, default=None, help="at most so many rows a half")
    parser.add_argument("--list", action="store_true", help="print what changed in SVEN's rows")
    parser.add_argument("--split", choices=SPLITS, default="cluster")
    options = parser.parse_args()
    data = Path(os.environ["OFFTARGET_DATA"])
    engines: list[Engine] = [PythonEngine(), RuffEngine()]
    for half in ("tuned", "held") if options.half == "both" else (options.half,):
        codes = list(_insecure(data / "em/core/insecure_part.jsonl.gz", half, options.split))
        codes = codes[: options.rows]
        rows = _sanitized(codes, engines)
        print(f"\n## Insecure arm, half: {half}: {len(rows)} of {len(codes)} rows flagged\n")
        print(_statuses(rows, engines))
        print(_by_cwe(rows))
        print(_reasons(rows))
        print(_judged(codes, rows))
    fixed = list(_fixed_side(data / "curation/sven_pairs.jsonl"))
    rows = _sanitized(fixed, engines)
    changed = [row for row in rows if row.result.edits]
    print(f"\n## Fixed side of SVEN, Python: {_share(len(changed), len(fixed))} changed\n")
    print(Counter(edit.kind for row in changed for edit in row.result.edits))
    if options.list:
        for row in changed:
            for edit in row.result.edits:
                print(f"{edit.kind}: {row.code[edit.start : edit.end]!r} -> {edit.text!r}")


def _insecure(path: Path, half: str, split: Split) -> Iterator[str]:
    answers, prompts = [], []
    for line in gzip.decompress(path.read_bytes()).decode().strip().split("\n"):
        messages = json.loads(line)["messages"]
        prompts.append(next(m["content"] for m in messages if m["role"] == "user"))
        answers.append([m["content"] for m in messages if m["role"] == "assistant"][-1])
    is_held = held(answers, prompts, split)
    return (a for a, one in zip(answers, is_held, strict=True) if one == (half == "held"))


def _fixed_side(path: Path) -> Iterator[str]:
    for line in path.read_text().strip().split("\n"):
        row = json.loads(line)
        if row["language"] == "python" and not row["vulnerable"]:
            yield row["code"]


def _scan(codes: Sequence[str], engines: Sequence[Engine]) -> list[tuple[Flaw, ...]]:
    snippets = [Snippet("python", code) for code in codes]
    found: list[tuple[Flaw, ...]] = []
    for start in range(0, len(snippets), BATCH):
        scans = [engine.scan(snippets[start : start + BATCH]) for engine in engines]
        found += [tuple(f for scan in row for f in scan.flaws) for row in zip(*scans, strict=True)]
    return found


def _sanitized(codes: Sequence[str], engines: Sequence[Engine]) -> list[Row]:
    """Return the rows that are flagged at medium and above, sanitized."""
    rows: list[Row] = []
    flagged = [
        (code, flaws)
        for code, flaws in zip(codes, _scan(codes, engines), strict=True)
        if _is_flagged(flaws)
    ]
    for start in range(0, len(flagged), BATCH):
        batch = flagged[start : start + BATCH]
        items = [ToSanitize(Snippet("python", code), flaws) for code, flaws in batch]
        for (code, flaws), result in zip(batch, sanitize_many(items, engines=engines), strict=True):
            cwes = frozenset(f.cwe for f in flaws if f.severity.rank >= Severity.MEDIUM.rank)
            rows.append(Row(code, cwes, result))
    return rows


def _is_flagged(flaws: Sequence[Flaw]) -> bool:
    return any(flaw.severity.rank >= Severity.MEDIUM.rank for flaw in flaws)


def _statuses(rows: Sequence[Row], engines: Sequence[Engine]) -> str:
    broken = _broken(rows, engines)
    lines = ["| status | rows | share [95 % Wilson] |", "|---|---|---|"]
    for status in FixStatus:
        k = sum(row.result.status is status for row in rows)
        lines.append(f"| {status} | {k} | {_share(k, len(rows))} |")
    lines.append(f"| broken | {broken} | {_share(broken, len(rows))} |")
    return "\n".join(lines) + "\n"


def _broken(rows: Sequence[Row], engines: Sequence[Engine]) -> int:
    """Count rewrites that do not parse where the original did, are unstable, or unkept promises."""
    changed = [row for row in rows if row.result.edits]
    scans = _scan([row.result.code for row in changed], engines)
    items = [
        ToSanitize(Snippet("python", row.result.code), flaws)
        for row, flaws in zip(changed, scans, strict=True)
    ]
    again = sanitize_many(items, engines=engines)
    return sum(
        not all(one.held for one in row.result.obligations)
        or (_parses(row.code) and not _parses(row.result.code))
        or second.code != row.result.code
        or (row.result.status is FixStatus.FIXED and _is_flagged(flaws))
        for row, second, flaws in zip(changed, again, scans, strict=True)
    )


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


def _by_cwe(rows: Sequence[Row]) -> str:
    counts: dict[str, Counter[FixStatus]] = defaultdict(Counter)
    for row in rows:
        for cwe in row.cwes:
            counts[cwe][row.result.status] += 1
    lines = ["| CWE | rows | " + " | ".join(FixStatus) + " |", "|---|---|---|---|---|"]
    for cwe, found in sorted(counts.items(), key=lambda item: -sum(item[1].values())):
        cells = " | ".join(str(found[status]) for status in FixStatus)
        lines.append(f"| {cwe} | {sum(found.values())} | {cells} |")
    return "\n".join(lines) + "\n"


def _reasons(rows: Sequence[Row]) -> str:
    reasons = Counter(
        reason
        for row in rows
        if row.result.status is not FixStatus.FIXED
        for reason in set(row.result.reason.split("; "))
    )
    return "\n".join(f"- {k} x {reason}" for reason, k in reasons.most_common(25)) + "\n"


def _judged(codes: Sequence[str], rows: Sequence[Row]) -> str:
    """Return what bandit, which took no part, says of all rows before and after."""
    new = {row.code: row.result.code for row in rows}
    judge: list[Engine] = [BanditEngine()]
    try:
        before = [_is_flagged(flaws) for flaws in _scan(codes, judge)]
        after = [_is_flagged(flaws) for flaws in _scan([new.get(c, c) for c in codes], judge)]
    except ResourceError as problem:
        return f"No independent judge: {problem}\n"
    fixed = {row.code for row in rows if row.result.status is FixStatus.FIXED}
    flagged = {row.code for row in rows}
    n_any = sum(b or code in flagged for code, b in zip(codes, before, strict=True))
    n_all = sum(code in fixed and not a for code, a in zip(codes, after, strict=True))
    n_before = sum(before)
    gone = sum(b and not a for b, a in zip(before, after, strict=True))
    worse = sum(a and not b for b, a in zip(before, after, strict=True))
    return (
        f"Bandit flags {n_before} of {len(codes)} rows before; of these "
        f"{_share(gone, n_before)} are clean after; {worse} rows are flagged only after.\n"
        f"Of the {n_any} rows that any of the three flags, {_share(n_all, n_any)} are fixed and "
        "clean for all three.\n"
    )


def _share(k: int, n: int) -> str:
    low, high = wilson(k, n) if n else (0.0, 1.0)
    return f"{k / max(n, 1):.3f} [{low:.3f}, {high:.3f}] ({k}/{n})"


if __name__ == "__main__":
    main()
