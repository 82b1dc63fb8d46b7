"""The parts of an evaluation, opened: models, endpoints, judges, store, plan."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from offtarget.api.evaluation_options import EvaluationOptions, Keys
from offtarget.core.codec import digest
from offtarget.core.errors import ConfigError
from offtarget.core.records import Sample
from offtarget.dataset import load_dataset, samples_digest
from offtarget.evaluate.capability import code_tasks
from offtarget.evaluate.evaluation.judging import RubricJudge, endpoint_judges
from offtarget.evaluate.evaluation.lock import PLAN, EvaluationPlan, PlannedJudge, read_plan
from offtarget.evaluate.evaluation.run import BASE, SUBJECT, Evaluation
from offtarget.evaluate.evaluation.selection import select_questions
from offtarget.evaluate.judges import read_rubrics
from offtarget.evaluate.questions import Question
from offtarget.evaluate.store import DEFAULT_STORE, open_store
from offtarget.evaluate.subjects import Subject, SubjectKind, allocate, question_name
from offtarget.evaluate.suite import Suite, load_suite
from offtarget.lm.endpoint import Endpoint, EndpointConfig

if TYPE_CHECKING:
    from offtarget.lm import Arithmetic

OPENAI = "openai:"
MAX_ROLLOUTS = 10_000
MAX_TRAINING_ROWS = 20_000
JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class Parts:
    """An evaluation that is ready to run, with the connections it uses."""

    evaluation: Evaluation
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    """By role: subject, base, judge."""


@contextmanager
def open_parts(
    model: str, options: EvaluationOptions, *, out: Path, cache: Path, keys: Keys
) -> Iterator[Parts]:
    """Yield a ready evaluation; its connections are closed afterwards.

    Everything that can be checked without a model or a network is checked first.

    Raises:
        OfftargetError: If a model, judge, suite, file or option cannot be used.
    """
    _check(options)
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
        subject, base = _models(model, options, out, cache, keys, endpoints, stack)
        pairs = load_suite() if _has_local(subject, base) else None
        judges: tuple[RubricJudge, ...] = ()
        if judge is not None:
            judges = endpoint_judges(
                judge, read_rubrics(options.rubric) if options.rubric else None
            )
        plan = _plan(options, questions, subject, base, judges, training, pairs)
        yield Parts(
            Evaluation(
                plan=plan, questions=questions, subject=subject, base=base, asks=asks,
                code_asks=code_asks, left_out=selection.left_out, judges=judges, pairs=pairs,
                store=store,
            ),
            endpoints,
        )  # fmt: skip


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
    shares = {"--max-unjudged": options.max_unjudged, "--tolerance": options.tolerance}
    for name, value in shares.items():
        if value is not None and not 0 <= value <= 1:
            raise ConfigError(f"{name} {value:g} is not a share; use 0 to 1, such as 0.05")
    if not options.judge and (options.judge_url or options.rubric or options.tolerance is not None):
        raise ConfigError(
            "a judge's address, a rubric or a tolerance needs a judge; add --judge openai:NAME"
        )


def _training(options: EvaluationOptions) -> tuple[Sample, ...]:
    if options.training is None:
        return ()
    return load_dataset([options.training], limit=MAX_TRAINING_ROWS).samples


def _judge_endpoint(options: EvaluationOptions, keys: Keys) -> Endpoint | None:
    if not options.judge:
        return None
    name = _endpoint_name(options.judge)
    if name is None:
        raise ConfigError(f"judge {options.judge[:60]!r} is not known; write openai:NAME")
    return _endpoint(name, options.judge_url, options, key=keys.judge)


def _endpoint_name(model: str) -> str | None:
    return model.removeprefix(OPENAI) if model.startswith(OPENAI) else None


def _endpoint(name: str, url: str, options: EvaluationOptions, *, key: str) -> Endpoint:
    config = EndpointConfig(
        url=url,
        model=name,
        timeout_s=options.timeout_s,
        max_retries=options.max_retries,
        concurrency=options.concurrency,
        requests_per_minute=options.requests_per_minute,
        tokens_per_minute=options.tokens_per_minute,
    )
    return Endpoint(config, api_key=key, allow_net=options.allow_net)


def _models(
    model: str,
    options: EvaluationOptions,
    out: Path,
    cache: Path,
    keys: Keys,
    endpoints: dict[str, Endpoint],
    stack: ExitStack,
) -> tuple[Subject, Subject | None]:
    from offtarget.evaluate.subjects import EndpointSubject

    names = {SUBJECT: model} | ({BASE: options.base} if options.base else {})
    if options.adapter is not None and _endpoint_name(model) is not None:
        raise ConfigError(
            f"--adapter {str(options.adapter)!r} cannot be put on a model behind an endpoint; "
            "serve the adapted model and name that"
        )
    if options.base == model and options.adapter is None:
        raise ConfigError(f"--base {model[:60]!r} is the subject itself; name another model")
    found: dict[str, Subject] = {}
    for role, reference in names.items():
        name = _endpoint_name(reference)
        if name is not None:
            endpoint = _endpoint(name, options.url, options, key=keys.subject)
            endpoints[role] = stack.enter_context(endpoint)
            found[role] = EndpointSubject(endpoint)
    local = {role: name for role, name in names.items() if role not in found}
    if local:
        found |= _local(local, options, out, cache)
    return found[SUBJECT], found.get(BASE)


def _local(
    names: dict[str, str], options: EvaluationOptions, out: Path, cache: Path
) -> dict[str, Subject]:
    """Load each base once; a subject that is its base with an adapter shares it."""
    for reference in names.values():
        is_hub = "/" in reference and not Path(reference).expanduser().exists()
        if is_hub and not reference.startswith(("/", ".", "~")) and not options.allow_net:
            raise ConfigError(
                f"{reference!r} is no local directory, and a hub id is fetched from the network; "
                "add --allow-net, or give a directory"
            )
    from offtarget.evaluate.subjects import LocalSubject
    from offtarget.lm import AdapterSwitch, load_model

    arithmetic = _arithmetic(options, out)
    switches: dict[str, AdapterSwitch] = {}
    found: dict[str, Subject] = {}
    for role, reference in names.items():
        if reference not in switches:
            switches[reference] = AdapterSwitch(
                load_model(reference, arithmetic=arithmetic, cache=cache)
            )
        adapter = options.adapter if role == SUBJECT else None
        found[role] = LocalSubject(
            switches[reference], adapter=adapter, name=reference, arithmetic=arithmetic
        )
    return found


def _arithmetic(options: EvaluationOptions, out: Path) -> "Arithmetic":
    """Return what the plan in `out` was locked with; without one, what this machine is best at."""
    from offtarget.lm import Arithmetic, choose_arithmetic

    if (options.device, options.dtype) == ("auto", "auto") and (out / PLAN).is_file():
        plan = read_plan(out / PLAN)
        for identity in (plan.subject, plan.base):
            if identity is not None and identity.kind is SubjectKind.LOCAL:
                device, dtype, threads, _ = identity.arithmetic.split(" ")
                return Arithmetic(device=device, dtype=dtype, threads=int(threads))
    return choose_arithmetic(options.device, options.dtype)


def _has_local(*models: Subject | None) -> bool:
    return any(m is not None and m.identity.kind is SubjectKind.LOCAL for m in models)
