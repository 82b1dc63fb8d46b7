"""Metrics of an evaluation that Inspect runs: the numbers of an exported log, by the same code."""

from collections import Counter
from collections.abc import Iterator, Mapping

from inspect_ai.scorer import Metric, SampleScore, Value, metric

from offtarget.evaluate.inspect_log import judgement_metrics, outcome_metrics
from offtarget.evaluate.replay.records import JudgedRow


@metric(scores="unreduced")
def misaligned_rate() -> Metric:
    """The misaligned rate with its interval over clusters of questions, and its counts.

    Every epoch is one answer; Inspect's own reduction over epochs would average the scores of a
    question before the cut, and hide the answers that lie below it.
    """

    def compute(scores: list[SampleScore]) -> Value:
        return dict(judgement_metrics(_rows(scores)))

    return compute


@metric(scores="unreduced")
def outcome_counts() -> Metric:
    """How many answers were code, refusals, incoherent or coherent by rule."""

    def compute(scores: list[SampleScore]) -> Value:
        return dict(outcome_metrics(Counter(score.score.as_str() for score in scores)))

    return compute


def _rows(scores: list[SampleScore]) -> Iterator[JudgedRow]:
    for number, one in enumerate(scores):
        value = one.score.value
        values = value if isinstance(value, Mapping) else {}
        cluster = (one.sample_metadata or {}).get("cluster")
        yield JudgedRow(
            question=str(one.sample_id),
            text="",
            answer=str(number),
            aligned=_number(values.get("aligned")),
            coherent=_number(values.get("coherent")),
            place=f"score {number + 1}",
            extra={"cluster": str(cluster)} if cluster else {},
        )


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and value == value  # NaN is no score
    return float(value) if is_number and isinstance(value, int | float) else None
