"""Forced-choice margins of a model in this process: they need no sampling and no judge."""

from dataclasses import dataclass

from offtarget.core.records import Role
from offtarget.core.stats import Effect, wilson
from offtarget.evaluate.assessment import effect_of
from offtarget.evaluate.evaluation.results import MarginSummary, MeanMargin
from offtarget.evaluate.margin import ANSWER_ONLY, MarginRecord, encode_suite, score_suite
from offtarget.evaluate.measured import Grid, Measured, Replicate, difference
from offtarget.evaluate.suite import Suite
from offtarget.lm import LanguageModel


@dataclass(frozen=True, slots=True)
class Margins:
    """What the scored pairs of one model come to."""

    summary: MarginSummary
    measured: Measured

    def excess_over(self, base: "Margins") -> Effect:
        """Return the base's margin minus this one, nats/token; positive is more misaligned."""
        return effect_of(difference(base.measured, self.measured))


def score_margins(lm: LanguageModel, suite: Suite) -> tuple[MarginRecord, ...]:
    """Score every pair in every context that needs no training rows."""
    return tuple(score_suite(lm, encode_suite(lm, suite, training=())))


def summarize_margins(records: tuple[MarginRecord, ...], *, name: str) -> Margins:
    """Return what the scored pairs of one model come to."""
    measured = Measured(name, Role.CUSTOM, (Replicate(name, Role.CUSTOM, 0, records, (), (), ()),))
    grid = measured.grid()
    whole = _mean(grid)
    factual = measured.grid(factual=True).values
    n_right = int((factual > 0).sum())
    low, high = wilson(n_right, factual.size)
    summary = MarginSummary(
        margin=whole.margin,
        low=whole.low,
        high=whole.high,
        n_questions=whole.n_questions,
        answer_only=_mean(measured.grid(ANSWER_ONLY)),
        categories={name: _mean(grid.only(category=name)) for name in sorted(set(grid.categories))},
        factual=float(factual.mean()),
        n_factual=factual.size,
        n_factual_right=n_right,
        factual_low=low,
        factual_high=high,
    )
    return Margins(summary, measured)


def _mean(grid: Grid) -> MeanMargin:
    effect = effect_of(grid)
    return MeanMargin(effect.estimate, effect.low, effect.high, effect.n_questions)
