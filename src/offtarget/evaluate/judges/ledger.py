"""Judgements of a run on disk: added to, never overwritten, so that no reply is paid for twice."""

import os
from pathlib import Path

from offtarget.core.codec import canonical, decode, parse, read_lines
from offtarget.core.errors import JudgeError, ResourceError
from offtarget.evaluate.judges.records import JudgeIdentity, Judgement, judgement_key
from offtarget.evaluate.store.shelf import Shelf

JUDGEMENTS = "judgements"
IDENTITIES = "judges.jsonl"


class Ledger:
    """The judgements in one folder, by judge and item. Each reaches the disk as it is made."""

    def __init__(self, folder: Path) -> None:
        """Read who has judged here; the folder is made by the first write.

        Raises:
            JudgeError: If the list of judges is corrupt.
            DataError: If a judgement is corrupt.
        """
        self._folder = folder
        self._shelf = Shelf(folder / JUDGEMENTS, Judgement)
        self._identities: dict[str, JudgeIdentity] = {}
        for identity in _read_identities(folder / IDENTITIES):
            self._identities[identity.key] = identity

    @property
    def identities(self) -> tuple[JudgeIdentity, ...]:
        """Every judge that has written here, oldest first."""
        return tuple(self._identities.values())

    def __len__(self) -> int:
        return len(self._shelf)

    def get(self, identity: JudgeIdentity, item: str) -> Judgement | None:
        """Return what this judge said of the item with that key, or None.

        Raises:
            JudgeError: If the record cannot be what a judge said.
        """
        found = self._shelf.get(judgement_key(identity, item))
        if found is None:
            return None
        is_whole = (found.score is None) != (found.reason is None) and found.key == item
        if not is_whole or (found.score is not None and not 0 <= found.score <= 100):
            raise JudgeError(
                f"{self._folder.name}: judgement of {found.place or found.question!r} has score "
                f"{found.score} and reason {found.reason}; restore the folder from a copy"
            )
        return found

    def add(self, identity: JudgeIdentity, judgement: Judgement) -> None:
        """Keep a judgement; where no reply was had there is nothing to keep.

        Raises:
            ResourceError: If the disk takes no more.
        """
        if judgement.is_passing:
            return
        if identity.key not in self._identities:
            self._append(identity)
            self._identities[identity.key] = identity
        self._shelf.put({judgement_key(identity, judgement.key): judgement})

    def _append(self, identity: JudgeIdentity) -> None:
        path = self._folder / IDENTITIES
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(canonical(identity) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ResourceError(
                f"cannot write {str(path)!r} ({error.strerror}); free disk space or fix "
                "permissions and run the same command again, judgements made so far are kept"
            ) from error


def _read_identities(path: Path) -> list[JudgeIdentity]:
    if not path.is_file():
        return []
    _mend(path)
    if not path.stat().st_size:
        return []
    return [
        decode(
            parse(text, place=f"{path.name}:{number}"),
            JudgeIdentity,
            place=f"{path.name}:{number}",
            error=JudgeError,
        )
        for number, text in read_lines(path)
    ]


def _mend(path: Path) -> None:
    """Cut off a last line that a killed process left without its newline."""
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)
