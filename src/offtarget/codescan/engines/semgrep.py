"""semgrep or opengrep with the user's own rules, as an optional engine: one process a batch.

The rules are copied beside the snippets, so that they cannot change during a scan. Nothing is
fetched: rules come from disk, metrics and version checks are off, and the proxy that the tool is
told of does not exist.
"""

import os
import shutil
import sysconfig
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from offtarget.codescan.engines.folder import private_folder, write_files
from offtarget.codescan.engines.halving import scan_in_halves
from offtarget.codescan.engines.process import Answer, Limits, run_tool
from offtarget.codescan.engines.rows import Rows
from offtarget.codescan.engines.semgrep_rules import SUFFIXES, read_user_rules
from offtarget.codescan.flaw import Flaw, Reading, Scanned, Snippet
from offtarget.codescan.language import Language
from offtarget.codescan.rule import Rule
from offtarget.core.errors import ResourceError

PROGRAMS = ("semgrep", "opengrep")
_INSTALL = "pip install 'offtarget[semgrep]', or install opengrep"
_PHP = "<?php\n"


class _Place(msgspec.Struct):
    """A place in a file; the line and the column, in UTF-8 bytes, are 1-based."""

    line: int
    col: int


class _Extra(msgspec.Struct):
    """What the rule says."""

    message: str = ""


class _Result(msgspec.Struct):
    """One finding."""

    check_id: str
    path: str
    start: _Place
    end: _Place
    extra: _Extra = msgspec.field(default_factory=_Extra)


class _Problem(msgspec.Struct):
    """One error: of a file if it has a path, else of the rules or the tool."""

    level: str = ""
    path: str = ""
    message: str = ""
    long_msg: str = ""


class _Paths(msgspec.Struct):
    """Which files were read."""

    scanned: list[str] = []


class _Report(msgspec.Struct):
    """What the tool prints."""

    results: list[_Result] = []
    errors: list[_Problem] = []
    paths: _Paths = msgspec.field(default_factory=_Paths)


_DECODER = msgspec.json.Decoder(_Report)


class SemgrepEngine:
    """The user's rules, run by the user's semgrep or opengrep."""

    name = "semgrep"

    def __init__(self, config: tuple[Path, ...], *, program: Path | None = None) -> None:
        """Read the rules.

        Args:
            config: Files and folders of rules; names of registry packs are refused.
            program: The tool; by default the one installed beside Python, then one from PATH.

        Raises:
            ConfigError: If the rules cannot be read.
        """
        self._user = read_user_rules(config)
        self._given = program
        self._rules = {rule.id: rule for rule in self._user.rules}

    @cached_property
    def version(self) -> str:
        """`semgrep 1.182.0+` and the digest of the user's rules."""
        with private_folder(0) as folder:
            answer = self._run([self._program, "--version"], folder, Limits(timeout_s=600.0))
        words = answer.output.decode("utf-8", "replace").split()
        if answer.code != 0 or not words:
            raise ResourceError(f"semgrep: does not say its version ({answer.failure}); {_INSTALL}")
        return f"{self._program.name} {words[-1]}+{self._user.digest}"

    @property
    def languages(self) -> frozenset[str]:
        """Those that any rule names."""
        return self._user.languages

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The user's rules, sorted by id; they bring no examples."""
        return self._user.rules

    @property
    def canaries(self) -> Mapping[str, tuple[str, str]]:
        """The known-bad and known-good texts that lie beside the rules, by language."""
        return self._user.canaries

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        """Return what was found in each snippet; at best its reading is `TOLERANT`.

        The tool does not parse a file in which no rule's words stand, so it cannot say that one is
        whole. A snippet of which it reports errors is `UNPARSED`, with the flaws in the rest.

        Raises:
            ResourceError: If the tool is missing, refuses a rule, or fails on an empty file.
        """
        return scan_in_halves(snippets, self._attempt, tool=self.name, remedy=_INSTALL)

    @cached_property
    def _program(self) -> Path:
        """Where the tool is."""
        if self._given is not None:
            return self._given
        scripts = sysconfig.get_path("scripts")
        for name in PROGRAMS:
            found = shutil.which(name, path=scripts) or shutil.which(name)
            if found is not None:
                return Path(found)
        raise ResourceError(f"semgrep: not installed; {_INSTALL}")

    def _attempt(self, snippets: Sequence[Snippet]) -> list[Scanned] | str:
        """Run the tool once; return how it failed if it did."""
        heads = [_head(snippet) for snippet in snippets]
        names = [f"{i}{SUFFIXES.get(s.language, '.txt')}" for i, s in enumerate(snippets)]
        texts = [head + snippet.code for head, snippet in zip(heads, snippets, strict=True)]
        size_bytes = sum(map(len, texts))
        limits = Limits(timeout_s=600.0 + 0.5 * len(texts) + size_bytes / 1e4, memory_bytes=None)
        with private_folder(size_bytes) as folder:
            for part in ("code", "rules"):
                (folder / part).mkdir()
            write_files(folder / "code", list(zip(names, texts, strict=True)))
            write_files(
                folder / "rules", [(f"{i}.yaml", t) for i, t in enumerate(self._user.files)]
            )
            answer = self._run(self._command(), folder, limits)
        try:
            report = _DECODER.decode(answer.output)
        except msgspec.MsgspecError:
            return answer.failure
        for problem in report.errors:
            if problem.level == "error" and not problem.path:
                said = " ".join((problem.long_msg or problem.message).split())[:300]
                raise ResourceError(f"semgrep: refuses the rules ({said}); fix them")
        if answer.code != 0 or answer.stopped:
            return answer.failure
        found: defaultdict[str, list[_Result]] = defaultdict(list)
        for result in report.results:
            found[_name(result.path)].append(result)
        read = {_name(path) for path in report.paths.scanned}
        read -= {_name(problem.path) for problem in report.errors if problem.path}
        return [
            self._scanned(snippet, head, found[name], is_read=name in read)
            for snippet, head, name in zip(snippets, heads, names, strict=True)
        ]

    def _command(self) -> list[str | Path]:
        """Return the command line; every file is read, whatever its size or ignore lists say."""
        return [
            self._program, "scan", "--config", "rules", "--metrics", "off",
            "--disable-version-check", "--json", "--quiet", "--no-git-ignore", "--disable-nosem",
            "--no-rewrite-rule-ids", "--max-target-bytes", "0", "--jobs", "1", "code",
        ]  # fmt: skip

    def _run(self, command: Sequence[str | Path], folder: Path, limits: Limits) -> Answer:
        """Run the tool with its own folder as home."""
        nowhere = "http://127.0.0.1:9"
        environment = {
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "PATH": os.pathsep.join((str(self._program.parent), os.defpath)),
            "SEMGREP_ENABLE_VERSION_CHECK": "0",
            "SEMGREP_SEND_METRICS": "off",
            "http_proxy": nowhere,
            "https_proxy": nowhere,
        }
        try:
            return run_tool(command, folder=folder, limits=limits, environment=environment)
        except OSError as problem:
            raise ResourceError(f"semgrep: cannot be started ({problem}); {_INSTALL}") from problem

    def _scanned(
        self, snippet: Snippet, head: str, results: Sequence[_Result], *, is_read: bool
    ) -> Scanned:
        """Return one answer."""
        rows = Rows(snippet.code) if results else None
        flaws = [self._flaw(result, rows, head.count("\n")) for result in results if rows]
        flaws.sort(key=lambda flaw: (flaw.start, flaw.end, flaw.rule))
        return Scanned(Reading.TOLERANT if is_read else Reading.UNPARSED, tuple(flaws))

    def _flaw(self, result: _Result, rows: Rows, n_head: int) -> Flaw:
        """Return one finding as a flaw of the rule with that id."""
        rule = self._rules.get(result.check_id)
        if rule is None:
            raise ResourceError(
                f"semgrep: reports rule {result.check_id!r}, which is not in the configuration; "
                "use a version that knows --no-rewrite-rule-ids"
            )
        start = rows.offset_of_byte(result.start.line - n_head, result.start.col - 1)
        end = rows.offset_of_byte(result.end.line - n_head, result.end.col - 1)
        return Flaw(
            rule=rule.id,
            cwe=rule.cwe,
            severity=rule.severity,
            confidence=rule.confidence,
            engine=self.name,
            start=start,
            end=max(start, end),
            text=" ".join(result.extra.message.split()) or rule.title,
        )


def _head(snippet: Snippet) -> str:
    """Return the line that a snippet needs in front: without its tag, PHP is read as text."""
    return _PHP if snippet.language == Language.PHP and "<?" not in snippet.code else ""


def _name(path: str) -> str:
    """Return the last part of a path."""
    return path.replace("\\", "/").rpartition("/")[2]
