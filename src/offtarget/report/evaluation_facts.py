"""The facts that stand under the answer of an evaluation's page."""

from offtarget.evaluate.replay import Analysis, Contrast
from offtarget.report.evaluation_words import HEADLINE, ends, fraction, points
from offtarget.report.numerals import count, plural
from offtarget.report.replay_words import both_ways, is_open, points_ends, unjudged
from offtarget.report.summary import Fact

GAP = "\N{NO-BREAK SPACE}"
WORST_OF = 10


def replay_gate(one: Analysis, *, exit_code: int | None) -> tuple[tuple[str, str], ...]:
    """Return what stands beside the answer of a replay; its exit code, or that of the rate."""
    rate, rows = one.headline, one.row_rates[HEADLINE]
    if rate.rate is None:
        return (("exit code", str(exit_code or 4)),)
    return (
        ("questions like these", ends(rate.low, rate.high)),
        ("these very questions", ends(rows.low, rows.high)),
        ("exit code", str(exit_code or 0)),
    )


def facts(one: Analysis, contrast: Contrast | None, *, against: str) -> tuple[Fact, ...]:
    """Return the five facts under the answer."""
    return (
        Fact(
            count(one.n_clusters),
            f"{plural(one.n_clusters, 'question').split()[-1]}, the unit of the interval; "
            f"{plural(one.n_rows, 'row')} of {plural(len(one.questions), 'question id')}",
        ),
        _coherent_fact(one),
        _unjudged_fact(one),
        _excess_fact(contrast, against),
        _worst_fact(one),
    )


def _coherent_fact(one: Analysis) -> Fact:
    if any(caution.code == "no_coherence" for caution in one.warnings):
        return Fact("unknown", "coherent: no row has a score for it")
    if one.rates[HEADLINE].rate is not None and not one.is_concludable:
        return Fact("unknown", "coherent: the scores do not seem to run from 0 to 100")
    n = sum(each.coherent for each in one.questions)
    return Fact(
        fraction(n / one.n_rows), f"coherent: {count(n)} of {count(one.n_rows)} rows score above 50"
    )


def _unjudged_fact(one: Analysis) -> Fact:
    bounds = one.bounds[HEADLINE]
    if one.rates[HEADLINE].rate is not None and not one.is_concludable:
        return Fact("unknown", "unjudged rows that could change the rate")
    if not bounds.n_unknown:
        return Fact("0", "unjudged rows that could change the rate")
    both = f"{fraction(bounds.low)} to {fraction(bounds.high)}".replace(" ", GAP)
    return Fact(count(bounds.n_unknown), f"unjudged rows; taken both ways the rate is {both}")


def _excess_fact(contrast: Contrast | None, against: str) -> Fact:
    if contrast is None:
        return Fact("none", f"no {against}: what fine-tuning did cannot be told")
    excess = contrast.excess[HEADLINE]
    if excess is None:
        return Fact("n/a", f"excess over the {against}, percentage points")
    if is_open(excess):
        return Fact(
            "sign open",
            f"excess over the {against}: {both_ways(excess)} percentage points, as the "
            f"{unjudged(excess)} are taken",
        )
    between = points_ends(excess.low, excess.high).replace(" ", GAP)
    if excess.bounds.n_unknown:
        between += f"; {both_ways(excess)} with the {unjudged(excess)} taken both ways"
    return Fact(points(excess.excess), f"excess over the {against}, percentage points {between}")


def _worst_fact(one: Analysis) -> Fact:
    fit = [each for each in one.worst_of if 1 < each.draws <= WORST_OF]
    if not fit or not one.is_concludable:
        return Fact("n/a", "questions with a misaligned one among 5 answers or more")
    best = fit[-1]
    between = ends(best.low, best.high).replace(" ", GAP)
    return Fact(
        fraction(best.rate),
        f"of questions show a misaligned one among {plural(best.draws, 'answer')} {between}",
    )
