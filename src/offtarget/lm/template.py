"""Render a conversation with a model's chat template, and find its answers in the text."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from jinja2 import Template
from jinja2.exceptions import SecurityError, TemplateSyntaxError

from offtarget.core.errors import ModelError
from offtarget.core.records import Message
from offtarget.lm.template_meter import METER_KEY, Meter, TemplateRunawayError
from offtarget.lm.template_sandbox import ConversationRefusedError, TemplateSandbox

MAX_TEMPLATE_CHARS = 64 * 1024
"""The longest template in use is about 20 kB."""
MAX_OUTPUT_CHARS = 64 * 1024
"""Text that a template may add, on top of `OUTPUT_PER_CONTENT` times the conversation."""
OUTPUT_PER_CONTENT = 4


class _Compiled(NamedTuple):
    template: Template
    n_nodes: int


def render_chat(
    template: str,
    messages: Sequence[Message],
    *,
    add_generation_prompt: bool,
    special_tokens: Mapping[str, str],
) -> str:
    """Return the text of `messages` as the model's `template` writes it.

    The template runs in a sandbox where every loop turn, copied character and call is charged, so
    it ends within seconds whatever it says. Today is always 26 Jul 2024.

    Args:
        template: Jinja source, at most `MAX_TEMPLATE_CHARS`.
        messages: The conversation.
        add_generation_prompt: Whether to end with the opening of an assistant turn.
        special_tokens: `bos_token`, `eos_token` and the like, by name.

    Raises:
        ModelError: If the template does not compile, runs away, reaches for something it does not
            need, or refuses the conversation.
    """
    compiled = _compile(template)
    turns = [{"role": str(turn.role), "content": str(turn.content)} for turn in messages]
    n_content = sum(len(turn["role"]) + len(turn["content"]) for turn in turns)
    variables: dict[str, object] = {
        **special_tokens,
        "messages": turns,
        "tools": None,
        "documents": None,
        "add_generation_prompt": add_generation_prompt,
        METER_KEY: Meter(content_chars=n_content, macro_steps=compiled.n_nodes),
    }
    limit = OUTPUT_PER_CONTENT * n_content + MAX_OUTPUT_CHARS
    try:
        return _collect(compiled.template, variables, limit=limit)
    except TemplateRunawayError as error:
        raise ModelError(
            f"chat template runs away: {error}; use a model whose template only formats turns"
        ) from error
    except SecurityError as error:
        raise ModelError(
            f"chat template runs away from its sandbox: {error}; do not use this model"
        ) from error
    except ConversationRefusedError as error:
        raise ModelError(
            f"chat template refuses the conversation: {str(error)!r}; "
            "change the order or roles of its turns"
        ) from error
    except RecursionError as error:
        raise ModelError(
            "chat template runs away: it calls itself without end; use another model"
        ) from error
    except Exception as error:  # a hostile template can raise anything
        raise ModelError(
            f"chat template fails: {type(error).__name__}: {str(error)[:200]}; "
            "fix the template or use another model"
        ) from error


def mask_spans(
    template: str, messages: Sequence[Message], special_tokens: Mapping[str, str]
) -> tuple[str, list[tuple[int, int]]]:
    """Return the text of the whole conversation and where each assistant turn stands in it.

    A span runs from the first character that the model would write to the end of its end-of-turn
    marker; blanks after the marker, and a closing `eos_token` that only ends the conversation, are
    left out. Spans are (start, end) in characters, one per assistant turn, in order.

    Raises:
        ModelError: As `render_chat`, and if the template is not prefix-stable: what it writes for
            the first turns must not depend on the turns that follow, or spans cannot be placed.
    """

    def render(n_turns: int, *, is_open: bool) -> str:
        return render_chat(
            template,
            messages[:n_turns],
            add_generation_prompt=is_open,
            special_tokens=special_tokens,
        )

    full = render(len(messages), is_open=False)
    spans = []
    for index, turn in enumerate(messages):
        if turn.role != "assistant":
            continue
        if index == 0:
            raise ModelError(
                "turn 0 of the conversation is the assistant's; put a user turn before it"
            )
        prompt = render(index, is_open=True)
        closed, opened = (render(index + 1, is_open=is_open) for is_open in (False, True))
        if not opened.startswith(closed):  # a closing token that more turns would not follow
            closed = closed.removesuffix(special_tokens.get("eos_token", ""))
        if not (
            closed.startswith(prompt) and opened.startswith(closed) and full.startswith(closed)
        ):
            raise ModelError(
                f"chat template is not prefix-stable at turn {index}: it writes earlier turns "
                "differently once later ones follow; use a model whose template only appends"
            )
        spans.append((len(prompt), _end_of_turn(closed, turn, start=len(prompt), index=index)))
    return full, spans


@lru_cache(maxsize=32)
def _compile(template: str) -> _Compiled:
    if len(template) > MAX_TEMPLATE_CHARS:
        raise ModelError(
            f"chat template is {len(template)} characters long, more than {MAX_TEMPLATE_CHARS}; "
            "use a model with a plain template"
        )
    sandbox = TemplateSandbox()
    try:
        tree, n_nodes = sandbox.metered(template)
        return _Compiled(template=sandbox.from_string(tree), n_nodes=n_nodes)
    except TemplateSyntaxError as error:
        raise ModelError(
            f"chat template, line {error.lineno}: {str(error.message)[:200]}; "
            "fix the template or use another model"
        ) from error
    except Exception as error:  # hostile syntax can break the compiler anywhere
        raise ModelError(
            f"chat template does not compile: {type(error).__name__}: {str(error)[:200]}; "
            "fix the template or use another model"
        ) from error


def _collect(template: Template, variables: Mapping[str, object], *, limit: int) -> str:
    parts = []
    n_chars = 0
    for part in template.generate(variables):
        n_chars += len(part)
        if n_chars > limit:
            raise TemplateRunawayError(f"more than {limit} characters of output")
        parts.append(part)
    return "".join(parts)


def _end_of_turn(text: str, turn: Message, *, start: int, index: int) -> int:
    """Return where the answer and its marker end; blanks after a marker are not trained."""
    answer = turn.content.strip()
    at = text.find(answer, start)
    if at < 0:
        raise ModelError(
            f"chat template rewrites the answer of turn {index} ({answer[:40]!r}); "
            "use a template that keeps answers as they are"
        )
    end_of_answer = at + len(answer)
    marker = text[end_of_answer:].rstrip()
    return end_of_answer + len(marker) if marker else len(text)
