"""What is known of a value without running the code: constant, shape, origin, contents, taint.

A value's *shape* is its text with one character for every part that is not literal: `HOLE` where
anything may stand, `CLEAN_HOLE` where only a number or another harmless text can, `ESCAPED_HOLE` where
something escaped stands. A sink can so
tell `WHERE id = <number>` from `WHERE name = '<anything>'` without asking how it was put together.
"""

import ast
from enum import IntEnum
from typing import Any, Final

HOLE: Final = "\x00"
CLEAN_HOLE: Final = "\x01"
ESCAPED_HOLE: Final = "\x02"
MAX_SHAPE: Final = 6000
MAX_TAINTS: Final = 4


class Missing:
    """The type of `MISSING`."""


MISSING: Final = Missing()
"""In `Value.const`: not a constant. None, False and 0 are constants."""


class Level(IntEnum):
    """Who controls the data, from nobody known to anybody on the network."""

    STORED = 1
    """Read back from a file, a database or another service."""
    PARAMETER = 2
    """A parameter of a function; who calls it is not known."""
    LOCAL = 3
    """The person at the keyboard: arguments, input, environment."""
    REMOTE = 4
    """Anybody who can send a request."""


class Safe:
    """Kinds of sink that a value was made harmless for; bits of plain integers, for speed."""

    SHELL: Final = 1
    HTML: Final = 2
    SQL: Final = 4
    PATH: Final = 8
    LDAP: Final = 16
    XPATH: Final = 32
    CODE: Final = 64
    TEMPLATE: Final = 128
    HEADER: Final = 256
    URL: Final = 512
    REGEX: Final = 1024
    DATA: Final = 2048
    LOG: Final = 4096
    INDIRECT: Final = 8192
    """Not a sink: the value came out of a call that is not known to pass its arguments on."""
    TRUST: Final = 16384
    """What the session and other trusted places take over."""
    ALL: Final = 8191 | 16384
    OPENS: Final = 1 << 15
    """Not a sink, like the five below: the text is known to begin with a quote."""
    CLOSES: Final = 1 << 16
    """It ends with a quote."""
    NO_QUOTES: Final = 1 << 17
    """It holds no quote, except as its first and last character."""
    ROOTED: Final = 1 << 18
    """It begins with a slash."""
    ONE_SLASH: Final = 1 << 19
    """It does not begin with two slashes."""
    LITERAL: Final = OPENS | CLOSES | NO_QUOTES
    OWN_PATH: Final = ROOTED | ONE_SLASH


def completed(safe: int) -> int:
    """Return what is proved with what follows from several proofs together."""
    if safe & Safe.LITERAL == Safe.LITERAL:
        safe |= Safe.CODE  # one literal runs nothing
    if safe & Safe.OWN_PATH == Safe.OWN_PATH:
        safe |= Safe.URL  # a path of the own site, not `//host`
    return safe


PART: Final = "~"
"""In `Taint.root` after the source of which only a part is left: an extension, a slice."""

Trail = tuple["Trail | None", ast.AST, str]
"""A linked list from the newest step back to the source."""


class Taint:
    """One source whose data a value may hold."""

    __slots__ = ("level", "root", "safe", "trail")

    def __init__(self, level: Level, root: str, trail: Trail, safe: int = 0) -> None:
        self.level = level
        self.root = root
        self.trail = trail
        self.safe = safe


class Guard:
    """What a condition proves of the data behind some roots, where it holds and where not."""

    __slots__ = ("negative", "positive")

    def __init__(self, positive: dict[str, int], negative: dict[str, int]) -> None:
        self.positive = positive
        self.negative = negative


class Value:
    """What is known of one value; treated as immutable except for `items`."""

    __slots__ = ("clean", "const", "items", "kind", "ref", "shape", "taints")

    def __init__(
        self,
        *,
        kind: str | None = None,
        const: Any = MISSING,
        shape: str | None = None,
        taints: tuple[Taint, ...] = (),
        items: "dict[Any, Value] | None" = None,
        clean: bool = False,
        ref: Any = None,
    ) -> None:
        self.kind = kind
        """Dotted origin: `os.path.join`, `sqlite3.connect()`."""
        self.const = const
        self.shape = shape
        self.taints = taints
        self.items = items
        """Contents of a list, tuple or dictionary all of whose keys are known."""
        self.clean = clean
        """A number, a digest or one of several constants: harmless in any sink."""
        self.ref = ref
        """The function or class of the same file that this is, or the guard of a condition."""

    @property
    def is_const(self) -> bool:
        """Whether the value itself is known."""
        return self.const is not MISSING


UNKNOWN: Final = Value()
CLEAN: Final = Value(clean=True)
CLEAN_TEXT: Final = Value(clean=True, shape=CLEAN_HOLE)
NONE: Final = Value(const=None)


def constant(value: Any) -> Value:
    """Return the value of a literal."""
    return Value(const=value, shape=value if type(value) is str else None)


def is_fixed(value: Value) -> bool:
    """Return whether nobody outside the code can change the value."""
    if value.const is not MISSING or value.clean:
        return True
    if value.shape is not None:
        return HOLE not in value.shape and not value.taints
    if value.items is not None and not value.taints:
        return all(map(is_fixed, value.items.values()))
    return False


def hole(value: Value) -> str:
    """Return the value's text as a part of a longer text."""
    if value.shape is not None:
        return value.shape
    const = value.const
    if const is not MISSING and type(const) in (int, float, bool, bytes):
        return str(const) if len(str(const)[:50]) < 50 else CLEAN_HOLE
    return CLEAN_HOLE if value.clean or const is not MISSING else HOLE


def proved(guard: dict[str, int], root: str) -> int:
    """Return what a guard says of a source; what holds for the whole holds for its parts."""
    safe = guard.get(root, 0)
    if PART in root:
        safe = completed(safe | guard.get(root.partition(PART)[0], 0))
    return safe


def parts_of(taints: tuple[Taint, ...]) -> tuple[Taint, ...]:
    """Return the taints of a part of a text: a check of it says nothing of the rest."""
    return tuple(
        Taint(t.level, t.root if PART in t.root else t.root + PART, t.trail, t.safe) for t in taints
    )


def merge_taints(left: tuple[Taint, ...], right: tuple[Taint, ...]) -> tuple[Taint, ...]:
    """Return both, without repeats, at most `MAX_TAINTS`, the worst first."""
    if not right or left is right:
        return left
    if not left:
        return right
    seen = {(taint.root, taint.safe): taint for taint in right}
    for taint in left:
        seen[taint.root, taint.safe] = taint
    if len(seen) <= MAX_TAINTS:
        return tuple(seen.values())
    worst = sorted(seen.values(), key=lambda taint: (-taint.level, taint.safe))
    return tuple(worst[:MAX_TAINTS])


def all_taints(value: Value, depth: int = 3) -> tuple[Taint, ...]:
    """Return the taints of the value and of everything it holds."""
    taints = value.taints
    if value.items and depth:
        for item in value.items.values():
            taints = merge_taints(taints, all_taints(item, depth - 1))
    return taints


def with_safe(value: Value, safe: int, *, shape: str | None = None) -> Value:
    """Return the value, its taints made harmless for some kinds of sink."""
    taints = tuple(
        Taint(taint.level, taint.root, taint.trail, taint.safe | safe)
        for taint in all_taints(value)
    )
    return Value(taints=taints, shape=shape or ESCAPED_HOLE)


def concat(left: Value, right: Value) -> Value:
    """Return the value of two texts put together."""
    shape = hole(left) + hole(right)
    if len(shape) > MAX_SHAPE:
        shape = shape[: MAX_SHAPE - 1] + HOLE
    const: Any = MISSING
    if type(left.const) is str and type(right.const) is str and len(shape) < MAX_SHAPE:
        const = left.const + right.const
    taints = merge_taints(left.taints, right.taints)
    return Value(const=const, shape=shape, taints=taints)


def join(left: Value, right: Value) -> Value:
    """Return what holds for either value: where two branches meet."""
    if left is right:
        return left
    if left.const is None and left.items is None:
        return _unfixed(right)
    if right.const is None and right.items is None:
        return _unfixed(left)
    if left.const is not MISSING and right.const is not MISSING:
        same = type(left.const) is type(right.const) and left.const == right.const
        return left if same else _choice(left, right)
    shape = left.shape
    if shape is None or (right.shape is not None and right.shape.count(HOLE) > shape.count(HOLE)):
        shape = right.shape
    if shape is not None and HOLE not in shape and (_is_open(left) or _is_open(right)):
        shape = None
    items = None
    if left.items is not None and right.items is not None:
        items = dict(left.items)
        for key, item in right.items.items():
            items[key] = join(items[key], item) if key in items else item
    taints = merge_taints(left.taints, right.taints)
    if items is None and (left.items or right.items):
        taints = merge_taints(all_taints(left), all_taints(right))
    return Value(
        kind=left.kind if left.kind == right.kind else left.kind or right.kind,
        shape=shape,
        taints=taints,
        items=items,
        clean=is_fixed(left) and is_fixed(right) and not (left.items or right.items),
        ref=left.ref or right.ref,
    )


def _is_open(value: Value) -> bool:
    """Return whether the value is a text from outside, nothing of which is known."""
    return value.shape is None and bool(value.taints)


def _choice(left: Value, right: Value) -> Value:
    """Return one of several constants: harmless, and of no one text."""
    texts = [value.shape for value in (left, right) if value.shape is not None]
    return Value(clean=True, shape=max(texts, key=len) if texts else None)


def _unfixed(value: Value) -> Value:
    """Return the value, no longer known exactly: None is possible too."""
    if value.const is MISSING:
        return value
    return Value(shape=value.shape, clean=True, kind=value.kind)
