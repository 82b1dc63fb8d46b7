"""bandit as an optional engine: one process a batch, its own severities and confidences.

It reads with the grammar of the interpreter that runs it, so newer code may be `UNPARSED`.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from importlib import metadata
from importlib.util import find_spec

import msgspec

from offtarget.codescan.engines.folder import private_folder, write_files
from offtarget.codescan.engines.halving import scan_in_halves
from offtarget.codescan.engines.process import Limits, run_tool
from offtarget.codescan.engines.python_file import PythonFile, SnippetRows, python_file
from offtarget.codescan.engines.python_rules import bandit_digest, bandit_rules
from offtarget.codescan.flaw import Flaw, Reading, Scanned, Snippet
from offtarget.codescan.language import Language
from offtarget.codescan.rule import Rule
from offtarget.core.errors import ResourceError
from offtarget.core.finding import Severity

CONFIDENCES = {"HIGH": 0.9, "MEDIUM": 0.6, "LOW": 0.3}
SEVERITIES = {"HIGH": Severity.HIGH, "MEDIUM": Severity.MEDIUM, "LOW": Severity.LOW}
_PROOF = "B101"
_INSTALL = "pip install 'offtarget[bandit]'"


class _Cwe(msgspec.Struct):
    """The kind that the tool names; 0 for none."""

    id: int = 0


class _Result(msgspec.Struct):
    """One finding; rows are 1-based, columns are 0-based UTF-8 bytes."""

    filename: str
    test_id: str
    issue_text: str
    issue_severity: str
    issue_confidence: str
    line_number: int
    line_range: list[int]
    col_offset: int
    end_col_offset: int
    issue_cwe: _Cwe = msgspec.field(default_factory=_Cwe)


class _Report(msgspec.Struct):
    """What the tool prints."""

    results: list[_Result]


_DECODER = msgspec.json.Decoder(_Report)


class BanditEngine:
    """bandit, as installed beside this package."""

    name = "bandit"
    languages = frozenset({Language.PYTHON.value})

    @cached_property
    def version(self) -> str:
        """`1.9.4/3.11+` and the digest of our table: tool, grammar, rules."""
        _require()
        grammar = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"{metadata.version('bandit')}/{grammar}+{bandit_digest()}"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of our own table, sorted by id; a finding keeps the tool's own severity."""
        return bandit_rules()

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        """Return what was found in each snippet; indented code is `REPAIRED`.

        A snippet that the tool cannot parse, or that kills it, is `UNPARSED`.

        Raises:
            ResourceError: If the tool is missing, or fails on an empty file.
        """
        _require()
        return scan_in_halves(snippets, self._attempt, tool=self.name, remedy=_INSTALL)

    def _attempt(self, snippets: Sequence[Snippet]) -> list[Scanned] | str:
        """Run the tool once; return how it failed if it did."""
        files = [python_file(snippet.code) for snippet in snippets]
        size_bytes = sum(len(file.text) for file in files)
        limits = Limits(timeout_s=60.0 + 0.1 * len(files) + size_bytes / 1e4)
        with private_folder(size_bytes) as folder:
            code = folder / "code"
            code.mkdir()
            write_files(code, [(f"{index}.py", file.text) for index, file in enumerate(files)])
            try:
                answer = run_tool(
                    [
                        sys.executable, "-I", "-m", "bandit", "--format", "json", "--quiet",
                        "--ignore-nosec", "--exit-zero", "--number", "1", "--recursive", "code",
                    ],
                    folder=folder,
                    limits=limits,
                    environment={"LC_ALL": "C.UTF-8", "XDG_CACHE_HOME": str(folder)},
                )  # fmt: skip
            except OSError as problem:
                return str(problem)
        if answer.code != 0 or answer.stopped:
            return answer.failure
        reported: defaultdict[str, list[_Result]] = defaultdict(list)
        try:
            for result in _DECODER.decode(answer.output).results:
                reported[result.filename.rpartition(os.sep)[2]].append(result)
        except msgspec.MsgspecError as problem:
            return f"its output cannot be read: {problem}"
        cwes = {rule.id: rule.cwe for rule in self.rules}
        return [
            _scanned(file, reported.get(f"{index}.py", []), cwes)
            for index, file in enumerate(files)
        ]


def _require() -> None:
    """Raise if the tool is not installed."""
    if find_spec("bandit") is None:
        raise ResourceError(f"bandit: not installed; {_INSTALL}")


def _scanned(file: PythonFile, results: Sequence[_Result], cwes: dict[str, str]) -> Scanned:
    """Return one answer; without the proof the file was not read to its end."""
    proved = False
    flaws: list[Flaw] = []
    rows: SnippetRows | None = None
    for result in results:
        if result.test_id == _PROOF and result.line_number == file.proof_row:
            proved = True
        else:
            rows = rows or file.rows()
            flaws.append(_flaw(result, rows, cwes))
    if not proved:
        return Scanned(Reading.UNPARSED)
    flaws.sort(key=lambda flaw: (flaw.start, flaw.end, flaw.rule))
    return Scanned(Reading.REPAIRED if file.is_block else Reading.WHOLE, tuple(flaws))


def _flaw(result: _Result, rows: SnippetRows, cwes: dict[str, str]) -> Flaw:
    """Return one finding as a flaw; the tool's end column belongs to an unknown row of several."""
    start = rows.offset_of_byte(result.line_number, result.col_offset)
    last = max(result.line_range, default=result.line_number)
    if last > result.line_number:
        end = rows.offset_of_byte(last + 1, 0)
    else:
        end = rows.offset_of_byte(result.line_number, result.end_col_offset)
    return Flaw(
        rule=result.test_id,
        cwe=cwes.get(result.test_id) or f"CWE-{result.issue_cwe.id}",  # CWE-0 is `UNSTATED`
        severity=SEVERITIES.get(result.issue_severity, Severity.LOW),
        confidence=CONFIDENCES.get(result.issue_confidence, CONFIDENCES["LOW"]),
        engine="bandit",
        start=start,
        end=max(start, end),
        text=result.issue_text,
    )
