"""What was sent, written down before and after each request, so that a kill loses nothing."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from offtarget.core.codec import canonical, decode, parse
from offtarget.core.errors import ResourceError, VerifyError

MAX_JOURNAL_BYTES = 64 * 1024 * 1024


class Step(StrEnum):
    """What one entry says."""

    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    REFUSED = "refused"
    RETRYING = "retrying"
    CANCELLING = "cancelling"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of journal.jsonl."""

    step: Step
    subject: str
    """Digest of the upload, or name of the job (`arm/seed-N`)."""
    attempt: int = 0
    """Of a job, 0-based."""
    id: str = ""
    """As the provider gave it."""
    note: str = ""


@dataclass(slots=True)
class JobState:
    """What the journal knows of one job."""

    attempt: int = 0
    id: str = ""
    is_unclear: bool = False
    """A request was sent and no answer was written down: look before asking again."""
    refusal: str = ""


@dataclass(slots=True)
class Journal:
    """journal.jsonl of one run, and the state that it adds up to."""

    path: Path
    files: dict[str, str] = field(default_factory=dict)
    """Digest of an upload to its id at the provider."""
    unclear_files: set[str] = field(default_factory=set)
    """Digests of uploads that were sent without an answer."""
    jobs: dict[str, JobState] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """Read what was sent so far; a last line torn by a kill is cut off.

        Raises:
            VerifyError: If another line is corrupt.
        """
        if path.exists():
            _mend(path)
        return cls.of(path, read_entries(path))

    @classmethod
    def of(cls, path: Path, entries: Iterable[Entry]) -> "Journal":
        """Return the state that entries add up to."""
        journal = cls(path)
        for entry in entries:
            journal._apply(entry)
        return journal

    def job(self, name: str) -> JobState:
        """Return the state of a job; a new one if nothing was sent for it."""
        return self.jobs.setdefault(name, JobState())

    def write(self, entry: Entry) -> None:
        """Append an entry and force it to disk before anything follows from it.

        Raises:
            ResourceError: If it cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(canonical(entry) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ResourceError(
                f"cannot write {self.path.name!r} ({error.strerror}); nothing was sent; free disk "
                "space or fix permissions and run the same command again"
            ) from error
        self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        if entry.step is Step.UPLOADING:
            self.unclear_files.add(entry.subject)
            return
        if entry.step is Step.UPLOADED:
            self.unclear_files.discard(entry.subject)
            self.files[entry.subject] = entry.id
            return
        state = self.job(entry.subject)
        state.attempt = entry.attempt
        if entry.step is Step.SUBMITTING:
            state.is_unclear = True
        elif entry.step is Step.SUBMITTED:
            state.id, state.is_unclear, state.refusal = entry.id, False, ""
        elif entry.step is Step.REFUSED:
            state.is_unclear, state.refusal = False, entry.note
        elif entry.step is Step.RETRYING:
            state.id, state.is_unclear, state.refusal = "", False, ""


def read_entries(path: Path) -> list[Entry]:
    """Return the entries of a journal; none where there is no file.

    Raises:
        VerifyError: If a line is corrupt, or the last one is torn.
    """
    if not path.exists():
        return []
    content = _content(path)
    if content and not content.endswith(b"\n"):
        raise VerifyError(
            f"{path.name}: its last line is torn, as by a stop; run the same command again, which "
            "mends it and goes on"
        )
    try:
        lines = content.decode("utf-8").split("\n")[:-1]  # a record may hold other line breaks
    except UnicodeDecodeError as error:
        raise VerifyError(f"{path.name}: not UTF-8 text; restore it from a copy") from error
    places = [(f"{path.name}:{number}", text) for number, text in enumerate(lines, 1)]
    return [
        decode(parse(text, place=place), Entry, place=place, error=VerifyError)
        for place, text in places
    ]


def _mend(path: Path) -> None:
    """Cut off a last line that a killed process left without its newline."""
    content = _content(path)
    whole = content.rfind(b"\n") + 1
    if whole != len(content):
        with path.open("rb+") as file:
            file.truncate(whole)


def _content(path: Path) -> bytes:
    if path.stat().st_size > MAX_JOURNAL_BYTES:
        raise VerifyError(f"{path.name}: larger than {MAX_JOURNAL_BYTES} bytes; restore it")
    return path.read_bytes()
