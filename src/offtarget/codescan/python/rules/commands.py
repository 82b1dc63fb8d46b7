"""Commands and code put together from data: shells, `eval`, templates, dynamic names."""

import ast
import re
from typing import Final

from offtarget.codescan.python.rules.grading import (
    HIGH,
    LOW,
    MEDIUM,
    by_level,
    is_formatted,
    is_sanitized,
    name_of,
)
from offtarget.codescan.python.rules.literals import FORMATTING, REMOTE
from offtarget.codescan.python.values import HOLE, Level, Safe, Value, is_fixed
from offtarget.codescan.python.walk import Call, Checks, Walk
from offtarget.codescan.python.words import words
from offtarget.codescan.rule import Rule

RULES: Final = (
    Rule(
        id="OT-PY-010",
        title="Shell command put together from data",
        language="python",
        cwe="CWE-78",
        severity=HIGH,
        confidence=0.85,
        why="A semicolon or backtick in the data runs any program with the rights of the process. "
        "A list of arguments without a shell cannot be rewritten.",
        bad="import os\ndef ping(host):\n    os.system('ping -c 1 ' + host)\n",
        good="import subprocess\ndef ping(host):\n    subprocess.run(['ping', '-c', '1', host])\n",
        literals=(
            (
                "system",
                "popen",
                "subprocess",
                "getoutput",
                "getstatusoutput",
                "exec_command",
                "spawn",
                "pexpect",
                "Popen",
                "check_output",
                "check_call",
                "execl",
                "execv",
                "startfile",
                "fabric",
                "invoke",
                "subprocess_shell",
            ),
        ),
    ),
    Rule(
        id="OT-PY-011",
        title="Command text handed to a function that runs it",
        language="python",
        cwe="CWE-78",
        severity=MEDIUM,
        confidence=0.55,
        why="A function whose name says that it runs commands gets one text with data in it, which "
        "some shell will split. A list keeps every argument whole.",
        bad="def remove(client, volume):\n    client.run_command('removevol -f %s' % volume)\n",
        good="def remove(client, volume):\n    client.run_command(['removevol', '-f', volume])\n",
        literals=(
            (
                "cmd",
                "command",
                "ssh",
                "shell",
                "cli_",
                "_cli",
                "sudo",
                "run_as_root",
            ),
            ("run", "exec", "call", "check_output", "ssh", "sudo", "shell", "cmd"),
            FORMATTING,
        ),
    ),
    Rule(
        id="OT-PY-012",
        title="Data run as Python code",
        language="python",
        cwe="CWE-94",
        severity=HIGH,
        confidence=0.85,
        why="Whoever controls the text runs any code in the process. Parsing the few forms that "
        "are meant, for instance with `ast.literal_eval`, gives the same answer without it.",
        bad="from flask import request\nresult = eval(request.args['expression'])\n",
        good="import ast\nfrom flask import request\n"
        "result = ast.literal_eval(request.args['expression'])\n",
        literals=(
            (
                "eval(",
                "exec(",
                "eval (",
                "exec (",
                "exec ",
                "'exec'",
                '"exec"',
                "'eval'",
                '"eval"',
                "execfile",
                "Interactive",
            ),
        ),
    ),
    Rule(
        id="OT-PY-013",
        title="Template source holds data",
        language="python",
        cwe="CWE-94",
        severity=HIGH,
        confidence=0.9,
        why="Double braces in the data are evaluated by the template engine, which reaches any "
        "object of the process. Data belongs into the template's variables.",
        bad="from flask import request, render_template_string\n"
        "def hello():\n    return render_template_string('<p>' + request.args['name'] + '</p>')\n",
        good="from flask import request, render_template_string\n"
        "def hello():\n"
        "    return render_template_string('<p>{{ n }}</p>', n=request.args['name'])\n",
        literals=(("render_template_string", "Template", "from_string"),),
    ),
    Rule(
        id="OT-PY-014",
        title="Module or attribute chosen by data",
        language="python",
        cwe="CWE-94",
        severity=MEDIUM,
        confidence=0.6,
        why="The data decides which code is imported or called, beyond what was meant to be "
        "offered. A dictionary of the allowed choices says what may be reached.",
        bad="import importlib\nfrom flask import request\n"
        "module = importlib.import_module(request.args['plugin'])\n",
        good="import importlib\nfrom flask import request\nPLUGINS = {'a': 'pkg.a'}\n"
        "module = importlib.import_module(PLUGINS[request.args['plugin']])\n",
        literals=(("import_module", "__import__", "getattr"), REMOTE),
    ),
)

_SHELL: Final = (
    "os.system", "os.popen", "os.popen2", "os.popen3", "popen2.popen2", "subprocess.getoutput",
    "subprocess.getstatusoutput", "asyncio.create_subprocess_shell", "pexpect.run",
    "pexpect.spawn", "fabric.api.run", "fabric.api.local", "fabric.api.sudo", "platform.popen",
    "invoke.run",
)  # fmt: skip
_PROCESS: Final = (
    "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
    "subprocess.Popen", "Popen", "check_output", "check_call",
)  # fmt: skip
_EXEC: Final = tuple(
    f"os.{name}"
    for name in (
        "execl", "execle", "execlp", "execv", "execve", "execvp", "execvpe", "spawnl", "spawnle",
        "spawnlp", "spawnv", "spawnve", "spawnvp", "startfile", "posix_spawn",
    )
)  # fmt: skip
_INTERPRETERS: Final = words(
    """
    sh bash /bin/sh /bin/bash cmd cmd.exe powershell powershell.exe pwsh /usr/bin/bash zsh
    /bin/zsh dash /bin/dash ash ksh /usr/bin/sh
    """
)
_SHELL_OPTION: Final = re.compile(r"-\w*c$|/[cCkK]$|-(?:enc|Enc|Com|com)\w*$|-c\w*$")
_RUNNING: Final = re.compile(
    r"(?:^|_)(?:run|exec|execute)_?(?:cmd|command|ssh|shell|cli)|(?:cmd|command|ssh|shell|cli)_?"
    r"(?:run|exec|execute)|^_?(?:ssh|sudo|shell|run_?as_?root|run_?ssh|runcmd)$|"
    r"^_?(?:cli|ssh|shell)_\w*(?:run|exec)|^_?(?:run_?cmd|exec_?cmd|get_?cmd_?output)$"
)
_ARGUMENTS: Final = re.compile(r"^\s*[\w./~\x00-]+\s+\S", re.S)
_OPTIONS: Final = re.compile(r"[\s=\"'/]\x00|^\x00\s|\x00\s")


def register(checks: Checks) -> None:
    """Have the checks of this file called."""
    checks.on_call(_SHELL, _shell)
    checks.on_call(_PROCESS, _process)
    checks.on_call(_EXEC, _program)
    checks.on_method(("exec_command",), _shell)
    checks.formatted.append(_runner)
    checks.on_call(("eval", "exec", "compile", "execfile"), _code)
    checks.on_method(("runsource", "runcode", "push"), _interpreter)
    checks.on_call(
        (
            "flask.render_template_string",
            "jinja2.Template",
            "mako.template.Template",
            "django.template.Template",
            "tornado.template.Template",
        ),
        _template,
    )
    checks.on_method(("from_string",), _template)
    checks.on_call(("importlib.import_module", "__import__", "getattr"), _dynamic)


def _shell(walk: Walk, call: Call) -> None:
    value = call.argument(0, "cmd", "command", "args")
    if value is not None:
        _command(walk, call, value)


def _command(walk: Walk, call: Call, value: Value) -> None:
    if is_fixed(value) or is_sanitized(walk, value, Safe.SHELL):
        return
    taint = walk.exposed(value, Safe.SHELL)
    if taint is None:
        if value.shape is not None and HOLE not in value.shape:
            return
        severity, confidence = MEDIUM, 0.6 if is_formatted(value) else 0.5
    else:
        severity = by_level(taint, local=MEDIUM, parameter=MEDIUM, stored=MEDIUM)
        confidence = 0.9 if is_formatted(value) else 0.7
    walk.report(
        "OT-PY-010",
        call.node,
        "A shell runs a command that holds data; pass a list of arguments without a shell.",
        severity=severity,
        confidence=confidence,
        taint=taint,
    )


def _process(walk: Walk, call: Call) -> None:
    value = call.argument(0, "args", "cmd")
    if value is None:
        return
    shell = call.keywords.get("shell")
    if shell is not None and shell.const not in (False, None, 0):
        if value.items is not None:
            items = list(value.items.values())
            value = items[0] if items else value
            if is_fixed(value) and len(items) > 1:
                value = items[-1]
        if shell.is_const or not is_fixed(value):
            _command(walk, call, value)
        return
    items = list(value.items.values()) if value.items else []
    if _is_shell(items):
        for item in items[2:] if "cmd" in str(items[0].shape) else items[2:3]:
            _command(walk, call, item)
        return
    if items or is_fixed(value) or not call.name.startswith("subprocess."):
        if items:
            _chosen(walk, call, items[0])
        return
    taint = walk.exposed(value, Safe.SHELL | Safe.INDIRECT)
    if taint is not None and taint.level >= Level.LOCAL and value.shape is not None:
        _command(walk, call, value)


def _is_shell(items: list[Value]) -> bool:
    """Return whether a list of arguments has a shell run the third of them as a command."""
    if len(items) < 3 or not _SHELL_OPTION.match(items[1].shape or ""):
        return False
    return items[0].shape in _INTERPRETERS


def _program(walk: Walk, call: Call) -> None:
    for value in call.args:
        if value.shape == HOLE or value.shape is None:
            _chosen(walk, call, value)


def _chosen(walk: Walk, call: Call, value: Value) -> None:
    """A program that the data chooses."""
    taint = walk.exposed(value, Safe.SHELL | Safe.INDIRECT)
    if taint is None or taint.level < Level.LOCAL:
        return
    walk.report(
        "OT-PY-010",
        call.node,
        "Data from outside chooses the program that is run.",
        severity=by_level(taint, local=LOW),
        confidence=0.6,
        taint=taint,
    )


def _runner(walk: Walk, call: Call) -> None:
    word = call.attr or call.name.rpartition(".")[2]
    shape = call.args[0].shape if call.args else None
    if shape is None or word == "exec_command":
        return
    if not _RUNNING.search(word) and not _is_command(word, call):
        return
    value = call.args[0]
    if not is_formatted(value) or is_sanitized(walk, value, Safe.SHELL):
        return
    if not _ARGUMENTS.match(shape) or not _OPTIONS.search(shape):
        return
    taint = walk.exposed(value, Safe.SHELL)
    walk.report(
        "OT-PY-011",
        call.node,
        "A command is handed on as one text with data in it; hand on a list of arguments.",
        severity=by_level(taint, stored=MEDIUM) if taint else MEDIUM,
        confidence=0.6,
        taint=taint,
    )


def _is_command(word: str, call: Call) -> bool:
    """Return whether something is executed whose name says that it is a command."""
    if word.strip("_") not in ("execute", "run", "call", "check_output", "exec"):
        return False
    first = call.node.args[0] if call.node.args else None
    name = name_of(first) if not isinstance(first, ast.Call) else ""
    return bool(re.search(r"cmd|command", name, re.I)) and call.name not in _PROCESS


def _code(walk: Walk, call: Call) -> None:
    value = call.argument(0, "source")
    if value is None or is_fixed(value) or is_sanitized(walk, value, Safe.CODE):
        return
    if call.name == "compile":
        mode = call.argument(2, "mode")
        if mode is None or mode.const not in ("exec", "eval", "single"):
            return
    taint = walk.exposed(value, Safe.CODE)
    walk.report(
        "OT-PY-012",
        call.node,
        f"`{call.name}` runs text that is not fixed in the code.",
        severity=by_level(taint, local=HIGH, stored=MEDIUM) if taint else MEDIUM,
        confidence=0.9 if taint else 0.5,
        taint=taint,
    )


def _interpreter(walk: Walk, call: Call) -> None:
    if not (call.receiver.kind or "").startswith("code.Interactive"):
        return
    if call.args and not is_fixed(call.args[0]):
        taint = walk.exposed(call.args[0], Safe.CODE)
        walk.report(
            "OT-PY-012",
            call.node,
            "An interpreter runs text that is not fixed in the code.",
            severity=by_level(taint) if taint else MEDIUM,
            confidence=0.6,
            taint=taint,
        )


def _template(walk: Walk, call: Call) -> None:
    value = call.argument(0, "source", "template_string", "text")
    if value is None or is_fixed(value):
        return
    taint = walk.exposed(value, Safe.TEMPLATE)
    if taint is None:
        return
    if not is_formatted(value) and (taint.level < Level.LOCAL or taint.safe & Safe.INDIRECT):
        return
    severity = by_level(taint, local=MEDIUM, parameter=MEDIUM, stored=LOW)
    text = "Data stands in the template's source, where the engine evaluates it."
    if taint.safe & Safe.HTML:
        severity = LOW
        text = "Data stands in the template's source; escaping HTML leaves template syntax alone."
    walk.report(
        "OT-PY-013",
        call.node,
        text,
        severity=severity,
        confidence=0.5 if severity is LOW else 0.9,
        taint=taint,
    )


def _dynamic(walk: Walk, call: Call) -> None:
    value = call.argument(1 if call.name == "getattr" else 0, "name")
    if value is None or is_fixed(value):
        return
    taint = walk.exposed(value, Safe.CODE | Safe.INDIRECT)
    if taint is None or taint.level < Level.REMOTE:
        return
    prefixed = is_formatted(value)
    walk.report(
        "OT-PY-014",
        call.node,
        "Data from outside chooses the module or attribute that is used.",
        severity=LOW if prefixed or call.name == "getattr" else MEDIUM,
        confidence=0.6,
        taint=taint,
    )
