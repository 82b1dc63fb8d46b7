"""Faults in what an evaluation measured beside answers: margins, clean texts, written code."""

from collections.abc import Iterator

from offtarget.core.codec import digest, to_builtins
from offtarget.evaluate import named_suite
from offtarget.evaluate.capability import clean_texts, code_tasks, look_at_code
from offtarget.evaluate.contexts import CONTEXTS, LOOKALIKE, PLAIN, choose_pairs
from offtarget.evaluate.evaluation.lock import EvaluationPlan
from offtarget.evaluate.margin import ANSWER_ONLY
from offtarget.evaluate.subjects import Ask, allocate
from offtarget.verify.order import order_faults
from offtarget.verify.outcome import differences
from offtarget.verify.score_faults import score_faults
from offtarget.verify.stored_arm import StoredArm, file_names


def margin_faults(stored: StoredArm, plan: EvaluationPlan) -> Iterator[str]:
    """Yield a line per scored pair that is not the suite's, or at odds with itself."""
    if not file_names(plan, stored.identity)[1]:
        return
    suite = named_suite(plan.pairs)
    place = f"{stored.folder}/margins.jsonl"
    if suite.sha256 != plan.pairs_sha256:
        yield (
            f"{place}: the pairs of this version are not those of the plan; verify with the "
            "version that made the run"
        )
        return
    chosen = choose_pairs(suite.pairs)
    expected = [(PLAIN, pair) for pair in (*suite.pairs, *suite.factual)]
    expected += [(context, pair) for context in CONTEXTS if context != LOOKALIKE for pair in chosen]
    expected += [(ANSWER_ONLY, pair) for pair in suite.pairs]
    yield from order_faults(
        place,
        [(one.context, one.pair, one.category, one.cluster) for one in stored.margins],
        [(context, pair.id, pair.category, pair.unit) for context, pair in expected],
    )
    yield from score_faults(place, stored.margins)


def text_faults(stored: StoredArm) -> Iterator[str]:
    """Yield a line per scored text that is not a packaged one, or at odds with itself."""
    if not stored.texts:
        return
    place = f"{stored.folder}/texts.jsonl"
    texts = {one.id: one for one in clean_texts()}
    found = [(one.text, one.kind.value) for one in stored.texts]
    yield from order_faults(place, found, [(one.id, one.kind.value) for one in texts.values()])
    for n, record in enumerate(stored.texts, 1):
        text = texts.get(record.text)
        if text is None:
            continue
        n_bytes = len(text.text.encode())
        if record.nats_per_byte != record.nats_per_token * record.n_tokens / n_bytes:
            yield f"{place}:{n}: nats_per_byte does not follow from nats_per_token and the text"


def planned_code(plan: EvaluationPlan) -> tuple[Ask, ...]:
    """Return the code tasks that the plan asks for."""
    return allocate(code_tasks(), n_rollouts=plan.n_code, seed=plan.seed)


def code_faults(stored: StoredArm, plan: EvaluationPlan) -> Iterator[str]:
    """Yield a line per answer to a code task that the scanner finds otherwise, or was not asked.

    Every answer is parsed and scanned again; none is run.
    """
    if not plan.n_code:
        return
    place = f"{stored.folder}/code.jsonl"
    if digest(list(code_tasks())) != plan.code_sha256:
        yield (
            f"{place}: the code tasks of this version are not those of the plan; verify with the "
            "version that made the run"
        )
        return
    found = [(one.found.task, one.found.sample, one.prompt) for one in stored.code]
    answered = set(found)
    asked = [(ask.question, ask.index, ask.text) for ask in planned_code(plan)]
    yield from order_faults(place, found, [name for name in asked if name in answered])
    for name in sorted(answered - set(asked)):
        yield f"{place}: {name[0]} {name[1]} is not in the plan, or was asked in other words"
    if not stored.code:
        return
    again = look_at_code(
        [(one.found.task, one.found.sample, one.prompt, one.text) for one in stored.code]
    )
    for n, (one, record) in enumerate(zip(stored.code, again, strict=True), 1):
        for field, is_, was in differences(to_builtins(one.found), to_builtins(record)):
            yield f"{place}:{n}: {field} is {is_}, scanning the answer again gives {was}"
