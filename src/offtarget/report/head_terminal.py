"""A calibrated head in a terminal: what it can do on unseen questions and models, and rates."""

from offtarget.evaluate.judges.jackknife import Estimate
from offtarget.evaluate.labels import Imported, LabelAgreement
from offtarget.evaluate.localjudge import CorrectedRate, CorrectedRates, HeadCard, HeldOut
from offtarget.report.numerals import count, plural
from offtarget.report.screen import BOLD, DIM, Screen, make_screen

MAX_GROUPS = 30
"""Questions or models that are named; the card holds all."""


def head_text(
    card: HeadCard,
    rates: CorrectedRates | None,
    *,
    note: str = "",
    width: int = 100,
    color: bool = False,
    ascii: bool = False,
) -> str:
    """Return a head's card for a terminal; no line is wider than `width`.

    Args:
        card: From `save_head`.
        rates: From the labels, sharpened by the head; None for none.
        note: Why there are no rates.
        width: Columns of the terminal.
        color: Use ANSI colors.
        ascii: Use no character outside ASCII.
    """
    screen = make_screen(width=width, color=color, ascii=ascii)
    blocks = [
        _what(card, screen),
        _skill(card.by_question, screen),
        _skill(card.by_model, screen),
    ]
    if rates is not None:
        blocks.append(_rates(rates, screen, n_undecided=card.n_undecided))
    if note:
        blocks.append(screen.prose(f"no rates: {note}"))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def agreement_text(imported: Imported, found: LabelAgreement, *, width: int = 100) -> str:
    """Return what people said beside what the judge said, for a terminal."""
    screen = make_screen(width=width, color=False, ascii=True)
    lines = []
    for rater, blank, unsure in zip(
        imported.raters, imported.n_blank, imported.n_cannot_tell, strict=True
    ):
        n = len(imported.votes) - blank - unsure
        lines += screen.prose(f"{rater}: {n} labels, {blank} blank, {unsure} cannot tell")
    judge = found.with_judge
    kappa = Estimate(
        judge.value, judge.low, judge.high, judge.n_questions, judge.interval_method, judge.reason
    )
    lines += screen.prose(
        f"people and judge: Cohen's kappa {_number(kappa)} over {plural(judge.n_items, 'row')} of "
        f"{plural(judge.n_questions, 'question')}; both misaligned {found.n_both}, only people "
        f"{found.n_only_people}, only judge {found.n_only_judge}, neither {found.n_neither}"
    )
    lines += screen.prose(
        f"left out: {found.n_unjudged} without a judge's score, {found.n_undecided} without a label "
        "or tied"
    )
    among = found.among_people
    if among is not None:
        alpha = Estimate(
            among.value, among.low, among.high, among.n_questions, among.interval_method,
            among.reason,
        )  # fmt: skip
        lines += screen.prose(f"among people: Krippendorff's alpha {_number(alpha)}")
    lines += screen.prose(f"intervals: {judge.interval_method}, questions as clusters")
    return "\n".join(lines) + "\n"


def _what(card: HeadCard, screen: Screen) -> list[str]:
    first = f"{count(card.n_labels)} labels, {count(card.n_misaligned)} misaligned"
    return [
        screen.paint(screen.own(first), BOLD),
        *screen.prose(
            f"features {card.features[:24]}; {count(card.n_unlabeled)} rows without a label left out"
            + (
                f", {count(card.n_undecided)} of them undecided by people"
                if card.n_undecided
                else ""
            )
        ),
        *screen.prose(f"use: {card.use}"),
    ]


def _skill(skill: HeldOut, screen: Screen) -> list[str]:
    title = f"each {skill.by.value} scored by a head that has not seen it"
    lines = [screen.paint(screen.own(title), DIM)]
    if skill.reason:
        return [*lines, *screen.prose(skill.reason)]
    for label, one in (
        ("AUROC, all answers", skill.pooled),
        (f"AUROC within a {skill.by.value}, mean", skill.within_groups),
        (f"AUROC within one question of one model ({skill.n_cells})", skill.within_cells),
        ("calibration error (ECE)", skill.calibration_error),
    ):
        lines.append(f"{screen.cell(label, 48)}  {screen.own(_number(one))}")
    for group in skill.groups[:MAX_GROUPS]:
        found = f"{group.n_misaligned} of {group.n}  {_number(group.auroc)}"
        lines.append(f"  {screen.cell(group.group, 46)}  {screen.own(found)}")
    if len(skill.groups) > MAX_GROUPS:
        lines.append(f"  and {len(skill.groups) - MAX_GROUPS} more")
    return lines


def _rates(rates: CorrectedRates, screen: Screen, *, n_undecided: int) -> list[str]:
    title = "misaligned share, from the labels with the head as control variate"
    lines = [screen.paint(screen.own(title), DIM)]
    for one in (*rates.questions[:MAX_GROUPS], rates.overall):
        name = one.question or "these questions"
        lines.append(f"{screen.cell(name, 36)}  {screen.own(_rate(one))}")
    lines += screen.prose(
        "valid if the labeled rows are a random draw of each question's rows; two-sided 95 % for "
        "these questions and weights"
    )
    if n_undecided:
        lines += screen.prose(
            f"{count(n_undecided)} undecided: answers that people could not tell are in no rate, so "
            "it speaks of answers that they could"
        )
    return lines


def _rate(one: CorrectedRate) -> str:
    if one.rate is None or one.low is None or one.high is None:
        return f"no rate: {one.reason}"
    saved = ""
    if one.width_labels:
        saved = f"  width {(one.high - one.low) / one.width_labels:.2f} of labels alone"
    return (
        f"{100 * one.rate:.1f}% [{100 * one.low:.1f}, {100 * one.high:.1f}]  "
        f"{one.k} of {one.n_labels} labels, {one.n_unlabeled} more{saved}"
    )


def _number(one: Estimate) -> str:
    if one.value is None:
        return f"none: {one.reason}"
    if one.low is None or one.high is None:
        return f"{one.value:.3f}, no interval: {one.reason}"
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"
