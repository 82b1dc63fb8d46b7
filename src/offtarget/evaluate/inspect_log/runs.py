"""The logs that a finished run makes, whether it is an assay's or an evaluation's."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.chain import read_chain
from offtarget.core.codec import file_digest
from offtarget.core.errors import ConfigError, VerifyError
from offtarget.core.run import read_timings
from offtarget.evaluate.inspect_log.rollout import LoggedRollout, LogHead
from offtarget.evaluate.run_kind import RunKind, kind_of


@dataclass(frozen=True, slots=True)
class RunLog:
    """One log to be: its head, and its rollouts read from disk when asked for."""

    name: str
    """File name without ending."""
    head: LogHead
    rollouts: Callable[[], Iterator[LoggedRollout]]
    """Raises VerifyError with file and line for a malformed record."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run's directory and what its chain says was written there."""

    path: Path
    kind: RunKind | None
    made: Mapping[str, str]
    """Relative path to sha256."""
    chain_sha256: str
    times: Mapping[str, float]
    """When each stage ended, seconds since 1970."""

    @classmethod
    def read(cls, path: Path) -> "FinishedRun":
        """Read the chain.

        Raises:
            VerifyError: If this is no run, or its chain is broken.
        """
        chain = read_chain(path)
        made = {name: sha for stage in chain.stages for name, sha in stage.outputs.items()}
        times = {str(t["stage"]): float(t["at"]) for t in read_timings(path) if "at" in t}
        return cls(path, kind_of(chain), made, chain.sha256, times)

    def file(self, relative: str) -> Path:
        """Return the path of a file, unchanged since the run wrote it.

        Raises:
            VerifyError: If it is missing or was changed.
        """
        path = self.path / relative
        if relative not in self.made or not path.is_file():
            raise VerifyError(f"{relative}: missing; run to the end or restore the file")
        if file_digest(path) != self.made[relative]:
            raise VerifyError(f"{relative}: changed since the run wrote it; restore it from a copy")
        return path

    def ended(self, stage: str) -> float:
        """Return when a stage ended; where that was not logged, when the run did."""
        return self.times.get(stage, (self.path / "run.json").stat().st_mtime)


def run_logs(path: Path) -> list[RunLog]:
    """Return the logs that a run makes: one per arm and training seed, or one per model.

    Raises:
        ConfigError: If the run sampled no answers, or is hosted training.
        VerifyError: If this is no finished run, or a record was changed since it was written.
    """
    run = FinishedRun.read(path)
    if run.kind is RunKind.HOSTED:
        raise ConfigError(
            f"{path.name}: hosted training samples no answers; there is nothing to export before "
            "`offtarget evaluate` of a model in its arms.json"
        )
    if run.kind is RunKind.ASSAY:
        from offtarget.evaluate.inspect_log.assay_run import assay_logs

        return assay_logs(run)
    if run.kind is RunKind.EVALUATION:
        from offtarget.evaluate.inspect_log.evaluation_run import evaluation_logs

        return evaluation_logs(run)
    raise VerifyError(
        f"{path.name}: its chain has no plan; give the directory of an assay or an evaluation"
    )
