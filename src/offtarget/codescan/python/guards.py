"""Conditions that prove data harmless: allow-lists, anchored patterns, path and host checks."""

import ast
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from offtarget.codescan.python.values import (
    PART,
    Guard,
    Safe,
    Value,
    all_taints,
    completed,
    is_fixed,
)

if TYPE_CHECKING:
    from offtarget.codescan.python.walk import Call, Walk

_ALLOWED: Final = re.compile(
    r"allow|permit|whitelist|white_list|valid|safe|choices|trusted|known|supported|approved", re.I
)
_CHECKING: Final = re.compile(
    r"^_?(?:is_?|has_?)?(?:valid|validate|verify|check|ensure|assert|safe|allow|allowed|"
    r"permitted|trusted|whitelisted|is_safe)(?:_|\d|[A-Z]|$)|_is_(?:valid|safe|allowed)$|"
    r"^is_(?:valid|safe|allowed|within|trusted|subpath)|url_has_allowed_host_and_scheme|"
    r"is_safe_url|allowed_file|within_directory|valid_\w+$"
)
_CONTENT: Final = frozenset(
    ["isdigit", "isalnum", "isidentifier", "isnumeric", "isdecimal", "isalpha"]
)
_MATCHING: Final = frozenset({"re.fullmatch", "re.match"})
_COMPILED: Final = frozenset({"re.compile().fullmatch", "re.compile().match"})
_OPEN_ENDED: Final = re.compile(r"(?<!\\)(?:\.[*+]|\[\^|\\S|\\D|\\W|\.\{)")
_HOSTS: Final = ("netloc", "hostname", "host", "domain", "scheme")
_HARMLESS: Final = re.compile(r"(?!.*\.\.)[\w .:,@+-]+")
"""Of such a text every part is harmless, too."""
_STEPS: Final = ("..", "/", "\\", "../", "\x00", "/..")
_QUOTES: Final = ("'", '"')
_RESOLVED: Final = frozenset({"resolved"})
"""`Value.kind` of paths without `..` and links."""


def roots_of(value: Value) -> set[str]:
    """Return the sources that a value stems from; a URL's host stands for the whole URL."""
    found = set()
    for taint in all_taints(value):
        found.add(taint.root)
        whole, last = _split_root(taint.root)
        if last in _HOSTS or last == "parents":
            found.add(whole)
    return found


def _split_root(root: str) -> tuple[str, str]:
    """Return a source and the field of it that a value is, also where a part of it is left."""
    whole, _, last = root.rpartition(".")
    if last not in _HOSTS and last != "parents" and PART in root:
        whole, _, last = root.partition(PART)[0].rpartition(".")
    return whole, last


def guard_of(value: Value, safe: int, *, holds: bool = True) -> Guard | None:
    """Return the guard that makes a value's sources safe where the condition holds (or not)."""
    facts = dict.fromkeys(roots_of(value), safe)
    if not facts:
        return None
    return Guard(facts, {}) if holds else Guard({}, facts)


def proved_by(value: Value) -> Guard | None:
    """Return what a condition of this value proves; data that was looked up with is trusted."""
    if isinstance(value.ref, Guard):
        return value.ref
    if not value.taints:
        return None
    positive: dict[str, int] = {}
    negative: dict[str, int] = {}
    for taint in value.taints:
        whole, last = _split_root(taint.root)
        if taint.safe & Safe.INDIRECT:
            positive[taint.root] = Safe.TRUST
        elif last in ("netloc", "hostname"):
            negative[whole] = Safe.URL  # without a host it stays on the own site
    return Guard(positive, negative) if positive or negative else None


def negation(guard: Guard) -> Guard:
    """Return what `not condition` proves."""
    return Guard(guard.negative, guard.positive)


def conjunction(guards: list[Guard | None]) -> Guard:
    """Return what `a and b` proves: all where it holds, what they share where it does not."""
    positive: dict[str, int] = {}
    for guard in guards:
        if guard is not None:
            _add(positive, guard.positive)
    return Guard(positive, shared([g.negative if g else {} for g in guards]))


def disjunction(guards: list[Guard | None]) -> Guard:
    """Return what `a or b` proves."""
    negative: dict[str, int] = {}
    for guard in guards:
        if guard is not None:
            _add(negative, guard.negative)
    return Guard(shared([g.positive if g else {} for g in guards]), negative)


def _add(facts: dict[str, int], more: dict[str, int]) -> None:
    for root, safe in more.items():
        facts[root] = completed(facts.get(root, 0) | safe)


def shared(facts: list[dict[str, int]]) -> dict[str, int]:
    """Return what all of several conditions prove."""
    common = facts[0] if facts else {}
    for more in facts[1:]:
        common = {root: safe & more[root] for root, safe in common.items() if root in more}
    return common


def compare_guard(walk: "Walk", node: ast.Compare, left: Value, right: Value) -> Guard | None:
    """Return what a comparison of two values proves."""
    operator = node.ops[0]
    if isinstance(operator, ast.Is | ast.IsNot):
        trusted = proved_by(left) if right.const is None else None
        if trusted is None:
            return None
        return trusted if isinstance(operator, ast.IsNot) else negation(trusted)
    if isinstance(operator, ast.In | ast.NotIn):
        positive = isinstance(operator, ast.In)
        if right.kind == "resolved.parents":
            return guard_of(right, Safe.PATH, holds=positive)
        if left.taints and _is_allow_list(node.comparators[0], right):
            return guard_of(left, _host_or_all(left), holds=positive)
        if right.taints and (left.const in _STEPS or left.kind in ("os.sep", "os.path.sep")):
            return guard_of(right, Safe.PATH, holds=not positive)
        if right.taints and left.const in ("\n", "\r", "\r\n"):
            return guard_of(right, Safe.HEADER | Safe.LOG, holds=not positive)
        if right.taints and left.const in _QUOTES:
            is_inside = isinstance(node.comparators[0], ast.Subscript)
            safe = Safe.NO_QUOTES if is_inside else Safe.NO_QUOTES | Safe.XPATH
            facts = {root.partition(PART)[0]: safe for root in roots_of(right)}
            return Guard({}, facts) if positive else Guard(facts, {})
        return guard_of(left, Safe.TRUST, holds=positive)
    if isinstance(operator, ast.Eq | ast.NotEq):
        positive = isinstance(operator, ast.Eq)
        for one, other in ((left, right), (right, left)):
            if not one.taints:
                continue
            if _is_common_path(one) or _is_common_path(other):
                return guard_of(one, Safe.PATH, holds=positive)
            if other.const == "":
                return proved_by(one) and guard_of(one, Safe.URL, holds=positive)
            cleaned = _cleaned_copy(one, other)
            if cleaned:
                return guard_of(one, cleaned, holds=positive)
            if is_fixed(other) and other.const is not None:
                return guard_of(one, _host_or_all(one), holds=positive)
            if _last(one) in _HOSTS and other.kind:
                own = Value(taints=(*one.taints, *other.taints))
                return guard_of(own, Safe.URL, holds=positive)
        return guard_of(left if left.taints else right, Safe.TRUST, holds=positive)
    return None


def _cleaned_copy(one: Value, other: Value) -> int:
    """Return for which sinks `one == clean(one)` proves the value harmless."""
    roots = {taint.root: taint.safe for taint in one.taints}
    for taint in other.taints:
        if taint.root in roots:
            return taint.safe & ~roots[taint.root] & ~Safe.INDIRECT
    return 0


def _last(value: Value) -> str:
    for taint in value.taints:
        return _split_root(taint.root)[1]
    return ""


def _host_or_all(value: Value) -> int:
    """A list of hosts says nothing of the path; a list of schemes nothing of the host."""
    last = _last(value)
    if last == "scheme":
        return 0
    return Safe.URL if last in _HOSTS else Safe.ALL


def _is_common_path(value: Value) -> bool:
    return value.kind is not None and value.kind.startswith("os.path.common")


def _is_allow_list(node: ast.expr, value: Value) -> bool:
    if isinstance(value.const, str):
        return bool(_HARMLESS.fullmatch(value.const))
    if value.items is not None and not value.taints and value.items:
        return True
    if value.clean and not value.shape:
        return True
    if value.kind == "os.listdir()":
        return True
    word = ""
    while isinstance(node, ast.Call | ast.Attribute | ast.Name | ast.Subscript):
        if isinstance(node, ast.Name):
            word += node.id
            return bool(_ALLOWED.search(word)) or (node.id.isupper() and not value.taints)
        if isinstance(node, ast.Attribute):
            word += node.attr
            node = node.value
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            node = node.func
    return bool(_ALLOWED.search(word))


def call_guard(walk: "Walk", call: "Call") -> Guard | None:
    """Return what a call proves where its result is true."""
    attr, name, receiver = call.attr, call.name, call.receiver
    if attr in _CONTENT and receiver.taints and not call.args:
        return guard_of(receiver, Safe.ALL)
    if name in _MATCHING and len(call.args) > 1:
        return _pattern_guard(call.args[0].shape, call.args[1], full=name == "re.fullmatch")
    if name in _COMPILED and call.args and isinstance(receiver.ref, str):
        return _pattern_guard(receiver.ref, call.args[0], full=attr == "fullmatch")
    if attr in ("startswith", "endswith") and receiver.taints and call.args:
        text = call.args[0].const
        if attr == "startswith" and text in ("/", "//", "/\\"):
            is_root = text == "/"
            return guard_of(receiver, Safe.ROOTED if is_root else Safe.ONE_SLASH, holds=is_root)
        if text in _QUOTES:
            return guard_of(receiver, Safe.OPENS if attr == "startswith" else Safe.CLOSES)
    if attr == "startswith" and receiver.taints and call.args:
        return _prefix_guard(receiver, call.args[0])
    if name in ("all", "bool") and call.args and isinstance(call.args[0].ref, Guard):
        return Guard(call.args[0].ref.positive, {})
    if attr == "is_relative_to" and receiver.taints:
        return guard_of(receiver, Safe.PATH)
    if attr == "endswith" and call.args and isinstance(call.args[0].const, str):
        if _last(receiver) in _HOSTS and call.args[0].const.startswith("."):
            return guard_of(receiver, Safe.URL)
        return None
    word = attr or name.rpartition(".")[2]
    if word and call.args and is_check(word):
        facts: dict[str, int] = {}
        for value in call.args:
            for root in roots_of(value):
                facts[root] = Safe.ALL
        return Guard(facts, {}) if facts else None
    return None


@lru_cache(maxsize=4096)
def is_check(word: str) -> bool:
    """Return whether a function of this name, called alone, is there to raise on bad data."""
    return bool(_CHECKING.search(word))


def _pattern_guard(pattern: str | None, value: Value, *, full: bool) -> Guard | None:
    if pattern is None or not value.taints or _OPEN_ENDED.search(pattern):
        return None
    if not full and not pattern.rstrip(")").endswith(("$", r"\Z")):
        return None
    return guard_of(value, Safe.ALL)


def _prefix_guard(value: Value, prefix: Value) -> Guard | None:
    if value.kind in _RESOLVED:
        return guard_of(value, Safe.PATH)
    text = prefix.const
    if isinstance(text, str) and re.match(r"https?://[^/]+/", text):
        return guard_of(value, Safe.URL)
    return None
