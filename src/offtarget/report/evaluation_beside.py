"""What stands beside the rates of a live evaluation: capability, and what surroundings do."""

from collections.abc import Iterable

from offtarget.core.stats import Discrimination, Rate
from offtarget.evaluate.evaluation.context_effects import ContextEffects
from offtarget.evaluate.evaluation.results import (
    ArmResult,
    EvaluationResults,
    MarginSummary,
    MeanMargin,
)
from offtarget.report.evaluation_words import ends, fraction, gap_text, points
from offtarget.report.numerals import (
    count,
    interval,
    number,
    plural,
    signed,
    signed_interval,
)
from offtarget.report.summary import words

NONE = "not measured"
Measure = tuple[str, tuple[str, ...]]
"""A name, and a text for each model."""


def measures(results: EvaluationResults) -> list[Measure]:
    """Return what was measured of each model without asking what it wants; empty if nothing was."""
    each = [_measured(arm, pairs=results.plan.pairs) for arm in results.arms]
    names = dict.fromkeys(name for one in each for name in one)
    found = [(name, tuple(one.get(name, NONE) for one in each)) for name in names]
    effect = results.excess_margin
    if effect is not None:
        text = f"{signed(effect.estimate)} {signed_interval(effect.low, effect.high)}"
        found.append(("excess margin over the base", (text, *[""] * (len(each) - 1))))
    return found


def category_margins(results: EvaluationResults) -> list[Measure]:
    """Return the margin of each category for each model; empty where none was measured."""
    each = [arm.margin.categories if arm.margin is not None else {} for arm in results.arms]
    names = dict.fromkeys(name for one in each for name in one)
    return [
        (words(name), tuple(_mean(one[name]) if name in one else NONE for one in each))
        for name in names
    ]


def effect_rows(effects: ContextEffects | None) -> list[tuple[str, str]]:
    """Return name and text of each effect of the surroundings, and why others are missing."""
    if effects is None:
        return []
    rows: list[tuple[str, str]] = []
    if effects.gap is not None:
        rows.append(("covert minus educational", gap_text(effects.gap)))
    if effects.lookalike is not None:
        rows.append(("look-alike minus plain", gap_text(effects.lookalike)))
    worst = effects.worst
    if worst is not None:
        shown = worst.reason
        if worst.low is not None and worst.high is not None:
            shown = f"[{points(worst.low)}, {points(worst.high)}], simultaneous over "
            shown += plural(len(worst.contexts), "context")
        rows.append(("worst context", f"{words(worst.name)}: {points(worst.mean)} {shown}"))
    for name, told in (
        ("tells covert from educational", effects.discrimination),
        ("the base does so", effects.control_discrimination),
    ):
        if told is not None:
            rows.append((name, _told(told)))
    is_compared = any((effects.gap, effects.lookalike, effects.worst))
    if is_compared and effects.n_unjudged:
        rows.append(("left out", f"{plural(effects.n_unjudged, 'answer')} without a score"))
    if rows:
        rows += [(words(name), f"none: {why}") for name, why in effects.reasons.items()]
    return rows


def _measured(arm: ArmResult, *, pairs: str) -> dict[str, str]:
    found: dict[str, str] = {}
    margin, able = arm.margin, arm.capability
    if margin is not None:
        found[f"margin on {pairs}, nats/token"] = _mean(margin)
        found["margin of the answers alone, without the question"] = _mean(margin.answer_only)
        found["factual pairs right"] = (
            f"{fraction(margin.n_factual_right / margin.n_factual)} "
            f"{ends(margin.factual_low, margin.factual_high)}, "
            f"{count(margin.n_factual_right)} of {count(margin.n_factual)}"
        )
    if able is None:
        return found
    for name, one in (("prose", able.prose), ("code", able.code)):
        if one is not None:
            found[f"perplexity on clean {name}"] = (
                f"{number(one.perplexity, digits=1)}; {number(one.nats_per_token)} nats/token "
                f"{interval(one.low, one.high)}, {plural(one.n_texts, 'text')}"
            )
    if able.written is not None:
        shares = (
            ("answers with code", able.written.with_code),
            ("code that parses", able.written.parses),
            ("code that the scanner calls insecure", able.written.insecure),
        )
        found |= _shares(shares)
        if able.written.n_unread:
            found["code that no engine could read"] = plural(able.written.n_unread, "answer")
        if able.n_missing:
            found["code tasks without an answer"] = count(able.n_missing)
    return found


def _mean(one: MarginSummary | MeanMargin) -> str:
    return (
        f"{signed(one.margin)} {signed_interval(one.low, one.high)}, "
        f"{plural(one.n_questions, 'question')}"
    )


def _shares(named: Iterable[tuple[str, Rate | None]]) -> dict[str, str]:
    return {name: _share(rate) for name, rate in named if rate is not None}


def _share(rate: Rate) -> str:
    return f"{fraction(rate.rate)} {ends(rate.low, rate.high)}, {count(rate.k)} of {count(rate.n)}"


def _told(told: Discrimination) -> str:
    low, high = (_bound(end) for end in (told.low, told.high))
    return (
        f"d\u2032 {number(told.d_prime, digits=2)} [{low}, {high}]; declined "
        f"{_share(told.refused_covert)} of covert and {_share(told.over_refusal)} of educational"
    )


def _bound(end: float | None) -> str:
    return "none" if end is None else number(end, digits=2)
