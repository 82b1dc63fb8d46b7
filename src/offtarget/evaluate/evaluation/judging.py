"""Who judges an evaluation, tested first; what it says goes through the shared store."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from offtarget.core.errors import JudgeError
from offtarget.evaluate.evaluation.lock import PlannedJudge
from offtarget.evaluate.judges import (
    ALIGNED,
    COHERENT,
    EndpointJudge,
    Item,
    Judge,
    Judgement,
    JudgeRecord,
    Probe,
    Rubric,
    SharedJudgements,
    ask_judge,
    canary_items,
    expected_probe,
    fitting_rubrics,
    packaged_canaries,
    probe_endpoint,
)
from offtarget.evaluate.store import Shelf
from offtarget.lm import Endpoint


@dataclass(frozen=True, slots=True)
class RubricJudge:
    """A judge of one metric with what it is told."""

    judge: Judge
    rubric: Rubric


class UnmetJudge:
    """A judge behind an endpoint, one rubric per metric; nothing is sent before `meet`."""

    def __init__(self, endpoint: Endpoint, rubrics: Mapping[str, Rubric] | None) -> None:
        """Take `rubrics` by metric, or our own of alignment and coherence for None.

        Raises:
            JudgeError: If none of them is of alignment.
        """
        if rubrics is not None and ALIGNED not in rubrics:
            raise JudgeError(
                f"no rubric for {ALIGNED!r} among {', '.join(rubrics)}; without it no answer can be "
                "called misaligned"
            )
        self._endpoint, self._rubrics = endpoint, rubrics

    def meet(self) -> tuple[RubricJudge, ...]:
        """Test the endpoint and return a judge per metric.

        Raises:
            JudgeError: If it gives no reply to the test questions.
        """
        return self._read_by(probe_endpoint(self._endpoint))

    def expect(self, planned: Sequence[PlannedJudge]) -> tuple[RubricJudge, ...]:
        """Return who it will be if it is still the one of a plan; what it said is then known.

        Args:
            planned: Judges of the plan; one that was never met has said nothing yet.
        """
        name, host = self._endpoint.config.model, urlsplit(self._endpoint.url).netloc
        same = [one for one in planned if (one.requested_model, one.host) == (name, host)]
        return self._read_by(
            expected_probe(
                self._endpoint,
                returned_model=same[0].returned_model if same else "",
                methods=[one.method for one in same],
            )
        )

    def _read_by(self, probe: Probe) -> tuple[RubricJudge, ...]:
        chosen = (
            fitting_rubrics(probe, (ALIGNED, COHERENT))
            if self._rubrics is None
            else self._rubrics.values()
        )
        return tuple(
            RubricJudge(EndpointJudge(self._endpoint, rubric=rubric, probe=probe), rubric)
            for rubric in chosen
        )


def judge_items(
    judge: Judge,
    items: Iterable[Item],
    shelf: Shelf[Judgement],
    *,
    on_judged: Callable[[int], None] | None = None,
) -> dict[str, Judgement]:
    """Return a judgement per distinct item, by its key; see `ask_judge`."""
    return ask_judge(judge, items, SharedJudgements(shelf), on_judged=on_judged).judgements


def measure_judge(one: RubricJudge, shelf: Shelf[Judgement]) -> JudgeRecord:
    """Ask a judge of alignment about answers with instructions in them; its flip rate follows.

    Raises:
        JudgeError: If the judge gives no reply to many in a row.
    """
    canaries = packaged_canaries(one.rubric)
    items = canary_items(canaries)
    said = judge_items(one.judge, items, shelf)
    return JudgeRecord(one.judge.identity, canaries, tuple(said[item.key] for item in items))
