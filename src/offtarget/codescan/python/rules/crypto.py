"""Ciphers, digests and random numbers."""

import ast
import re
from typing import Final

from offtarget.codescan.python.rules.grading import (
    LOW,
    MEDIUM,
    forget,
    recalled,
    remember,
    words_of,
)
from offtarget.codescan.python.values import Level, Safe
from offtarget.codescan.python.walk import Assigned, Call, Checks, Walk
from offtarget.codescan.rule import Rule

RULES: Final = (
    Rule(
        id="OT-PY-070",
        title="Broken or weak cipher",
        language="python",
        cwe="CWE-327",
        severity=MEDIUM,
        confidence=0.85,
        why="The cipher, or its mode, lets an attacker read or change what it should protect. "
        "AES in GCM mode does neither.",
        bad="from Crypto.Cipher import DES\ndef seal(key):\n    return DES.new(key, DES.MODE_CBC)\n",
        good="from Crypto.Cipher import AES\ndef seal(key):\n    return AES.new(key, AES.MODE_GCM)\n",
        literals=(
            ("DES", "ARC4", "ARC2", "Blowfish", "ECB", "IDEA", "CAST5", "SEED", "RC4", "XOR"),
        ),
    ),
    Rule(
        id="OT-PY-071",
        title="Broken digest",
        language="python",
        cwe="CWE-328",
        severity=MEDIUM,
        confidence=0.6,
        why="Two texts with one MD5 or SHA-1 are easy to make, and fast digests let passwords be "
        "guessed by the billion.",
        bad="import hashlib\ndef stored(password):\n"
        "    return hashlib.md5(password.encode()).hexdigest()\n",
        good="import hashlib\ndef tag(data):\n    return hashlib.sha256(data).hexdigest()\n",
        literals=(
            (
                "md5",
                "sha1",
                "MD5",
                "SHA1",
                "md4",
                "MD4",
                "MD2",
                "SHA-1",
                "sha-1",
                "SHA.new",
                "sha.new",
            ),
        ),
    ),
    Rule(
        id="OT-PY-072",
        title="Password kept as a fast digest",
        language="python",
        cwe="CWE-328",
        severity=MEDIUM,
        confidence=0.7,
        why="A stolen table of plain SHA digests is guessed through at billions of passwords a "
        "second. bcrypt, scrypt, Argon2 or PBKDF2 make every guess slow.",
        bad="import hashlib\ndef stored(password):\n"
        "    return hashlib.sha256(password.encode()).hexdigest()\n",
        good="import hashlib\ndef stored(password, salt):\n"
        "    return hashlib.pbkdf2_hmac('sha256', password.encode(), salt, 600000)\n",
        literals=(("sha2", "sha5", "sha3", "blake2"), ("pass", "pwd", "Pass", "PASS")),
    ),
    Rule(
        id="OT-PY-073",
        title="Predictable random numbers for a secret",
        language="python",
        cwe="CWE-330",
        severity=MEDIUM,
        confidence=0.75,
        why="After a few outputs of `random` all later ones can be computed, also tokens and "
        "passwords. `secrets` gives numbers that cannot.",
        bad="import random\nreset_token = str(random.random())\n",
        good="import secrets\nreset_token = secrets.token_urlsafe()\n",
        literals=(("random", "uuid1"),),
    ),
)

_CIPHERS: Final = (
    *(f"Cryptodome.Cipher.{name}.new"
      for name in ("DES", "DES3", "ARC2", "ARC4", "Blowfish", "CAST", "XOR")),
    *(f"{name}.new" for name in ("DES", "DES3", "ARC2", "ARC4", "Blowfish")),
    "pyDes.des", "pyDes.triple_des",
)  # fmt: skip
_ALGORITHMS: Final = ("TripleDES", "ARC4", "Blowfish", "IDEA", "CAST5", "SEED", "ECB")
_DIGESTS: Final = ("hashlib.md5", "hashlib.sha1", "hashlib.md4", "md5.new", "md5.md5", "sha.new",
                   "Cryptodome.Hash.MD5.new", "Cryptodome.Hash.SHA1.new", "Cryptodome.Hash.SHA.new",
                   "Cryptodome.Hash.MD4.new", "Cryptodome.Hash.MD2.new", "MD5.new", "SHA.new", "md5",
                   "cryptography.hazmat.primitives.hashes.MD5",
                   "cryptography.hazmat.primitives.hashes.SHA1", "hashes.MD5", "hashes.SHA1",
                   "passlib.hash.md5_crypt.hash", "sha1")  # fmt: skip
_FAST: Final = ("hashlib.sha256", "hashlib.sha512", "hashlib.sha224", "hashlib.sha384",
                "hashlib.blake2b", "hashlib.blake2s", "hashlib.sha3_256")  # fmt: skip
_PASSWORD: Final = re.compile(r"passw|passwd|(?:^|[_ ])pwd|passphrase", re.I)
_KEPT: Final = re.compile(r"passw|passwd|passphrase|secret|sensitive|credential", re.I)
_SIGNED: Final = re.compile(
    r"passw|passwd|(?:^|[_ ])pwd|secret|token|sign|auth|credential|hmac|activation|session|nonce|"
    r"salt|verif|api_?key",
    re.I,
)
_RANDOM: Final = tuple(
    f"random.{name}"
    for name in (
        "random",
        "randint",
        "choice",
        "choices",
        "sample",
        "randrange",
        "getrandbits",
        "uniform",
        "shuffle",
        "randbytes",
        "betavariate",
        "gauss",
        "normalvariate",
        "triangular",
    )
)
_NUMPY: Final = tuple(
    f"numpy.random.{name}" for name in ("bytes", "randint", "random", "rand", "choice", "integers")
)
_SECRET_NAME: Final = re.compile(
    r"passw|passwd|(?:^|_)pwd|secret|token|otp\b|_otp|otp_|session|salt|nonce|csrf|captcha|"
    r"api_?key|private_?key|(?:^|_)key$|_key\b|verification|auth|credential|cookie|reset_?code|"
    r"activation|invite_?code|(?:^|_)pin(?:$|_)|(?:^|_)iv$|remember|security",
    re.I,
)


def register(checks: Checks) -> None:
    """Have the checks of this file called."""
    checks.on_call(_CIPHERS, _weak)
    checks.on_method(_ALGORITHMS, _algorithm)
    for name in _ALGORITHMS:
        for module in ("algorithms", "modes"):
            path = f"cryptography.hazmat.primitives.ciphers.{module}.{name}"
            checks.on_call((path,), _weak)
    checks.on_method(("new",), _mode)
    checks.on_call(_DIGESTS, _digest)
    checks.on_call(("hashlib.new",), _named_digest)
    checks.on_method(("update",), _updated)
    checks.on_call(_FAST, _fast)
    checks.on_call(_RANDOM, _random)
    checks.on_call(_NUMPY, _scientific)
    checks.assigned.append(_assigned)
    checks.on_method(("set_cookie", "set_signed_cookie", "set_secure_cookie"), _sent)


def _weak(walk: Walk, call: Call) -> None:
    walk.report(
        "OT-PY-070",
        call.node,
        "The cipher or its mode does not protect the data.",
        severity=MEDIUM,
        confidence=0.85,
    )


def _algorithm(walk: Walk, call: Call) -> None:
    if (call.receiver.kind or "").endswith(("algorithms", "modes")):
        _weak(walk, call)


def _mode(walk: Walk, call: Call) -> None:
    modes = [*call.args[1:2], *(v for k, v in call.keywords.items() if k == "mode")]
    if any((value.kind or "").endswith("MODE_ECB") for value in modes):
        _weak(walk, call)


def _digest(walk: Walk, call: Call) -> None:
    if call.is_constant("usedforsecurity", False):
        return
    words = f"{words_of(call.node)} {walk.target}"
    inside = walk.function.node.name if walk.function else ""
    taint = next((t for v in call.args if (t := walk.exposed(v, Safe.INDIRECT))), None)
    secret = _SIGNED.search(words) or _SIGNED.search(inside) or _keeps_secrets(walk)
    remote = taint is not None and taint.level == Level.REMOTE
    remember(walk, walk.target, "digest", call.node)
    walk.report(
        "OT-PY-071",
        call.node,
        "This digest can be forged; use SHA-256, or a password hash for passwords.",
        severity=MEDIUM if secret or remote else LOW,
        confidence=0.8 if secret else 0.4,
    )


def _keeps_secrets(walk: Walk) -> bool:
    """Return whether the function around speaks of passwords or other secrets."""
    if walk.function is None:
        return False
    return bool(_KEPT.search(words_of(walk.function.node, limit=600)))


def _updated(walk: Walk, call: Call) -> None:
    """Data goes into a digest that was made before."""
    made = recalled(walk, call.variable, "digest")
    if made is None or not call.args:
        return
    taint = walk.exposed(call.args[0], Safe.INDIRECT)
    if taint is not None and taint.level == Level.REMOTE:
        walk.report(
            "OT-PY-071",
            made,
            "This digest can be forged; use SHA-256, or a password hash for passwords.",
            severity=MEDIUM,
            confidence=0.4,
        )


def _named_digest(walk: Walk, call: Call) -> None:
    name = call.args[0].const if call.args else None
    if isinstance(name, str) and name.lower().replace("-", "") in ("md5", "sha1", "md4", "sha"):
        _digest(walk, call)


def _fast(walk: Walk, call: Call) -> None:
    words = " ".join(words_of(argument) for argument in call.node.args)
    if not _PASSWORD.search(words):
        return
    salted = re.search(r"salt|pepper", words, re.I)
    walk.report(
        "OT-PY-072",
        call.node,
        "A password is hashed with a fast digest; use a password hash.",
        severity=LOW if salted else MEDIUM,
        confidence=0.7,
    )


def _random(walk: Walk, call: Call) -> None:
    inside = walk.function.node.name if walk.function else ""
    secret = _SECRET_NAME.search(walk.target) or _SECRET_NAME.search(inside)
    _predictable(walk, call.node, is_secret=bool(secret))


def _scientific(walk: Walk, call: Call) -> None:
    """Arrays of random numbers are everyday in science; only as a secret they are a flaw."""
    if _SECRET_NAME.search(walk.target):
        _predictable(walk, call.node, is_secret=True)


def _predictable(walk: Walk, node: ast.AST, *, is_secret: bool) -> None:
    walk.report(
        "OT-PY-073",
        node,
        "These random numbers can be predicted; use `secrets`.",
        severity=MEDIUM if is_secret else LOW,
        confidence=0.75 if is_secret else 0.2,
    )


def _assigned(walk: Walk, assigned: Assigned) -> None:
    """A variable with random numbers is put where a secret belongs, or into another variable."""
    if "random" not in walk.frameworks:
        return
    target = assigned.target
    made = _random_in(walk, assigned.node)
    if isinstance(target, ast.Name):
        own = recalled(walk, target.id, "random")
        if made is not None:
            remember(walk, target.id, "random", made)
            if _SECRET_NAME.search(target.id):
                _predictable(walk, made, is_secret=True)
        elif own is not None and not _holds(assigned.node, own):
            forget(walk, target.id, "random")
    elif made is not None and _SECRET_NAME.search(words_of(target)):
        _predictable(walk, made, is_secret=True)


def _sent(walk: Walk, call: Call) -> None:
    """A cookie's value."""
    for node in [*call.node.args[1:2], *(k.value for k in call.node.keywords if k.arg == "value")]:
        made = _random_in(walk, node)
        if made is not None:
            _predictable(walk, made, is_secret=True)


def _random_in(walk: Walk, node: ast.AST) -> ast.AST | None:
    """Return where random numbers come from that stand in a variable of the expression."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            made = recalled(walk, inner.id, "random")
            if made is not None:
                return made
        elif isinstance(inner, ast.Call) and _key(inner) in walk.found:
            return inner
    return None


def _key(node: ast.Call) -> tuple[str, int, int]:
    return "OT-PY-073", node.lineno, node.col_offset


def _holds(node: ast.AST, inner: ast.AST) -> bool:
    return any(one is inner for one in ast.walk(node))
