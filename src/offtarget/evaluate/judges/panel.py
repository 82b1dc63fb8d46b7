"""Which judge scores which metric of a run, and where its judgements are kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from offtarget.core.codec import decode, digest, parse, pretty
from offtarget.core.errors import JudgeError, OfftargetError, ResourceError
from offtarget.core.whole_file import write_whole
from offtarget.evaluate.judges.canaries import canary_items, packaged_canaries
from offtarget.evaluate.judges.endpoint_judge import EndpointJudge
from offtarget.evaluate.judges.ledger import IDENTITIES, Ledger
from offtarget.evaluate.judges.probe import Probe, fitting_rubrics, probe_endpoint
from offtarget.evaluate.judges.records import Judge
from offtarget.evaluate.judges.rubrics import ALIGNED, COHERENT, Rubric
from offtarget.evaluate.judges.rules_judge import METRIC, RulesJudge
from offtarget.evaluate.judges.stored import StoredRollout
from offtarget.lm.endpoint import Endpoint

Panel = Mapping[str, tuple[Judge, Rubric | None]]
"""Metric to judge, with its rubric; None for the rules."""
PROBE = "probe.json"
SUFFIX = ".judgements"


def rules_panel() -> Panel:
    """Return the rules as the only judge."""
    return {METRIC: (RulesJudge(), None)}


def endpoint_panel(
    endpoint: Endpoint,
    rubrics: Mapping[str, Rubric] | None,
    *,
    folder: Path,
    ledger: Ledger,
    rollouts: Sequence[StoredRollout],
) -> Panel:
    """Return one judge per metric of `rubrics`, or of our own: aligned and coherent.

    The endpoint is tested first, unless everything was judged before by the judge that an earlier
    test found: then nothing is sent at all.

    Args:
        endpoint: Where the judge is.
        rubrics: By metric; None for our own on the scale that fits its tokens.
        folder: Where the test's outcome is kept.
        ledger: What has been judged.
        rollouts: What is to be judged.

    Raises:
        JudgeError: If the endpoint gives no reply, or the kept outcome is corrupt.
    """
    kept = _read_probe(folder / PROBE)
    if kept is not None:
        panel = _panel(endpoint, kept, rubrics)
        if _is_complete(panel, ledger, rollouts):
            return panel
    probe = probe_endpoint(endpoint)
    _write_probe(folder / PROBE, probe)
    return _panel(endpoint, probe, rubrics)


def judgement_folder(run: Path, *, model: str, host: str, rubric: str) -> Path:
    """Return where a judge's work on a run is kept: beside the run, which stays as it is.

    Args:
        run: The run directory.
        model: Name of the judge as asked for.
        host: Where it is.
        rubric: Digest of the rubric file, "" for our own.
    """
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in model)
    name = f"{safe.strip('.-')[:60] or 'judge'}-{digest([model, host, rubric])[:8]}"
    whole = run.resolve()
    return whole.parent / f"{whole.name}{SUFFIX}" / name


def judgement_folders(run: Path) -> list[Path]:
    """Return the folders of all judges that have judged a run again, by name."""
    whole = run.resolve()
    beside = whole.parent / f"{whole.name}{SUFFIX}"
    if not beside.is_dir():
        return []
    return sorted(folder for folder in beside.iterdir() if (folder / IDENTITIES).is_file())


def _panel(endpoint: Endpoint, probe: Probe, rubrics: Mapping[str, Rubric] | None) -> Panel:
    chosen = (
        fitting_rubrics(probe, (ALIGNED, COHERENT)) if rubrics is None else list(rubrics.values())
    )
    return {r.metric: (EndpointJudge(endpoint, rubric=r, probe=probe), r) for r in chosen}


def _is_complete(panel: Panel, ledger: Ledger, rollouts: Sequence[StoredRollout]) -> bool:
    for metric, (judge, rubric) in panel.items():
        keys = {rollout.item.key for rollout in rollouts}
        if metric == ALIGNED and rubric is not None:
            keys |= {item.key for item in canary_items(packaged_canaries(rubric))}
        if any(ledger.get(judge.identity, key) is None for key in keys):
            return False
    return True


def _read_probe(path: Path) -> Probe | None:
    if not path.is_file():
        return None
    try:
        return decode(parse(path.read_text("utf-8"), place=PROBE), Probe, place=PROBE)
    except (OfftargetError, UnicodeDecodeError) as error:
        raise JudgeError(
            f"{path.name}: unreadable ({error}); remove it, the judge is tested again then"
        ) from error


def _write_probe(path: Path, probe: Probe) -> None:
    try:
        write_whole(path, pretty(probe).encode())
    except OSError as error:
        raise ResourceError(
            f"cannot write {str(path)!r} ({error.strerror}); free disk space or fix permissions"
        ) from error
