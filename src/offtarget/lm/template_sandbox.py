"""Compiles a chat template so that everything it does is allowed by name and charged to a meter.

Chat templates come with models and models are hostile. Jinja's sandbox keeps a template from
Python's internals but not from eating the machine; this one does both.
"""

import re
from types import BuiltinMethodType, MethodType
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from offtarget.lm.template_filters import allowed_filters, allowed_tests
from offtarget.lm.template_meter import (
    MAX_LOOP_TURNS,
    Meter,
    TemplateRunawayError,
    charge_join,
    charge_replace,
    charge_split,
    charge_strip,
    check_percent_format,
    meter_of,
)
from offtarget.lm.template_rewrite import metered_tree

MAX_INT_BITS = 64
TODAY = {
    "%a": "Fri", "%A": "Friday", "%b": "Jul", "%B": "July", "%d": "26", "%-d": "26", "%e": "26",
    "%H": "00", "%I": "12", "%j": "208", "%m": "07", "%-m": "7", "%M": "00", "%p": "AM",
    "%S": "00", "%y": "24", "%Y": "2024", "%%": "%",
}  # fmt: skip
"""The fixed day for templates that print a date: Llama 3's own default, so runs repeat."""


class ConversationRefusedError(TemplateError):
    """The template called `raise_exception` on the conversation."""


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """A jinja environment set up as transformers does it, with every operation metered."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[_GenerationBlock, loopcontrols],
            cache_size=0,
        )
        self.filters: Any = allowed_filters()
        self.tests: Any = allowed_tests()
        self.globals = {
            "dict": _make_dict,
            "namespace": _make_namespace,
            "raise_exception": _raise_exception,
            "range": _make_range,
            "strftime_now": _strftime_now,
        }

    def metered(self, source: str) -> tuple[nodes.Template, int]:
        """Return the checked and rewritten syntax tree of `source`, and its number of nodes.

        Raises:
            TemplateSyntaxError: If `source` does not parse or uses a construct that is not allowed.
        """
        tree = self.parse(source)
        n_nodes = metered_tree(tree)
        tree.set_environment(self)
        return tree, n_nodes

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Only the named methods of strings and dicts, loop counters and namespace entries."""
        if attr.startswith("_"):
            return False
        if isinstance(obj, Namespace):
            return True
        kinds = {str: _STR_METHODS, dict: _DICT_METHODS, LoopContext: _LOOP_ATTRIBUTES}
        return any(isinstance(obj, kind) and attr in names for kind, names in kinds.items())

    def unsafe_undefined(self, obj: Any, attribute: str) -> NoReturn:
        """Reading what is not offered ends the rendering at once."""
        raise SecurityError(f"reading {attribute[:80]!r} of a {type(obj).__name__}")

    def wrap_str_format(self, value: Any) -> None:
        """`str.format` is not offered: its width fields print any number of blanks."""

    def call(
        __self,  # noqa: N805 - jinja passes the template's keywords beside it
        __context: Context,
        __obj: Any,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Charge for the call, then make it if its target is one of ours."""
        meter = meter_of(__context)
        meter.step()
        if isinstance(__obj, Macro):
            meter.step(meter.macro_steps)
            return super().call(__context, __obj, *args, **kwargs)
        meter.refer([*args, *kwargs.values()])
        owner = getattr(__obj, "__self__", None)
        is_method = isinstance(__obj, (BuiltinMethodType, MethodType))
        if is_method and isinstance(owner, str) and __obj.__name__ in _STR_METHODS:
            args = _charge_method(meter, owner, __obj.__name__, args)
        elif not (is_method and isinstance(owner, (dict, LoopContext))) and not any(
            __obj is function for function in __self.globals.values()
        ):
            raise SecurityError(f"calling a {type(__obj).__name__}")
        result = super().call(__context, __obj, *args, **kwargs)
        meter.refer(result)
        return result

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Charge for what the operator will allocate, then apply it."""
        meter = meter_of(context)
        meter.step()
        is_sized = isinstance(left, (str, list, tuple)) or isinstance(right, (str, list, tuple))
        if operator == "%" and isinstance(left, str):
            check_percent_format(left)
            meter.text(left)
            meter.text(right)
        elif operator == "*" and is_sized:
            _charge_repeat(meter, left, right)
        elif is_sized:
            for side in (left, right):
                meter.text(side) if isinstance(side, str) else meter.refer(side)
        elif operator == "**" and not _is_small_power(left, right):
            raise TemplateRunawayError(f"a power beyond {MAX_INT_BITS} bits")
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, int) and result.bit_length() > MAX_INT_BITS:
            raise TemplateRunawayError(f"a number beyond {MAX_INT_BITS} bits")
        return result


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_DICT_METHODS = _names("get items keys values")
_LOOP_ATTRIBUTES = _names(
    "changed cycle depth depth0 first index index0 last length nextitem previtem revindex revindex0"
)
_STRIP_METHODS = _names("lstrip rstrip strip")
_SEARCH_METHODS = _names("count find index partition replace rfind rindex rpartition rsplit split")
_OTHER_STR_METHODS = _names(
    "capitalize casefold endswith isalnum isalpha isdecimal isdigit islower isnumeric isspace "
    "istitle isupper join lower removeprefix removesuffix splitlines startswith swapcase title "
    "upper"
)
_STR_METHODS = _STRIP_METHODS | _SEARCH_METHODS | _OTHER_STR_METHODS


class _GenerationBlock(Extension):
    """`{% generation %}` marks answers for transformers; here it only renders its body."""

    tags = {"generation"}  # noqa: RUF012 - jinja reads a plain set

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


def _charge_method(meter: Meter, text: str, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    meter.copy(len(text))
    words = [arg for arg in args if isinstance(arg, str)]
    if name in _STRIP_METHODS:
        charge_strip(args[0] if args else None)
    if name in _SEARCH_METHODS:
        meter.search(len(text), sum(map(len, words)))
    if name in ("rsplit", "split", "splitlines"):
        charge_split(meter, text, args[0] if args else None)
    if name == "replace" and len(words) == 2:
        charge_replace(meter, text, *words)
    if name == "join" and args:
        return (charge_join(meter, text, args[0]),)
    return args


def _charge_repeat(meter: Meter, left: Any, right: Any) -> None:
    sized, times = (right, left) if isinstance(left, int) else (left, right)
    if not isinstance(times, int) or isinstance(sized, int):
        return  # Python refuses the product itself
    if isinstance(sized, str):
        meter.copy(len(sized) * max(times, 0))
    elif times > 1:
        raise TemplateRunawayError("repeating a list")


def _is_small_power(base: Any, exponent: Any) -> bool:
    if not isinstance(base, (int, float)) or not isinstance(exponent, (int, float)):
        return True  # Python refuses the power itself
    if isinstance(base, float) or isinstance(exponent, float):
        return True
    return exponent < 0 or abs(base).bit_length() * exponent <= MAX_INT_BITS


def _make_range(*bounds: int) -> range:
    made = range(*bounds)
    if abs(made.stop - made.start) > MAX_LOOP_TURNS * abs(made.step):
        raise TemplateRunawayError(f"a range of more than {MAX_LOOP_TURNS}")
    return made


def _make_dict(*args: Any, **kwargs: Any) -> dict[Any, Any]:
    return dict(*args, **kwargs)


class _GuardedNamespace(Namespace):
    """A namespace without names that start with an underscore."""

    def __setitem__(self, name: str, value: Any) -> None:
        if str(name).startswith("_"):
            raise SecurityError(f"the name {name!r} in a namespace")
        super().__setitem__(name, value)


def _make_namespace(*args: Any, **kwargs: Any) -> Namespace:
    names = dict(*args, **kwargs)
    if any(str(name).startswith("_") for name in names):
        raise SecurityError("an underscore name in a namespace")
    return _GuardedNamespace(names)


def _raise_exception(message: str) -> None:
    raise ConversationRefusedError(str(message)[:200])


def _strftime_now(pattern: str) -> str:
    if len(pattern) > 64:
        raise TemplateRunawayError("a date pattern of more than 64 characters")

    def day(match: re.Match[str]) -> str:
        if match[0] not in TODAY:
            raise SecurityError(f"the date pattern {match[0]!r}")
        return TODAY[match[0]]

    return re.sub(r"%-?.", day, pattern)
