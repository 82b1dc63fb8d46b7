"""Of what code keeps beside each other, only the part that data from outside went into is hostile."""

import pytest

from offtarget.codescan.flaw import Snippet
from offtarget.codescan.python import PythonEngine
from offtarget.core.finding import Severity

ENGINE = PythonEngine()
HEAD = (
    "import io, os, base64, collections, configparser, dataclasses\n"
    "from flask import Flask, request\napp = Flask(__name__)\n"
    "@app.route('/x')\ndef handler():\n    x = request.args.get('x')\n"
)


def cwes(code: str, lowest: Severity = Severity.LOW) -> set[str]:
    flaws = ENGINE.scan([Snippet("python", code)])[0].flaws
    return {flaw.cwe for flaw in flaws if flaw.severity.rank >= lowest.rank}


def run_with(body: str) -> str:
    """Code that puts `y` into a shell command after this body made it."""
    return HEAD + "".join(f"    {line}\n" for line in [*body.split("\n"), "os.system('ls ' + y)"])


HOSTILE = {
    "insert": "a = ['safe']\na.insert(0, x)\ny = a[0]",
    "del": "a = ['safe', x]\ndel a[0]\ny = a[0]",
    "remove": "a = ['safe', x]\na.remove('safe')\ny = a[0]",
    "reverse": "a = ['safe', x]\na.reverse()\ny = a[0]",
    "popped": "a = ['safe', x]\ny = a.pop()",
    "deque": "a = collections.deque()\na.append('safe')\na.append(x)\na.popleft()\ny = a[0]",
    "slice of a list": "a = ['safe', x][1:]\ny = a[0]",
    "starred": "a, *b = ['safe', x, 'more']\ny = b[0]",
    "swap": "y = 'safe'\nz = x\ny, z = z, y",
    "update by name": "d = {'a': 'safe'}\nd.update(b=x)\ny = d['b']",
    "spread": "d = {**{'a': 'safe', 'b': x}, 'c': 'safe'}\ny = d['b']",
    "set by default": "d = {}\nd.setdefault('a', x)\ny = d['a']",
    "ordered": "d = collections.OrderedDict()\nd['a'] = x\ny = d['a']",
    "nested": "d = {'a': {'b': x, 'c': 'safe'}}\ny = d['a']['b']",
    "mapping of a format": "y = '{v}'.format_map({'v': x})",
    "text stream": "s = io.StringIO()\ns.write('a')\ns.write(x)\ny = s.getvalue()",
    "there and back": "y = base64.b64decode(base64.b64encode(x.encode())).decode()",
    "url-safe base64": "y = base64.urlsafe_b64decode(x).decode()",
    "lambda": "same = lambda v: v\ny = same(x)",
    "generator": "def each(v):\n    yield v\ny = next(each(x))",
    "field": "class Box:\n    def __init__(self, v):\n        self.v = v\ny = Box(x).v",
    "getter": (
        "class Box:\n    def __init__(self, v):\n        self.v = v\n"
        "    def get(self):\n        return self.v\ny = Box(x).get()"
    ),
    "property": (
        "class Box:\n    def __init__(self, v):\n        self.v = v\n"
        "    @property\n    def text(self):\n        return self.v\nBox('a').text\ny = Box(x).text"
    ),
    "inherited": (
        "class Base:\n    def same(self, v):\n        return v\n"
        "class Box(Base):\n    pass\ny = Box().same(x)"
    ),
    "data class": "@dataclasses.dataclass\nclass Box:\n    a: str\n    b: str\ny = Box('safe', x).b",
    "keyword": "def pick(a, b):\n    return b\ny = pick(b=x, a='safe')",
    "empty if missing": "y = x\nif not y:\n    y = ''",
    "power": "if 2 ** 3 == 9:\n    y = 'safe'\nelse:\n    y = x",
    "chain of comparisons": "n = 4\nif 1 < n < 3:\n    y = 'safe'\nelse:\n    y = x",
    "named attribute": "y = getattr(request, 'args').get('q')",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_data_is_found_where_it_was_put(body: str) -> None:
    """Data that a container, an object or a round trip held comes out hostile."""
    assert "CWE-78" in cwes(run_with(body), Severity.HIGH)


HARMLESS = {
    "insert": "a = ['safe', 'more']\na.insert(1, x)\ny = a[2]",
    "del": "a = [x, 'safe']\ndel a[0]\ny = a[0]",
    "remove": "a = ['one', x, 'safe']\na.remove('one')\ny = a[1]",
    "reverse": "a = [x, 'safe']\na.reverse()\ny = a[0]",
    "popped": "a = ['safe', x]\ny = a.pop(0)",
    "deque": "a = collections.deque()\na.append('safe')\na.append(x)\ny = a.popleft()",
    "slice of a list": "y = ['safe', 'more', x][:2][1]",
    "starred": "y, *b = ['safe', x, 'more']",
    "rest of a starred": "a, *b = [x, 'safe', 'more']\ny = b[0]",
    "swap": "y = x\nz = 'safe'\ny, z = z, y",
    "update by name": "d = {'a': 'safe'}\nd.update(b=x)\ny = d['a']",
    "spread": "d = {**{'a': 'safe', 'b': x}, 'c': 'safe'}\ny = d['a']",
    "set by default": "d = {'a': 'safe'}\ny = d.setdefault('a', x)",
    "key that is missing": "d = {'a': x}\ny = d.get('b', 'safe')",
    "ordered": "d = collections.OrderedDict()\nd['a'] = 'safe'\nd['b'] = x\ny = d['a']",
    "nested": "d = {'a': {'b': x, 'c': 'safe'}}\ny = d['a']['c']",
    "lambda": "same = lambda v: 'safe'\ny = same(x)",
    "field": (
        "class Box:\n    def __init__(self, v):\n        self.v = v\n        self.w = 'safe'\n"
        "y = Box(x).w"
    ),
    "data class": "@dataclasses.dataclass\nclass Box:\n    a: str\n    b: str\ny = Box('safe', x).a",
    "enumeration": "import enum\nclass A(enum.Enum):\n    B = 'safe'\ny = A(x).value",
    "keyword": "def pick(a, b):\n    return b\ny = pick(a=x, b='safe')",
    "default": "def pick(a='safe'):\n    return a\ny = pick()",
    "length of a text": "if len('abc') > 2:\n    y = 'safe'\nelse:\n    y = x",
    "method of a text": "m = 'prod'\nif m.startswith('p'):\n    y = 'safe'\nelse:\n    y = x",
    "number from a text": "if int('12') > 9:\n    y = 'safe'\nelse:\n    y = x",
    "power": "if 2 ** 3 == 8:\n    y = 'safe'\nelse:\n    y = x",
    "chain of comparisons": "n = 7\nif 1 < n < 5:\n    y = x\nelse:\n    y = 'safe'",
    "or": "n = 7\nif n < 3 or n == 7:\n    y = 'safe'\nelse:\n    y = x",
    "loop that never runs": "y = 'safe'\nwhile False:\n    y = x",
    "replaced where not allowed": "y = x\nif y not in {'a', 'b'}:\n    y = 'a'",
    "encoded": "y = base64.b64encode(x.encode()).decode()",
}


@pytest.mark.parametrize("body", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_stands_beside_the_data_is_harmless(body: str) -> None:
    """Another item, another branch or a constant result does not become hostile."""
    assert "CWE-78" not in cwes(run_with(body))


def test_huge_constants_are_not_computed() -> None:
    """Powers and methods that would fill the memory are left alone."""
    code = (
        "import os\na = 9 ** 9 ** 9 ** 9\nb = 'a'.center(10 ** 11)\nos.system(max(10 ** 300, 1))\n"
    )
    assert ENGINE.scan([Snippet("python", code)])


def test_functions_that_call_themselves_come_to_an_end() -> None:
    """Functions without a name inside one another are not walked once for every way to them."""
    nested = "(lambda: " * 60 + "open('a')" + ")()" * 60
    knot = (
        "f = lambda g: g(g)\nf(f)\nimport os\nh = lambda v: os.system('ls ' + v) or h(v)\nh('a')\n"
    )
    chained = (
        "class A:\n    def __init__(self, a):\n        self.a = A(a)\n        open(a)\nA('b').a.a\n"
    )
    for code in (nested, knot, chained):
        assert ENGINE.scan([Snippet("python", code)])
