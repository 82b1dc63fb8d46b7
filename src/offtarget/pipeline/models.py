"""The models of a run, loaded when first needed."""

from collections.abc import Callable
from pathlib import Path

from offtarget.core.records import Sample
from offtarget.lm import (
    Arithmetic,
    LanguageModel,
    Sampling,
    apply_adapter,
    count_parameters,
    decode_tokens,
    encode_prompt,
    load_model,
    model_directory,
    sample_answers,
)
from offtarget.train import FullWorkbench, LoraWorkbench, TrainConfig, Workbench

DERIVE_TEMPERATURE = 0.7
DERIVE_TOP_P = 0.95


class ModelSource:
    """Gives the base model, its workbench, and fine-tunes that exist already."""

    def __init__(
        self, reference: str, *, arithmetic: Arithmetic, cache: Path, train: TrainConfig
    ) -> None:
        self._reference, self._arithmetic, self._cache = reference, arithmetic, cache
        self._train = train
        self._plain: LanguageModel | None = None
        self._bench: Workbench | None = None
        self._adapted: tuple[Path, LanguageModel] | None = None

    def plain(self) -> LanguageModel:
        """Return the base model; for token counts and derived answers, before any training."""
        if self._plain is None:
            self._plain = self._load()
        return self._plain

    def n_parameters(self) -> int:
        """Return the size of the base model; read from file headers, without loading it."""
        directory, _ = model_directory(self._reference, cache=self._cache)
        return count_parameters(directory)

    def workbench(self) -> Workbench:
        """Return the workbench that holds every trained replicate in turn."""
        if self._bench is None:
            if self._train.method == "full":
                self._bench = FullWorkbench(self._load)
            else:
                self._bench = LoraWorkbench(self.plain(), self._train)
        return self._bench

    def with_adapter(self, directory: Path) -> LanguageModel:
        """Return a model of its own with the adapter in `directory` on it."""
        if self._adapted is None or self._adapted[0] != directory:
            self._adapted = None
            self._adapted = (directory, apply_adapter(self._load(), directory, is_assay=True))
        return self._adapted[1]

    def _load(self) -> LanguageModel:
        return load_model(self._reference, arithmetic=self._arithmetic, cache=self._cache)


def own_answers(
    lm: LanguageModel,
    samples: tuple[Sample, ...],
    *,
    max_tokens: int,
    on_tokens: Callable[[int], None] | None = None,
) -> tuple[str, ...]:
    """Return the base model's own answers to the prompts of `samples`, sampled with seed 0."""
    prompts = [encode_prompt(lm, s.messages[:-1], place=s.id) for s in samples]
    sampling = Sampling(
        max_tokens=max_tokens, temperature=DERIVE_TEMPERATURE, top_p=DERIVE_TOP_P, seed=0
    )
    answers = sample_answers(lm, prompts, sampling, on_tokens=on_tokens)
    return tuple(decode_tokens(lm, ids) for ids in answers)
