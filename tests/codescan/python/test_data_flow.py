"""Data is followed from where it enters to where it does harm, and what cleans it is seen."""

import pytest

from offtarget.codescan.flaw import Flaw, Snippet
from offtarget.codescan.python import PythonEngine
from offtarget.core.finding import Severity

ENGINE = PythonEngine()
HEAD = (
    "import os, re, shlex, subprocess, html\nimport configparser\nfrom urllib.parse import urlparse\n"
    "from flask import Flask, request, redirect, session\napp = Flask(__name__)\n"
    "@app.route('/x')\ndef handler():\n    param = request.args.get('param')\n"
)


def flaws(code: str) -> list[Flaw]:
    return list(ENGINE.scan([Snippet("python", code)])[0].flaws)


def cwes(code: str, lowest: Severity = Severity.MEDIUM) -> set[str]:
    return {flaw.cwe for flaw in flaws(code) if flaw.severity.rank >= lowest.rank}


def in_handler(body: str) -> str:
    return HEAD + "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))


FLOWS = {
    "assignment": "a = param\nb = a\nos.system('ls ' + b)",
    "augmented assignment": "a = 'ls '\na += param\nos.system(a)",
    "tuple": "a, b = 'x', param\nos.system('ls ' + b)",
    "f-string": "os.system(f'ls {param}')",
    "percent": "os.system('ls %s' % param)",
    "percent with names": "os.system('ls %(a)s' % {'a': param})",
    "format": "os.system('ls {}'.format(param))",
    "join": "os.system(' '.join(['ls', param]))",
    "dictionary": "d = {}\nd['a'] = 'x'\nd['b'] = param\nos.system('ls ' + d['b'])",
    "list": "a = []\na.append('x')\na.append(param)\nos.system('ls ' + a[1])",
    "comprehension": "a = [f'-{x}' for x in param.split()]\nos.system('ls ' + ' '.join(a))",
    "loop": "a = ''\nfor x in param.split(','):\n    a = a + x\nos.system('ls ' + a)",
    "loop, used before": (
        "a = ''\nfor x in param.split(','):\n    os.system('ls ' + a)\n    a = x"
    ),
    "loop left early": (
        "a = ''\nfor x in param:\n    if x:\n        a = x\n        break\nos.system(a + ';')"
    ),
    "branch": "if session:\n    a = param\nelse:\n    a = 'x'\nos.system('ls ' + a)",
    "exception": "try:\n    a = param\nexcept ValueError:\n    a = ''\nos.system('ls ' + a)",
    "walrus": "if (a := param):\n    os.system('ls ' + a)",
    "with": "with open('x') as f:\n    os.system('ls ' + param)",
    "unknown call": "a = transform(param)\nos.system('ls ' + a)",
    "conditional expression": "a = param if session else 'x'\nos.system('ls ' + a)",
    "configuration": (
        "c = configparser.ConfigParser()\nc.add_section('s')\nc.set('s', 'a', param)\n"
        "os.system('ls ' + c.get('s', 'a'))"
    ),
    "match": "match param:\n    case str(x):\n        os.system('ls ' + x)",
    "nested function": "def inner():\n    os.system('ls ' + param)\ninner()",
    "default of get": "a = {}.get('x', param)\nos.system('ls ' + a)",
    "shell through a list": "subprocess.run(['sh', '-c', f'echo {param}'])",
}


@pytest.mark.parametrize("body", FLOWS.values(), ids=FLOWS.keys())
def test_data_is_followed(body: str) -> None:
    """A request's data is followed into a shell, through every way that code passes it on."""
    found = [flaw for flaw in flaws(in_handler(body)) if flaw.cwe == "CWE-78"]
    assert found
    assert found[0].trace


CLEAN = {
    "other key of a dictionary": (
        "d = {}\nd['a'] = 'safe'\nd['b'] = param\nx = d['b']\nx = d['a']\nos.system('ls ' + x)"
    ),
    "other item of a list": (
        "a = []\na.append('safe')\na.append(param)\na.append('more')\na.pop(0)\nos.system(a[1])"
    ),
    "other option": (
        "c = configparser.ConfigParser()\nc.add_section('s')\nc.set('s', 'a', 'safe')\n"
        "c.set('s', 'b', param)\nos.system('ls ' + c.get('s', 'a'))"
    ),
    "dead branch": ("num = 106\nx = 'safe' if 7 * 18 + num > 200 else param\nos.system('ls ' + x)"),
    "dead block": (
        "num = 86\nif 7 * 42 - num > 200:\n    x = 'safe'\nelse:\n    x = param\nos.system(x + '')"
    ),
    "dead case": (
        "guess = 'ABC'[1]\nmatch guess:\n    case 'A':\n        x = param\n"
        "    case 'B':\n        x = 'bob'\n    case _:\n        x = param\nos.system('ls ' + x)"
    ),
    "overwritten": "x = param\nx = 'safe'\nos.system('ls ' + x)",
    "number": "x = int(param)\nos.system(f'kill {x}')",
    "length": "os.system('seq %s' % len(param))",
    "quoted": "os.system('ls ' + shlex.quote(param))",
    "list of arguments": "subprocess.run(['ls', param])",
    "allow-list": "if param in ('a', 'b'):\n    os.system('ls ' + param)",
    "allow-list, leaving": ("if param not in ALLOWED:\n    return 'no'\nos.system('ls ' + param)"),
    "allow-list, raising": (
        "if param not in ['a', 'b']:\n    raise ValueError(param)\nos.system('ls ' + param)"
    ),
    "full match": (
        "if not re.fullmatch(r'[a-z]+', param):\n    return 'no'\nos.system('ls ' + param)"
    ),
    "anchored match": "if re.match(r'^[a-z0-9]+$', param):\n    os.system('ls ' + param)",
    "isalnum": "if param.isalnum():\n    os.system('ls ' + param)",
    "and": "if session and param.isdigit():\n    os.system('ls ' + param)",
    "table of constants": "x = {'a': 'ls', 'b': 'ps'}.get(param, 'ls')\nos.system(x)",
    "asserted": "assert param in ('a', 'b')\nos.system('ls ' + param)",
    "validated": "validate_name(param)\nos.system('ls ' + param)",
}


@pytest.mark.parametrize("body", CLEAN.values(), ids=CLEAN.keys())
def test_harmless_data_is_passed(body: str) -> None:
    """Data that was replaced, cleaned or checked on the way is not reported."""
    assert "CWE-78" not in cwes(in_handler(body), Severity.LOW)


NOT_ENOUGH = {
    "open match": "if re.match(r'[a-z]+', param):\n    os.system('ls ' + param)",
    "wrong branch": "if param in ('a', 'b'):\n    pass\nelse:\n    os.system('ls ' + param)",
    "wrong sink": "os.system('ls ' + html.escape(param))",
    "other variable": "other = request.args['o']\nif other in ('a',):\n    os.system(param + ';')",
    "forgotten": "if param not in ALLOWED:\n    print('no')\nos.system('ls ' + param)",
    "or": "if session or param.isdigit():\n    os.system('ls ' + param)",
}


@pytest.mark.parametrize("body", NOT_ENOUGH.values(), ids=NOT_ENOUGH.keys())
def test_half_a_check_is_no_check(body: str) -> None:
    """A check of the wrong thing, on the wrong way or for another sink clears nothing."""
    assert "CWE-78" in cwes(in_handler(body))


def test_the_trace_leads_from_the_source_to_the_sink() -> None:
    """The trace starts at the request and ends at the call that runs the command."""
    code = in_handler("command = 'ls ' + param\nos.system(command)")
    (flaw,) = [flaw for flaw in flaws(code) if flaw.cwe == "CWE-78"]
    assert code[flaw.trace[0].start : flaw.trace[0].end] == "request.args"
    assert code[flaw.trace[-1].start : flaw.trace[-1].end] == "os.system(command)"
    assert [step.text for step in flaw.trace] == [
        "the request",
        "assigned to `param`",
        "assigned to `command`",
        "reaches the flaw",
    ]


def test_a_worse_source_makes_a_worse_flaw() -> None:
    """What anybody on the network controls is worse than what a caller passes."""
    remote = flaws(in_handler("os.system('ls ' + param)"))
    local = flaws("import os\ndef run(name):\n    os.system('ls ' + name)\n")
    assert remote[0].severity is Severity.HIGH
    assert local[0].severity is Severity.MEDIUM


def test_a_function_of_the_same_file_is_followed() -> None:
    """A helper's sink is reported as bad as the worst of its callers."""
    code = (
        "import os\nfrom flask import Flask, request\napp = Flask(__name__)\n"
        "def helper(name):\n    os.system('ls ' + name)\n"
        "@app.route('/')\ndef handler():\n    helper(request.args['n'])\n    return ''\n"
    )
    (flaw,) = [flaw for flaw in flaws(code) if flaw.cwe == "CWE-78"]
    assert flaw.severity is Severity.HIGH
    assert code[flaw.trace[0].start : flaw.trace[0].end] == "request.args"


def test_functions_that_call_functions_are_followed() -> None:
    """The sink may wait two calls away."""
    code = (
        "import os\nfrom flask import request\n"
        "def last(name):\n    os.system('ls ' + name)\n"
        "def middle(name):\n    last(name.strip())\n"
        "def view():\n    middle(request.args['n'])\n"
    )
    (flaw,) = [flaw for flaw in flaws(code) if flaw.cwe == "CWE-78"]
    assert flaw.severity is Severity.HIGH


def test_what_a_function_returns_is_followed() -> None:
    """A helper that passes its argument on passes its taint on; one that does not, does not."""
    head = "import os\nfrom flask import request\n"
    passing = (
        "def same(x):\n    return x\ndef h():\n    os.system('a ' + same(request.args['n']))\n"
    )
    fixed = (
        "def same(x):\n    return 'b'\ndef h():\n    os.system('a ' + same(request.args['n']))\n"
    )
    assert cwes(head + passing) == {"CWE-78"}
    assert not cwes(head + fixed)


def test_fields_of_an_object_are_followed() -> None:
    """What one method stores in `self` reaches another method's sink."""
    code = (
        "import os\nclass Job:\n    def __init__(self, name):\n        self.name = name\n"
        "    def run(self):\n        os.system('job ' + self.name)\n"
    )
    assert cwes(code) == {"CWE-78"}


def test_route_parameters_are_remote_unless_converted() -> None:
    """`<name>` in a route is the visitor's text; `<int:number>` is a number."""
    code = (
        "from flask import Flask\napp = Flask(__name__)\n"
        "@app.route('/<{0}>')\ndef show({1}):\n    return f'<p>{{{1}}}</p>'\n"
    )
    assert cwes(code.format("name", "name")) == {"CWE-79"}
    assert not cwes(code.format("int:number", "number"))
