"""All comparisons in order, between two probes of the machine."""

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import limits
import margins
import rollouts
import table
import training
from measure import Measurement
from probe import Peak, best, probe
from setting import Setting, open_setting, sizes_of

from offtarget.evaluate import current_versions
from offtarget.lm import EncodedSample, LanguageModel, choose_arithmetic

if TYPE_CHECKING:
    from run import Sizing

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Timings:
    """All rounds of all comparisons, and the probes around them."""

    first: Peak
    last: Peak
    found: dict[str, dict[str, Measurement]]
    """Stage to contender to its rounds."""
    rows: list[EncodedSample]
    steps: rollouts.DecodeSteps


@dataclass(frozen=True, slots=True)
class Agreements:
    """Whether both sides give the same answers."""

    training: tuple[training.Agreement, ...]
    margins: margins.ScoreEquality
    sampling: rollouts.GreedyEquality


def run_stages(
    sizing: "Sizing", *, dtype: str, targets: Mapping[str, float], say: Say
) -> tuple[dict[str, Any], str]:
    """Return the results for the JSON file, and the Markdown text."""
    setting = open_setting(choose_arithmetic("cpu", dtype))
    say(
        f"arithmetic of a plan here: {setting.arithmetic.dtype}, {setting.arithmetic.threads} threads"
    )
    timings = _time(setting, sizing, say)
    say("checking that both sides give the same answers")
    agreements = _agree(setting, sizing)
    lm = setting.load()
    shares = _shares(lm, setting, sizing, timings)
    ratios = _ratios(timings.found, targets)
    text = "\n\n".join(
        [
            table.ratio_table(ratios, timings.found),
            table.check_table(_checks(agreements)),
            table.share_table(shares),
            table.peak_line("first", timings.first) + "\n" + table.peak_line("last", timings.last),
            table.settings_list(timings.found),
        ]
    )
    results = {
        "schema": 1,
        "versions": _versions(),
        "arithmetic": setting.arithmetic,
        "sizing": sizing,
        "parameters": sizes_of(lm),
        "n_train_tokens": sum(row.length for row in timings.rows),
        "peak": {"first": timings.first, "last": timings.last},
        "ratios": ratios,
        "rounds": {stage: list(sides.values()) for stage, sides in timings.found.items()},
        "agreement": agreements,
        "limits": shares,
    }
    return results, text


def _time(setting: Setting, sizing: "Sizing", say: Say) -> Timings:
    first = probe()
    found: dict[str, dict[str, Measurement]] = {}
    found["training"], rows = training.compare_training(
        setting, n_rows=sizing.train_rows, rounds=sizing.rounds, peers=training.PEERS, say=say
    )
    found["margins"] = margins.compare_margins(
        setting, n_pairs=sizing.pairs, rounds=sizing.rounds, say=say
    )
    found["sampling"], steps = rollouts.compare_sampling(
        setting, n_prompts=sizing.prompts, max_tokens=sizing.max_tokens, rounds=sizing.rounds,
        say=say,
    )  # fmt: skip
    return Timings(first, probe(), found, rows, steps)


def _agree(setting: Setting, sizing: "Sizing") -> Agreements:
    losses = [
        training.check_agreement(setting, dtype=name, n_steps=sizing.agreement_steps)
        for name in ("float32", "bfloat16")
    ]
    return Agreements(
        tuple(losses),
        margins.check_equality(setting, n_pairs=sizing.pairs),
        rollouts.check_greedy(
            setting, n_prompts=sizing.greedy_prompts, max_tokens=sizing.max_tokens
        ),
    )


def _shares(
    lm: LanguageModel, setting: Setting, sizing: "Sizing", timings: Timings
) -> dict[str, list[limits.Share]]:
    dtype, sizes, peak = setting.arithmetic.dtype, sizes_of(lm), best(timings.first, timings.last)
    # TRL multiplies in bfloat16 wherever bf16=True, its default: by autocast, or by its weights
    dtypes = {
        one.name: "bfloat16" if one.options.get("bf16", True) else "float32"
        for one in training.PEERS
    }
    dtypes[training.OURS] = dtype
    found = timings.found
    steps = {rollouts.OURS: timings.steps.ours, rollouts.PEER: timings.steps.theirs}
    counts = margins.token_counts(lm, sizing.pairs)
    return {
        "training": limits.training_shares(found["training"], timings.rows, sizes, peak, dtypes),
        "margins": limits.scoring_shares(found["margins"], counts, sizes, peak, dtype),
        "sampling": limits.sampling_shares(found["sampling"], steps, sizes, peak, dtype),
    }


def _checks(found: Agreements) -> list[tuple[str, str, bool]]:
    """Return (what, found, met) for every agreement."""
    checks = [
        (
            f"training loss of each of {len(one.ours)} steps, {one.dtype}, against {one.peer}",
            _apart(one.max_difference, one.bound),
            one.is_met,
        )
        for one in found.training
    ]
    scores, greedy = found.margins, found.sampling
    checks.append(
        (
            f"mean log-probability of {scores.n_answers} answers, float32",
            _apart(scores.max_difference, scores.bound),
            scores.is_met,
        )
    )
    checks.append(
        (
            f"greedy tokens of {greedy.n_prompts} answers, float32",
            f"{greedy.n_different} answers differ; {greedy.n_tokens} tokens in all",
            greedy.is_met,
        )
    )
    return checks


def _apart(difference: float, bound: float) -> str:
    return f"{difference:.1e} nats/token apart at most, bound {bound:.0e}"


def _ratios(
    found: Mapping[str, Mapping[str, Measurement]], targets: Mapping[str, float]
) -> list[table.Ratio]:
    ratios = [
        table.ratio_of(
            "training", "tokens", found["training"], name, targets.get(name, targets["tuned"])
        )
        for name in found["training"]
        if name != table.OURS
    ]
    for stage, unit, peer in (
        ("margins", "pairs", margins.PEER),
        ("sampling", "tokens", rollouts.PEER),
    ):
        ratios.append(table.ratio_of(stage, unit, found[stage], peer, targets[stage]))
    return ratios


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    peers = {name: version(name) for name in ("trl", "datasets", "accelerate")}
    return {**current_versions(), **peers, "processor": platform.processor() or platform.machine()}
