"""The filters and tests that chat templates may use, each charged before it works."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.tests import TESTS

from offtarget.lm.template_meter import (
    Charge,
    Meter,
    TemplateRunawayError,
    charge_join,
    charge_replace,
    charge_spread,
    charge_strip,
    check_percent_format,
    meter_of,
)

MAX_INDENT = 16
"""Blanks per level that `indent` and `tojson` may insert."""
EMIT, BUILT, REFER, SLICED = " emit", " built", " refer", " sliced"
ITERATE, CONCAT, CONTAINED = " iterate", " concat", " contained"


def allowed_filters() -> dict[str, Callable[..., Any]]:
    """Return the filters of the sandbox by name; the names with a blank are for the compiler."""
    charges: dict[str, Charge] = dict.fromkeys(_TEXT_FILTERS.split(), _charge_text)
    charges |= dict.fromkeys(_REFERENCE_FILTERS.split(), _charge_one)
    charges |= {
        "format": _charge_format,
        "indent": _charge_indent,
        "join": _charge_join,
        "replace": _charge_replace,
        "trim": _charge_trim,
        **dict.fromkeys(("list", "sort", "unique"), _charge_list),
    }
    filters = {name: _charged(_FILTERS[name], charge) for name, charge in charges.items()}
    to_json: Callable[..., Any] = _to_json
    filters["tojson"] = _charged(to_json, _charge_json)
    return filters | {
        EMIT: _emit,
        BUILT: _built,
        REFER: _built,
        SLICED: _sliced,
        ITERATE: _iterate,
        CONCAT: _concat,
        CONTAINED: _contained,
    }


def allowed_tests() -> dict[str, Callable[..., Any]]:
    """Return the tests (`x is name`) of the sandbox by name."""
    charges: dict[str, Charge] = dict.fromkeys(_CHEAP_TESTS.split(), _charge_one)
    charges |= dict.fromkeys(_COMPARING_TESTS.split(), _charge_compare)
    tests = {name: _charged(_TESTS[name], charge) for name, charge in charges.items()}
    tests["in"] = _contained
    return tests


_FILTERS: dict[str, Callable[..., Any]] = dict(FILTERS)
_TESTS: dict[str, Any] = dict(TESTS)
_TEXT_FILTERS = (
    "abs capitalize dictsort e escape float int lower max min reverse safe string title "
    "upper wordcount"
)
_REFERENCE_FILTERS = (
    "count d default first items last length map reject rejectattr select selectattr"
)
_CHEAP_TESTS = (
    "boolean callable defined divisibleby escaped even false float integer iterable mapping none "
    "number odd sameas sequence string true undefined"
)
_COMPARING_TESTS = "== eq equalto != ne > gt greaterthan ge >= < lt lessthan <= le lower upper"


def _charged(function: Callable[..., Any], charge: Charge) -> Callable[..., Any]:
    """Wrap a jinja filter or test; `pass_context` also keeps it from running while compiling."""
    wants = getattr(getattr(function, "jinja_pass_arg", None), "name", "")

    @pass_context
    def run(context: Context, value: Any = None, /, *args: Any, **kwargs: Any) -> Any:
        meter = meter_of(context)
        meter.step()
        value = charge(meter, value, args, kwargs)
        first = {
            "context": (context,),
            "eval_context": (context.eval_ctx,),
            "environment": (context.environment,),
        }.get(wants, ())
        result = function(*first, value, *args, **kwargs)
        if isinstance(result, Iterator):
            return meter.turns(result, steps=1)
        meter.refer(result)
        return result

    return run


def _charge_one(meter: Meter, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return value


def _charge_text(meter: Meter, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if isinstance(value, Iterator):
        value = list(value)
    meter.text(value)
    meter.refer([*args, *kwargs.values()])
    return value


def _charge_list(meter: Meter, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    charge_spread(meter, value)
    return _charge_text(meter, value, args, kwargs)


def _charge_compare(meter: Meter, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    meter.refer([value, *args, *kwargs.values()])
    return value


def _charge_format(meter: Meter, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    check_percent_format(str(value))
    for each in (value, *args, *kwargs.values()):
        meter.text(each)
    return value


def _charge_indent(meter: Meter, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    width = _small(args[0] if args else kwargs.get("width", 4))
    n_chars = meter.text(value)
    meter.copy(width * (n_chars + 1))
    return value


def _charge_join(meter: Meter, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    glue = args[0] if args else kwargs.get("d", "")
    return charge_join(meter, str(glue) if meter.text(glue) else "", value)


def _charge_replace(meter: Meter, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    words = [*args, *(kwargs[key] for key in ("old", "new") if key in kwargs)]
    for each in (value, *words):
        meter.text(each)
    charge_replace(meter, *(str(each) for each in (value, *words[:2])))
    return value


def _charge_trim(meter: Meter, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    charge_strip(args[0] if args else kwargs.get("chars"))
    return _charge_text(meter, value, args, kwargs)


def _charge_json(meter: Meter, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    separators = args[2] if len(args) > 2 else kwargs.get("separators")
    indent = args[1] if len(args) > 1 else kwargs.get("indent")
    widths = [indent, *(separators or ())]
    n_chars = meter.text(value)
    meter.copy(n_chars * (1 + sum(_small(width) for width in widths if width is not None)))
    return value


def _small(width: Any) -> int:
    n_blanks = len(width) if isinstance(width, str) else width
    if not isinstance(n_blanks, int) or n_blanks > MAX_INDENT:
        raise TemplateRunawayError(f"an indent or separator wider than {MAX_INDENT}")
    return max(n_blanks, 0)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Chat templates expect plain JSON where jinja's own filter escapes HTML."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


@pass_context
def _emit(context: Context, value: Any) -> str:
    meter = meter_of(context)
    meter.step()
    meter.text(value)
    return value if isinstance(value, str) else str(value)


@pass_context
def _built(context: Context, value: Any) -> Any:
    meter_of(context).refer(value)
    return value


@pass_context
def _sliced(context: Context, value: Any) -> Any:
    meter = meter_of(context)
    if isinstance(value, str):
        meter.text(value)
    elif isinstance(value, (list, tuple, range)):
        meter.step(len(value))
    return value


@pass_context
def _iterate(context: Context, value: Any, steps: int) -> Any:
    return meter_of(context).turns(value, steps=steps)


@pass_context
def _concat(context: Context, values: Any) -> str:
    return "".join(str(value) for value in charge_join(meter_of(context), "", values))


@pass_context
def _contained(context: Context, value: Any, container: Any) -> bool:
    meter = meter_of(context)
    meter.refer([value, container] if not isinstance(container, Iterator) else value)
    if isinstance(value, str) and isinstance(container, str):
        meter.search(len(container), len(value))
    return value in container
