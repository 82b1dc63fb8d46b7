"""Checks clear data for the sinks that they are checks for, and half a check clears nothing."""

import pytest

from offtarget.codescan.flaw import Snippet
from offtarget.codescan.python import PythonEngine
from offtarget.core.finding import Severity

ENGINE = PythonEngine()
HEAD = (
    "import os, re, string, uuid\nfrom pathlib import Path\nfrom urllib.parse import urlparse\n"
    "from lxml import etree\nfrom flask import Flask, request, redirect, session\n"
    "app = Flask(__name__)\nROOT = '/srv/'\n@app.route('/x')\ndef handler():\n"
    "    x = request.args.get('x', '')\n"
)


def finds(cwe: str, body: str, lowest: Severity = Severity.MEDIUM) -> bool:
    code = HEAD + "".join(f"    {line}\n" for line in body.split("\n"))
    flaws = ENGINE.scan([Snippet("python", code)])[0].flaws
    return any(flaw.cwe == cwe and flaw.severity.rank >= lowest.rank for flaw in flaws)


QUOTED = (
    'if not x.startswith("\'") or not x.endswith("\'") or "\'" in x[1:-1]:\n    return \'no\'\n'
)
CHECKED = {
    "text of a resolved path": (
        "CWE-22",
        "p = (Path(ROOT) / x).resolve()\nif not str(p).startswith(str(ROOT)):\n    return 'no'\n"
        "return p.read_text()",
    ),
    "relative_to": (
        "CWE-22",
        "p = (Path(ROOT) / x).resolve()\ntry:\n    p.relative_to(ROOT)\nexcept ValueError:\n"
        "    return 'no'\nreturn p.read_text()",
    ),
    "parents": (
        "CWE-22",
        "p = (Path(ROOT) / x).resolve()\nif Path(ROOT) not in p.parents:\n    return 'no'\n"
        "return p.read_text()",
    ),
    "name of a path": ("CWE-22", "return (Path(ROOT) / Path(x).name).read_text()"),
    "its own last part": (
        "CWE-22",
        "if os.path.basename(x) != x:\n    return 'no'\nreturn open(ROOT + x).read()",
    ),
    "separator": ("CWE-22", "if os.sep in x:\n    return 'no'\nreturn open(ROOT + x).read()"),
    "files that are there": (
        "CWE-22",
        "if x not in os.listdir(ROOT):\n    return 'no'\nreturn open(ROOT + x).read()",
    ),
    "dots replaced": ("CWE-22", "return open(ROOT + x.replace('..', '_')).read()"),
    "other characters replaced": (
        "CWE-22",
        "return open(ROOT + re.sub(r'[^\\w-]', '_', x)).read()",
    ),
    "function that checks": (
        "CWE-22",
        "def inside(path):\n    return os.path.realpath(path).startswith(ROOT)\n"
        "p = os.path.join(ROOT, x)\nif not inside(p):\n    return 'no'\nreturn open(p).read()",
    ),
    "function with two answers": (
        "CWE-22",
        "def good(name):\n    if '..' in name:\n        return False\n    return True\n"
        "if good(x):\n    return open(ROOT + x).read()",
    ),
    "existence of a checked path": (
        "CWE-22",
        "p = os.path.realpath(os.path.join(ROOT, x))\nif not p.startswith(ROOT):\n    return 'no'\n"
        "return str(os.path.exists(p))",
    ),
    "every character": (
        "CWE-78",
        "if not all(c in string.ascii_letters + string.digits for c in x):\n    return 'no'\n"
        "os.system('ls ' + x)",
    ),
    "every character, by method": (
        "CWE-78",
        "if not all(c.isalnum() or c in '-_' for c in x):\n    return 'no'\nos.system('ls ' + x)",
    ),
    "argument of a shell script": (
        "CWE-78",
        "import subprocess\nsubprocess.run(['sh', '-c', 'echo \"$1\"', 'sh', x])",
    ),
    "quoted literal": ("CWE-94", QUOTED + "return eval(x)"),
    "no quotes": (
        "CWE-643",
        "if \"'\" in x:\n    return 'no'\nreturn etree.parse('f').xpath(f\"//a[@b='{x}']\")",
    ),
    "quotes replaced": (
        "CWE-643",
        "y = x.replace(\"'\", '&apos;')\nreturn etree.parse('f').xpath(f\"//a[@b='{y}']\")",
    ),
    "no host": (
        "CWE-601",
        "u = urlparse(x)\nif u.netloc or u.scheme:\n    return 'no'\nreturn redirect(x)",
    ),
    "empty host": (
        "CWE-601",
        "if urlparse(x).netloc != '':\n    return 'no'\nreturn redirect(x)",
    ),
    "own host": (
        "CWE-601",
        "if urlparse(x).netloc.split(':')[0] in ('a.example', 'b.example'):\n    return redirect(x)",
    ),
    "path of the own site": (
        "CWE-601",
        "if not x.startswith('/') or x.startswith('//'):\n    return 'no'\nreturn redirect(x)",
    ),
    "path of the own site, in steps": (
        "CWE-601",
        "if not x.startswith('/'):\n    return 'no'\nif x.startswith('//'):\n    return 'no'\n"
        "return redirect(x)",
    ),
    "page by name": ("CWE-601", "return redirect(url_for('page', name=x))"),
    "user who was found": (
        "CWE-501",
        "user = User.query.filter_by(name=x).first()\nif user is None:\n    return 'no'\n"
        "session['user_id'] = x",
    ),
    "user who may": ("CWE-501", "if users.authenticate(x, 'p'):\n    session['user_id'] = x"),
    "answer that is no page": (
        "CWE-79",
        "return make_response('<p>' + x, 200, {'Content-Type': 'text/plain'})",
    ),
    "marked template": ("CWE-79", "from markupsafe import Markup\nreturn Markup('<b>%s</b>') % x"),
}


@pytest.mark.parametrize(("cwe", "body"), CHECKED.values(), ids=CHECKED.keys())
def test_checked_data_is_passed(cwe: str, body: str) -> None:
    """The sink is not reported behind the check."""
    assert not finds(cwe, body, Severity.LOW)


HALF_CHECKED = {
    "resolved, not compared": ("CWE-22", "return (Path(ROOT) / x).resolve().read_text()"),
    "compared, not resolved": (
        "CWE-22",
        "p = os.path.join(ROOT, x)\nif p.startswith(ROOT):\n    return open(p).read()",
    ),
    "relative, not resolved": (
        "CWE-22",
        "p = Path(ROOT) / x\np.relative_to(ROOT)\nreturn p.read_text()",
    ),
    "extension only": (
        "CWE-22",
        "def allowed_file(name):\n"
        "    return '.' in name and name.rsplit('.', 1)[1] in ('png', 'jpg')\n"
        "if allowed_file(x):\n    return open(os.path.join(ROOT, x)).read()",
    ),
    "end only": ("CWE-22", "if x[-4:] in ('.png', '.jpg'):\n    return open(ROOT + x).read()"),
    "steps that come back": ("CWE-22", "return open(ROOT + x.replace('../', '')).read()"),
    "slashes kept": ("CWE-22", "return open(ROOT + re.sub(r'[^\\w/.]', '', x)).read()"),
    "signs of the shell kept": ("CWE-78", "os.system('ls ' + re.sub(r'[^\\w;&]', '', x))"),
    "some character": (
        "CWE-78",
        "if any(c in string.ascii_letters for c in x):\n    os.system('ls ' + x)",
    ),
    "one quote": ("CWE-94", "if not x.startswith(\"'\"):\n    return 'no'\nreturn eval(x)"),
    "inside of no literal": ("CWE-94", "if \"'\" in x[1:-1]:\n    return 'no'\nreturn eval(x)"),
    "some host": (
        "CWE-601",
        "if urlparse(x).netloc == '':\n    return 'no'\nreturn redirect(x)",
    ),
    "slash only": ("CWE-601", "if x.startswith('/'):\n    return redirect(x)"),
    "decoded again": (
        "CWE-79",
        "import html\nreturn '<p>' + html.unescape(html.escape(x)) + '</p>'",
    ),
    "not empty": ("CWE-501", "if x:\n    session['user_id'] = x"),
    "key of the session": ("CWE-501", "session[x] = '1'"),
    "update of the session": ("CWE-501", "session.update({'role': x})"),
    "script of a shell": (
        "CWE-78",
        "import subprocess\nargs = []\nif os.name == 'nt':\n    args.append('cmd.exe')\n"
        "    args.append('/c')\nelse:\n    args.append('sh')\n    args.append('-c')\n"
        "args.append(f'echo {x}')\nsubprocess.run(args)",
    ),
    "existence": ("CWE-22", "return str((Path(ROOT) / x).exists())"),
    "name in a directory": (
        "CWE-90",
        "conn.search_s(f'ou={x},dc=example,dc=org', 2, '(objectClass=*)')",
    ),
}


@pytest.mark.parametrize(("cwe", "body"), HALF_CHECKED.values(), ids=HALF_CHECKED.keys())
def test_half_checked_data_is_reported(cwe: str, body: str) -> None:
    """A check of something else leaves the sink reported."""
    assert finds(cwe, body)


def test_checks_in_sequence_add_up_whatever_their_order() -> None:
    """Three early returns prove together that a text is one literal."""
    steps = ["not x.startswith('\"')", "not x.endswith('\"')", "'\"' in x[1:-1]"]
    for turn in range(3):
        order = steps[turn:] + steps[:turn]
        body = "".join(f"if {step}:\n    return 'no'\n" for step in order) + "return eval(x)"
        assert not finds("CWE-94", body, Severity.LOW)
        assert finds("CWE-94", body.replace(order[0], "not x"))
