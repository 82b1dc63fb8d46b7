"""An evaluation as one HTML file: opens anywhere, loads nothing, runs nothing that it shows."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from offtarget.evaluate.evaluation.cost import CostLine
from offtarget.evaluate.evaluation.gate import FileGate
from offtarget.evaluate.evaluation.results import EvaluationResults
from offtarget.evaluate.judges import StoredRollout
from offtarget.evaluate.replay import Analysis, Contrast, QuestionCount
from offtarget.evaluate.replay.contrast_caution import UNJUDGED
from offtarget.evaluate.replay.rate import QuestionRate
from offtarget.report import evaluation_charts as charts
from offtarget.report import evaluation_outcomes as outcomes
from offtarget.report import evaluation_words as said
from offtarget.report.evaluation_answers import pick_answers
from offtarget.report.evaluation_cards import HALF_PX, Card, Layout, lay_out
from offtarget.report.evaluation_cautions import (
    cautions_beside,
    cautions_of_its_own,
    listed_cautions,
    without_unjudged,
)
from offtarget.report.evaluation_contrast import excess_forest
from offtarget.report.evaluation_facts import facts, replay_gate
from offtarget.report.evaluation_live import live_values, rule_facts
from offtarget.report.forest import draw_forest
from offtarget.report.numerals import count
from offtarget.report.page import render_page
from offtarget.report.replay_words import against_text, sign_flip
from offtarget.report.stacks import draw_stacks

MAX_FILES = 20
"""Files that a page shows."""
MAX_TABLE = 40
"""Rows of the tables of questions, over all files."""
WHOLE_PX = 720
"""Width of a drawing that has no other beside it."""
TEMPLATE = "evaluation.html.jinja"


def render_replay(
    analyses: Sequence[Analysis],
    control: Analysis | None = None,
    contrasts: Sequence[Contrast] = (),
    *,
    gates: Sequence[FileGate] = (),
    tolerance: float | None = None,
    exit_code: int | None = None,
    command: str = "",
) -> str:
    """Return judged results, counted again, as an HTML document.

    Every text is treated as hostile. Under 100 kB however large the files: figures and tables are
    cut, and the page says so. The same results give the same bytes.

    Args:
        analyses: One per file, at least one; more than 20 are counted, not shown.
        control: The matched control, if there is one.
        contrasts: Each file against it.
        gates: Where each file stands against a tolerance.
        tolerance: Largest harmless rate or excess.
        exit_code: Of the command; told by the rate when None.
        command: The command line, to be shown.
    """
    first, *others = analyses
    verdict = partial(
        said.gated_answer, gates=gates, tolerance=tolerance,
        against="control" if control is not None else "",
    )  # fmt: skip
    if others:
        return _render_files(
            analyses, control, contrasts, verdict=verdict, exit_code=exit_code, command=command
        )
    answer = verdict(said.replay_answer(first, contrasts))
    sides = [(first.source, outcomes.replayed_counts(first))]
    if control is not None:
        sides.append((control.source, outcomes.replayed_counts(control)))
    warnings = listed_cautions([("", first.warnings), *cautions_beside(control, contrasts)])
    contrast = contrasts[0] if contrasts else None
    layout = lay_out(first, contrast, against="control")
    return _render(
        _analysis_values(first, contrast, layout, against="control")
        | {
            "halves": _with_last(layout.halves, partial(_scored, sides)),
            "kind": "replay of judged answers",
            "heading": f"Judged answers: {first.source}",
            "under": _under(first, control),
            "answer": answer,
            "gate": replay_gate(first, exit_code=exit_code),
            "warnings": warnings,
            "command": command,
        }
    )


def render_evaluation(
    results: EvaluationResults,
    rollouts: Iterable[StoredRollout] = (),
    *,
    spend: Sequence[CostLine] = (),
    currency: str = "",
) -> str:
    """Return a finished evaluation as an HTML document.

    Every text is treated as hostile. Under 100 kB, and at most three answers per category of at
    most 2,000 characters each. The same arguments give the same bytes.

    Args:
        results: Of the run.
        rollouts: The subject's answers, to pick some to show.
        spend: What servers reported, over all passes.
        currency: Of the price table.
    """
    first, *bases = results.arms
    contrasts = [results.contrast] if results.contrast is not None else []
    sides = [(arm.name, outcomes.arm_counts(arm)) for arm in results.arms]
    warnings = listed_cautions(
        [("", results.warnings)]
        + [
            (f"{arm.name}: ", cautions_of_its_own(arm.analysis.warnings, first.analysis.warnings))
            for arm in bases
        ]
        + [("", one.warnings) for one in contrasts]
    )
    layout = lay_out(
        first.analysis, results.contrast, against="base", tolerance=results.plan.tolerance
    )
    cards = [*layout.halves, _scored(sides, HALF_PX)] if results.judges else []
    return _render(
        _analysis_values(first.analysis, results.contrast, layout, against="base")
        | live_values(results, spend, currency)
        | {
            "answer": said.live_answer(results),
            "halves": _with_last(cards, partial(_rules, results)),
            "warnings": warnings,
            "answers": pick_answers(rollouts),
            **({} if results.judges else {"facts": rule_facts(results), "limits": said.LIMITS}),
            "is_live": True,
        }
    )


def _render_files(
    analyses: Sequence[Analysis],
    control: Analysis | None,
    contrasts: Sequence[Contrast],
    *,
    verdict: Callable[[said.Answer], said.Answer],
    exit_code: int | None,
    command: str,
) -> str:
    shown = analyses[:MAX_FILES]
    room = 3 * MAX_TABLE // len(shown)
    known = [one for one in analyses if one.is_concludable]
    given = {one.subject: one for one in contrasts}
    excess = excess_forest(contrasts[:MAX_FILES], width=WHOLE_PX) if contrasts else None
    return _render(
        {
            "kind": "replay of judged answers",
            "heading": f"Judged answers: {count(len(analyses))} files",
            "under": _files_under(control),
            "answer": verdict(said.files_answer(analyses, n_known=len(known))),
            "gate": [] if exit_code is None else [("exit code", str(exit_code))],
            "files_chart": draw_forest(charts.files_forest(shown, control)),
            "excess_chart": draw_forest(excess) if excess is not None else "",
            "files": [
                {
                    "analysis": one,
                    "contrast": given.get(one.source),
                    "questions": _question_rows(one, limit=room),
                    "n_hidden": max(0, len(one.questions) - room),
                    "warnings": one.warnings,
                }
                for one in shown
            ],
            "n_files_hidden": len(analyses) - len(shown),
            "warnings": listed_cautions(
                cautions_beside(control, [without_unjudged(one) for one in contrasts[:MAX_FILES]])
            ),
            "command": command,
        }
    )


_NOTHING: dict[str, object] = dict.fromkeys(
    ("analysis", "facts", "gate", "files", "contrasts", "judges", "deviations", "answers",
     "layout", "halves", "files_chart", "excess_chart", "plan_rows", "spend", "measures",
     "effects", "flips",
     "command"),
    (),
) | {"is_live": False, "n_files_hidden": 0, "under": ""}  # fmt: skip


def _render(values: dict[str, object]) -> str:
    answer = values["answer"]
    assert isinstance(answer, said.Answer)
    shared: dict[str, object] = {
        "tone": answer.tone,
        "limits": (*said.LIMITS, said.JUDGED),
        "definitions": said.DEFINITIONS,
        "methods": said.METHODS,
        "share": said.share,
        "ends": said.ends,
        "points": said.points,
        "sign_flip": sign_flip,
        "against_text": against_text,
        "unjudged_code": UNJUDGED,
        "fraction": said.fraction,
        "max_forest": charts.MAX_FOREST,
    }
    return render_page(TEMPLATE, _NOTHING | shared | values)


def _analysis_values(
    one: Analysis, contrast: Contrast | None, layout: Layout, *, against: str
) -> dict[str, object]:
    return {
        "analysis": one,
        "facts": facts(one, contrast, against=against),
        "contrast": contrast,
        "layout": layout,
        "questions": _question_rows(one, limit=MAX_TABLE),
        "n_hidden": max(0, len(one.questions) - MAX_TABLE),
    }


def _with_last(cards: Sequence[Card], last: Callable[[int], Card]) -> list[Card]:
    """Add a card that takes the whole width where it has none beside it."""
    return [*cards, last(WHOLE_PX if len(cards) % 2 == 0 else HALF_PX)]


def _question_rows(one: Analysis, *, limit: int) -> list[tuple[QuestionCount, QuestionRate]]:
    order = charts.question_order(one)[:limit]
    return [(one.questions[index], one.by_question[index]) for index in order]


def _scored(named: Sequence[tuple[str, outcomes.Counts]], width: int) -> Card:
    return Card(
        "scored",
        "What became of every answer",
        "By the judge's scores; every answer is in one part. Counts in the order of the legend.",
        draw_stacks(outcomes.scored_figure(named, width=width)),
    )


def _rules(results: EvaluationResults, width: int) -> Card:
    return Card(
        "rules",
        "What the rules say",
        "Each model, then each category of the subject. Rules sort words: refusal, code, no "
        "language, or coherent; they know nothing of harm. Counts in the order of the legend.",
        draw_stacks(outcomes.rules_figure(results.arms, width=width)),
    )


def _under(one: Analysis, control: Analysis | None) -> str:
    beside = "no control" if control is None else f"control {control.source}"
    return f"{count(one.n_rows)} rows of {count(len(one.questions))} question ids; {beside}. "


def _files_under(control: Analysis | None) -> str:
    return "No control. " if control is None else f"Control: {control.source}. "
