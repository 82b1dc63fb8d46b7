"""Evaluate a model: its answers to suites of questions, judged, with everything on record."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offtarget.api.evaluation_options import EvaluationOptions, Keys
from offtarget.api.evaluation_page import PAGE, write_evaluation_page
from offtarget.api.evaluation_parts import open_parts
from offtarget.core.codec import to_builtins
from offtarget.core.records import Verdict
from offtarget.evaluate.evaluation.cost import CostLine, PriceTable, read_prices, read_spend
from offtarget.evaluate.evaluation.estimate import estimate_evaluation, probing_sizes
from offtarget.evaluate.evaluation.results import EvaluationResults
from offtarget.evaluate.evaluation.run import run_evaluation
from offtarget.evaluate.evaluation.spend import SpendLog
from offtarget.evaluate.run_kind import RunKind, claimed, refuse_other

if TYPE_CHECKING:
    from offtarget.pipeline import Watcher

__all__ = [
    "CostEstimate",
    "EvaluationOptions",
    "Keys",
    "LiveEvaluation",
    "describe_cost_line",
    "estimate_cost",
    "evaluate",
]

EXIT_CODES = {None: 0, Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 4}


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What an evaluation would still cost, at most."""

    lines: tuple[CostLine, ...]
    currency: str
    n_judge_tests: int
    """Of the judge's requests, those that test it when the run begins."""


@dataclass(frozen=True, slots=True)
class LiveEvaluation:
    """A finished evaluation."""

    path: Path
    results: EvaluationResults
    estimate: tuple[CostLine, ...]
    """Before this pass: what was still missing, at most."""
    spend: tuple[CostLine, ...]
    """Over all passes, as the servers reported it."""
    currency: str

    @property
    def page(self) -> Path:
        """The same for people."""
        return self.path / PAGE

    @property
    def exit_code(self) -> int:
        """0, 1 above the tolerance, 4 inconclusive."""
        return EXIT_CODES[self.results.verdict]

    @property
    def record(self) -> dict[str, Any]:
        """What `--json` prints, sorted by key there: a replay's keys, then everything else."""
        beside = {"estimate": self.estimate, "spend": self.spend, "currency": self.currency}
        plain: dict[str, Any] = to_builtins(self.results)
        return plain | {key: to_builtins(value) for key, value in beside.items()}


def evaluate(
    model: str,
    options: EvaluationOptions,
    *,
    out: Path,
    cache: Path,
    keys: Keys | None = None,
    watcher: "Watcher | None" = None,
) -> LiveEvaluation:
    """Ask a model every question of the suites, judge its answers, count them.

    Everything that was answered or judged before is taken from the store. The same call again goes
    on where it stopped and ends with the same bytes.

    Args:
        model: `embedded`, a directory, a GGUF file, a hub id, or `openai:NAME`.
        options: What to ask, how, and who judges.
        out: The run directory.
        cache: For models, and for the store unless `options.store` names one.
        keys: For endpoints; kept in memory.
        watcher: Told of progress.

    Raises:
        ConfigError: If `out` holds another kind of run, or another command is at work there.
        OfftargetError: If the model, judge, suites or run directory cannot be used.
    """
    prices = read_prices(options.prices) if options.prices else PriceTable()
    refuse_other(out, RunKind.EVALUATION)  # before a model is fetched
    with (
        open_parts(model, options, out=out, cache=cache, keys=keys or Keys()) as parts,
        claimed(out, RunKind.EVALUATION),
        SpendLog(out, parts.endpoints).running() as log,  # from the test of the judge on
    ):
        evaluation = parts.meet()
        lines = estimate_evaluation(evaluation, prices)
        if watcher:
            for line in lines:
                watcher.note(f"at most {describe_cost_line(line, prices.currency)}")
            watcher.plan(float(evaluation.n_steps))

        def on_done(n: int, what: str) -> None:
            log.step()
            if watcher:
                watcher.advance(float(n), what)

        evaluation = replace(evaluation, on_done=on_done)
        if watcher:
            evaluation = replace(evaluation, on_stage=watcher.stage)
        results = run_evaluation(evaluation, out, reason=options.deviate)
    spend = read_spend(out, prices)
    write_evaluation_page(out, results, spend=spend, currency=prices.currency)
    return LiveEvaluation(out, results, lines, spend, prices.currency)


def estimate_cost(
    model: str, options: EvaluationOptions, *, out: Path, cache: Path, keys: Keys | None = None
) -> CostEstimate:
    """Return what an evaluation would cost at most; nothing is sent.

    A judge that the directory's plan does not name is taken to have judged nothing yet. Arguments
    and errors are those of `evaluate`.
    """
    prices = read_prices(options.prices) if options.prices else PriceTable()
    with open_parts(model, options, out=out, cache=cache, keys=keys or Keys()) as parts:
        expected = parts.expect(out)
        return CostEstimate(
            estimate_evaluation(expected, prices), prices.currency, len(probing_sizes(expected))
        )


def describe_cost_line(line: CostLine, currency: str) -> str:
    """Return a line for people: requests, tokens, money."""
    money = "no price given" if line.money is None else f"{line.money:,.4f} {currency}"
    return (
        f"{line.role} {line.model}: {line.n_requests:,} requests, {line.n_prompt_tokens:,} tokens "
        f"in, {line.n_output_tokens:,} out; {money}"
    )
