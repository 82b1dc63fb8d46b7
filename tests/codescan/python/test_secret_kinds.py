"""Random numbers, digests, cookies and parsers are judged by what they are used for."""

import pytest

from offtarget.codescan.flaw import Snippet
from offtarget.codescan.python import PythonEngine
from offtarget.core.finding import Severity

ENGINE = PythonEngine()
SAX = "import xml.sax, xml.sax.handler, xml.dom.minidom\np = xml.sax.make_parser()\n"
OPEN = SAX + "p.setFeature(xml.sax.handler.feature_external_ges, True)\n"


def found(code: str) -> set[str]:
    flaws = ENGINE.scan([Snippet("python", code)])[0].flaws
    return {flaw.cwe for flaw in flaws if flaw.severity.rank >= Severity.MEDIUM.rank}


BAD = {
    "random, kept in the session": (
        "CWE-330",
        "import random\ndef f(session, key):\n    value = str(random.random())[2:]\n"
        "    session[key] = value\n",
    ),
    "random, in a cookie": (
        "CWE-330",
        "import random\ndef f(r):\n    v = ''.join(random.choice('ab') for _ in range(9))\n"
        "    r.set_cookie('a', v, secure=True, httponly=True)\n",
    ),
    "random, through a variable": (
        "CWE-330",
        "import random\ndef f(user):\n    n = random.random()\n    text = str(n)\n"
        "    user.auth_token = text\n",
    ),
    "random bytes of numpy": ("CWE-330", "import numpy as np\nsession_key = np.random.bytes(9)\n"),
    "digest, filled later": (
        "CWE-328",
        "import hashlib\nfrom flask import request\ndef f():\n    h = hashlib.new('md5')\n"
        "    h.update(request.form['a'].encode())\n    return h.digest()\n",
    ),
    "digest, kept with passwords": (
        "CWE-328",
        "import hashlib\ndef f(data):\n    h = hashlib.sha1()\n    h.update(data)\n"
        "    open('passwords.txt', 'a').write(h.hexdigest())\n",
    ),
    "cookie, named by keyword": (
        "CWE-614",
        "def f(r):\n    r.set_cookie(key='session', value='v', httponly=True)\n",
    ),
    "cookie of the standard library": (
        "CWE-614",
        "from http.cookies import SimpleCookie\nc = SimpleCookie()\nc['a'] = 'v'\n"
        "c['a']['secure'] = False\n",
    ),
    "configuration by keyword": ("CWE-614", "app.config.update(SESSION_COOKIE_SECURE=False)\n"),
    "entities in an unknown text": ("CWE-611", OPEN + "xml.dom.minidom.parseString(text, p)\n"),
    "parser as it comes": (
        "CWE-611",
        "from flask import request\nfrom lxml import etree\ndef f():\n    p = etree.XMLParser()\n"
        "    return etree.fromstring(request.data, p)\n",
    ),
}


@pytest.mark.parametrize(("cwe", "code"), BAD.values(), ids=BAD.keys())
def test_bad_uses_are_found(cwe: str, code: str) -> None:
    """The flaw is at least of medium severity."""
    assert cwe in found(code)


GOOD = {
    "random, not a secret": (
        "CWE-330",
        "import random\ndef f(session):\n    die = random.randint(1, 6)\n    return die\n",
    ),
    "random, replaced before": (
        "CWE-330",
        "import random, secrets\ndef f(session):\n    value = random.random()\n    print(value)\n"
        "    value = secrets.token_hex()\n    session['token'] = value\n",
    ),
    "random array": ("CWE-330", "import numpy as np\nnoise = np.random.rand(9)\n"),
    "digest of a file": (
        "CWE-328",
        "import hashlib\ndef f(path):\n    h = hashlib.md5()\n    h.update(open(path).read())\n",
    ),
    "entities in a text of the code": (
        "CWE-611",
        OPEN + "xml.dom.minidom.parseString('<a/>', p)\n",
    ),
    "entities in a stream of the code": (
        "CWE-611",
        "import io\n" + OPEN + "p.parse(io.StringIO('<a/>'))\n",
    ),
    "closed parser": (
        "CWE-611",
        "from flask import request\nfrom lxml import etree\ndef f():\n"
        "    p = etree.XMLParser(resolve_entities=False)\n"
        "    return etree.fromstring(request.data, p)\n",
    ),
    "bytes of the code": (
        "CWE-502",
        "import base64, pickle\npickle.loads(base64.urlsafe_b64decode('gASV'))\n",
    ),
}


@pytest.mark.parametrize(("cwe", "code"), GOOD.values(), ids=GOOD.keys())
def test_good_uses_are_passed(cwe: str, code: str) -> None:
    """Code that looks like the flaw, and is none, is at most of low severity."""
    assert cwe not in found(code)
