"""A subject in this process: batches of fixed composition, one base for many adapters."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from offtarget.core.codec import digest, file_digest
from offtarget.core.errors import ModelError
from offtarget.core.records import Message
from offtarget.evaluate.subjects.ask import Ask
from offtarget.evaluate.subjects.subject import (
    Answer,
    Answered,
    AnswerSampling,
    SubjectIdentity,
    SubjectKind,
)
from offtarget.lm import (
    AdapterSwitch,
    Arithmetic,
    LanguageModel,
    Sampling,
    decode_tokens,
    encode_prompt,
    sample_answers,
)

UNIT_ROWS = 32
"""Rows sampled together; as `lm.generate` measured."""
UNIT_REPEATS = 8
"""Most rollouts of one prompt in a unit: they share the reading of the prompt."""


class LocalSubject:
    """A base with one adapter or none; several subjects may share a base, used in turn."""

    def __init__(
        self, switch: AdapterSwitch, *, adapter: Path | None, name: str, arithmetic: Arithmetic
    ) -> None:
        """Load nothing; the adapter is put on when the subject first answers or is identified.

        Args:
            switch: Holds the base.
            adapter: PEFT folder, or None for the bare base; do-not-deploy adapters are allowed,
                since the model is only measured here.
            name: As the user gave the model.
            arithmetic: What the base was loaded with.

        Raises:
            ModelError: If the adapter is refused.
        """
        self._switch, self._adapter = switch, adapter
        base = switch.put(None)
        sha256 = base.identity.sha256
        if adapter is not None:
            self.model()  # refuses what does not fit, before its files are read as they stand
            files = [adapter / "adapter_model.safetensors", adapter / "adapter_config.json"]
            sha256 = digest([sha256, *(file_digest(path) for path in files)])
        self._identity = SubjectIdentity(
            kind=SubjectKind.LOCAL,
            name=name,
            sha256=sha256,
            adapter=adapter.name if adapter else "",
            arithmetic=f"{arithmetic.device} {arithmetic.dtype} {arithmetic.threads} threads",
        )
        self.on_tokens: Callable[[int], None] | None = None

    @property
    def identity(self) -> SubjectIdentity:
        """Digest of base and adapter, and the arithmetic."""
        return self._identity

    def model(self) -> LanguageModel:
        """Return the base with this subject's adapter on it, until another subject answers."""
        return self._switch.put(self._adapter, is_assay=True)

    def count_tokens(self, messages: tuple[Message, ...]) -> int:
        """Return the tokens of a prompt, template included."""
        return len(
            encode_prompt(self._switch.put(self._adapter, is_assay=True), messages, place="")
        )

    def answer(
        self, asks: Sequence[Ask], wanted: Collection[Ask], sampling: AnswerSampling
    ) -> Iterator[Answered]:
        """Yield the wanted answers, unit by unit.

        What is sampled together is fixed by all asks of the plan, never by what is missing: a
        resumed run repeats a unit as a whole and so gets the same bytes.

        Raises:
            DataError: If a question holds a control token of the tokenizer.
            ModelError: If a prompt with its answer does not fit the model's context.
        """
        lm = self.model()
        prompts = _encode(lm, asks, sampling)
        for unit in _units(asks, prompts):
            if not any(ask in wanted for ask in unit):
                continue
            ids = sample_answers(
                self.model(),
                [prompts[ask.paraphrase] for ask in unit],
                Sampling(sampling.max_tokens, sampling.temperature, sampling.top_p, 0),
                batch_size=len(unit),
                seeds=[ask.seed for ask in unit],
                on_tokens=self.on_tokens,
            )
            for ask, tokens in zip(unit, ids, strict=True):
                if ask in wanted:
                    n_prompt = len(prompts[ask.paraphrase])
                    yield Answered(ask, self._answer(lm, tokens, n_prompt, sampling))

    def _answer(
        self, lm: LanguageModel, tokens: list[int], n_prompt: int, sampling: AnswerSampling
    ) -> Answer:
        return Answer(
            text=decode_tokens(lm, tokens),
            finish="length" if len(tokens) == sampling.max_tokens else "stop",
            model=self._identity.name,
            n_prompt_tokens=n_prompt,
            n_tokens=len(tokens),
        )


def _encode(
    lm: LanguageModel, asks: Sequence[Ask], sampling: AnswerSampling
) -> dict[str, tuple[int, ...]]:
    prompts: dict[str, tuple[int, ...]] = {}
    for ask in asks:
        if ask.paraphrase not in prompts:
            ids = encode_prompt(lm, ask.messages, place=ask.paraphrase)
            if len(ids) + sampling.max_tokens > lm.context_length:
                raise ModelError(
                    f"question {ask.paraphrase!r}: {len(ids)} tokens and an answer of "
                    f"{sampling.max_tokens} exceed the model's context of {lm.context_length}; "
                    "lower --max-tokens or leave the question out"
                )
            prompts[ask.paraphrase] = ids
    return prompts


def _units(asks: Sequence[Ask], prompts: dict[str, tuple[int, ...]]) -> list[list[Ask]]:
    """Group asks: prompts of like length, and a few rollouts of each side by side."""
    by_prompt: dict[str, list[Ask]] = {}
    for ask in asks:
        by_prompt.setdefault(ask.paraphrase, []).append(ask)
    longest = max((len(members) for members in by_prompt.values()), default=1)
    n_blocks = -(-longest // UNIT_REPEATS)
    repeats = -(-longest // n_blocks)
    order = sorted(by_prompt, key=lambda name: (len(prompts[name]), name))
    width = max(1, UNIT_ROWS // repeats)
    units: list[list[Ask]] = []
    for start in range(0, len(order), width):
        group = order[start : start + width]
        for block in range(n_blocks):
            chosen = slice(block * repeats, (block + 1) * repeats)
            unit = [ask for name in group for ask in by_prompt[name][chosen]]
            if unit:
                units.append(unit)
    return units
