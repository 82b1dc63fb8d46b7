"""ruff's S rules (flake8-bandit) as an engine: one process a batch, our own table of what it means.

The tool reads a folder of small files and reports JSON lines. Its preview rules are on, so that
functions passed by name and imports are seen; suppression comments of every kind are ignored.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from importlib import import_module
from itertools import accumulate
from pathlib import Path

import msgspec

from offtarget.codescan.engines.folder import private_folder, write_files
from offtarget.codescan.engines.halving import scan_in_halves
from offtarget.codescan.engines.process import Limits, run_tool
from offtarget.codescan.engines.python_file import PythonFile, SnippetRows, python_file
from offtarget.codescan.engines.python_rules import Gate, TableRule, ruff_digest, ruff_rules
from offtarget.codescan.engines.unpicklers import restricted_bases
from offtarget.codescan.flaw import Flaw, Reading, Scanned, Snippet
from offtarget.codescan.language import Language
from offtarget.codescan.rule import Rule
from offtarget.core.errors import ResourceError
from offtarget.core.finding import Severity

GRAMMAR = "py314"
"""Newest final grammar; older code parses under it as well."""
_PROOF = "S101"
_UNPICKLING = "S301"
_INSTALL = "pip install 'ruff>=0.17,<0.18'"
_MAX_PACK = 32
_MAX_PACK_CHARACTERS = 200_000
_ENVIRONMENT = {"RAYON_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}
"""One thread: scans run one engine a core. Nothing of the user's environment is passed on."""


class _Place(msgspec.Struct):
    """A place in a file; both 1-based, the column in characters."""

    row: int
    column: int


class _Diagnostic(msgspec.Struct):
    """One line of the tool's output; `code` is absent for syntax errors."""

    filename: str
    code: str | None
    message: str
    location: _Place
    end_location: _Place


_DECODER = msgspec.json.Decoder(_Diagnostic)


class RuffEngine:
    """The bundled engine for Python."""

    name = "ruff"
    languages = frozenset({Language.PYTHON.value})

    def __init__(self, *, least: Severity = Severity.LOW, is_gated: bool = True) -> None:
        """Prepare the rules.

        Args:
            least: Use the rules of at least that severity.
            is_gated: False has the tool look for every rule in all code, also where its literals
                are missing; for checking that the gate loses nothing.
        """
        self._is_gated = is_gated
        self._entries = {
            entry.rule.id: entry for entry in ruff_rules() if entry.rule.severity.rank >= least.rank
        }
        self._gate = Gate(self._entries.values())

    @cached_property
    def version(self) -> str:
        """`0.17.6+` and the digest of our table."""
        with private_folder(0) as folder:
            limits = Limits(timeout_s=30.0)
            try:
                answer = run_tool(
                    [self._program, "--version"],
                    folder=folder,
                    limits=limits,
                    environment=_ENVIRONMENT,
                )
            except OSError as problem:
                raise ResourceError(f"ruff: cannot be started ({problem}); {_INSTALL}") from problem
        words = answer.output.decode("utf-8", "replace").split()
        if answer.code != 0 or len(words) < 2:
            raise ResourceError(f"ruff: does not say its version ({answer.failure}); {_INSTALL}")
        return f"{words[1]}+{ruff_digest()}"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in use, sorted by id."""
        return tuple(entry.rule for entry in self._entries.values())

    def may_match(self, code: str) -> bool:
        """Return whether any rule may match; code that fails this need not be scanned."""
        return not self._is_gated or self._gate.may_match(code)

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        """Return what was found in each snippet; indented code is `REPAIRED`.

        A snippet that the tool cannot parse, or that kills it, is `UNPARSED`.

        Raises:
            ResourceError: If the tool is missing, or fails on an empty file.
        """
        return scan_in_halves(snippets, self._attempt, tool=self.name, remedy=_INSTALL)

    @cached_property
    def _program(self) -> Path:
        """The binary that came with the installed package; never one from PATH."""
        try:
            return Path(import_module("ruff").find_ruff_bin())
        except (ImportError, FileNotFoundError) as problem:
            raise ResourceError(f"ruff: not installed; {_INSTALL}") from problem

    def _command(self, folder: Path) -> list[str | Path]:
        """Return the command line; our table's rules and the proof are all that is selected."""
        selected = ",".join(sorted({*self._entries, _PROOF}))
        return [
            self._program, "check", "--isolated", "--no-cache", "--ignore-noqa", "--exit-zero",
            "--quiet", "--preview", "--no-respect-gitignore", "--target-version", GRAMMAR,
            "--select", selected, "--output-format", "json-lines", folder,
        ]  # fmt: skip

    def _attempt(self, snippets: Sequence[Snippet]) -> list[Scanned] | str:
        """Answer for a batch; return how the tool failed if it did.

        Snippets that no rule can match only have to be parsed, which costs a third as much in one
        file together; if that file cannot be read to its end, each gets a file of its own.
        """
        files = [python_file(snippet.code) for snippet in snippets]
        able = [self.may_match(file.code) for file in files]
        alone = [[file] for file, may in zip(files, able, strict=True) if may]
        together = list(_packed(file for file, may in zip(files, able, strict=True) if not may))
        reports = self._run([*alone, *together])
        if isinstance(reports, str):
            return reports
        answers: dict[int, Scanned] = {}
        unproved: list[list[PythonFile]] = []
        for pack, report in zip([*alone, *together], reports, strict=True):
            if len(pack) == 1:
                answers[id(pack[0])] = self._scanned(pack[0], report)
            elif _is_proved(pack, report):
                answers |= {id(file): Scanned(_reading(file)) for file in pack}
            else:
                unproved.extend([file] for file in pack)
        reports = self._run(unproved) if unproved else []
        if isinstance(reports, str):
            return reports
        for (file,), report in zip(unproved, reports, strict=True):
            answers[id(file)] = self._scanned(file, report)
        return [answers[id(file)] for file in files]

    def _run(self, packs: Sequence[Sequence[PythonFile]]) -> list[list[_Diagnostic]] | str:
        """Run the tool once over one file a pack; return what it reports of each."""
        texts = ["".join(file.text for file in pack) for pack in packs]
        size_bytes = sum(len(text) for text in texts)
        limits = Limits(timeout_s=20.0 + 0.01 * len(texts) + size_bytes / 1e6)
        with private_folder(size_bytes) as folder:
            write_files(folder, [(f"{index}.py", text) for index, text in enumerate(texts)])
            try:
                answer = run_tool(
                    self._command(folder), folder=folder, limits=limits, environment=_ENVIRONMENT
                )
            except OSError as problem:
                return str(problem)
        if answer.code != 0 or answer.stopped:
            return answer.failure
        reported: defaultdict[str, list[_Diagnostic]] = defaultdict(list)
        try:
            for diagnostic in _DECODER.decode_lines(answer.output):
                reported[diagnostic.filename.rpartition(os.sep)[2]].append(diagnostic)
        except msgspec.MsgspecError as problem:
            return f"its output cannot be read: {problem}"
        return [reported.get(f"{index}.py", []) for index in range(len(packs))]

    def _scanned(self, file: PythonFile, diagnostics: Sequence[_Diagnostic]) -> Scanned:
        """Return one answer; without the proof the file was not read to its end."""
        proved = False
        flaws: list[Flaw] = []
        rows: SnippetRows | None = None
        for diagnostic in diagnostics:
            code = diagnostic.code
            if code == _PROOF and diagnostic.location.row == file.proof_row:
                proved = True
            elif code in self._entries:
                rows = rows or file.rows()
                flaws.append(_flaw(self._entries[code], diagnostic, rows))
        if not proved:
            return Scanned(Reading.UNPARSED)
        if any(flaw.rule == _UNPICKLING for flaw in flaws):
            flaws = _without_restricted(flaws, file.code)
        flaws.sort(key=lambda flaw: (flaw.start, flaw.end, flaw.rule))
        return Scanned(_reading(file), tuple(flaws))


def _packed(files: Iterable[PythonFile]) -> Iterator[list[PythonFile]]:
    """Yield the files in packs of at most `_MAX_PACK` and `_MAX_PACK_CHARACTERS`."""
    pack: list[PythonFile] = []
    size = 0
    for file in files:
        if pack and (len(pack) == _MAX_PACK or size + len(file.text) > _MAX_PACK_CHARACTERS):
            yield pack
            pack, size = [], 0
        pack.append(file)
        size += len(file.text)
    if pack:
        yield pack


def _is_proved(pack: Sequence[PythonFile], report: Sequence[_Diagnostic]) -> bool:
    """Return whether the tool parsed a pack, and reached the end of each file in it as such."""
    if any(diagnostic.code in (None, "invalid-syntax") for diagnostic in report):
        return False
    found = {d.location.row for d in report if d.code == _PROOF and d.location.column == 1}
    ends = accumulate(file.proof_row for file in pack)
    return found.issuperset(ends)


def _reading(file: PythonFile) -> Reading:
    return Reading.REPAIRED if file.is_block else Reading.WHOLE


def _without_restricted(flaws: Sequence[Flaw], code: str) -> list[Flaw]:
    """Return the flaws without those in the bases of unpicklers that refuse unknown names."""
    bases = restricted_bases(code)
    return [
        flaw
        for flaw in flaws
        if flaw.rule != _UNPICKLING
        or not any(start <= flaw.start and flaw.end <= end for start, end in bases)
    ]


def _flaw(entry: TableRule, diagnostic: _Diagnostic, rows: SnippetRows) -> Flaw:
    """Return one diagnostic as a flaw."""
    start = rows.offset(diagnostic.location.row, diagnostic.location.column)
    end = rows.offset(diagnostic.end_location.row, diagnostic.end_location.column)
    is_quiet = bool(entry.quiet) and entry.quiet in diagnostic.message
    return Flaw(
        rule=entry.rule.id,
        cwe=entry.rule.cwe,
        severity=Severity.LOW if is_quiet else entry.rule.severity,
        confidence=entry.rule.confidence,
        engine="ruff",
        start=start,
        end=max(start, end),
        text=diagnostic.message,
    )
