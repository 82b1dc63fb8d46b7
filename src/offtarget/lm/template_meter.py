"""What a chat template may spend: loop turns, steps and copied characters are all charged.

Counting is by work, not by clock, so that a template is refused on every machine or on none.
"""

from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Sized, ValuesView
from itertools import chain
from typing import Any, NamedTuple

from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Undefined
from jinja2.utils import Namespace

MAX_LOOP_TURNS = 100_000
"""Turns of all loops of one rendering together."""
MAX_STEPS = 4_000_000
"""Template nodes executed and container elements visited; about two seconds of work."""
MAX_COPIED_CHARS = 16 * 1024 * 1024
"""Characters copied, on top of `COPIES_OF_CONTENT` times the conversation."""
COPIES_OF_CONTENT = 16
MAX_DEPTH = 64
"""Nesting of lists and dicts that a template may build."""
CHARS_PER_STEP = 256
"""Characters compared or searched for the price of one step."""
METER_KEY = " meter"
"""Where a rendering keeps its meter; the space makes the name unspellable in a template."""

_VIEWS = (KeysView, ValuesView, ItemsView)
_PLAIN = (str, int, float, bool, type(None), Undefined)


class TemplateRunawayError(SecurityError):
    """The template does more than formatting a conversation can need."""


class Size(NamedTuple):
    """How large a value is as a tree; shared parts count each time they occur."""

    n_nodes: int
    n_chars: int


class Meter:
    """The budget of one rendering."""

    def __init__(self, *, content_chars: int, macro_steps: int) -> None:
        self.macro_steps = macro_steps
        """Steps charged for each macro call: the nodes of the whole template."""
        self._turns_left = MAX_LOOP_TURNS
        self._steps_left = MAX_STEPS
        self._chars_left = MAX_COPIED_CHARS + COPIES_OF_CONTENT * content_chars

    def step(self, n_steps: int = 1) -> None:
        """Charge `n_steps` of work."""
        self._steps_left -= max(n_steps, 0)
        if self._steps_left < 0:
            raise TemplateRunawayError(f"more than {MAX_STEPS} steps")

    def copy(self, n_chars: int) -> None:
        """Charge `n_chars` of text, before it is made."""
        self._chars_left -= max(n_chars, 0)
        if self._chars_left < 0:
            raise TemplateRunawayError(f"more than {MAX_COPIED_CHARS} characters of working text")

    def turns(self, values: Iterable[Any], *, steps: int) -> Iterator[Any]:
        """Yield `values`, charging one loop turn and `steps` for each."""
        for value in values:
            self._turns_left -= 1
            if self._turns_left < 0:
                raise TemplateRunawayError(f"more than {MAX_LOOP_TURNS} loop turns")
            self.step(max(steps, 1))
            yield value

    def refer(self, value: object) -> None:
        """Charge for holding, comparing or hashing `value` without copying its text."""
        size = self._measure(value, is_printed=False)
        self.step(size.n_nodes + size.n_chars // CHARS_PER_STEP)

    def text(self, value: object) -> int:
        """Charge for turning `value` into text and return an upper estimate of its length."""
        if isinstance(value, str):
            self.copy(len(value))
            return len(value)
        size = self._measure(value, is_printed=True)
        self.step(size.n_nodes)
        n_chars = 4 * size.n_chars + 8 * size.n_nodes  # quotes, separators, escapes
        self.copy(n_chars)
        return n_chars

    def search(self, hay: int, needle: int) -> None:
        """Charge for looking for `needle` characters in `hay`: the worst case is their product."""
        self.step(1 + hay * needle // CHARS_PER_STEP)

    def _measure(self, value: object, *, is_printed: bool) -> Size:
        n_nodes = n_chars = 0
        open_containers: list[Iterator[object]] = [iter((value,))]
        while open_containers:
            if len(open_containers) > MAX_DEPTH:
                raise TemplateRunawayError(f"data nested deeper than {MAX_DEPTH}")
            for item in open_containers[-1]:
                n_nodes += 1
                if n_nodes > self._steps_left:
                    raise TemplateRunawayError(f"more than {MAX_STEPS} steps")
                inner = _elements(item)
                if inner is not None:
                    open_containers.append(inner)
                    break
                if isinstance(item, range):
                    n_nodes += len(item)
                n_chars += _leaf_chars(
                    item, is_printed=is_printed, is_nested=len(open_containers) > 1
                )
            else:
                open_containers.pop()
        return Size(n_nodes=n_nodes, n_chars=n_chars)


def meter_of(context: Context) -> Meter:
    """Return the meter of the rendering that `context` belongs to."""
    meter = context.parent[METER_KEY]
    assert isinstance(meter, Meter)
    return meter


def charge_replace(meter: Meter, text: str, old: str, new: str) -> None:
    """Charge for `text.replace(old, new)` before it allocates."""
    meter.search(len(text), len(old))
    meter.copy(len(text) + text.count(old) * len(new))


def charge_join(meter: Meter, glue: str, values: Iterable[Any]) -> list[Any]:
    """Charge for joining `values` and return them as a list."""
    charge_spread(meter, values)
    listed = list(values)
    for value in listed:
        meter.text(value)
    meter.copy(len(glue) * len(listed))
    return listed


def charge_spread(meter: Meter, value: object) -> None:
    """Charge for making a list of the elements of `value`, each of which weighs 60 bytes or so."""
    if isinstance(value, Sized):
        meter.step(4 * len(value))


def charge_split(meter: Meter, text: str, separator: object) -> None:
    """Charge for the list that splitting `text` makes."""
    is_word = isinstance(separator, str) and separator
    meter.step(4 * (text.count(str(separator)) if is_word else len(text) // 2 + 1))


def charge_strip(chars: object) -> None:
    """Refuse a long set of characters to strip: each character of the text is compared with it."""
    if isinstance(chars, str) and len(chars) > CHARS_PER_STEP:
        raise TemplateRunawayError(f"a set of {len(chars)} characters to strip")


def check_percent_format(text: str) -> None:
    """Refuse `%` formats with widths, which can print any number of blanks."""
    rest = text
    for plain in ("%%", "%s", "%d", "%r", "%f"):
        rest = rest.replace(plain, "")
    if "%" in rest:
        raise TemplateRunawayError("a % format with a width or an unknown conversion")


def _elements(value: Any) -> Iterator[object] | None:
    if isinstance(value, dict):
        return chain(value.keys(), value.values())
    if isinstance(value, (list, tuple, *_VIEWS)):
        return iter(value)
    return None


def _leaf_chars(value: object, *, is_printed: bool, is_nested: bool) -> int:
    if isinstance(value, str):
        return len(value)
    if is_nested and isinstance(value, Namespace):
        raise TemplateRunawayError("a namespace inside a list or dict")
    if is_printed and not isinstance(value, (*_PLAIN, range)):
        raise TemplateRunawayError(f"printing a {type(value).__name__}")
    return value.bit_length() // 3 + 1 if isinstance(value, int) else 32


Charge = Callable[[Meter, Any, tuple[Any, ...], dict[str, Any]], Any]
"""Charges for one filter or test call and returns the value to pass on."""
