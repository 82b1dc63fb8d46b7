"""Hostile chat templates end quickly, reach nothing, and always as the same kind of error."""

import contextlib
import time

import pytest

from offtarget.core.errors import ModelError
from offtarget.core.records import Message
from offtarget.lm.template import render_chat


def render(template: str) -> str:
    return render_chat(
        template,
        [Message("user", " Write a loop. ")],
        add_generation_prompt=True,
        special_tokens={"bos_token": "<s>", "eos_token": "</s>"},
    )


DOUBLING = "{% set a = ['x'] %}" + "{% set a = [a, a] %}" * 40
RUNAWAYS = {
    "nested loops": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "nested strings": "{% for a in 'x' * 9999 %}{% for b in 'x' * 9999 %}{% endfor %}{% endfor %}",
    "filtered loop": "{% for a in range(99999) if a < 0 %}{% endfor %}" * 3,
    "lazy filters": "{% for a in range(99999)|map('string')|select('eq', 'x') %}{% endfor %}" * 3,
    "repeated text": "{{ 'a' * 10**9 }}",
    "repeated constant": "{{ 'a' * 1000000000 }}",
    "folded repeat": "{% set x = 'a' * 1000000000 %}",
    "repeated from the left": "{{ 1000000000 * 'a' }}",
    "repeated list": "{{ ([0] * 1000000000)|length }}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "growing number": "{% set n = namespace(a=9) %}{% for i in range(99) %}"
    "{% set n.a = n.a * n.a %}{% endfor %}",
    "range": "{{ range(10**12)|list }}",
    "range loop": "{% for i in range(1000000000) %}{% endfor %}",
    "doubling text": "{% set n = namespace(a='ab') %}{% for i in range(60) %}"
    "{% set n.a = n.a + n.a %}{% endfor %}",
    "doubling by ~": "{% set n = namespace(a='ab') %}{% for i in range(60) %}"
    "{% set n.a = n.a ~ n.a %}{% endfor %}",
    "doubling by join": "{% set n = namespace(a='ab') %}{% for i in range(60) %}"
    "{% set n.a = [n.a, n.a]|join %}{% endfor %}",
    "doubling by method": "{% set n = namespace(a='ab') %}{% for i in range(60) %}"
    "{% set n.a = n.a.join(['', n.a, '']) %}{% endfor %}",
    "doubling by capture": "{% set n = namespace(a='ab') %}{% for i in range(60) %}"
    "{% set n.a %}{{ n.a }}{{ n.a }}{% endset %}{% endfor %}",
    "doubling by replace": "{% set n = namespace(a='ab') %}{% for i in range(60) %}"
    "{% set n.a = n.a.replace('b', n.a) %}{% endfor %}",
    "replace nothing": "{{ ('a' * 99999)|replace('', 'b' * 9999) }}",
    "doubling lists": DOUBLING,
    "doubling lists compared": DOUBLING + DOUBLING.replace("set a", "set b") + "{{ a == b }}",
    "doubling printed": DOUBLING + "{{ a }}",
    "doubling lists by +": "{% set n = namespace(a=[1]) %}{% for i in range(60) %}"
    "{% set n.a = n.a + n.a %}{% endfor %}",
    "doubling varargs": "{% macro m() %}{{ m(varargs, varargs) }}{% endmacro %}{{ m(1) }}",
    "doubling dicts": "{% set n = namespace(a=1) %}{% for i in range(60) %}"
    "{% set n.a = dict(x=n.a, y=n.a) %}{% endfor %}{{ n.a|tojson }}",
    "deep list": "{% set n = namespace(a=[]) %}{% for i in range(9999) %}"
    "{% set n.a = [n.a] %}{% endfor %}",
    "namespace cycle": "{% set n = namespace() %}{% set n.a = [n, n] %}{{ n.a }}",
    "printed namespace": "{% set n = namespace() %}{% set n.a = n %}{{ n }}",
    "center": "{{ 'a'|center(1000000000) }}",
    "center method": "{{ 'a'.center(1000000000) }}",
    "zfill": "{{ 'a'.zfill(1000000000) }}",
    "ljust by name": "{{ 'a'['ljust'](1000000000) }}",
    "expandtabs": "{{ '\t'.expandtabs(1000000000) }}",
    "format filter": "{{ '%1000000000d'|format(1) }}",
    "format operator": "{{ '%1000000000d' % 1 }}",
    "format star": "{{ '%*d' % (1000000000, 1) }}",
    "format method": "{{ '{:1000000000}'.format(1) }}",
    "indent": "{{ 'a\nb'|indent(1000000000) }}",
    "json indent": "{{ [1]|tojson(indent=1000000000) }}",
    "lipsum": "{{ lipsum(n=1000000) }}",
    "round": "{{ 1|round(1000000000, 'ceil') }}",
    "batch": "{{ [1]|batch(1000000000, 0)|list }}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "exponential recursion": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}"
    "{% endmacro %}{{ m(50) }}",
    "recursive loop": "{% for a in messages recursive %}{{ loop(messages) }}{% endfor %}",
    "much output": "{% for i in range(9999) %}0123456789{% endfor %}",
    "captured output": "{% set x %}{% for i in range(99999) %}" + "x" * 9999 + "{% endfor %}"
    "{% endset %}",
    "heavy body": "{% for i in range(99999) %}" + "{% set x = 1 %}" * 3000 + "{% endfor %}",
    "slow search": "{% set a = 'a' * 999999 %}{% set b = 'b' ~ a[:400000] %}{{ a.rfind(b) }}",
    "slow in": "{% set a = 'a' * 29999 %}{% set b = 'a' * 9999 ~ 'b' %}"
    "{% for i in range(9999) %}{{ b in a }}{% endfor %}",
    "slow strip": "{% set a = 'ab' * 99999 %}{{ a.strip('b' * 9999 ~ 'a') }}",
    "slow compare": "{% set a = 'a' * 999999 %}{% set b = a ~ 'c' %}{% for i in range(99999) %}"
    "{% if a ~ '' == b %}{% endif %}{% endfor %}",
    "slow slices": "{% set a = 'a' * 999999 %}{% for i in range(99999) %}"
    "{% set x = a[1:] %}{% endfor %}",
    "slow case": "{% set a = 'a' * 999999 %}{% for i in range(99999) %}"
    "{% set x = a.upper() %}{% endfor %}",
    "slow sort": "{% set a = range(99999)|list %}{% for i in range(999) %}"
    "{% set x = a|sort %}{% endfor %}",
    "long list": "{% set a = 'a' * 9999999 %}{{ a|list|length }}",
    "long sort": "{% set a = 'a' * 9999999 %}{{ a|sort|length }}",
    "long split": "{% set a = 'a ' * 4999999 %}{{ a.split()|length }}",
    "long split by word": "{% set a = 'ab' * 4999999 %}{{ a.split('a')|length }}",
    "long join": "{% set a = 'a' * 9999999 %}{{ '-'.join(a)|length }}",
    "date": "{{ strftime_now('%1000000000d') }}",
    "long date": "{{ strftime_now('%Y' * 1000) }}",
    "refund": "{% for i in range(99999)|map(' iterate', -1000000)|list %}{% endfor %}" * 50,
}


@pytest.mark.parametrize("name", RUNAWAYS)
def test_runaway_templates_end_with_an_error(name: str) -> None:
    """Each bomb is a ModelError within seconds; the hang it prevents would time the suite out."""
    begun = time.monotonic()

    with pytest.raises(ModelError, match="chat template"):
        render(RUNAWAYS[name])

    assert time.monotonic() - begun < 10.0


ESCAPES = {
    "class": "{{ ''.__class__.__mro__ }}",
    "class by item": "{{ ''['__class__']['__mro__'] }}",
    "class by attr filter": "{{ ''|attr('__class__') }}",
    "class by map": "{{ ['']|map(attribute='__class__')|list|first|string }}",
    "globals": "{{ raise_exception.__globals__ }}",
    "init": "{{ namespace.__init__.__globals__ }}",
    "cycler": "{{ cycler.__init__.__globals__.os }}",
    "self": "{{ self._TemplateReference__context }}",
    "format map": "{{ '{0.__class__}'.format_map({}) }}",
    "namespace name": "{% set n = namespace() %}{% set n.__class__ = 1 %}",
    "namespace names": "{{ namespace(_a=1)._a }}",
    "mutation": "{{ messages.append(1) }}",
    "pop": "{{ messages[0].pop('role') }}",
    "include": "{% include 'x' %}",
    "import": "{% import 'x' as x %}",
    "extends": "{% extends 'x' %}",
    "block": "{% block x %}{% endblock %}",
    "autoescape": "{% autoescape true %}{% endautoescape %}",
    "printed method": "{{ messages[0].items }}",
    "called value": "{{ messages() }}",
    "encode": "{{ 'a'.encode() }}",
    "macro attribute": "{% macro m() %}{% endmacro %}{{ m.name() }}",
}


@pytest.mark.parametrize("name", ESCAPES)
def test_templates_that_reach_out_are_refused(name: str) -> None:
    """Python's internals, other files and mutation are out of reach."""
    with pytest.raises(ModelError, match="chat template"):
        render(ESCAPES[name])


@pytest.mark.parametrize(
    "source",
    [
        "{% for %}",
        "{{ 'a }}",
        "{% endif %}",
        "{{ x|nofilter }}",
        "{{ x is notest }}",
        "{{ messages[0].missing.deeper }}",
        "{{ 1 / 0 }}",
        "{{ 'a' + 1 }}",
        "{{ messages|tojson(indent='x' * 99) }}",
        "{{ a in b == c }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
        "{{ " + "1" + "+1" * 5000 + " }}",
        "{{ " + "not " * 5000 + "1 }}",
        "{% if 1 %}" * 300 + "{% endif %}" * 300,
        "{% for a in messages %}" * 25 + "{% endfor %}" * 25,
        "{{ [" * 200,
        "x" * 65_537,
    ],
    ids=lambda source: source[:24],
)
def test_broken_templates_are_model_errors(source: str) -> None:
    """Whatever breaks in the parser, the compiler or Python becomes one kind of error."""
    with pytest.raises(ModelError, match="chat template"):
        render(source)


@pytest.mark.parametrize("piece", ["{{", "{%", "{#", "(", "{% if a %}", "{{ a }}", "{% set a%}"])
def test_compiling_a_full_size_template_is_quick(piece: str) -> None:
    """64 kB of repeated syntax compiles or fails within seconds."""
    begun = time.monotonic()
    with contextlib.suppress(ModelError):
        render(piece * (65_536 // len(piece)))
    assert time.monotonic() - begun < 20.0
