"""A run directory: the only place that knows paths, and the chain over all that happened."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offtarget.core.codec import canonical, decode, digest, file_digest, parse, pretty, read_lines
from offtarget.core.errors import DataError, ResourceError, VerifyError

SCHEMA = 1
ZERO = "0" * 64


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What one finished stage read, wrote and was told to do."""

    name: str
    config_sha256: str
    inputs: dict[str, str]
    """Name to sha256: files of the run by relative path, other inputs by a plain name."""
    outputs: dict[str, str]
    """Relative path to sha256."""
    previous: str
    """`sha256` of the record before; 64 zeros for the first."""
    sha256: str
    """Over all other fields."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The content of run.json."""

    schema: int
    run: str
    stages: tuple[StageRecord, ...]
    sha256: str
    """Over schema, run and the last stage's sha256."""


@dataclass(slots=True)
class RunDirectory:
    """One run on disk. A stage is skipped if and only if its inputs, config and outputs match."""

    path: Path
    stages: list[StageRecord] = field(default_factory=list)
    """Finished in this pass, in order."""
    _earlier: dict[str, StageRecord] = field(default_factory=dict)
    """Finished in an earlier pass and not reached yet in this one."""
    _whole: set[str] = field(default_factory=set)
    """Names of earlier stages whose outputs were read and found unchanged."""

    @classmethod
    def open(cls, path: Path) -> "RunDirectory":
        """Open a run directory and read what it has finished; the first write creates it.

        Raises:
            VerifyError: If run.json is corrupt or of a newer schema.
            ResourceError: If the directory cannot be written.
        """
        if path.exists() and not path.is_dir():
            raise ResourceError(
                f"cannot write run directory {str(path)!r} (Not a directory); choose another --out"
            )
        run = cls(path)
        if (path / "run.json").exists():
            run._earlier = {record.name: record for record in read_chain(path).stages}
        return run

    def file(self, relative: str) -> Path:
        """Return the path of a file of this run; its folder exists afterwards."""
        path = self.path / relative
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _write_error(path, error) from error
        return path

    def is_done(self, name: str, *, config: object, inputs: Mapping[str, str]) -> bool:
        """Return whether this stage was finished with the same config, inputs and outputs.

        If so it takes its place in the chain again. Stages are looked up by name, so a study that
        changes only the evaluation keeps its trained arms.
        """
        record = self._earlier.pop(name, None)
        if record is None or record.config_sha256 != digest(config):
            return False
        if record.inputs != dict(inputs) or not self._has(record.outputs):
            return False
        self._append(name, record.config_sha256, record.inputs, record.outputs)
        return True

    def adopt(self, name: str) -> bool:
        """Take over a finished stage as it stands; return whether there is one, unchanged."""
        record = self._earlier.pop(name, None)
        if record is None or not self._has(record.outputs):
            return False
        self._append(name, record.config_sha256, record.inputs, record.outputs)
        return True

    def repeat(self, record: StageRecord) -> None:
        """Append another run's stage, whose outputs were copied here."""
        self._append(record.name, record.config_sha256, record.inputs, record.outputs)
        self._save(keep_earlier=True)

    def finish(
        self, name: str, *, config: object, inputs: Mapping[str, str], outputs: Sequence[str]
    ) -> None:
        """Append a stage to the chain; its outputs must be on disk."""
        made = {relative: file_digest(self.path / relative) for relative in sorted(outputs)}
        self._append(name, digest(config), dict(inputs), made)
        self._save(keep_earlier=True)

    def close(self) -> None:
        """Write the chain of this pass alone; stages that were not reached again are dropped."""
        self._save(keep_earlier=False)

    def output_digest(self, relative: str) -> str:
        """Return the digest of a file that a finished stage wrote, or "" if none did."""
        for record in self.stages:
            if relative in record.outputs:
                return record.outputs[relative]
        return ""

    def _append(
        self, name: str, config_sha256: str, inputs: dict[str, str], outputs: dict[str, str]
    ) -> None:
        self.stages.append(seal_stage(name, config_sha256, inputs, outputs, self.head))

    def _save(self, *, keep_earlier: bool) -> None:
        """Write run.json; until the pass is complete, earlier stages stand behind its own."""
        stages = list(self.stages)
        for old in self._earlier.values() if keep_earlier else ():
            if old.name in self._whole or self._has(old.outputs):
                self._whole.add(old.name)  # read once: a resumed run may hold thousands of stages
                previous = stages[-1].sha256 if stages else ZERO
                stages.append(
                    seal_stage(old.name, old.config_sha256, old.inputs, old.outputs, previous)
                )
        content = pretty(seal_chain(self.path.name, stages)).encode()
        path = self.path / "run.json"
        if not path.exists() or path.read_bytes() != content:
            self.write("run.json", content)

    def _has(self, outputs: Mapping[str, str]) -> bool:
        return all(
            (self.path / relative).is_file() and file_digest(self.path / relative) == sha256
            for relative, sha256 in outputs.items()
        )

    @property
    def head(self) -> str:
        """Digest of the last finished stage."""
        return self.stages[-1].sha256 if self.stages else ZERO

    def write(self, relative: str, content: bytes) -> None:
        """Write a file at once: to a temporary name, then renamed."""
        path = self.file(relative)
        partial = path.with_name(path.name + ".part")
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise _write_error(path, error) from error

    def log_time(self, stage: str, **values: float | int | str) -> None:
        """Append to timings.jsonl: chained line by line, left out of comparisons."""
        path = self.file("timings.jsonl")
        previous = _last_link(path)
        entry: dict[str, Any] = {"stage": stage, "at": round(time.time(), 3), **values}
        entry["previous"] = previous
        entry["sha256"] = digest(entry)
        try:
            with path.open("ab") as file:
                file.write(canonical(entry) + b"\n")
        except OSError as error:
            raise _write_error(path, error) from error

    def seconds(self) -> dict[str, float]:
        """Return the wall time of each stage, summed over resumed attempts."""
        total: dict[str, float] = {}
        for entry in read_timings(self.path):
            if "seconds" in entry and "step" not in entry:
                stage = str(entry["stage"])
                total[stage] = round(total.get(stage, 0.0) + float(entry["seconds"]), 3)
        return total


def seal_stage(
    name: str,
    config_sha256: str,
    inputs: dict[str, str],
    outputs: dict[str, str],
    previous: str,
) -> StageRecord:
    """Return a stage record with its own digest filled in."""
    body = StageRecord(name, config_sha256, inputs, outputs, previous, "")
    return StageRecord(name, config_sha256, inputs, outputs, previous, digest(body))


def seal_chain(run: str, stages: Sequence[StageRecord]) -> Chain:
    """Return the chain of a run with its own digest filled in."""
    last = stages[-1].sha256 if stages else ZERO
    return Chain(SCHEMA, run, tuple(stages), digest([SCHEMA, run, last]))


def read_chain(path: Path) -> Chain:
    """Read and check run.json of the run at `path`.

    Raises:
        VerifyError: If it is missing, corrupt, inconsistent or of a newer schema.
    """
    file = path / "run.json"
    if not file.is_file():
        raise VerifyError(f"{path.name}: no run.json; give the directory of a run")
    try:
        raw = parse(file.read_text("utf-8"), place="run.json")
    except (UnicodeDecodeError, OSError, DataError) as error:
        raise VerifyError(f"run.json: unreadable ({error}); restore it from a copy") from error
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise VerifyError(
            f"run.json: schema {schema} is newer than this version reads ({SCHEMA}); "
            "upgrade offtarget"
        )
    chain = decode(raw, Chain, place="run.json", error=VerifyError)
    previous = ZERO
    for record in chain.stages:
        sealed = seal_stage(
            record.name, record.config_sha256, record.inputs, record.outputs, previous
        )
        if sealed != record:
            raise VerifyError(
                f"run.json: stage {record.name!r} was changed or the chain is broken there; "
                "restore it from a copy"
            )
        previous = record.sha256
    if seal_chain(chain.run, chain.stages) != chain:
        raise VerifyError("run.json: its own digest does not match; restore it from a copy")
    return chain


def read_timings(path: Path) -> list[dict[str, Any]]:
    """Return the entries of timings.jsonl; a line torn by a kill at its end is left out."""
    file = path / "timings.jsonl"
    if not file.exists():
        return []
    _mend(file)
    return [json.loads(text) for _, text in read_lines(file)]


def _last_link(path: Path) -> str:
    if not path.exists():
        return ZERO
    _mend(path)
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        lines = file.read().splitlines()
    return str(json.loads(lines[-1])["sha256"]) if lines else ZERO


def _mend(path: Path) -> None:
    """Cut off a last line that a killed process left without its newline."""
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return
        file.seek(max(0, size - 65536))
        tail = file.read()
        if not tail.endswith(b"\n"):
            file.truncate(size - len(tail) + tail.rfind(b"\n") + 1)


def _write_error(path: Path, error: OSError) -> ResourceError:
    return ResourceError(
        f"cannot write {path.name!r} ({error.strerror}); free disk space or fix permissions and "
        "run the same command again, finished stages are kept"
    )
