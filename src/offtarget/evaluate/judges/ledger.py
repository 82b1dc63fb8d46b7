"""Judgements of a run on disk: added to, never overwritten, so that no reply is paid for twice."""

import os
from dataclasses import replace
from pathlib import Path

from offtarget.core.codec import canonical, decode, parse, read_lines
from offtarget.core.errors import JudgeError, ResourceError
from offtarget.evaluate.judges.records import JudgeIdentity, Judgement, judgement_key
from offtarget.evaluate.store.shelf import Shelf

JUDGEMENTS = "judgements"
IDENTITIES = "judges.jsonl"


class SharedJudgements:
    """The judgements of a store that evaluations and assays share, whatever run they were for."""

    def __init__(self, shelf: Shelf[Judgement]) -> None:
        """Nothing is read before it is asked for."""
        self._shelf = shelf

    def get(self, identity: JudgeIdentity, item: str) -> Judgement | None:
        """Return what this judge said of the item with that key, or None.

        Raises:
            JudgeError: If the record cannot be what a judge said.
        """
        found = self._shelf.get(judgement_key(identity, item))
        return None if found is None else _whole(found, item, where="the store")

    def add(self, identity: JudgeIdentity, judgement: Judgement) -> None:
        """Keep a judgement, without the place of its run; where no reply was had, nothing."""
        if not judgement.is_passing:
            key = judgement_key(identity, judgement.key)
            self._shelf.put({key: replace(judgement, place="")})


class Ledger:
    """The judgements in one folder, by judge and item. Each reaches the disk as it is made."""

    def __init__(self, folder: Path, *, shared: SharedJudgements | None = None) -> None:
        """Read who has judged here; the folder is made by the first write.

        Args:
            folder: Beside the run.
            shared: Asked for what is not here, and given what is new.

        Raises:
            JudgeError: If the list of judges is corrupt.
            DataError: If a judgement is corrupt.
        """
        self._folder, self._shared = folder, shared
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
        if found is not None:
            return _whole(found, item, where=self._folder.name)
        shared = self._shared.get(identity, item) if self._shared is not None else None
        if shared is not None:
            self._keep(identity, shared)
        return shared

    def add(self, identity: JudgeIdentity, judgement: Judgement) -> None:
        """Keep a judgement; where no reply was had there is nothing to keep.

        Raises:
            ResourceError: If the disk takes no more.
        """
        if judgement.is_passing:
            return
        self._keep(identity, judgement)
        if self._shared is not None:
            self._shared.add(identity, judgement)

    def _keep(self, identity: JudgeIdentity, judgement: Judgement) -> None:
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


def _whole(found: Judgement, item: str, *, where: str) -> Judgement:
    is_whole = (found.score is None) != (found.reason is None) and found.key == item
    if not is_whole or (found.score is not None and not 0 <= found.score <= 100):
        raise JudgeError(
            f"{where}: judgement of {found.place or found.question!r} has score {found.score} and "
            f"reason {found.reason}; restore the folder from a copy"
        )
    return found


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
