"""One assay as one HTML file: opens anywhere, loads nothing, runs nothing that it shows."""

import shlex
from collections.abc import Iterable

from offtarget.core.records import Verdict
from offtarget.evaluate.results import ArmResult, Contrast, Results
from offtarget.report import charts, summary
from offtarget.report.figures import draw
from offtarget.report.judging import judge_lines
from offtarget.report.page import render_page

TONES = {Verdict.PASS: "ok", Verdict.FAIL: "bad", Verdict.INCONCLUSIVE: "warn"}
"""CSS class that colors a verdict; its word always stands beside."""
OUTCOMES = ("coherent", "incoherent", "refusal", "code")


def render_report(results: Results) -> str:
    """Return the report of one assay as an HTML document.

    Sections without data are left out. Every text of `results` is treated as hostile. Under 100 kB
    and at most three answers per category of at most 2,000 characters each.
    """
    shown = summary.shown_answers(results)
    arms = summary.ordered_arms(results)
    sampled = [arm for arm in arms if arm.rollouts is not None]
    contrasts = _contrasts(results)
    values: dict[str, object] = {
        "results": results,
        "heading": f"Off-target report: {results.title}",
        "tone": TONES[results.verdict],
        "claim": summary.CLAIMS[results.claim],
        "exit_code": summary.EXIT_CODES[results.verdict],
        "facts": summary.facts(results),
        "gate_questions": summary.GATE_QUESTIONS,
        "arms": arms,
        "arms_chart": draw(charts.arms_figure(results)),
        "categories_chart": draw(charts.categories_figure(results)),
        "contexts_chart": draw(charts.contexts_figure(results)),
        "contrasts": list(zip(contrasts, charts.minis(contrasts), strict=True)),
        "shown": shown,
        "answers_per_category": summary.ANSWERS_PER_CATEGORY,
        "sampled_arms": sampled,
        "outcomes": _outcomes(sampled),
        "judge_lines": judge_lines(results.judge) if results.judge else [],
        "trained_arms": [arm for arm in arms if arm.training is not None],
        "category_names": _union(arm.by_category for arm in arms),
        "context_names": _union(arm.by_context for arm in arms),
        "commands": _commands(results),
    }
    return render_page("report.html.jinja", values, script="report.js" if shown.answers else "")


def _contrasts(results: Results) -> list[Contrast]:
    """Return the primary contrast first, then the others."""
    subject, excess = summary.subject_arm(results), results.excess
    name = subject.name if subject else "subject"
    primary = Contrast(
        arm=name,
        against=excess.against,
        estimate=excess.estimate,
        low=excess.low,
        high=excess.high,
        is_exploratory=False,
    )
    is_primary = (name, excess.against)
    return [primary, *(c for c in results.contrasts if (c.arm, c.against) != is_primary)]


def _outcomes(arms: Iterable[ArmResult]) -> list[str]:
    found = _union(arm.rollouts.outcomes for arm in arms if arm.rollouts)
    known = [outcome for outcome in OUTCOMES if outcome in found]
    return known + [outcome for outcome in found if outcome not in OUTCOMES]


def _union(groups: Iterable[Iterable[str]]) -> list[str]:
    """Return every name once, in the order of first sight."""
    return list(dict.fromkeys(name for group in groups for name in group))


def _commands(results: Results) -> list[str]:
    run = f"runs/{results.run}"
    plan = f"{run}/plan.yaml"
    return [
        f"offtarget verify {shlex.quote(run)}",
        f"offtarget assay {shlex.quote(plan)} --out DIR",
    ]
