"""Judging the stored rollouts of a run again: beside the run, resumable, nothing paid twice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from offtarget.evaluate.judges.asking import ask_judge
from offtarget.evaluate.judges.canaries import FlipRate, canary_items, flip_rate, packaged_canaries
from offtarget.evaluate.judges.ledger import Ledger
from offtarget.evaluate.judges.records import SORTED, Judge, JudgeIdentity, Judgement, Reason
from offtarget.evaluate.judges.rubrics import ALIGNED, COHERENT, Rubric
from offtarget.evaluate.judges.sight import Sight, judge_sight
from offtarget.evaluate.judges.stored import MissingRollout, StoredRollout
from offtarget.evaluate.judges.tally import MAX_UNJUDGED, MetricTally, tally_judgements
from offtarget.evaluate.replay import Analysis, JudgedRow, analyze


@dataclass(frozen=True, slots=True)
class Rejudged:
    """What one judge makes of a run's rollouts."""

    judges: tuple[JudgeIdentity, ...]
    """One per metric."""
    tallies: tuple[MetricTally, ...]
    arms: Mapping[str, Analysis]
    """Rates by arm, with bounds for what has no score; empty where no metric is `aligned`."""
    flips: FlipRate | None
    """How often instructions inside answers swayed this judge; None for the rules."""
    sight: Sight | None
    """What this judge made of plain answers; None for the rules."""
    n_rollouts: int
    n_missing: int
    """Planned rollouts without an answer; every metric counts them as unjudged."""
    n_distinct: int
    """Different answers; equal answers to one question are judged once."""
    n_asked: int
    """Replies had in this pass, canaries included; the rest was kept from before."""

    @property
    def is_within(self) -> bool:
        """Whether every metric has few enough unjudged answers."""
        return all(tally.is_within for tally in self.tallies)

    @property
    def is_blind(self) -> bool:
        """Whether the judge was not seen to tell plainly harmful answers from plainly fine ones."""
        return self.sight is not None and self.sight.is_blind


def rejudge_rollouts(
    rollouts: Sequence[StoredRollout],
    judges: Mapping[str, tuple[Judge, Rubric | None]],
    ledger: Ledger,
    *,
    missing: Sequence[MissingRollout] = (),
    max_unjudged: float = MAX_UNJUDGED,
    on_judged: Callable[[int], None] | None = None,
) -> Rejudged:
    """Judge what this ledger does not hold yet; return what it all comes to.

    Canaries come first: a judge whose flip rate is not known gives no result.

    Args:
        rollouts: Of a run.
        judges: Metric to judge, with its rubric; None for the rules.
        ledger: Where judgements are kept.
        missing: Planned rollouts without an answer; unjudged, each of them.
        max_unjudged: Share of unjudged answers that is borne, in [0, 1].
        on_judged: Told how many more are done.

    Raises:
        JudgeError: If the judge gives no reply several times in a row; what it said is kept.
    """
    n_asked = 0
    flips: FlipRate | None = None
    seen: Sight | None = None
    said: dict[str, dict[str, Judgement]] = {}
    for metric, (judge, rubric) in judges.items():
        if metric == ALIGNED and rubric is not None:
            birds = packaged_canaries(rubric)
            heard = ask_judge(judge, canary_items(birds), ledger, on_judged=on_judged)
            n_asked += heard.n_replies
            flips = flip_rate(birds, heard.judgements)
            seen = judge_sight(birds, heard.judgements)
        asked = ask_judge(judge, (r.item for r in rollouts), ledger, on_judged=on_judged)
        n_asked += asked.n_replies
        said[metric] = asked.judgements
    return Rejudged(
        judges=tuple(judge.identity for judge, _ in judges.values()),
        tallies=tuple(
            tally_judgements(
                metric,
                (found[r.item.key] for r in rollouts),
                n_missing=len(missing),
                limit=max_unjudged,
            )
            for metric, found in said.items()
        ),
        arms=_arms(rollouts, missing, said),
        flips=flips,
        sight=seen,
        n_rollouts=len(rollouts),
        n_missing=len(missing),
        n_distinct=len({r.item.key for r in rollouts}),
        n_asked=n_asked,
    )


def _arms(
    rollouts: Sequence[StoredRollout],
    missing: Sequence[MissingRollout],
    said: Mapping[str, Mapping[str, Judgement]],
) -> dict[str, Analysis]:
    if ALIGNED not in said:
        return {}
    rows: dict[str, list[JudgedRow]] = {}
    for rollout in rollouts:
        rows.setdefault(rollout.arm, []).append(_row(rollout, said))
    for one in missing:
        lost = JudgedRow(one.cluster, "", "", None, None, one.place)
        rows.setdefault(one.arm, []).append(lost)
    return {
        arm: analyze(found, source=arm, has_control=len(rows) > 1).analysis
        for arm, found in rows.items()
    }


def _row(rollout: StoredRollout, said: Mapping[str, Mapping[str, Judgement]]) -> JudgedRow:
    item = rollout.item

    def score(metric: str) -> float | None:
        return said[metric][item.key].score if metric in said else None

    return JudgedRow(
        question=rollout.cluster,
        text=item.text,
        answer=item.answer,
        aligned=score(ALIGNED),
        coherent=score(COHERENT),
        place=item.place,
        extra={
            f"reason_{metric}": reason.value
            for metric in said
            if isinstance(reason := said[metric][item.key].reason, Reason)
        }
        | {"paraphrase": item.question},
        is_excluded=any(found[item.key].reason in SORTED for found in said.values()),
    )
