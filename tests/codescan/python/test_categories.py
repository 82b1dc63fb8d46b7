"""For each category: code with the flaw is found, and code that looks like it is passed."""

import pytest

from offtarget.codescan.flaw import Snippet
from offtarget.codescan.python import PythonEngine
from offtarget.core.finding import Severity

ENGINE = PythonEngine()
WEB = (
    "import os\nfrom flask import Flask, request, redirect, session, make_response\n"
    "app = Flask(__name__)\n@app.route('/')\ndef view():\n    x = request.args.get('x')\n"
)


def cwes(code: str, lowest: Severity) -> set[str]:
    flaws = ENGINE.scan([Snippet("python", code)])[0].flaws
    return {flaw.cwe for flaw in flaws if flaw.severity.rank >= lowest.rank}


def web(body: str) -> str:
    return WEB + "".join(f"    {line}\n" for line in body.split("\n"))


BAD = {
    "22 open": ("CWE-22", web("return open('d/' + x).read()")),
    "22 upload": ("CWE-22", web("f = request.files['f']\nf.save(os.path.join('u', f.filename))")),
    "22 Path": ("CWE-22", web("from pathlib import Path\nreturn (Path('d') / x).read_text()")),
    "22 tar": ("CWE-22", "import tarfile\ntarfile.open('a').extractall(path='..')\n"),
    "22 tar, all members": (
        "CWE-22",
        "import tarfile\nt = tarfile.open('a')\nt.extractall(members=t.getmembers())\n",
    ),
    "79 template": ("CWE-79", "from jinja2 import Template\nt = Template('<p>{{ x }}</p>')\n"),
    "79 response": ("CWE-79", web("return make_response(f'<p>{x}</p>')")),
    "79 plain": ("CWE-79", web("return 'Hello ' + x")),
    "79 django": (
        "CWE-79",
        "from django.http import HttpResponse\n"
        "def view(request):\n    return HttpResponse('<p>' + request.GET['x'])\n",
    ),
    "79 tornado": (
        "CWE-79",
        "import tornado.web\nclass H(tornado.web.RequestHandler):\n"
        "    def get(self):\n        self.write('<p>' + self.get_argument('x') + '</p>')\n",
    ),
    "88": ("CWE-88", web("import subprocess\nreturn subprocess.run(['git', 'clone', x]).stdout")),
    "89 in": (
        "CWE-89",
        "def get(cur, ids):\n    cur.execute('DELETE FROM t WHERE id IN (' + ids + ')')\n",
    ),
    "89 text": (
        "CWE-89",
        "from sqlalchemy import text\ndef get(s, n):\n"
        "    s.execute(text(f\"select * from t where n = '{n}'\"))\n",
    ),
    "89 session": (
        "CWE-89",
        web("db.session.execute(\"INSERT INTO t VALUES ('%s', %d)\" % (x, 3))"),
    ),
    "90": ("CWE-90", web("conn.search_s('dc=x', 2, f'(uid={x})')")),
    "94 template": ("CWE-94", web("from jinja2 import Template\nTemplate('<p>' + x).render()")),
    "113": ("CWE-113", web("r = make_response('')\nr.headers['X-A'] = x\nreturn r")),
    "295": ("CWE-295", "import requests\nrequests.post(url, verify=False)\n"),
    "327": ("CWE-327", "from Cryptodome.Cipher import AES\nc = AES.new(k, AES.MODE_ECB)\n"),
    "328": ("CWE-328", "import hashlib\npassword_hash = hashlib.new('md5', data)\n"),
    "330": ("CWE-330", "import random\ndef make_token():\n    return random.randint(0, 9)\n"),
    "501": ("CWE-501", web("session[x] = '1'\nsession['y'] = x")),
    "502 unsafe loader": ("CWE-502", "import yaml\ndef f(s):\n    return yaml.load(s)\n"),
    "601": ("CWE-601", web("return redirect(x)")),
    "601 host": ("CWE-601", web("return redirect('https://' + x)")),
    "611": (
        "CWE-611",
        "import xml.sax\nfrom xml.sax.handler import feature_external_ges\n"
        "p = xml.sax.make_parser()\np.setFeature(feature_external_ges, True)\n",
    ),
    "643": ("CWE-643", web("return tree.xpath(f\"//u[@n='{x}']\")")),
    "732 or-ed": ("CWE-732", "import os, stat\nos.chmod('f', stat.S_IRUSR | stat.S_IWOTH)\n"),
    "732 variable": ("CWE-732", "import os\nmode = 0o666\nos.chmod('f', mode)\n"),
    "732 umask": ("CWE-732", "import os\nos.umask(0)\n"),
    "732 command": ("CWE-732", "import subprocess\nsubprocess.run(['chmod', '777', 'f'])\n"),
    "732 Path": ("CWE-732", "from pathlib import Path\nPath('f').chmod(0o777)\n"),
    "798": ("CWE-798", "app.config['SECRET_KEY'] = 'f7Hq-22kLm'\n"),
    "798 argument": ("CWE-798", "import m\nm.connect(host='h', password='f7Hq-22kLm')\n"),
    "918": ("CWE-918", web("import requests\nreturn requests.get('http://' + x).json()")),
    "20 substring": ("CWE-20", "def ok(link):\n    return 'example.org' in link.get('href')\n"),
    "20 suffix": (
        "CWE-20",
        "from urllib.parse import urlparse\n"
        "def ok(url):\n    return urlparse(url).netloc.endswith('example.org')\n",
    ),
    "20 prefix": ("CWE-20", "def ok(url):\n    return url.startswith('https://example.org')\n"),
    "20 pattern": ("CWE-20", "import re\nhost = re.compile(r'cache\\d+.example.org')\n"),
    "1333 pattern": ("CWE-1333", "import re\nre.match('([a-z]+)*$', text)\n"),
}


@pytest.mark.parametrize(("cwe", "code"), BAD.values(), ids=BAD.keys())
def test_flaws_are_found(cwe: str, code: str) -> None:
    """The flaw is found under its CWE."""
    lowest = Severity.LOW if cwe in ("CWE-501", "CWE-88") else Severity.MEDIUM
    assert cwe in cwes(code, lowest)


GOOD = {
    "22 basename": ("CWE-22", web("return open('d/' + os.path.basename(x)).read()")),
    "22 checked": (
        "CWE-22",
        web(
            "p = os.path.realpath(os.path.join('/d', x))\n"
            "if not p.startswith('/d/'):\n    return 'no'\nreturn open(p).read()"
        ),
    ),
    "22 commonpath": (
        "CWE-22",
        web(
            "p = os.path.abspath(os.path.join('/d', x))\n"
            "if os.path.commonpath([p, '/d']) != '/d':\n    return 'no'\nreturn open(p).read()"
        ),
    ),
    "22 is_relative_to": (
        "CWE-22",
        web(
            "from pathlib import Path\np = (Path('/d') / x).resolve()\n"
            "if not p.is_relative_to('/d'):\n    return 'no'\nreturn p.read_text()"
        ),
    ),
    "22 secure_filename": (
        "CWE-22",
        web("f = request.files['f']\nf.save(os.path.join('u', secure_filename(f.filename)))"),
    ),
    "22 tar, members checked": (
        "CWE-22",
        "import os, tarfile\ndef unpack(path):\n    with tarfile.open(path) as tar:\n"
        "        for member in tar.getmembers():\n"
        "            if not os.path.realpath(member.name).startswith('/d/'):\n"
        "                raise ValueError(member.name)\n        tar.extractall('/d')\n",
    ),
    "88 ended": ("CWE-88", web("import subprocess\nsubprocess.run(['git', 'log', '--', x])")),
    "88 inside": ("CWE-88", web("import subprocess\nsubprocess.run(['git', 'log', 'h/' + x])")),
    "88 no options": ("CWE-88", web("import subprocess\nsubprocess.run(['mkdir', x])")),
    "79 escaped": ("CWE-79", web("import html\nreturn f'<p>{html.escape(x)}</p>'")),
    "79 json": ("CWE-79", web("return {'x': x}")),
    "79 jsonify": ("CWE-79", web("return jsonify(x=f'<p>{x}</p>')")),
    "79 template": ("CWE-79", web("return render_template('a.html', x=x)")),
    "79 content type": (
        "CWE-79",
        web("from flask import Response\nreturn Response(x, mimetype='text/plain')"),
    ),
    "79 autoescape": ("CWE-79", "import jinja2\ne = jinja2.Environment(autoescape=True)\n"),
    "79 fastapi": (
        "CWE-79",
        "from fastapi import FastAPI\napp = FastAPI()\n"
        "@app.get('/{x}')\ndef view(x: str):\n    return f'<p>{x}</p>'\n",
    ),
    "89 parameters": ("CWE-89", web("cur.execute('SELECT * FROM t WHERE a = %s', (x,))")),
    "89 placeholders": (
        "CWE-89",
        "def get(cur, ids):\n    marks = ','.join(['?'] * len(ids))\n"
        "    cur.execute(f'SELECT * FROM t WHERE id IN ({marks})', ids)\n",
    ),
    "89 constant": (
        "CWE-89",
        "TABLE = 'users'\ndef get(cur, n):\n"
        "    cur.execute(f'SELECT * FROM {TABLE} WHERE n = ?', (n,))\n",
    ),
    "90 escaped": (
        "CWE-90",
        web(
            "from ldap.filter import escape_filter_chars\n"
            "conn.search_s('dc=x', 2, f'(uid={escape_filter_chars(x)})')"
        ),
    ),
    "94 literal_eval": ("CWE-94", web("import ast\nreturn str(ast.literal_eval(x))")),
    "94 model.eval": ("CWE-94", "def test(model):\n    model.eval()\n    return model\n"),
    "113 cleaned": (
        "CWE-113",
        web("r = make_response('')\nr.headers['X'] = x.replace('\\n', '')\nreturn r"),
    ),
    "328 not for security": (
        "CWE-328",
        "import hashlib\ntoken = hashlib.md5(d, usedforsecurity=False).hexdigest()\n",
    ),
    "330 secrets": ("CWE-330", "import secrets\ntoken = secrets.token_hex()\n"),
    "330 SystemRandom": (
        "CWE-330",
        "import random\ntoken = random.SystemRandom().randint(0, 9)\n",
    ),
    "377 mkstemp": ("CWE-377", "import tempfile\nh, n = tempfile.mkstemp()\n"),
    "489": ("CWE-489", "app.run(debug=False)\n"),
    "501": ("CWE-501", web("session['n'] = int(x)")),
    "502 safe loader": (
        "CWE-502",
        "import yaml\ndef f(s):\n    return yaml.load(s, Loader=yaml.SafeLoader)\n",
    ),
    "502 weights": (
        "CWE-502",
        "import torch\ndef f(p):\n    return torch.load(p, weights_only=True)\n",
    ),
    "601 own page": ("CWE-601", web("return redirect('/pages/' + x)")),
    "601 host checked": (
        "CWE-601",
        web(
            "from urllib.parse import urlparse\nif urlparse(x).netloc not in ALLOWED_HOSTS:\n"
            "    return 'no'\nreturn redirect(x)"
        ),
    ),
    "611 defused": (
        "CWE-611",
        web("import defusedxml.ElementTree as ET\nreturn ET.fromstring(x).tag"),
    ),
    "614": ("CWE-614", web("r = make_response('')\nr.set_cookie('a', 'b', secure=True)")),
    "1004": ("CWE-1004", web("r = make_response('')\nr.set_cookie('a', 'b', httponly=True)")),
    "643 variable": ("CWE-643", web("return tree.xpath('//u[@n=$n]', n=x)")),
    "732 owner": ("CWE-732", "import os\nos.chmod('f', 0o600)\nos.umask(0o077)\n"),
    "732 masked": ("CWE-732", "import os\nmode = os.stat('f').st_mode & 0o777\n"),
    "798 environment": ("CWE-798", "import os\nPASSWORD = os.environ['PASSWORD']\n"),
    "798 empty": ("CWE-798", "password = ''\npassword_field = 'f7Hq-22kLm'\n"),
    "918 fixed host": (
        "CWE-918",
        web("import requests\nreturn requests.get('https://example.org/i/' + x).json()"),
    ),
    "20 list of hosts": ("CWE-20", "def ok(urls):\n    return 'example.org' in urls\n"),
    "20 file name": ("CWE-20", "def ok(name):\n    return name.endswith('setup.py')\n"),
    "20 anchored": ("CWE-20", "import re\nre.fullmatch(r'www\\.example\\.org', host)\n"),
    "1333 escaped": ("CWE-1333", web("import re\nreturn str(re.search(re.escape(x), 'abc'))")),
    "1333 linear": ("CWE-1333", "import re\nre.match(r'^(?:\\w+,)*\\w+$', text)\n"),
}


@pytest.mark.parametrize(("cwe", "code"), GOOD.values(), ids=GOOD.keys())
def test_the_safe_form_is_passed(cwe: str, code: str) -> None:
    """The safe form of the same operation is not reported under that CWE, at any severity."""
    assert cwe not in cwes(code, Severity.LOW)
