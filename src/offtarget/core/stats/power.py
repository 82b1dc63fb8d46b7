"""What a design can see: power and the smallest detectable effect, before anything is sampled."""

import math
from dataclasses import dataclass

from offtarget.core.errors import ConfigError
from offtarget.core.stats.rate import Estimand

TARGET_POWER = 0.8
LEVEL = 0.05
"""Two-sided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateDesign:
    """How many answers to how many questions, and how alike answers to one question are."""

    n_questions: int
    n_rows: int
    """Answers a question and seed, in each arm."""
    intra_question_correlation: float
    """Share of the rows' variance that lies between questions, in [0, 1]."""
    n_seeds: int = 1
    seed_spread: float = 0.0
    """Standard deviation of a seed's rate as a share of the rate; 0 speaks of checkpoints."""
    pairing: float = 0.0
    """Correlation of the two arms' question rates; 0 is the cautious choice."""
    estimand: Estimand = Estimand.LIKE_THESE

    def __post_init__(self) -> None:
        if min(self.n_questions, self.n_rows, self.n_seeds) < 1 or self.n_questions < 2:
            raise ConfigError(
                f"{self.n_questions} questions of {self.n_rows} rows at {self.n_seeds} seeds; "
                "a design has at least 2 questions, 1 row and 1 seed"
            )
        if not 0 <= self.intra_question_correlation <= 1 or not 0 <= self.pairing <= 1:
            raise ConfigError(
                f"correlations {self.intra_question_correlation} and {self.pairing}; "
                "give numbers in [0, 1]"
            )
        if self.seed_spread < 0 or (self.seed_spread > 0 and self.n_seeds < 2):
            raise ConfigError(
                f"seed spread {self.seed_spread} with {self.n_seeds} seeds; give 0 or more, "
                "and at least 2 seeds where it is above 0"
            )


@dataclass(frozen=True, slots=True)
class _Noise:
    """Variance of an estimate and Satterthwaite's degrees of freedom."""

    variance: float
    df: float


def rate_power(rate: float, control_rate: float, *, design: RateDesign) -> float:
    """Return the chance that the two-sided 5 % test tells the two rates apart.

    Noncentral t with the variance of the two rates under the design; a normal approximation of
    counts, so too high where fewer than about 5 hits are expected.

    Raises:
        ConfigError: If a rate lies outside [0, 1].
    """
    for value in (rate, control_rate):
        if not 0 <= value <= 1:
            raise ConfigError(f"rate {value}: give a share in [0, 1]")
    noise = _rate_noise(rate, control_rate, design)
    return _power(abs(rate - control_rate), math.sqrt(noise.variance), noise.df)


def smallest_detectable_rate(
    control_rate: float, *, design: RateDesign, power: float = TARGET_POWER
) -> float | None:
    """Return the smallest subject rate above the control's that is seen with that power.

    None where not even a rate of 1 would be.
    """
    if rate_power(1.0, control_rate, design=design) < power:
        return None
    low, high = control_rate, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if rate_power(middle, control_rate, design=design) < power:
            low = middle
        else:
            high = middle
    return high


def margin_power(
    effect: float, *, sd_questions: float, n_questions: int, sd_seeds: float = 0.0, n_seeds: int = 1
) -> float:
    """Return the chance that the two-sided 5 % test sees a mean paired difference of margins.

    Args:
        effect: True mean difference, nats/token.
        sd_questions: Standard deviation of the differences over questions.
        n_questions: Questions, each its own cluster.
        sd_seeds: Standard deviation over training seeds; 0 speaks of the checkpoint.
        n_seeds: Matched seeds.
    """
    noise = _margin_noise(sd_questions, n_questions, sd_seeds, n_seeds)
    return _power(abs(effect), math.sqrt(noise.variance), noise.df)


def smallest_detectable_margin(
    *,
    sd_questions: float,
    n_questions: int,
    sd_seeds: float = 0.0,
    n_seeds: int = 1,
    power: float = TARGET_POWER,
) -> float:
    """Return the mean paired difference that is seen with that power; arguments as above."""
    noise = _margin_noise(sd_questions, n_questions, sd_seeds, n_seeds)
    error = math.sqrt(noise.variance)
    low, high = 0.0, error
    while _power(high, error, noise.df) < power:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if _power(middle, error, noise.df) < power:
            low = middle
        else:
            high = middle
    return high


def _rate_noise(rate: float, control_rate: float, design: RateDesign) -> _Noise:
    between = [p * (1 - p) * design.intra_question_correlation for p in (rate, control_rate)]
    shared = 2 * design.pairing * math.sqrt(between[0] * between[1])
    n_cells = design.n_questions * design.n_seeds
    within = sum(
        p * (1 - p) * (1 - design.intra_question_correlation) / (n_cells * design.n_rows)
        for p in (rate, control_rate)
    )
    if design.estimand is Estimand.LIKE_THESE:
        within += (sum(between) - shared) / design.n_questions
    df = design.n_questions - 1
    if design.estimand is Estimand.THESE_QUESTIONS:
        df = max(1, 2 * n_cells * (design.n_rows - 1))
    seeds = design.seed_spread**2 * (rate**2 + control_rate**2) / design.n_seeds
    return _combined(within, df, seeds, design.n_seeds)


def _margin_noise(sd_questions: float, n_questions: int, sd_seeds: float, n_seeds: int) -> _Noise:
    if n_questions < 2 or sd_questions <= 0 or sd_seeds < 0 or (sd_seeds > 0 and n_seeds < 2):
        raise ConfigError(
            f"{n_questions} questions with spread {sd_questions}, {n_seeds} seeds with spread "
            f"{sd_seeds}; give at least 2 questions that differ, and 2 seeds where seeds differ"
        )
    return _combined(sd_questions**2 / n_questions, n_questions - 1, sd_seeds**2 / n_seeds, n_seeds)


def _combined(first: float, df: float, seeds: float, n_seeds: int) -> _Noise:
    total = first + seeds
    if not seeds or not total:
        return _Noise(total, df)
    return _Noise(total, total**2 / (first**2 / df + seeds**2 / (n_seeds - 1)))


def _power(effect: float, error: float, df: float) -> float:
    from scipy.stats import nct, t

    if error == 0:
        return 1.0 if effect > 0 else LEVEL
    cut = float(t.ppf(1 - LEVEL / 2, df))
    center = effect / error
    if center > cut + 40:  # far beyond: the noncentral t's tail is exactly 1 there
        return 1.0
    return float(nct.sf(cut, df, center) + nct.cdf(-cut, df, center))
