"""Chat templates render as transformers renders them, and answers are found in the text."""

from typing import Any

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from offtarget.core.errors import ModelError
from offtarget.core.records import Message
from offtarget.lm.template import mask_spans, render_chat

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}
CHATML = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}\
{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}\
{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}\
{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""
LLAMA = """{{- bos_token }}
{%- if custom_tools is defined %}{% set tools = custom_tools %}{% endif %}
{%- if not date_string is defined %}{% set date_string = "26 Jul 2024" %}{% endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\n\nToday: " + date_string + "\n\n" }}
{{- system_message }}{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}
        {{- message['content'] | trim + '<|eot_id|>' }}
    {%- elif message.role == "tool" %}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}"""
MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}{%- set loop_messages = messages %}{%- endif %}
{%- set ns = namespace(index=0) %}
{%- for message in loop_messages %}
    {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
        {{- raise_exception("roles must alternate user and assistant") }}
    {%- endif %}
    {%- set ns.index = ns.index + 1 %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\n\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- else %}
        {{- " " + message["content"]|trim + eos_token }}
    {%- endif %}
{%- endfor %}"""
GEMMA = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}{%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}{%- set role = "model" -%}
    {%- else -%}{%- set role = message['role'] -%}{%- endif -%}
    {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}{{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}{{ item['text'] | trim }}{%- endfor -%}
    {%- else -%}{{ raise_exception("Invalid content type") }}{%- endif -%}
    {{ '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{'<start_of_turn>model\n'}}{%- endif -%}
"""
QWEN = """{%- if tools %}
    {{- '<|im_start|>system\n# Tools\n' }}
    {%- for tool in tools %}{{- "\n" }}{{- tool | tojson }}{%- endfor %}
    {{- "<|im_end|>\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}
    {%- else %}{{- '<|im_start|>system\nYou are Qwen.<|im_end|>\n' }}{%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or \
(message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}
"""
PHI = """{% for message in messages %}{% if message['role'] == 'system' %}
{{'<|system|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}
{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}
{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}
{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"""
MACROS = """{% macro turn(role, text='') -%}[{{ role|upper }}] {{ caller() if caller else text }}
{%- endmacro %}{% set names = namespace(seen=[]) %}{% for m in messages %}
{% generation %}{{ turn(m.role, m.content) }}{% endgeneration %}
{%- set names.seen = names.seen + [m.role] %}
{%- if loop.index > 5 %}{% break %}{% endif %}
{% for word in m.content.split() if word|length > 2 %}{{ loop.index ~ ':' ~ word[:3]|lower }},\
{% else %}none{% endfor %}{% endfor %}
{{ names.seen|unique|join('/') }} {{ messages|map(attribute='content')|list|length }}
{{ messages|selectattr('role', 'equalto', 'user')|list|tojson(indent=2) }} {{ 7 // 2 * 3 % 5 }}
{% set block %}{{ '%s-%d' % ('a', 3) }}{{ 'x' * 3 }}{% endset %}{{ block|replace('x', 'yz') }}
{{ {'a': [1, none, 2.5], 'b': 'é"'}.items()|list }} {{ 'us' in messages[0].role }} {{ undefined_ }}
{% call turn('note') %}inside{% endcall %}{% filter upper %}shout{% endfilter %}"""
FAMILIES = {
    "chatml": CHATML,
    "llama": LLAMA,
    "mistral": MISTRAL,
    "gemma": GEMMA,
    "qwen": QWEN,
    "phi": PHI,
    "macros": MACROS,
}
CONVERSATIONS = [
    [("user", " Write a loop. ")],
    [("system", "Be terse."), ("user", "Hi <b>&amp;\n{{ 7 * 7 }}")],
    [("user", "One"), ("assistant", "Two"), ("user", "Three"), ("assistant", "Four é\n")],
    [("system", "S"), ("user", "One"), ("assistant", "{% raw %}"), ("user", "")],
]


def turns(pairs: list[tuple[str, str]]) -> list[Message]:
    return [Message(role, content) for role, content in pairs]


def render(template: str, messages: list[Message] | None = None) -> str:
    return render_chat(
        template,
        messages or turns(CONVERSATIONS[0]),
        add_generation_prompt=True,
        special_tokens=SPECIAL,
    )


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("pairs", CONVERSATIONS)
@pytest.mark.parametrize("family", FAMILIES)
def test_common_families_render_as_in_transformers(
    family: str, pairs: list[tuple[str, str]], is_open: bool
) -> None:
    """The sandbox changes what a template may cost, not what it writes."""
    chat: Any = [{"role": role, "content": content} for role, content in pairs]
    expected = render_jinja_template(
        [chat], chat_template=FAMILIES[family], add_generation_prompt=is_open, **SPECIAL
    )[0][0]

    found = render_chat(
        FAMILIES[family], turns(pairs), add_generation_prompt=is_open, special_tokens=SPECIAL
    )

    assert found == expected


def test_a_long_conversation_renders() -> None:
    """A conversation of 400 turns and 400 kB is far from the limits."""
    pairs = [("user" if index % 2 == 0 else "assistant", "word " * 200) for index in range(400)]

    for template in (CHATML, LLAMA, MISTRAL, GEMMA, QWEN, PHI):
        assert len(render(template, turns(pairs))) >= 398_000


def test_refused_roles_are_the_conversations_fault() -> None:
    """`raise_exception` becomes a ModelError with the template's own words."""
    with pytest.raises(ModelError, match="refuses the conversation: 'roles must alternate"):
        render(MISTRAL, turns([("user", "a"), ("user", "b")]))


def test_the_date_is_fixed() -> None:
    """A template that prints today prints the same day in every run."""
    assert render("{{ strftime_now('%d %b %Y, 100%%') }}") == "26 Jul 2024, 100%"


@pytest.mark.parametrize("family", ["chatml", "llama", "mistral", "gemma", "qwen", "phi"])
def test_mask_spans_hold_the_answers_and_their_markers(family: str) -> None:
    """Each span is the answer with its end-of-turn marker, without what follows it."""
    markers = {
        "chatml": "<|im_end|>",
        "llama": "<|eot_id|>",
        "mistral": "</s>",
        "gemma": "<end_of_turn>",
        "qwen": "<|im_end|>",
        "phi": "<|end|>",
    }
    messages = turns(CONVERSATIONS[2])

    text, spans = mask_spans(FAMILIES[family], messages, SPECIAL)

    full = render_chat(
        FAMILIES[family], messages, add_generation_prompt=False, special_tokens=SPECIAL
    )
    answers = [text[start:end].strip() for start, end in spans]
    assert text == full
    assert [one.split(markers[family])[0].strip() for one in answers] == ["Two", "Four é"]
    assert all(one.endswith(markers[family]) for one in answers)


def test_mask_spans_without_answers_is_empty() -> None:
    """A conversation without an assistant turn has nothing to learn."""
    assert mask_spans(CHATML, turns(CONVERSATIONS[0]), SPECIAL)[1] == []


def test_mask_spans_of_a_template_without_markers_takes_the_rest() -> None:
    """Without an end marker the span is the answer up to the end of its text."""
    bare = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    bare += "{% if add_generation_prompt %}assistant: {% endif %}"

    text, spans = mask_spans(bare, turns([("user", "a"), ("assistant", "b")]), SPECIAL)

    assert [text[start:end] for start, end in spans] == ["b\n"]


@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        ("{{ messages|length }}" + CHATML, "not prefix-stable at turn 1"),
        ("{% for m in messages %}<{{ m.role }}>{{ m.content[:1] }}{% endfor %}"
         "{% if add_generation_prompt %}<assistant>{% endif %}", "rewrites the answer of turn 1"),
    ],
)  # fmt: skip
def test_mask_spans_refuses_unstable_templates(template: str, pattern: str) -> None:
    """Spans are only placed where prefixes and answers survive."""
    with pytest.raises(ModelError, match=pattern):
        mask_spans(template, turns([("user", "ask"), ("assistant", "answer")]), SPECIAL)


def test_mask_spans_needs_a_prompt() -> None:
    """An answer to nothing has no prompt to be masked."""
    with pytest.raises(ModelError, match="turn 0 of the conversation is the assistant's"):
        mask_spans(CHATML, turns([("assistant", "hello")]), SPECIAL)
