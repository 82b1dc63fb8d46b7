"""Arms of real studies, ranked by the margin and by their sampled answers.

Two local heads stand in for a judge. They rank; the shares above a cut are no rates.
`pairs`: fitted to the suite's own pairs on the base model's states; it shares texts with the margin.
`published`: words of answers that others judged (`$OFFTARGET_DATA`); it shares nothing with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from answer_heads import Head, PairsHead, PublishedHead
from arm_agreement import Agreement, ArmRow, Shift, agreements_of, shifts_of
from arm_draws import SHARED, StudyArm, read_draws, study_arms
from numpy.typing import NDArray
from setting import CACHE, MODEL

from offtarget.evaluate import Outcome, Replicate, classify, load_replicates, load_suite, read_plan
from offtarget.lm import Arithmetic, load_model

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answer:
    """One sampled answer."""

    question: str
    prompt: str
    text: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Ranks:
    """Everything that `rank` prints."""

    skill: dict[str, float]
    """AUROC of each head on what it was not fitted to."""
    rows: tuple[ArmRow, ...]
    agreements: tuple[Agreement, ...]
    shifts: tuple[Shift, ...]


def rank_arms(runs: Sequence[Path], more: Path | None, *, threads: int) -> Ranks:
    """Return how margins and sampled answers rank the arms of finished runs.

    Args:
        runs: Run directories with rollouts.
        more: Further answers, from `draw`; those of arms of other runs are left out.
        threads: For the model's passes.
    """
    heads = _heads(threads)
    arms = study_arms(runs)
    replicates = {run: load_replicates(run, read_plan(run / "plan.yaml")) for run in runs}
    margins = {one.label: _margins_of(one, replicates[one.run]) for one in arms}
    rows, by_question = [], {}
    for one in arms:
        answers = _answers_of(one, replicates[one.run], more)
        coherent = [answer for answer in answers if answer.outcome is Outcome.COHERENT]
        texts = [(answer.prompt, answer.text) for answer in coherent]
        scores = {name: head.score(texts) for name, head in heads.items()}
        by_question[one.label] = {
            name: _question_means(coherent, values) for name, values in scores.items()
        }
        rows.append(
            ArmRow(
                one.label,
                float(np.mean(list(margins[one.label].values()))),
                len(answers),
                len(coherent),
                sum(answer.outcome is Outcome.CODE for answer in answers),
                {name: float(np.mean(values)) for name, values in scores.items()},
                {name: float(np.mean(values > 0)) for name, values in scores.items()},
            )
        )
    return Ranks(
        {name: head.skill for name, head in heads.items()},
        tuple(sorted(rows, key=lambda row: -row.margin)),
        tuple(agreements_of(rows)),
        tuple(shifts_of(arms, margins, by_question)),
    )


def rank_table(found: Ranks) -> str:
    """Return arms, agreements and contrasts as Markdown."""
    heads = list(found.skill)
    lines = [f"- {name}: AUROC {value:.2f} held out" for name, value in found.skill.items()]
    columns = [f"{name}, {kind}" for name in heads for kind in ("mean log-odds", "share above 0")]
    lines += ["", f"| arm | margin | answers | coherent | code | {' | '.join(columns)} |"]
    lines.append("|---" * (5 + len(columns)) + "|")
    for row in found.rows:
        values = [
            text for name in heads for text in (f"{row.head[name]:+.2f}", f"{row.share[name]:.3f}")
        ]
        lines.append(
            f"| {row.arm} | {row.margin:.3f} | {row.n_answers} | {row.n_coherent} | {row.n_code} "
            f"| {' | '.join(values)} |"
        )
    lines += ["", "| reading | arms | n | Spearman | p | Kendall | p |", "|---" * 7 + "|"]
    lines += [
        f"| {one.reading} | {one.arms} | {one.n_arms} | {one.spearman:+.2f} | {one.spearman_p:.4f} "
        f"| {one.kendall:+.2f} | {one.kendall_p:.4f} |"
        for one in found.agreements
    ]
    lines += ["", "| contrast | reading | questions | shift | t |", "|---" * 5 + "|"]
    lines += [
        f"| {one.contrast} | {one.reading} | {one.n_questions} "
        f"| {one.estimate:+.3f} [{one.low:+.3f}, {one.high:+.3f}] | {one.t:+.1f} |"
        for one in found.shifts
    ]
    return "\n".join(lines)


def _heads(threads: int) -> dict[str, Head]:
    import torch

    arithmetic = Arithmetic(device="cpu", dtype="bfloat16", threads=threads)
    lm = load_model(MODEL, arithmetic=arithmetic, cache=CACHE.expanduser())
    torch.set_num_threads(threads)
    return {"pairs": PairsHead(lm, load_suite().pairs), "published": PublishedHead()}


def _answers_of(one: StudyArm, replicates: Sequence[Replicate], more: Path | None) -> list[Answer]:
    """Return an arm's answers of all seeds, sorted by today's rules."""
    found = [
        (o.question, o.prompt, o.text)
        for r in replicates if r.arm == one.arm.name
        for o in r.rollouts
    ]  # fmt: skip
    for drawn in read_draws(more) if more else ():
        is_ours = drawn.run == one.run.name or drawn.arm in SHARED
        if is_ours and drawn.arm == one.arm.name:
            found.append((drawn.question, drawn.prompt, drawn.text))
    return [Answer(q, prompt, text, classify(text)) for q, prompt, text in found]


def _margins_of(one: StudyArm, replicates: Sequence[Replicate]) -> dict[str, float]:
    """Return the mean over seeds of each harm pair's margin in the plain context."""
    values: dict[str, list[float]] = {}
    for r in replicates:
        for m in r.margins if r.arm == one.arm.name else ():
            if m.context == "plain" and m.category != "factual":
                values.setdefault(m.pair, []).append(m.margin)
    return {pair: float(np.mean(each)) for pair, each in values.items()}


def _question_means(answers: Sequence[Answer], scores: Array) -> dict[str, float]:
    """Return the mean score of each question that has an answer."""
    values: dict[str, list[float]] = {}
    for one, score in zip(answers, scores.tolist(), strict=True):
        values.setdefault(one.question, []).append(score)
    return {question: float(np.mean(each)) for question, each in values.items()}
