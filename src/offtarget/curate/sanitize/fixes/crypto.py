"""Digests, random numbers and secrets in the code."""

import ast
import re
from typing import Final

from offtarget.codescan.flaw import Flaw
from offtarget.curate.sanitize.kind import FixKind, name_for
from offtarget.curate.sanitize.records import Change, Fix, Refusal
from offtarget.curate.sanitize.source import Source

_PASSWORD: Final = re.compile(r"passw|passwd|(?:^|_)pwd|passphrase", re.I)
_NO_SECRET: Final = re.compile(r"(?:template|col|column|url|path|field|form|label|header)$", re.I)


def _digest(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    node = source.node_of(flaw)
    if call is None or (isinstance(node, ast.Attribute) and source.parent(node) is not call):
        return _digest_passed_on(source, node)
    scope = source.scope(call)
    around = source.text(call) + getattr(scope, "name", "")
    statement = source.statement(call)
    if statement is not None:
        around += source.text(statement)
    if _PASSWORD.search(around):
        return Refusal("a password hash needs a stored salt, and old digests would not match")
    name = source.dotted(call.func)
    if name in ("hashlib.md5", "hashlib.sha1"):
        if not isinstance(call.func, ast.Attribute):
            function, needed = name_for(source, "from hashlib import sha256")
            return Fix((Change(*source.span(call.func), function),), (needed,) if needed else ())
        end = source.span(call.func)[1]
        return Fix((Change(end - len(call.func.attr), end, "sha256"),))
    if name == "hashlib.new" and call.args and isinstance(call.args[0], ast.Constant):
        return Fix((Change(*source.span(call.args[0]), '"sha256"'),))
    return Refusal(f"no strong digest is known that stands in for `{name}`")


def _digest_passed_on(source: Source, node: ast.AST | None) -> Fix | Refusal:
    """`map(hashlib.md5, ...)`: the function itself is a value."""
    if isinstance(node, ast.Attribute) and source.dotted(node) in ("hashlib.md5", "hashlib.sha1"):
        end = source.span(node)[1]
        return Fix((Change(end - len(node.attr), end, "sha256"),))
    return Refusal("the call that makes the digest was not found")


def _random(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    name = source.dotted(call.func) if call is not None else ""
    if call is None or not name.startswith(("random.", "uuid.uuid1")):
        return Refusal("the call that draws a number was not found")
    start, end = source.span(call.func)
    method = name.rpartition(".")[2]
    if method == "uuid1":
        return Fix((Change(end - 1, end, "4"),)) if not call.args else Refusal("it has arguments")
    if isinstance(call.func, ast.Attribute):
        return Fix((Change(end - len(method), end, f"SystemRandom().{method}"),))
    function, needed = name_for(source, "from random import SystemRandom")
    new = f"{function}().{method}"
    return Fix((Change(start, end, new),), (needed,) if needed else ())


def _secret(source: Source, flaw: Flaw) -> Fix | Refusal:
    """Read a secret from the environment; the variable that held it stays."""
    node = source.node_of(flaw)
    statement = source.statement(node) if node is not None else None
    value: ast.AST | None = None
    name = ""
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
        value = statement.value
        name = source.text(statement.targets[0])
    if isinstance(node, ast.Constant) and value is None:
        around = source.parent(node)
        value = node
        if isinstance(around, ast.keyword):
            name = around.arg or ""
        elif isinstance(around, ast.Compare):
            name = source.text(around.left)
    if isinstance(node, ast.Compare) and isinstance(node.comparators[0], ast.Constant):
        value = node.comparators[0]
        name = source.text(node.left)
    words = re.findall(r"[A-Za-z]\w*", name)
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str) or not words:
        return Refusal("the secret stands in a place that cannot hold a variable")
    if _NO_SECRET.search(words[-1]) or re.search(r"[/.]\w{2,4}$", value.value):
        return Refusal("the name says that the text is no secret")
    if re.search(r"new|confirm|weak|common", name, re.I):
        return Refusal("the text is compared as a weak password, it is no secret")
    variable = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words[-1]).upper()
    module, needed = name_for(source, "import os")
    text = f'{module}.environ["{variable}"]'
    return Fix((Change(*source.span(value), text),), (needed,) if needed else ())


KINDS: Final = (
    FixKind(
        id="strong-digest",
        title="The digest is SHA-256",
        rules=frozenset({"OT-PY-071", "S324", "S303"}),
        propose=_digest,
        before="import hashlib\n\n\ndef sign_token(text):\n"
        "    return hashlib.md5(text.encode()).hexdigest()\n",
        after="import hashlib\n\n\ndef sign_token(text):\n"
        "    return hashlib.sha256(text.encode()).hexdigest()\n",
        exercise="print(sign_token('a') == sign_token('a') != sign_token('b'))\n",
    ),
    FixKind(
        id="system-random",
        title="Random numbers come from the system",
        rules=frozenset({"OT-PY-073", "S311"}),
        propose=_random,
        before="import random\n\n\ndef reset_token():\n"
        "    token = ''.join(random.choice('0123456789') for _ in range(12))\n    return token\n",
        after="import random\n\n\ndef reset_token():\n"
        "    token = ''.join(random.SystemRandom().choice('0123456789') for _ in range(12))\n"
        "    return token\n",
        exercise="print(len(reset_token()), reset_token().isdigit())\n",
    ),
    FixKind(
        id="secret-from-environment",
        title="The secret is read from the environment",
        rules=frozenset({"OT-PY-080", "OT-PY-081", "S105", "S106", "S107"}),
        propose=_secret,
        before="API_KEY = 'sk_live_4f9aZ81bXq7Lm2Tw'\n\n\ndef header():\n"
        "    return {'X-Key': API_KEY}\n",
        after='import os\n\nAPI_KEY = os.environ["API_KEY"]\n\n\ndef header():\n'
        "    return {'X-Key': API_KEY}\n",
        exercise="print(header())\n",
    ),
)
