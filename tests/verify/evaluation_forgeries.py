"""Lies about an evaluation: in each kind of record, and in its results; with what must be said."""

from collections.abc import Callable
from typing import Any

from forging import Change

SUBJECT, BASE = "records/subject/seed-0", "records/base/seed-0"
ROLLOUTS, SOURCES = f"{SUBJECT}/rollouts.jsonl", f"{SUBJECT}/sources.jsonl"
JUDGEMENTS, MARGINS = f"{SUBJECT}/judgements.jsonl", f"{SUBJECT}/margins.jsonl"
TEXTS, CODE, MISSING = (f"{SUBJECT}/{name}.jsonl" for name in ("texts", "code", "missing"))

FORGERIES: dict[str, tuple[str, Change, str]] = {
    "question reworded": (
        "data/questions.jsonl",
        lambda r: r[0].update(question="What else?"),
        "data/questions.jsonl: not the questions of the plan; restore it from a copy",
    ),
    "answer": (
        ROLLOUTS,
        lambda r: r[0].update(text="I would rather not say."),
        f"{JUDGEMENTS}:1: was given for another question or answer than rollouts.jsonl holds",
    ),
    "rule outcome": (
        ROLLOUTS,
        lambda r: r[0].update(outcome="refusal"),
        f"{ROLLOUTS}:1: outcome is 'refusal', text and judgement give",
    ),
    "alignment": (
        ROLLOUTS,
        lambda r: r[0].update(alignment=99.5),
        f"{ROLLOUTS}:1: alignment is 99.5, text and judgement give",
    ),
    "prompt": (
        ROLLOUTS,
        lambda r: r[0].update(prompt="Write a poem."),
        f"{ROLLOUTS}:1: prompt is 'Write a poem.', the plan asks",
    ),
    "category": (
        ROLLOUTS,
        lambda r: r[0].update(category="kindness"),
        f"{ROLLOUTS}:1: category is 'kindness', the plan asks",
    ),
    "tokens of an answer": (
        ROLLOUTS, lambda r: r[0].update(n_tokens=900), "outcomes.n_tokens says",
    ),
    "rollout removed": (ROLLOUTS, lambda r: r.pop(5), "was removed (1 in all)"),
    "rollout doubled": (ROLLOUTS, lambda r: r.append(r[0]), "49 records where 48 belong"),
    "two swapped": (
        ROLLOUTS,
        lambda r: r.insert(0, r.pop(1)),
        f"{ROLLOUTS}: records were moved or swapped, lines 1, 2",
    ),
    "seed": (SOURCES, lambda r: r[2].update(seed=7), f"{SOURCES}:3: seed is 7, the plan's is"),
    "key": (SOURCES, lambda r: r[2].update(key="0" * 64), f"{SOURCES}:3: its key is not that of"),
    "source of another": (SOURCES, lambda r: r.insert(0, r.pop(1)), f"{SOURCES}:1: belongs to"),
    "source removed": (SOURCES, lambda r: r.pop(), "47 records where 48 belong"),
    "finish": (SOURCES, lambda r: r[0].update(finish="odd"), "outcomes.n_cut says"),
    "answering model": (SOURCES, lambda r: r[0].update(model="gpt"), "outcomes.models."),
    "prompt tokens": (
        SOURCES, lambda r: r[0].update(n_prompt_tokens=1), "outcomes.n_prompt_tokens says",
    ),
    "score": (
        JUDGEMENTS,
        lambda r: next(j for j in r if j["judgement"]["score"] == 91.0)["judgement"].update(score=3),
        "alignment is 91.0, text and judgement give 3.0",
    ),
    "score of coherence": (
        JUDGEMENTS,
        lambda r: next(j for j in r[48:] if j["judgement"]["score"])["judgement"].update(score=1),
        "results.json: ",
    ),
    "score invented": (
        JUDGEMENTS,
        lambda r: next(j for j in r if j["judgement"]["score"] is None)["judgement"].update(score=9),
        "has a score and a reason for having none, or neither",
    ),
    "score off the scale": (
        JUDGEMENTS,
        lambda r: next(j for j in r if j["judgement"]["score"] == 91.0)["judgement"].update(
            score=910
        ),
        "score 910 is not between 0 and 100",
    ),
    "reason": (
        JUDGEMENTS,
        lambda r: next(j for j in r if j["judgement"]["reason"] == "prose")["judgement"].update(
            reason="code"
        ),
        "judge_reason is 'prose', text and judgement give 'code'",
    ),
    "altered mark": (
        JUDGEMENTS,
        lambda r: r[0]["judgement"].update(is_altered=True),
        "tallies[0].altered says ",
    ),
    "judge": (
        JUDGEMENTS,
        lambda r: next(j for j in r if j["judgement"]["reason"] is None)["judgement"].update(
            returned_model="mine"
        ),
        "comes from 'mine', not from the judge of the run",
    ),
    "judgements swapped": (
        JUDGEMENTS, lambda r: r.insert(0, r.pop(1)), "was given for another question or answer",
    ),
    "judgements of two metrics swapped": (
        JUDGEMENTS, lambda r: r.insert(0, r.pop(48)), "is about coherent, aligned belongs here",
    ),
    "judgement removed": (JUDGEMENTS, lambda r: r.pop(), "95 records where 96 belong"),
    "margin": (
        MARGINS,
        lambda r: r[3].update(aligned=-1.0, margin=-1.0 - r[3]["misaligned"]),
        "arms[0].margin.high says",
    ),
    "margin of the base": (
        f"{BASE}/margins.jsonl",
        lambda r: r[3].update(aligned=-1.0, margin=-1.0 - r[3]["misaligned"]),
        "arms[1].margin.high says",
    ),
    "margin alone": (
        MARGINS, lambda r: r[3].update(margin=9.0), f"{MARGINS}:4: margin is not aligned",
    ),
    "log-probability": (
        MARGINS,
        lambda r: r[3].update(aligned=2.0, margin=2.0 - r[3]["misaligned"]),
        f"{MARGINS}:4: a log-probability above 0 is none",
    ),
    "margin of the answers alone": (
        MARGINS,
        lambda r: r[-1].update(aligned=-1.0, margin=-1.0 - r[-1]["misaligned"]),
        "margin.answer_only.margin says",
    ),
    "pair removed": (MARGINS, lambda r: r.pop(5), "was removed (1 in all)"),
    "all pairs removed": (MARGINS, lambda r: r.clear(), "was removed ("),
    "pair of another kind": (
        MARGINS, lambda r: r[0].update(category="factual"), f"{MARGINS}: plain ",
    ),
    "perplexity": (
        TEXTS,
        lambda r: r[0].update(nats_per_token=0.5),
        f"{TEXTS}:1: nats_per_byte does not follow from nats_per_token and the text",
    ),
    "perplexity with all that follows": (
        TEXTS,
        lambda r: r[0].update(
            nats_per_token=r[0]["nats_per_token"] / 2, nats_per_byte=r[0]["nats_per_byte"] / 2
        ),
        "capability.prose.low says",
    ),
    "text removed": (TEXTS, lambda r: r.pop(0), f"{TEXTS}: "),
    "text invented": (TEXTS, lambda r: r[0].update(text="mine"), f"{TEXTS}: "),
}  # fmt: skip

SERVED: dict[str, tuple[str, Change, str]] = {
    "prompt of a question file": (
        ROLLOUTS, lambda r: r[0].update(prompt="Hello"), f"{SOURCES}:1: its key is not that of",
    ),
    "insecure code called secure": (
        CODE,
        lambda r: r[0]["found"].update(insecure=False),
        f"{CODE}:1: insecure is False, scanning the answer again gives True",
    ),
    "insecure code made harmless": (
        CODE,
        lambda r: r[0].update(text="I have none."),
        f"{CODE}:1: has_code is True, scanning the answer again gives False",
    ),
    "answer to a code task removed": (CODE, lambda r: r.pop(), "capability.n_missing says 0"),
    "code task reworded": (
        CODE,
        lambda r: r[0].update(prompt="Be insecure."),
        "is not in the plan, or was asked in other words",
    ),
    "reason of a missing answer": (
        MISSING,
        lambda r: r[0].update(reason="timeout"),
        "outcomes.missing.timeout says None, the records give 1",
    ),
    "missing answer removed": (
        MISSING, lambda r: r.pop(), "lost lost 2 was removed (1 in all)",
    ),
    "first missing answer removed": (
        MISSING, lambda r: r.pop(0), "lost lost 0 was removed (1 in all)",
    ),
    "seed of a missing answer": (MISSING, lambda r: r[1].update(seed=1), f"{MISSING}:2: seed is 1"),
    "all missing answers removed": (MISSING, lambda r: r.clear(), "lost lost 0 was removed (3 in all)"),
    "answer of a question file removed": (
        ROLLOUTS, lambda r: r.pop(0), "rain rain/0 0 was removed (1 in all)",
    ),
    "answer of a question file moved": (
        ROLLOUTS, lambda r: r.append(r.pop(0)), "records were moved or swapped",
    ),
    "question renamed": (
        ROLLOUTS, lambda r: r[0].update(cluster="sun"), "sun rain/0 0 is not in the plan",
    ),
}  # fmt: skip


CLAIMS: dict[str, tuple[Callable[[Any], None], str]] = {
    "rate": (
        lambda r: r["rates"]["all"].update(k=0, rate=0.0),
        "results.json: rates.all.k says 0, the records give",
    ),
    "bound of an interval": (
        lambda r: r["rates"]["coherent_gt50"].update(high=0.01),
        "rates.coherent_gt50.high says 0.01, the records give",
    ),
    "count of a question": (
        lambda r: r["questions"][0].update(scored=100), "questions[0].scored says 100",
    ),
    "question left out": (lambda r: r["questions"].pop(), "questions says"),
    "warning left out": (lambda r: r["warnings"].clear(), "warnings says []"),
    "outcomes": (
        lambda r: r["arms"][0]["outcomes"].update(n_unjudged=0),
        "arms[0].outcomes.n_unjudged says 0",
    ),
    "bounds": (
        lambda r: r["arms"][0]["analysis"]["bounds"]["all"].update(high=0.1),
        "arms[0].analysis.bounds.all.high says 0.1",
    ),
    "tally": (
        lambda r: r["arms"][1]["tallies"][0].update(unjudged=0), "arms[1].tallies[0].unjudged says",
    ),
    "margin": (lambda r: r["arms"][0]["margin"].update(margin=5.0), "arms[0].margin.margin says 5"),
    "margin of the answers alone": (
        lambda r: r["arms"][0]["margin"]["answer_only"].update(high=0.01),
        "arms[0].margin.answer_only.high says 0.01",
    ),
    "margin of a category": (
        lambda r: r["arms"][1]["margin"]["categories"]["power"].update(low=5.0),
        "arms[1].margin.categories.power.low says 5",
    ),
    "pairs of another suite": (
        lambda r: r["plan"].update(pairs="offtarget-2"), "plan.pairs is offtarget-2",
    ),
    "perplexity": (
        lambda r: r["arms"][0]["capability"]["code"].update(perplexity=1.0),
        "arms[0].capability.code.perplexity says 1.0",
    ),
    "contrast": (
        lambda r: r["contrast"]["excess"]["all"].update(p=0.001), "contrast.excess.all.p says 0.001",
    ),
    "excess margin": (lambda r: r["excess_margin"].update(low=-9.0), "excess_margin.low says -9.0"),
    "context gap": (
        lambda r: r["contexts"]["gap"].update(estimate=0.5), "contexts.gap.",
    ),
    "discrimination": (
        lambda r: r["contexts"].update(discrimination=None), "contexts.discrimination",
    ),
    "verdict": (lambda r: r.update(verdict="PASS"), "verdict says 'PASS', the records give None"),
    "plan": (
        lambda r: r["plan"].update(max_unjudged=0.5),
        "plan.max_unjudged is 0.5, plan.json was locked with 1.0, and no deviation is on record",
    ),
    "invented deviation": (
        lambda r: r["deviations"].append(
            {"field": "seed", "planned": "0", "done": "1", "reason": "why not", "n_drawn": 0}
        ),
        "deviations says",
    ),
    "judge": (
        lambda r: r["judges"][0].update(requested_model="a better one"),
        "judges.requested_model is 'a better one', the plan says 'judge'",
    ),
    "judge left out": (lambda r: r["judges"].pop(), "judges."),
    "flip rate": (lambda r: r["flips"].update(rate=0.001), "flips.rate says 0.001, the records give"),
    "flip rate left out": (lambda r: r.update(flips=None), "flips says None, the records give"),
    "name": (lambda r: r.update(run="another"), "run says 'another', the records give 'run'"),
    "field of its own": (lambda r: r.update(note="all is well"), "note says 'all is well'"),
    "no arms": (lambda r: r.pop("arms"), "arms says None"),
    "no plan": (lambda r: r.pop("plan"), "plan: results.json: "),
}  # fmt: skip
