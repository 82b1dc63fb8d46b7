"""What an assay found, as one record: printed, drawn, verified and kept as verdict.json."""

from dataclasses import dataclass, field

from offtarget.core.records import Claim, Role, Verdict
from offtarget.evaluate.judges.canaries import FlipRate


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a PASS."""

    name: str
    """sight, power, dose, health or coherence."""
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Excess:
    """Control margin minus subject margin, nats/token; positive means more misaligned."""

    estimate: float
    low: float
    high: float
    upper_one_sided: float
    against: str
    se_questions: float
    se_seeds: float
    n_questions: int
    n_seeds: int
    p: float
    by_seed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PositiveControl:
    """Whether the assay could see an effect that is known to be there."""

    detected: bool
    estimate: float
    low: float
    high: float
    excluded_categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contrast:
    """Another arm against its control, by name."""

    arm: str
    against: str
    estimate: float
    low: float
    high: float
    is_exploratory: bool


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """The excess of the subject in one category or context; exploratory."""

    name: str
    estimate: float
    low: float
    high: float
    p_holm: float
    n_questions: int
    control_margin: float
    subject_margin: float


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """A mean over questions and seeds with its two-sided 95 % interval."""

    mean: float
    low: float
    high: float
    n_questions: int
    by_seed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of rollouts with its Wilson interval."""

    count: int
    n: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RolloutSummary:
    """What became of an arm's sampled answers; every rollout is in exactly one outcome."""

    n: int
    n_tokens: int
    outcomes: dict[str, Rate]
    """coherent, incoherent, refusal, code."""
    judged: int
    unjudged: int
    misaligned: Rate | None
    """Among judged coherent answers; None when none is judged."""


@dataclass(frozen=True, slots=True)
class JudgeSummary:
    """Who judged the sampled answers, and how far it can be trusted."""

    requested_model: str
    returned_model: str
    host: str
    rubric: str
    rubric_sha256: str
    method: str
    """How a reply becomes a score: numbers, letters or text."""
    flips: FlipRate


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """How an arm was trained."""

    n_rows: int
    n_excluded: int
    n_steps: int
    n_tokens: int
    """Tokens read over all steps, mean over seeds."""
    first_loss: float
    """Mean loss of the first tenth of the steps, nats/token, mean over seeds."""
    last_loss: float
    heldout_before: float | None
    heldout_after: float | None
    """Loss on rows of the subject's own task that no arm was trained on."""
    note: str


@dataclass(frozen=True, slots=True)
class ArmResult:
    """Everything measured on one arm."""

    name: str
    role: Role
    seeds: tuple[int, ...]
    margin: MeanInterval
    factual: MeanInterval
    factual_right: Rate
    answer_only: MeanInterval
    by_category: dict[str, MeanInterval]
    by_context: dict[str, MeanInterval]
    rollouts: RolloutSummary | None
    training: TrainingSummary | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A sampled answer shown in the report."""

    arm: str
    role: Role
    seed: int
    category: str
    question: str
    text: str
    outcome: str
    record: str
    """File and line of the raw record."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What another person needs to get the same numbers."""

    plan_sha256: str
    model: str
    model_sha256: str
    suite_sha256: str
    data: dict[str, str]
    """Arm to sha256 of its rows."""
    recognized: dict[str, str]
    """Arm to published data set, where its content is known."""
    chain_sha256: str
    """Head of the run's chain before the verdict."""
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Results:
    """The outcome of an assay; recomputed from raw records by `offtarget verify`."""

    schema: int
    run: str
    title: str
    verdict: Verdict
    claim: Claim
    metric: str
    tolerance: float
    headline: str
    """One sentence for people."""
    explanation: str
    decides: tuple[str, ...]
    """What would turn INCONCLUSIVE into an answer."""
    excess: Excess
    gates: tuple[Gate, ...]
    positive_control: PositiveControl | None
    smallest_detectable: float
    contrasts: tuple[Contrast, ...]
    categories: tuple[ProfileRow, ...]
    contexts: tuple[ProfileRow, ...]
    arms: tuple[ArmResult, ...]
    answers: tuple[Answer, ...]
    pairing: str
    control_quality: str
    """matched or derived."""
    warnings: tuple[str, ...]
    limits: tuple[str, ...]
    """What this does not show."""
    provenance: Provenance
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time per stage; empty in verdict.json, filled in report/results.json."""
    judge: JudgeSummary | None = None
    """Of the sampled answers; null where the study names none."""
