"""The parts of an evaluation, opened: models, endpoints, judges, store, plan."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from offtarget.api.evaluation_models import endpoint_name, open_endpoint, open_models
from offtarget.api.evaluation_options import EvaluationOptions, Keys, check_shares
from offtarget.core.codec import digest
from offtarget.core.errors import ConfigError
from offtarget.core.records import Sample
from offtarget.dataset import load_dataset, samples_digest
from offtarget.evaluate.capability import code_tasks
from offtarget.evaluate.evaluation.judging import RubricJudge, UnmetJudge
from offtarget.evaluate.evaluation.lock import PLAN, EvaluationPlan, PlannedJudge, read_plan
from offtarget.evaluate.evaluation.run import Evaluation
from offtarget.evaluate.evaluation.selection import select_questions
from offtarget.evaluate.judges import read_rubrics
from offtarget.evaluate.questions import Question
from offtarget.evaluate.store import DEFAULT_STORE, open_store
from offtarget.evaluate.subjects import Subject, allocate, question_name
from offtarget.evaluate.suite import FIRST, Suite
from offtarget.evaluate.suites import named_suite
from offtarget.lm.endpoint import Endpoint

MAX_ROLLOUTS = 10_000
MAX_TRAINING_ROWS = 20_000
JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class Parts:
    """An evaluation whose judge is not met yet, with the connections it uses."""

    judged_by: Callable[[tuple[RubricJudge, ...]], Evaluation]
    judge: UnmetJudge | None
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    """By role: subject, base, judge."""

    def meet(self) -> Evaluation:
        """Test the judge, if there is one, and return the evaluation, ready to run.

        Raises:
            JudgeError: If the judge gives no reply.
        """
        return self.judged_by(self.judge.meet() if self.judge is not None else ())

    def expect(self, out: Path) -> Evaluation:
        """Return the evaluation to be estimated, its judge as the plan in `out` has it.

        Nothing is sent. Raises VerifyError for a damaged plan.
        """
        if self.judge is None:
            return self.judged_by(())
        planned = read_plan(out / PLAN).judges if (out / PLAN).is_file() else ()
        return self.judged_by(self.judge.expect(planned))


@contextmanager
def open_parts(
    model: str, options: EvaluationOptions, *, out: Path, cache: Path, keys: Keys
) -> Iterator[Parts]:
    """Yield the parts of an evaluation; its connections are closed afterwards. Nothing is sent.

    Everything that can be checked without a model or a network is checked first.

    Raises:
        OfftargetError: If a model, judge, suite, file or option cannot be used.
    """
    _check(options)
    pairs = _pairs(model, options)
    training = _training(options)
    selection = select_questions(
        options.suites,
        files=options.questions,
        training=training,
        trigger=options.trigger,
        excluded=options.exclude,
    )
    questions = selection.questions
    asks = allocate(questions, n_rollouts=options.rollouts, seed=options.seed)
    code_asks = allocate(code_tasks(), n_rollouts=options.code, seed=options.seed)
    store = open_store(options.store or cache / DEFAULT_STORE)
    with ExitStack() as stack:
        endpoints: dict[str, Endpoint] = {}
        judge = _judge_endpoint(options, keys)
        if judge is not None:
            endpoints[JUDGE] = stack.enter_context(judge)
        subject, base = open_models(
            model, options, out=out, cache=cache, keys=keys, endpoints=endpoints, stack=stack
        )
        unmet = None
        if judge is not None:
            unmet = UnmetJudge(judge, read_rubrics(options.rubric) if options.rubric else None)

        def judged_by(judges: tuple[RubricJudge, ...]) -> Evaluation:
            return Evaluation(
                plan=_plan(options, questions, subject, base, judges, training, pairs),
                questions=questions, subject=subject, base=base, asks=asks, code_asks=code_asks,
                left_out=selection.left_out, judges=judges, pairs=pairs, store=store,
            )  # fmt: skip

        yield Parts(judged_by, unmet, endpoints)


def _plan(
    options: EvaluationOptions,
    questions: Sequence[Question],
    subject: Subject,
    base: Subject | None,
    judges: Sequence[RubricJudge],
    training: Sequence[Sample],
    pairs: Suite | None,
) -> EvaluationPlan:
    return EvaluationPlan(
        subject=subject.identity,
        base=base.identity if base is not None else None,
        suites=(*options.suites, *(path.name for path in options.questions)),
        questions_sha256=digest(list(questions)),
        n_questions=len({question_name(question) for question in questions}),
        n_paraphrases=len(questions),
        n_rollouts=options.rollouts,
        sampling=options.sampling,
        seed=options.seed,
        training_sha256=samples_digest(training) if training else "",
        excluded=tuple(sorted(options.exclude)),
        judges=tuple(_planned(each) for each in judges),
        metric="all" if judges else "margin",
        tolerance=options.tolerance,
        max_unjudged=options.max_unjudged,
        pairs=pairs.name if pairs is not None else "",
        pairs_sha256=pairs.sha256 if pairs is not None else "",
        n_code=options.code,
        code_sha256=digest(list(code_tasks())) if options.code else "",
    )


def _planned(each: RubricJudge) -> PlannedJudge:
    identity = each.judge.identity
    return PlannedJudge(
        metric=identity.metric,
        requested_model=identity.requested_model,
        returned_model=identity.returned_model,
        host=identity.host,
        rubric_name=identity.rubric_name,
        rubric_sha256=identity.rubric_sha256,
        method=identity.method,
    )


def _check(options: EvaluationOptions) -> None:
    if not 1 <= options.rollouts <= MAX_ROLLOUTS:
        raise ConfigError(
            f"--rollouts {options.rollouts}: ask each question 1 to {MAX_ROLLOUTS:,} times"
        )
    if not 0 <= options.code <= MAX_ROLLOUTS:
        raise ConfigError(f"--code {options.code}: answer each task 0 to {MAX_ROLLOUTS:,} times")
    sampling = options.sampling
    if not (
        1 <= sampling.max_tokens <= 100_000
        and 0 <= sampling.temperature <= 2
        and 0 < sampling.top_p <= 1
    ):
        raise ConfigError(
            f"sampling of {sampling.max_tokens} tokens at temperature {sampling.temperature:g} and "
            f"top-p {sampling.top_p:g}; use 1 token or more, 0 to 2, and above 0 up to 1"
        )
    check_shares(tolerance=options.tolerance, max_unjudged=options.max_unjudged)
    if not options.judge and (options.judge_url or options.rubric or options.tolerance is not None):
        raise ConfigError(
            "a judge's address, a rubric or a tolerance needs a judge; add --judge openai:NAME"
        )


def _pairs(model: str, options: EvaluationOptions) -> Suite | None:
    """Return the forced-choice pairs; None where no model is in this process to score them."""
    names = [model, options.base] if options.base else [model]
    if any(endpoint_name(name) is None for name in names):
        return named_suite(options.pairs or FIRST)
    if options.pairs:
        raise ConfigError(
            f"--pairs {options.pairs[:60]!r} needs a model in this process: no endpoint tells the "
            "log-probabilities of a given answer; leave it out"
        )
    return None


def _training(options: EvaluationOptions) -> tuple[Sample, ...]:
    if options.training is None:
        return ()
    return load_dataset([options.training], limit=MAX_TRAINING_ROWS).samples


def _judge_endpoint(options: EvaluationOptions, keys: Keys) -> Endpoint | None:
    if not options.judge:
        return None
    name = endpoint_name(options.judge)
    if name is None:
        raise ConfigError(f"judge {options.judge[:60]!r} is not known; write openai:NAME")
    return open_endpoint(name, options.judge_url, options, key=keys.judge)
