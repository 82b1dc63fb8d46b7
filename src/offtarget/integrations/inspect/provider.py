"""A model provider: `--model offtarget/embedded`, any local model, with or without an adapter."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from offtarget.cli import console
from offtarget.core.errors import ConfigError, OfftargetError
from offtarget.core.records import Message
from offtarget.core.seed import derive_seed

if TYPE_CHECKING:
    from offtarget.lm import LanguageModel

BATCH_SIZE = 32
"""Answers sampled together, and Inspect's open connections."""
GATHER_S = 0.05
"""How long a request waits for others to be sampled with it."""
MAX_TOKENS = 600
"""Longest answer where Inspect gives no limit."""


@dataclass(slots=True, eq=False)
class _Request:
    """One answer that was asked for."""

    messages: tuple[Message, ...]
    config: tuple[int, float, float, int]
    """Longest answer, temperature, top_p, seed: only equal ones are sampled together."""
    n_prompt: int = 0
    answer: tuple[str, int] | None = None
    """Text and tokens."""
    failure: Exception | None = field(default=None)


class LocalModels(ModelAPI):
    """A model that `offtarget.lm` loads, sampled in batches of what Inspect asks at one time.

    Which requests share a batch depends on their timing, so answers are not the same from run to run;
    `offtarget evaluate` gives the same answers for the same seed.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - as in Inspect's own
        adapter: str = "",
        device: str = "auto",
        dtype: str = "auto",
        **model_args: Any,
    ) -> None:
        """Keep the name; the model is loaded when it is first asked.

        Args:
            model_name: `embedded`, a directory, a GGUF file or a hub id.
            base_url: Unused.
            api_key: Unused.
            config: Inspect's defaults.
            adapter: Directory of a LoRA adapter, `-M adapter=DIR`.
            device: `auto`, `cpu` or `cuda`.
            dtype: `auto`, `float32` or `bfloat16`.
            model_args: Nothing else is known.

        Raises:
            ConfigError: For an unknown argument.
        """
        super().__init__(model_name, base_url, api_key, [], config)
        if model_args:
            raise ConfigError(
                f"model argument {sorted(model_args)[0]!r} is not known; use adapter, device, dtype"
            )
        self._adapter, self._device, self._dtype = adapter, device, dtype
        self._lm: LanguageModel | None = None
        self._pending: list[_Request] = []
        self._turn = anyio.Lock()
        self._n_batches = 0

    def max_connections(self) -> int:
        """Return how many requests Inspect should have open, so that a batch fills."""
        return BATCH_SIZE

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Sample one answer.

        Raises:
            ConfigError: For tools, or messages that are no text.
            ModelError: If the model cannot be loaded.
        """
        if tools:
            raise ConfigError("local models are asked without tools; remove them from the task")
        request = _Request(tuple(map(_message, input)), self._config(config))
        self._pending.append(request)
        try:
            await anyio.sleep(GATHER_S)
            async with self._turn:
                if request.answer is None and request.failure is None:
                    await anyio.to_thread.run_sync(partial(self._sample, request))
        finally:
            if request in self._pending:
                self._pending.remove(request)
        if request.failure is not None:
            raise request.failure
        assert request.answer is not None
        text, n_tokens = request.answer
        is_cut = n_tokens >= request.config[0]
        message = ChatMessageAssistant(content=text, source="generate", model=self.model_name)
        return ModelOutput(
            model=self.model_name,
            choices=[
                ChatCompletionChoice(
                    message=message, stop_reason="max_tokens" if is_cut else "stop"
                )
            ],
            usage=ModelUsage(
                input_tokens=request.n_prompt,
                output_tokens=n_tokens,
                total_tokens=request.n_prompt + n_tokens,
            ),
        )

    def _config(self, config: GenerateConfig) -> tuple[int, float, float, int]:
        temperature = 1.0 if config.temperature is None else config.temperature
        top_p = 1.0 if config.top_p is None else config.top_p
        return config.max_tokens or MAX_TOKENS, temperature, top_p, config.seed or 0

    def _sample(self, first: _Request) -> None:
        """Answer `first` and what waits with the same settings; the lock is held."""
        batch = [first]
        batch += [r for r in self._pending if r is not first and r.config == first.config]
        batch = batch[:BATCH_SIZE]
        try:
            self._answer(batch)
        except Exception as failure:  # noqa: BLE001 - each request raises it in its own task
            for request in batch:
                request.failure = request.failure or failure
        self._pending = [r for r in self._pending if r not in batch]

    def _answer(self, batch: list[_Request]) -> None:
        from offtarget.lm import Sampling, decode_tokens, encode_prompt, sample_answers

        lm = self._model()
        encoded: list[tuple[_Request, tuple[int, ...]]] = []
        for request in batch:
            try:
                prompt = encode_prompt(lm, request.messages, place=self.model_name)
            except OfftargetError as failure:  # a control token in one question: of it alone
                request.failure = failure
            else:
                request.n_prompt = len(prompt)
                encoded.append((request, prompt))
        max_tokens, temperature, top_p, seed = batch[0].config
        self._n_batches += 1
        sampling = Sampling(
            max_tokens=max_tokens,
            temperature=temperature,
            top_p=top_p,
            seed=derive_seed("inspect", seed, self._n_batches),
        )
        answers = sample_answers(lm, [prompt for _, prompt in encoded], sampling)
        for (request, _), ids in zip(encoded, answers, strict=True):
            request.answer = decode_tokens(lm, ids), len(ids)

    def _model(self) -> "LanguageModel":
        if self._lm is None:
            from offtarget.lm import apply_adapter, choose_arithmetic, load_model

            arithmetic = choose_arithmetic(self._device, self._dtype)
            lm = load_model(self.model_name, arithmetic=arithmetic, cache=console.CACHE)
            if self._adapter:
                lm = apply_adapter(lm, Path(self._adapter), is_assay=True)
            self._lm = lm
        return self._lm


@modelapi(name="offtarget")
def offtarget_models() -> type[ModelAPI]:
    """Return the provider of `offtarget/...` models."""
    return LocalModels


def _message(turn: ChatMessage) -> Message:
    if turn.role not in ("system", "user", "assistant") or not isinstance(turn.content, str):
        texts = [] if isinstance(turn.content, str) else [p.type for p in turn.content]
        if turn.role == "tool" or any(kind != "text" for kind in texts):
            raise ConfigError(
                f"a {turn.role} turn holds {', '.join(texts) or 'a tool result'}; local models read "
                "text only"
            )
    return Message(turn.role, turn.text)
