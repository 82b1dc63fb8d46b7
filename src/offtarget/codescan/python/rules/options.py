"""Data that a program would take for one of its options."""

from typing import Final

from offtarget.codescan.python.rules.grading import LOW
from offtarget.codescan.python.rules.literals import REMOTE
from offtarget.codescan.python.values import HOLE, Level, Safe, Value
from offtarget.codescan.python.walk import Call, Checks, Walk
from offtarget.codescan.rule import Rule

_PROGRAMS: Final = (
    "git", "hg", "svn", "tar", "find", "ssh", "scp", "sftp", "rsync", "curl", "wget", "zip", "man",
    "sendmail", "psql", "ffmpeg", "convert", "awk", "vim", "less", "tcpdump", "chromium",
)  # fmt: skip
"""Programs of which an option runs a command, or reads or writes a file of the caller's choice."""
_CALLS: Final = ("run", "call", "check_call", "check_output", "Popen")

RULES: Final = (
    Rule(
        id="OT-PY-017",
        title="Data read as an option of a program",
        language="python",
        cwe="CWE-88",
        severity=LOW,
        confidence=0.5,
        why="An argument that begins with a hyphen is an option, and options of git, tar, ssh, find "
        "and their like run commands or write files. `--` before it ends the options.",
        bad="import subprocess\nfrom flask import request\n"
        "subprocess.run(['git', 'ls-remote', request.args['url']])\n",
        good="import subprocess\nfrom flask import request\n"
        "subprocess.run(['git', 'ls-remote', '--', request.args['url']])\n",
        literals=(("subprocess",), _PROGRAMS, REMOTE),
    ),
)


def register(checks: Checks) -> None:
    """Have the check of this file called."""
    checks.on_call([f"subprocess.{name}" for name in _CALLS], _process)


def _process(walk: Walk, call: Call) -> None:
    value = call.argument(0, "args")
    items = list(value.items.values()) if value is not None and value.items else []
    shell = call.keywords.get("shell")
    if not items or (shell is not None and shell.const not in (False, None, 0)):
        return
    program = (items[0].shape or "").rpartition("/")[2]
    if program in _PROGRAMS:
        _report(walk, call, program, items[1:])


def _report(walk: Walk, call: Call, program: str, arguments: list[Value]) -> None:
    """Report the first argument that begins with data, unless the options have ended before it."""
    for value in arguments:
        if value.shape == "--":
            return
        if not (value.shape or HOLE).startswith(HOLE):
            continue
        taint = walk.exposed(value, Safe.SHELL | Safe.INDIRECT)
        if taint is not None and taint.level >= Level.REMOTE:
            walk.report(
                "OT-PY-017",
                call.node,
                f"`{program}` reads the data as an option if it begins with a hyphen; put '--' "
                "before it.",
                severity=LOW,
                confidence=0.5,
                taint=taint,
            )
            return
