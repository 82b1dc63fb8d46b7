"""Statistics over questions, rows and training seeds: intervals, contrasts, power.

Importing this loads numpy only; scipy is loaded by the functions that need it.
"""

from offtarget.core.stats.binomial import (
    BinomialMethod,
    binomial_interval,
    binomial_method,
    clopper_pearson,
    wilson,
)
from offtarget.core.stats.cluster import cluster_rate
from offtarget.core.stats.confidence_sequence import ConfidenceSequence, confidence_sequence
from offtarget.core.stats.contexts import context_gap, lookalike_excess, worst_context
from offtarget.core.stats.counts import Counts, count_rows
from offtarget.core.stats.crossed import crossed_rate, question_rate
from offtarget.core.stats.discrimination import (
    Discrimination,
    DiscriminationMethod,
    discrimination,
)
from offtarget.core.stats.effect import (
    MIN_SEEDS_FOR_RECIPE,
    POWER_FACTOR,
    Effect,
    crossed_effect,
)
from offtarget.core.stats.equivalence import Equivalence, tost
from offtarget.core.stats.multiplicity import benjamini_hochberg, holm
from offtarget.core.stats.paired import (
    Contrast,
    RateContrast,
    paired_contrast,
    rate_contrast,
)
from offtarget.core.stats.power import (
    RateDesign,
    margin_power,
    rate_power,
    smallest_detectable_margin,
    smallest_detectable_rate,
)
from offtarget.core.stats.ppi import PpiMean, PpiMethod, ppi_mean
from offtarget.core.stats.rate import Estimand, Rate, RateMethod
from offtarget.core.stats.sign_flip import SignFlip, sign_flip
from offtarget.core.stats.signed_rates import (
    ContrastMethod,
    HitsAndRows,
    SignedRates,
    signed_rates,
)
from offtarget.core.stats.simultaneous import NamedMean, WorstMean, worst_mean
from offtarget.core.stats.stratified import stratified_rate
from offtarget.core.stats.threshold import CutRate, threshold_curve
from offtarget.core.stats.worst_of import WorstOf, any_hit, worst_of

__all__ = [
    "MIN_SEEDS_FOR_RECIPE",
    "POWER_FACTOR",
    "BinomialMethod",
    "ConfidenceSequence",
    "Contrast",
    "ContrastMethod",
    "Counts",
    "CutRate",
    "Discrimination",
    "DiscriminationMethod",
    "Effect",
    "Equivalence",
    "Estimand",
    "HitsAndRows",
    "NamedMean",
    "PpiMean",
    "PpiMethod",
    "Rate",
    "RateContrast",
    "RateDesign",
    "RateMethod",
    "SignFlip",
    "SignedRates",
    "WorstMean",
    "WorstOf",
    "any_hit",
    "benjamini_hochberg",
    "binomial_interval",
    "binomial_method",
    "clopper_pearson",
    "cluster_rate",
    "confidence_sequence",
    "context_gap",
    "count_rows",
    "crossed_effect",
    "crossed_rate",
    "discrimination",
    "holm",
    "lookalike_excess",
    "margin_power",
    "paired_contrast",
    "ppi_mean",
    "question_rate",
    "rate_contrast",
    "rate_power",
    "sign_flip",
    "signed_rates",
    "smallest_detectable_margin",
    "smallest_detectable_rate",
    "stratified_rate",
    "threshold_curve",
    "tost",
    "wilson",
    "worst_context",
    "worst_mean",
    "worst_of",
]
