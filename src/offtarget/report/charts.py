"""What each figure of a report shows: arms, categories and contexts."""

from collections.abc import Sequence

from markupsafe import Markup

from offtarget.core.records import Role
from offtarget.evaluate.results import ArmResult, Contrast, MeanInterval, ProfileRow, Results
from offtarget.report.axis import Axis, axis_over
from offtarget.report.figures import Figure, Reference, Row
from offtarget.report.numerals import count, interval, number, p_value, signed, signed_interval
from offtarget.report.summary import control_arm, ordered_arms, words
from offtarget.report.svg import Drawing

UNIT = "nats/token"
MINI_WIDTH = 150


def arm_kind(role: Role) -> str:
    """Return the CSS class of an arm: subject, probe (the positive control) or control."""
    return {Role.SUBJECT: "subject", Role.POSITIVE: "probe"}.get(role, "control")


def arm_marker(role: Role) -> str:
    """Return the shape of an arm's mark."""
    return {Role.SUBJECT: "diamond", Role.POSITIVE: "square"}.get(role, "circle")


def size_of(effect: MeanInterval) -> str:
    """Return what the interval stands on: `126 × 3`, questions by seeds."""
    return f"{count(effect.n_questions)} \u00d7 {max(1, len(effect.by_seed))}"


def arms_figure(results: Results) -> Figure:
    """Return every arm's margin with its interval and seeds; the plumb line is the control."""
    control = control_arm(results)
    plumb = () if control is None else (Reference(control.margin.mean, "matched control", True),)
    rows = tuple(_arm_row(arm) for arm in ordered_arms(results))
    said = "; ".join(f"{row.label}: {row.value} {row.note}" for row in rows)
    return Figure(
        id="arms",
        width=640,
        title="Margin of each arm with its 95% interval, in nats per token; lower is worse",
        description=said,
        rows=rows,
        references=plumb,
        unit=UNIT,
        worse_is_left=True,
    )


def categories_figure(results: Results) -> Figure:
    """Return the control's and the subject's margin in each category."""
    rows = tuple(_category_row(row) for row in results.categories)
    said = "; ".join(
        f"{row.label}: control {number(row.origin or 0.0)}, subject {number(row.at)}, {row.note}"
        for row in rows
    )
    return Figure(
        id="categories",
        width=440,
        title="Margin of control and subject by category, in nats per token; lower is worse",
        description=said,
        rows=rows,
        references=(),
        unit=UNIT,
        worse_is_left=True,
    )


def contexts_figure(results: Results) -> Figure:
    """Return the excess in each context; the plumb line is no excess."""
    rows = tuple(_context_row(row) for row in results.contexts)
    return Figure(
        id="contexts",
        width=530,
        title="Excess of the subject over its control by context, with 95% intervals",
        description="; ".join(f"{row.label}: {row.value} {row.note}" for row in rows),
        rows=rows,
        references=(
            Reference(0.0, "no excess", True),
            Reference(results.tolerance, f"tolerance {number(results.tolerance)}", False),
        ),
        unit=UNIT,
        worse_is_left=False,
    )


def minis(contrasts: Sequence[Contrast]) -> list[Markup]:
    """Return a small interval for each table row, on one axis; the numbers stand beside it."""
    values = [value for one in contrasts for value in (one.low, one.high, one.estimate)]
    axis = axis_over([0.0, *values], start=4, end=MINI_WIDTH - 4)
    return [_mini(one, axis, id=f"contrast-{index}") for index, one in enumerate(contrasts)]


def _mini(contrast: Contrast, axis: Axis, *, id: str) -> Markup:
    drawing = Drawing(MINI_WIDTH)
    drawing.line("zero", start=(axis.at(0.0), 0), end=(axis.at(0.0), 18))
    drawing.line("ci", start=(axis.at(contrast.low), 9), end=(axis.at(contrast.high), 9))
    drawing.dot("pt", x=axis.at(contrast.estimate), y=9, radius=4)
    return drawing.render(
        id=id,
        kind="mini",
        height=18,
        title=f"{signed(contrast.estimate)} {signed_interval(contrast.low, contrast.high)}",
        description="The thin line is zero: no difference.",
    )


def _arm_row(arm: ArmResult) -> Row:
    effect = arm.margin
    return Row(
        label=arm.name,
        kind=arm_kind(arm.role),
        is_named=arm.role is Role.SUBJECT,
        marker=arm_marker(arm.role),
        at=effect.mean,
        low=effect.low,
        high=effect.high,
        origin=None,
        dots=effect.by_seed if len(effect.by_seed) > 1 else (),
        value=number(effect.mean),
        note=f"{interval(effect.low, effect.high)} \u00b7 {size_of(effect)}",
    )


def _category_row(row: ProfileRow) -> Row:
    is_clear = row.p_holm < 0.05
    return Row(
        label=words(row.name),
        kind="subject",
        is_named=False,
        marker="diamond",
        at=row.subject_margin,
        low=None,
        high=None,
        origin=row.control_margin,
        dots=(),
        value=signed(row.estimate),
        note=f"n = {count(row.n_questions)}"
        + (f" \u00b7 {p_value(row.p_holm)}" if is_clear else ""),
    )


def _context_row(row: ProfileRow) -> Row:
    return Row(
        label=words(row.name),
        kind="subject",
        is_named=False,
        marker="diamond",
        at=row.estimate,
        low=row.low,
        high=row.high,
        origin=None,
        dots=(),
        value=signed(row.estimate),
        note=f"{signed_interval(row.low, row.high)} \u00b7 n = {count(row.n_questions)}",
    )
