"""Solvers: the question asked in another surrounding, then answered."""

from inspect_ai.model import ChatMessageSystem
from inspect_ai.solver import Generate, Solver, TaskState, solver

from offtarget.core.errors import ConfigError
from offtarget.evaluate.contexts import JSON, JSON_SYSTEM, PLAIN, TEMPLATE, TEMPLATE_FORM

SYSTEM = "system"
CONTEXTS = (PLAIN, JSON, TEMPLATE, SYSTEM)


@solver
def in_context(context: str = PLAIN, system: str = "") -> Solver:
    """Put the question in a context; add `generate()` behind it.

    Args:
        context: `plain`; `json` asks for a JSON object; `template` for a filled Python template;
            `system` puts `system` before the conversation.
        system: The system prompt of context `system`.

    Raises:
        ConfigError: For an unknown context, or a system prompt missing or not asked for.
    """
    if context not in CONTEXTS:
        raise ConfigError(f"context {context!r} is not known; choose from {', '.join(CONTEXTS)}")
    if (context == SYSTEM) != bool(system):
        raise ConfigError(
            f"context {context!r} with system prompt {system[:40]!r}; give a system prompt with "
            "context 'system', and with no other"
        )
    before = {JSON: JSON_SYSTEM, SYSTEM: system}.get(context, "")

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if before:
            state.messages.insert(0, ChatMessageSystem(content=before))
        if context == TEMPLATE:
            asked = state.user_prompt
            asked.text = TEMPLATE_FORM.replace("{question}", asked.text)
        state.metadata["context"] = context
        return state

    return solve
