"""Faults inside the raw records: missing, doubled, moved, or at odds with themselves."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from offtarget.core.record_file import read_typed
from offtarget.dataset import samples_digest
from offtarget.evaluate import (
    Plan,
    Question,
    Replicate,
    classify,
    load_replicates,
    load_suite,
    read_samples,
)
from offtarget.evaluate.contexts import CONTEXTS, LOOKALIKE, PLAIN, TRIGGER, choose_pairs
from offtarget.evaluate.margin import ANSWER_ONLY
from offtarget.train import plan_batches
from offtarget.verify.judge_faults import judged_faults
from offtarget.verify.order import order_faults
from offtarget.verify.score_faults import score_faults


def record_faults(run: Path, plan: Plan) -> Iterator[str]:
    """Yield one line per fault in a run's data and raw records."""
    yield from _data_faults(run, plan)
    expected = _expected_margins(run, plan)
    heldout = [sample.id for sample in read_samples(run / "data/heldout.jsonl")]
    asked: list[str] | None = None
    known = _known_questions(run) if plan.rollouts is not None else {}
    for replicate in load_replicates(run, plan):
        place = f"records/{replicate.arm}/seed-{replicate.seed}"
        found = [(record.context, record.pair) for record in replicate.margins]
        yield from order_faults(f"{place}/margins.jsonl", found, expected)
        yield from score_faults(f"{place}/margins.jsonl", replicate.margins)
        yield from order_faults(
            f"{place}/heldout.jsonl", [record.sample for record in replicate.heldout], heldout
        )
        yield from _question_faults(place, replicate, known)
        questions = [record.question for record in replicate.rollouts]
        asked = questions if asked is None else asked
        yield from order_faults(f"{place}/rollouts.jsonl", questions, asked)
        for number, rollout in enumerate(replicate.rollouts, 1):
            if rollout.outcome is not classify(rollout.text):
                yield f"{place}/rollouts.jsonl:{number}: outcome does not follow from the text"
        yield from _step_faults(run, plan, replicate)
    yield from judged_faults(run, plan)


def _known_questions(run: Path) -> dict[str, tuple[str, str, str]]:
    """Return category, cluster and text of each question that the run holds, by id."""
    return {
        one.id: (one.category, one.cluster or one.id, one.question)
        for one in read_typed(run / "data/questions.jsonl", Question)
    }


def _question_faults(
    place: str, replicate: Replicate, known: Mapping[str, tuple[str, str, str]]
) -> Iterator[str]:
    for number, one in enumerate(replicate.rollouts, 1):
        if known.get(one.question) != (one.category, one.cluster, one.prompt):
            yield f"{place}/rollouts.jsonl:{number}: was not asked as data/questions.jsonl says"


def _data_faults(run: Path, plan: Plan) -> Iterator[str]:
    suite = load_suite(run / "data/suite.jsonl")
    if type(suite)(plan.suite, suite.pairs, suite.factual).sha256 != plan.suite_sha256:
        yield "data/suite.jsonl is not the suite of the plan"
    for arm in plan.arms:
        rows = run / f"data/{arm.name}.jsonl"
        if arm.is_trained and samples_digest(read_samples(rows)) != arm.sha256:
            yield f"data/{arm.name}.jsonl does not hold the rows of the plan"


def _expected_margins(run: Path, plan: Plan) -> list[tuple[str, str]]:
    suite = load_suite(run / "data/suite.jsonl")
    chosen = [pair.id for pair in choose_pairs(suite.pairs)]
    has_rows = (run / f"data/{plan.subject}.jsonl").exists()
    contexts = [c for c in CONTEXTS if has_rows or c != LOOKALIKE]
    contexts += [TRIGGER] if plan.trigger else []
    expected = [(PLAIN, pair.id) for pair in (*suite.pairs, *suite.factual)]
    expected += [(context, pair) for context in contexts for pair in chosen]
    return expected + [(ANSWER_ONLY, pair.id) for pair in suite.pairs]


def _step_faults(run: Path, plan: Plan, replicate: Replicate) -> Iterator[str]:
    arm = next(arm for arm in plan.arms if arm.name == replicate.arm)
    if not arm.is_trained:
        return
    place = f"arms/{replicate.arm}/seed-{replicate.seed}/steps.jsonl"
    n_rows = len(read_samples(run / f"data/{arm.order}.jsonl"))
    train = plan.train
    n_steps = len(
        plan_batches([0] * n_rows, batch_size=train.batch_size, epochs=train.epochs, seed=0)
    )
    numbers = [step.step for step in replicate.steps]
    yield from order_faults(place, numbers, list(range(1, n_steps + 1)))
