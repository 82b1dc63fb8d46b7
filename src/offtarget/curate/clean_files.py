"""The files that a cleaning leaves, and the summary that says what they were made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from offtarget.core.codec import decode, file_digest, parse
from offtarget.core.errors import ConfigError, DataError, OfftargetError
from offtarget.core.finding import Severity
from offtarget.curate.decide import Policy
from offtarget.curate.ledger import SampleState
from offtarget.curate.records import FileScan
from offtarget.curate.stored import family_of
from offtarget.dataset.containers import CONTAINERS
from offtarget.dataset.sources import Source

_OTHER = "name another file, or remove it and run the command again"


@dataclass(frozen=True, slots=True)
class CleanFiles:
    """Where a cleaning writes: all of it next to `out`, and `out` itself last."""

    out: Path
    """The cleaned data."""

    @property
    def ledger(self) -> Path:
        """One line a sample of the input: what became of it, and why."""
        return self._beside("ledger.jsonl")

    @property
    def twins(self) -> Path:
        """Every rewritten sample twice; missing if there is none."""
        return self._beside("twins.jsonl")

    @property
    def quarantine(self) -> Path:
        """Rows set aside, in the input's format; missing if there is none."""
        name = self.out.name.lower()
        ending = max((end for end in CONTAINERS if name.endswith(end)), key=len, default="")
        return self._beside(f"quarantine{ending}")

    @property
    def summary(self) -> Path:
        """The `CleanSummary`."""
        return self._beside("clean.json")

    @property
    def scan(self) -> Path:
        """The scan's folder."""
        return self._beside("scan")

    def _beside(self, ending: str) -> Path:
        return self.out.with_name(f"{self.out.name}.{ending}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanSummary:
    """What a cleaning did; `offtarget clean --json` prints it."""

    samples: int
    """All rows of the input, malformed ones too."""
    by_state: Mapping[SampleState, int]
    """All six states; they add up to `samples`."""
    n_output: int
    """Rows of the cleaned data: kept, sanitized, reframed, and unparsed ones that were kept."""
    n_quarantined: int
    """Rows of the quarantine file: quarantined, and unparsed ones that were not kept."""
    n_twins: int
    policy: Policy
    gate: Severity
    files: tuple[FileScan, ...]
    """The input."""
    out: str
    """Name of the cleaned data; the others stand next to it."""
    sha256: str
    """Of `out`."""
    ledger: str
    twins: str | None
    quarantine: str | None
    scan: str
    """Name of the scan's folder."""
    key: str
    """Digest of the inputs, the options, the engines and our own code."""
    is_reused: bool = False
    """Whether all of this was there before, and nothing had to be done."""


def check_places(paths: Sequence[Path], sources: Sequence[Source], files: CleanFiles) -> None:
    """Raise ConfigError if `out` is of another format than the input, or stands in its way."""
    for source in sources:
        if family_of(source.path) != family_of(files.out):
            raise ConfigError(
                f"{files.out.name}: cleaned data keeps the input's format; "
                f"{source.label} is {family_of(source.path)}, so name a file of this ending"
            )
    inputs = {source.path.resolve() for source in sources}
    written = (files.out, files.ledger, files.twins, files.quarantine, files.summary)
    for path in written:
        if path.resolve() in inputs:
            raise ConfigError(f"{path.name}: would replace an input; choose another name for --out")
    for folder in paths:
        if folder.is_dir() and files.out.resolve().is_relative_to(folder.resolve()):
            raise ConfigError(
                f"{files.out.name}: lies in {folder.name!r}, which is read; write elsewhere"
            )


def finished(files: CleanFiles, key: str) -> CleanSummary:
    """Return the summary of an `out` that is there already and is what would be made again.

    Raises:
        ConfigError: If it is anything else.
    """
    name = files.out.name
    try:
        text = files.summary.read_text(encoding="utf-8")
        place = files.summary.name
        summary = decode(parse(text, place=place), CleanSummary, place=place, error=DataError)
        is_same = file_digest(files.out) == summary.sha256
    except (OSError, UnicodeDecodeError, OfftargetError) as error:
        raise ConfigError(f"{name}: exists, and no cleaning says it made it; {_OTHER}") from error
    if not is_same:
        raise ConfigError(f"{name}: changed since it was written; {_OTHER}")
    if summary.key != key:
        raise ConfigError(
            f"{name}: exists, made of other inputs, with other options or by another version; "
            f"{_OTHER}"
        )
    for beside in (summary.ledger, summary.twins, summary.quarantine):
        if beside is not None and not files.out.with_name(beside).is_file():
            raise ConfigError(f"{name}: exists, but {beside!r} is gone; {_OTHER}")
    return replace(summary, is_reused=True)
