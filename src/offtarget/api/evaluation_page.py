"""The page of an evaluation, written: of a run, or of judged answers that were counted again."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from offtarget.api.evaluation import Replay
from offtarget.core.errors import ResourceError
from offtarget.core.run import RunDirectory
from offtarget.core.whole_file import write_whole
from offtarget.evaluate.evaluation.cost import CostLine
from offtarget.evaluate.evaluation.results import EvaluationResults
from offtarget.evaluate.evaluation.run import SUBJECT
from offtarget.evaluate.judges import StoredRollout, stored_rollouts
from offtarget.report.evaluation_page import render_evaluation, render_replay

PAGE = "evaluation.html"


def write_replay_page(found: Replay, out: Path, *, command: Sequence[str] = ()) -> Path:
    """Write judged results, counted again, as one HTML file; return its path.

    Args:
        found: From `replay`.
        out: The file; its folder is made.
        command: The command line, to be shown.

    Raises:
        ResourceError: If it cannot be written.
    """
    page = render_replay(
        found.analyses, found.control, found.contrasts,
        gates=found.gates, tolerance=found.tolerance, exit_code=found.exit_code,
        command=shlex.join(command),
    )  # fmt: skip
    try:
        write_whole(out, page.encode())
    except OSError as error:
        raise ResourceError(
            f"cannot write {str(out)!r} ({error.strerror}); choose another --page"
        ) from error
    return out


def write_evaluation_page(
    run: Path, results: EvaluationResults, *, spend: Sequence[CostLine] = (), currency: str = ""
) -> Path:
    """Write a run's evaluation.html from its results and rollouts; return its path.

    It is left out of the chain: what was spent changes with each pass.

    Raises:
        DataError: If a rollout on disk is corrupt.
    """
    page = render_evaluation(results, _rollouts(run, results), spend=spend, currency=currency)
    RunDirectory(run).write(PAGE, page.encode())
    return run / PAGE


def _rollouts(run: Path, results: EvaluationResults) -> Sequence[StoredRollout]:
    if all(arm.outcomes.n_missing == arm.outcomes.n_planned for arm in results.arms):
        return ()
    return [one for one in stored_rollouts(run) if one.arm == SUBJECT]
