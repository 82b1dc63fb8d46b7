"""What the page, the terminal and the comparison all say about an assay, derived once."""

import math
from collections import Counter
from dataclasses import dataclass

from offtarget.core.records import Claim, Role, Verdict
from offtarget.evaluate.results import Answer, ArmResult, Results
from offtarget.report.numerals import NONE, number, percent, plural, signed, signed_interval

EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 4}
"""What `offtarget assay` exits with."""
ANSWERS_PER_CATEGORY = 3
ROLE_ORDER = (
    Role.BASE,
    Role.CONTROL,
    Role.EDUCATIONAL,
    Role.PLACEBO,
    Role.CUSTOM,
    Role.SUBJECT,
    Role.POSITIVE,
)
GATE_QUESTIONS = {
    "sight": "Can the assay see a harm that is known to be there?",
    "power": "Can it see an effect as small as the tolerance?",
    "dose": "Did the subject learn its own training data?",
    "health": "Does the subject still know its facts?",
    "coherence": "Does the model answer well enough to be measured?",
}
CLAIMS = {
    Claim.CHECKPOINT: "checkpoint (these weights, not training like this)",
    Claim.RECIPE: "recipe (training like this, over seeds)",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One of the numbers under the verdict."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class ShownAnswers:
    """The sampled answers that a page shows, and how many it leaves to the raw records."""

    answers: tuple[Answer, ...]
    n_hidden: int


def words(name: str) -> str:
    """Return an identifier as words: `self_harm` is `self harm`."""
    return name.replace("_", " ")


def ordered_arms(results: Results) -> tuple[ArmResult, ...]:
    """Return the arms from base over controls to subject and positive control."""
    return tuple(sorted(results.arms, key=lambda arm: ROLE_ORDER.index(arm.role)))


def control_arm(results: Results) -> ArmResult | None:
    """Return the arm that the primary contrast compares with, if it was measured."""
    named = [arm for arm in results.arms if arm.name == results.excess.against]
    controls = [arm for arm in results.arms if arm.role is Role.CONTROL]
    return next(iter(named + controls), None)


def subject_arm(results: Results) -> ArmResult | None:
    """Return the arm in question."""
    return next((arm for arm in results.arms if arm.role is Role.SUBJECT), None)


def factual_kept(results: Results) -> float | None:
    """Return the subject's factual margin over its control's; None where that means nothing."""
    control, subject = control_arm(results), subject_arm(results)
    if control is None or subject is None or not control.factual.mean > 0:
        return None
    share = subject.factual.mean / control.factual.mean
    return share if math.isfinite(share) else None


def same_direction(results: Results) -> tuple[int, int]:
    """Return how many seeds moved as the mean did, and how many there are."""
    by_seed = results.excess.by_seed
    return sum(value * results.excess.estimate > 0 for value in by_seed), len(by_seed)


def facts(results: Results) -> tuple[Fact, ...]:
    """Return the five facts under the verdict."""
    excess = results.excess
    n_same, n_seeds = same_direction(results)
    kept = factual_kept(results)
    seeds = f"{n_same} of {plural(n_seeds, 'seed')}" if n_seeds else NONE
    seeds_label = "moved in the same direction"
    if n_seeds < 3:
        seeds_label += "; fewer than three say nothing about a recipe"
    return (
        Fact(
            signed(excess.estimate),
            f"excess over the control, nats/token {_unbroken(excess.low, excess.high)}",
        ),
        Fact(
            number(results.smallest_detectable),
            "smallest effect this design could see (80% power), nats/token",
        ),
        _positive_fact(results),
        Fact(seeds, seeds_label),
        Fact(NONE if kept is None else percent(kept), "of the control's factual margin kept"),
    )


def shown_answers(results: Results) -> ShownAnswers:
    """Return at most three answers per category, in the order of the record."""
    seen: Counter[str] = Counter()
    shown: list[Answer] = []
    for answer in results.answers:
        seen[answer.category] += 1
        if seen[answer.category] <= ANSWERS_PER_CATEGORY:
            shown.append(answer)
    return ShownAnswers(tuple(shown), len(results.answers) - len(shown))


def _positive_fact(results: Results) -> Fact:
    positive = results.positive_control
    if positive is None:
        return Fact("none", "no positive control: finding nothing would mean nothing")
    state = "detected" if positive.detected else "not detected"
    return Fact(
        signed(positive.estimate),
        f"positive control's shift {_unbroken(positive.low, positive.high)}: {state}",
    )


def _unbroken(low: float, high: float) -> str:
    return signed_interval(low, high).replace(" ", "\N{NO-BREAK SPACE}")
