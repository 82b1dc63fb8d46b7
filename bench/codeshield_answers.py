"""Which of CodeShield's rules for Python match the files of a folder, as JSON on standard output.

Usage: PYTHON bench/codeshield_answers.py FOLDER

PYTHON has the packages `codeshield` and `semgrep`; nothing else is imported. All files reach semgrep
in one call, with CodeShield's own rule file; its regular expressions are applied as it applies them.
Unlike the product, which stops at a file's first match, this tells all of them.
"""

import json
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

USE_CASES = ("codeshield", "cyberseceval")
"""The rules that the product uses, and the larger set of the benchmark by the same authors."""
DETECTOR = "codeshield.insecure_code_detector"


def main() -> None:
    """Print one JSON object: by use case the rules of each file, and the files with errors."""
    folder = Path(sys.argv[1])
    found: dict[str, dict[str, list[str]]] = {}
    unread: set[str] = set()
    for use_case in USE_CASES:
        rules = {path.name: _by_regex(path.read_text("utf-8"), use_case) for path in _files(folder)}
        report = _semgrep(folder, use_case)
        for result in report["results"]:
            name = Path(result["path"]).name
            rules[name] = sorted({*rules[name], "semgrep:" + result["check_id"].split(".")[-1]})
        unread |= {Path(one["path"]).name for one in report["errors"] if one.get("path")}
        found[use_case] = rules
    versions = {name: metadata.version(name) for name in ("codeshield", "semgrep")}
    print(json.dumps({"versions": versions, "found": found, "unread": sorted(unread)}))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.py"))


def _by_regex(code: str, use_case: str) -> list[str]:
    detector = import_module(f"{DETECTOR}.insecure_code_detector")
    patterns = import_module(f"{DETECTOR}.insecure_patterns").load(
        import_module(f"{DETECTOR}.languages").Language.PYTHON,
        import_module(f"{DETECTOR}.analyzers").Analyzer.REGEX,
        import_module(f"{DETECTOR}.usecases").UseCase(use_case),
    )
    return sorted(
        {
            f"regex:{pattern.pattern_id}"
            for pattern in patterns
            if detector._search_pattern(pattern, code)
        }
    )


def _semgrep(folder: Path, use_case: str) -> Any:
    root = Path(import_module(DETECTOR + ".oss").SEMGREP_RULE_REPO_PATH)
    rules = root / "_generated_" / f"python_{use_case}.json"
    program = Path(sys.executable).with_name("semgrep")
    command = [
        program, "scan", "--metrics", "off", "--disable-version-check", "--no-git-ignore",
        "--max-target-bytes", "0", "--jobs", "1", "--json", "--quiet", "--config", rules, folder,
    ]  # fmt: skip
    answer = subprocess.run(command, capture_output=True, check=False)
    if answer.returncode not in (0, 1):
        sys.exit(f"semgrep failed: {answer.stderr.decode('utf-8', 'replace')[-2_000:]}")
    report = json.loads(answer.stdout)
    n_read = len({Path(path).name for path in report["paths"]["scanned"]})
    if n_read != len(_files(folder)):
        sys.exit(f"semgrep scanned {n_read} of {len(_files(folder))} files")
    return report


if __name__ == "__main__":
    main()
