"""Requests are recognized in the handlers of many frameworks, and through wrappers of them."""

import pytest

from offtarget.codescan.flaw import Snippet
from offtarget.codescan.python import PythonEngine

ENGINE = PythonEngine()
HANDLERS = {
    "flask, named field": (
        "from flask import request\n@app.route('/')\ndef f():\n"
        "    x = getattr(request, 'form')['x']\n    BODY\n"
    ),
    "flask, as a dictionary": (
        "from flask import request\n@app.route('/')\ndef f():\n"
        "    x = request.args.to_dict()['x']\n    BODY\n"
    ),
    "wrapper of a request": (
        "from flask import request\nimport tools\n@app.route('/')\ndef f():\n"
        "    x = tools.wrap(request).get_form_parameter('x')\n    BODY\n"
    ),
    "own wrapper": (
        "from flask import request\nclass Wrapper:\n    def __init__(self, request):\n"
        "        self.request = request\n    def read(self, name):\n"
        "        return self.request.form.get(name)\n@app.route('/')\ndef f():\n"
        "    x = Wrapper(request).read('x')\n    BODY\n"
    ),
    "django view": "def f(request):\n    x = request.GET['x']\n    BODY\n",
    "fastapi model": (
        "from fastapi import FastAPI\nfrom pydantic import BaseModel\napp = FastAPI()\n"
        "class Item(BaseModel):\n    name: str\n@app.post('/')\nasync def f(item: Item):\n"
        "    x = item.name\n    BODY\n"
    ),
    "aiohttp": "async def f(request):\n    x = (await request.post())['x']\n    BODY\n",
    "falcon": (
        "class A:\n    def on_get(self, req, resp):\n        x = req.get_param('x')\n        BODY\n"
    ),
    "wsgi": (
        "from urllib.parse import parse_qs\ndef application(environ, start_response):\n"
        "    x = parse_qs(environ['QUERY_STRING'])['x'][0]\n    BODY\n"
    ),
    "names of the fields": (
        "from flask import request\n@app.route('/')\ndef f():\n    x = ''\n"
        "    for name in request.form.keys():\n        if 'a' in request.form.getlist(name):\n"
        "            x = name\n            break\n    BODY\n"
    ),
    "query string": (
        "from flask import request\n@app.route('/')\ndef f():\n"
        "    text = request.query_string.decode()\n    x = text[text.find('x=') + 2 :]\n    BODY\n"
    ),
}


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS.keys())
def test_the_request_is_recognized(handler: str) -> None:
    """What the handler reads from its request is followed into a path."""
    code = handler.replace("BODY", "open('/srv/' + x)")
    assert [flaw.cwe for flaw in ENGINE.scan([Snippet("python", code)])[0].flaws] == ["CWE-22"]


def test_a_wrapper_that_promises_safe_values_is_believed() -> None:
    """A method named for safe values hands out none that are reported."""
    code = HANDLERS["wrapper of a request"].replace("get_form_parameter", "get_safe_value")
    for sink in ("open('/srv/' + x)", "eval(x)"):
        assert not ENGINE.scan([Snippet("python", code.replace("BODY", sink))])[0].flaws
