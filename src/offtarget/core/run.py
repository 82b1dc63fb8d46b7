"""A run directory: the only place that knows paths."""

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offtarget.core.chain import (
    ZERO,
    StageRecord,
    is_inside,
    read_chain,
    seal_chain,
    seal_stage,
)
from offtarget.core.codec import canonical, digest, file_digest, pretty, read_lines
from offtarget.core.errors import ResourceError, VerifyError
from offtarget.core.whole_file import write_whole


@dataclass(slots=True)
class RunDirectory:
    """One run on disk. A stage is skipped if and only if its inputs, config and outputs match."""

    path: Path
    stages: list[StageRecord] = field(default_factory=list)
    """Finished in this pass, in order."""
    _earlier: dict[str, StageRecord] = field(default_factory=dict)
    """Finished in an earlier pass and not reached yet in this one."""
    former: list[str] = field(default_factory=list)
    """Files of former stages that this pass moved to `former_folder`, by relative path."""
    _former_folder: Path | None = None
    _whole: set[str] = field(default_factory=set)
    """Names of earlier stages whose outputs were read and found unchanged."""
    _outdated: dict[str, StageRecord] = field(default_factory=dict)
    """Finished in an earlier pass with other config, inputs or outputs; to be done again."""

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
        """Return the path of a file of this run; its folder exists afterwards.

        Raises:
            VerifyError: If it is not a plain path below the run, as of a plan made by somebody else.
            ResourceError: If the folder cannot be made.
        """
        if not is_inside(relative):
            raise VerifyError(
                f"{self.path.name}: {relative[:80]!r} is outside the run or not written plainly; do "
                "not use this run"
            )
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
        if record is None:
            return False
        is_same = record.config_sha256 == digest(config) and record.inputs == dict(inputs)
        if not is_same or not self._has(record.outputs):
            self._outdated[name] = record
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
        """Append a stage to the chain; its outputs must be on disk.

        What it wrote in an earlier pass and no longer writes is moved to `former_folder`.

        Raises:
            ResourceError: If the chain cannot be written or such a file not be moved.
        """
        made = {relative: file_digest(self.path / relative) for relative in sorted(outputs)}
        self._append(name, digest(config), dict(inputs), made)
        self._forget(name)
        self._save(keep_earlier=True)

    def drop(self, name: str) -> None:
        """Take a finished stage out of the chain, on disk too: its outputs are about to change.

        Raises:
            ResourceError: If the chain cannot be written.
        """
        record = self._earlier.pop(name, None)
        if record is not None:
            self._outdated[name] = record
        self._save(keep_earlier=True)

    def set_aside(self, name: str) -> None:
        """Move what an outdated stage wrote to `former_folder` before it is done again.

        For what took hours to make: other outputs are made again and written over.

        Raises:
            ResourceError: If the chain cannot be written or a file not be moved.
        """
        self._forget(name)
        self._save(keep_earlier=True)

    def close(self) -> None:
        """Write the chain of this pass alone; stages not reached again go.

        Their files are moved to `former_folder`, never deleted.

        Raises:
            ResourceError: If the chain cannot be written or a file not be moved.
        """
        self._forget(*self._earlier, *self._outdated)
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

    def _forget(self, *names: str) -> None:
        """Move the files of former stages that no stage of the chain has and nobody changed."""
        gone = [
            record
            for name in names
            for records in (self._earlier, self._outdated)
            if (record := records.pop(name, None)) is not None
        ]
        kept = {
            (self.path / relative).resolve()
            for record in (*self.stages, *self._earlier.values())
            for relative in record.outputs
        }
        for record in gone:
            for relative, sha256 in record.outputs.items():
                file = (self.path / relative).resolve()
                is_own = file.is_relative_to(self.path.resolve())
                if is_own and file not in kept and self._has({relative: sha256}):
                    self._move_away(relative)

    @property
    def former_folder(self) -> Path:
        """Where this pass moves files of former stages: `DIR.former/N` beside the run, a new N."""
        if self._former_folder is None:
            run = self.path.resolve()
            folder, n = run.with_name(f"{run.name}.former"), 1
            while (folder / str(n)).exists():
                n += 1
            self._former_folder = folder / str(n)
        return self._former_folder

    def _move_away(self, relative: str) -> None:
        path, target = self.path / relative, self.former_folder / relative
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)
            for folder in path.parents:
                if folder == self.path or any(folder.iterdir()):
                    break
                folder.rmdir()
        except OSError as error:
            raise ResourceError(
                f"cannot move {relative!r} of a former stage to {str(target.parent)!r} "
                f"({error.strerror}); fix permissions and run the same command again, finished "
                "stages are kept"
            ) from error
        self.former.append(relative)

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
        """Write a file at once: to a temporary name, then renamed.

        Raises:
            VerifyError: As `file`.
            ResourceError: If it cannot be written.
        """
        path = self.file(relative)
        try:
            write_whole(path, content)
        except OSError as error:
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
