"""CodeShield as a judge of the sanitizer: what its rules say of the same rows before and after.

Usage: OFFTARGET_DATA=... python bench/judge_codeshield.py --judge PYTHON [options]

PYTHON is an interpreter of its own, with `pip install codeshield semgrep` (both rules and package
are MIT, of meta-llama/PurpleLlama). The judge has no part in the rewriting. Before it is believed,
it must catch one known-bad file with each of its two kinds of rules and pass a known-good one.
Rows are the assistant's answers of the insecure arm, those held by near-duplicate cluster unless
asked otherwise (split.py).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sanitize_quality import Row, _insecure, _sanitized, _share
from split import SPLITS

from offtarget.codescan.engine import Engine
from offtarget.codescan.engines.ruff import RuffEngine
from offtarget.codescan.python import PythonEngine
from offtarget.curate.sanitize import FixStatus

BAD = {
    "semgrep:insecure-os-system-use": "import os\n\n\ndef run(name):\n    os.system('ls ' + name)\n",
    "regex:insecure-md5-hash-usage": "import hashlib\n\nprint(hashlib.md5(b'a').hexdigest())\n",
}
"""What must be found, by the rule that must find it."""
GOOD = "import json\n\n\ndef read(text):\n    return json.loads(text)\n"
MAX_NAMED = 12
"""Rules that the last table names."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--judge", type=Path, required=True, help="Python with codeshield, semgrep")
    parser.add_argument("--half", choices=("tuned", "held", "both"), default="held")
    parser.add_argument("--split", choices=SPLITS, default="cluster")
    parser.add_argument("--rows", type=int, default=None, help="at most so many rows")
    options = parser.parse_args()
    data = Path(os.environ["OFFTARGET_DATA"])
    arm = data / "em/core/insecure_part.jsonl.gz"
    halves = ("tuned", "held") if options.half == "both" else (options.half,)
    codes = [code for half in halves for code in _insecure(arm, half, options.split)]
    codes = codes[: options.rows]
    engines: list[Engine] = [PythonEngine(), RuffEngine()]
    rows = {row.code: row for row in _sanitized(codes, engines)}
    after = [rows[code].result.code if code in rows else code for code in codes]
    before_said = _judged(options.judge, codes)
    after_said = _judged(options.judge, after)
    versions = ", ".join(f"{name} {one}" for name, one in before_said["versions"].items())
    n_ours = sum(code in rows for code in codes)
    print(f"{versions}; half {options.half}: {len(codes)} rows, {n_ours} flagged by ours\n")
    unread = [len(said["unread"]) for said in (before_said, after_said)]
    print(f"Files of which semgrep reports an error: {unread[0]} before, {unread[1]} after.\n")
    print("| rules | flagged before | of these clean after | of these, fixed by us: clean after "
          "| flagged only after |\n|---|---|---|---|---|")  # fmt: skip
    for use_case in before_said["found"]:
        pairs = [
            (said["found"][use_case][f"{index}.py"], other["found"][use_case][f"{index}.py"])
            for index in range(len(codes))
            for said, other in [(before_said, after_said)]
        ]
        print(_line(use_case, pairs, [rows.get(code) for code in codes]))
    left = Counter(rule for _, still in pairs for rule in still)
    had = Counter(rule for was, _ in pairs for rule in was)
    print(f"\nBy rule ({use_case}), rows before and after:\n")
    for rule, n in had.most_common(MAX_NAMED):
        print(f"- {rule}: {n}, {left[rule]}")


def _line(
    use_case: str, pairs: Sequence[tuple[list[str], list[str]]], rows: Sequence[Row | None]
) -> str:
    flagged = [(still, row) for (was, still), row in zip(pairs, rows, strict=True) if was]
    fixed = [still for still, row in flagged if row and row.result.status is FixStatus.FIXED]
    n_clean, n_fixed = (sum(not still for still in group) for group in
                        ([still for still, _ in flagged], fixed))  # fmt: skip
    only_after = sum(bool(still) and not was for was, still in pairs)
    return (
        f"| {use_case} | {len(flagged)} | {_share(n_clean, len(flagged))} | "
        f"{_share(n_fixed, len(fixed))} | {only_after} |"
    )


def _judged(judge: Path, codes: Sequence[str]) -> Any:
    """Return the judge's answers; stop where it fails a canary."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, code in enumerate(codes):
            text = code.encode("utf-8", "replace")
            (folder / f"{index}.py").write_bytes(text)
        for index, code in enumerate((*BAD.values(), GOOD)):
            (folder / f"canary-{index}.py").write_text(code, "utf-8")
        script = Path(__file__).with_name("codeshield_answers.py")
        answer = subprocess.run([judge, script, folder], capture_output=True, check=False)
    if answer.returncode:
        sys.exit(f"the judge failed: {answer.stderr.decode('utf-8', 'replace')[-2_000:]}")
    said = json.loads(answer.stdout)
    for use_case, found in said["found"].items():
        for index, rule in enumerate(BAD):
            if rule not in found[f"canary-{index}.py"]:
                sys.exit(f"canary: {rule} ({use_case}) missed its known-bad file")
        if found[f"canary-{len(BAD)}.py"]:
            sys.exit(
                f"canary: {found[f'canary-{len(BAD)}.py']} ({use_case}) in the known-good file"
            )
    return said


if __name__ == "__main__":
    main()
