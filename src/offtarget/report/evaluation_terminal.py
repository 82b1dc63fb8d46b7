"""A live evaluation in a terminal: rates as in a replay, then what was done and what it cost."""

from collections.abc import Sequence
from dataclasses import replace

from offtarget.core.stats import Rate
from offtarget.evaluate.evaluation.capability import Capability
from offtarget.evaluate.evaluation.context_effects import ContextEffects
from offtarget.evaluate.evaluation.cost import CostLine
from offtarget.evaluate.evaluation.outcomes import Kinds
from offtarget.evaluate.evaluation.results import ArmResult, EvaluationResults
from offtarget.report.evaluation_words import gap_text
from offtarget.report.gate_words import NOTHING_SEEN, gate_text
from offtarget.report.replay_terminal import replay_text
from offtarget.report.screen import BOLD, Screen, make_screen


def evaluation_text(
    results: EvaluationResults,
    spend: Sequence[CostLine],
    *,
    currency: str,
    width: int = 100,
    color: bool = False,
    ascii: bool = False,
) -> str:
    """Return a finished evaluation for a terminal; names and reasons are made safe to show.

    Args:
        results: Of the run.
        spend: What servers reported, over all passes.
        currency: Of the price table.
        width: Columns of the terminal.
        color: Use ANSI colors; the words say the same without them.
        ascii: Use no character outside ASCII.
    """
    screen = make_screen(width=width, color=color, ascii=ascii)
    lines: list[str] = []
    for arm in results.arms:
        lines += _arm(arm, screen, pairs=results.plan.pairs)
    excess = results.excess_margin
    if excess is not None:
        lines += screen.prose(
            f"excess margin over the base {excess.estimate:+.4f} nats/token "
            f"[{excess.low:+.4f}, {excess.high:+.4f}], {excess.n_questions} questions; positive is "
            "more misaligned; a base is no matched control"
        )
    if results.contexts is not None:
        lines += _effects(results.contexts, screen)
    if results.left_out:
        lines += screen.prose(
            f"{len(results.left_out):,} rows of question files were left out (first: "
            f"{results.left_out[0]})"
        )
    if results.flips is not None:
        lines += screen.prose(
            f"judge swayed by instructions in answers: {results.flips.n_flipped} of "
            f"{results.flips.n} [{results.flips.low:.0%}, {results.flips.high:.0%}] (canaries)"
        )
    if results.sight is not None:
        lines += screen.prose(f"judge {results.sight.text} (canaries without instructions)")
    for deviation in results.deviations:
        lines += screen.prose(
            f"deviation from the plan: {deviation.field} was {deviation.planned}, is "
            f"{deviation.done} ({deviation.reason}); {deviation.n_drawn:,} rollouts were there"
        )
    for line in spend:
        money = "no price given" if line.money is None else f"{line.money:,.4f} {currency}"
        lines += screen.prose(
            f"spent on {line.role} {line.model}: {line.n_requests:,} requests, "
            f"{line.n_prompt_tokens:,} tokens in, {line.n_output_tokens:,} out; {money}"
        )
    against = "base" if results.contrast is not None else ""
    said = gate_text(results.gate, tolerance=results.plan.tolerance, against=against)
    verdict = [screen.paint(line, BOLD) for line in screen.prose(said)]
    lines += verdict
    first = ""
    if results.gate in NOTHING_SEEN:  # the rates come after the word that they show nothing
        first = "\n".join([*verdict, "As counted by it, which says nothing:"]) + "\n\n"
    rates = _rates(results, width=width, color=color, ascii=ascii)
    return first + rates + "\n" + "\n".join(lines) + "\n"


def _rates(results: EvaluationResults, *, width: int, color: bool, ascii: bool) -> str:
    analyses = [replace(results.arms[0].analysis, warnings=results.warnings)]
    control = results.arms[1].analysis if len(results.arms) > 1 else None
    contrasts = [results.contrast] if results.contrast is not None else []
    if not results.judges:
        return ""
    return replay_text(analyses, control, contrasts, width=width, color=color, ascii=ascii)


def _arm(arm: ArmResult, screen: Screen, *, pairs: str) -> list[str]:
    counts = arm.outcomes
    name = counts.identity.name + (
        f" + {counts.identity.adapter}" if counts.identity.adapter else ""
    )
    lines = [screen.paint(line, BOLD) for line in screen.prose(f"{arm.name}: {name}")]
    kinds = _sum(counts.questions)
    lines += screen.prose(
        f"{counts.n_planned:,} rollouts of {len(counts.questions)} questions; by rule "
        f"{kinds.coherent:,} coherent, {kinds.refusal:,} refusals, {kinds.code:,} code, "
        f"{kinds.incoherent:,} incoherent, {counts.n_missing:,} without an answer"
    )
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in counts.missing.items())
    lines += screen.prose(
        f"{counts.n_unjudged:,} not judged, {counts.n_excluded:,} excluded by the judge, "
        f"{counts.n_cut:,} cut at the limit of tokens"
        + (f"; missing: {reasons}" if reasons else "")
    )
    for category in counts.categories:
        lines += screen.prose(
            f"{category.name}: {category.coherent:,} of {category.n:,} coherent, "
            f"{category.refusal:,} refusals, {category.missing:,} missing",
            first="  ",
        )
    if arm.margin is not None:
        margin, alone = arm.margin, arm.margin.answer_only
        lines += screen.prose(
            f"margin on {pairs} {margin.margin:+.4f} nats/token [{margin.low:+.4f}, "
            f"{margin.high:+.4f}] over {margin.n_questions} questions; of the answers alone, without "
            f"the question, {alone.margin:+.4f} [{alone.low:+.4f}, {alone.high:+.4f}]; "
            f"{margin.n_factual_right} of {margin.n_factual} factual "
            f"pairs right [{margin.factual_low:.0%}, {margin.factual_high:.0%}]"
        )
    if arm.capability is not None:
        lines += _able(arm.capability, screen)
    return lines


def _able(able: Capability, screen: Screen) -> list[str]:
    lines: list[str] = []
    for one in (able.prose, able.code):
        if one is not None:
            lines += screen.prose(
                f"perplexity on clean {one.kind} {one.perplexity:.1f} ({one.nats_per_token:.3f} "
                f"nats/token [{one.low:.3f}, {one.high:.3f}], {one.n_texts} texts)"
            )
    if able.written is not None:
        missing = f"; {able.n_missing:,} tasks without an answer" if able.n_missing else ""
        parts = (
            ("with code", able.written.with_code),
            ("parse", able.written.parses),
            ("insecure", able.written.insecure),
        )
        shares = ", ".join(f"{share_text(rate)} {name}" for name, rate in parts if rate is not None)
        lines += screen.prose(f"code written: {shares or 'none'}{missing}")
    return lines


def share_text(rate: Rate) -> str:
    """Return `12 of 24 [30%, 70%]`."""
    interval = (
        "" if rate.low is None or rate.high is None else f" [{rate.low:.0%}, {rate.high:.0%}]"
    )
    return f"{rate.k:,} of {rate.n:,}{interval}"


def _effects(effects: ContextEffects, screen: Screen) -> list[str]:
    lines: list[str] = []
    named = (
        ("context gap, covert - educational", effects.gap),
        ("look-alike excess", effects.lookalike),
    )
    for name, contrast in named:
        if contrast is not None:
            lines += screen.prose(f"{name} {gap_text(contrast)}")
    worst = effects.worst
    if worst is not None:
        interval = worst.reason
        if worst.low is not None and worst.high is not None:
            interval = f"[{worst.low:+.1%}, {worst.high:+.1%}]"
        lines += screen.prose(
            f"worst context {worst.name}: excess {worst.mean:+.1%} {interval}, "
            f"{len(worst.contexts)} contexts, {worst.n_questions} questions"
        )
    told = effects.discrimination
    if told is not None:
        low = "none" if told.low is None else f"{told.low:.2f}"
        high = "none" if told.high is None else f"{told.high:.2f}"
        lines += screen.prose(
            f"tells covert from educational requests: d' {told.d_prime:.2f} [{low}, {high}]; "
            f"declined {share_text(told.refused_covert)} covert, "
            f"{share_text(told.over_refusal)} educational"
        )
    return lines


def _sum(parts: Sequence[Kinds]) -> Kinds:
    return Kinds(
        name="",
        n=sum(one.n for one in parts),
        coherent=sum(one.coherent for one in parts),
        incoherent=sum(one.incoherent for one in parts),
        refusal=sum(one.refusal for one in parts),
        code=sum(one.code for one in parts),
        missing=sum(one.missing for one in parts),
    )
