"""The files of a run against its chain."""

from collections.abc import Iterator, Set
from pathlib import Path

from offtarget.core.chain import Chain
from offtarget.core.codec import file_digest
from offtarget.core.run_lock import LOCK_FILE
from offtarget.verify.outcome import Check, check_of


def check_files(path: Path, chain: Chain) -> Check:
    """Return whether every file that a stage wrote has the bytes it had then."""
    n_files = sum(len(record.outputs) for record in chain.stages)
    return check_of("files", _changed(path, chain), sound=f"{n_files} files as they were written")


def check_strangers(path: Path, chain: Chain, *, free: Set[str]) -> Check:
    """Return whether there is no file that no stage wrote, but for `free` ones, and no link.

    The lock that commands leave is free too, while it is empty.
    A link shows what stands elsewhere, which may be another thing tomorrow or for somebody else.
    """
    known = {relative for record in chain.stages for relative in record.outputs} | free
    return check_of(
        "no additions", _strangers(path, known), sound="no file that no stage wrote, and no link"
    )


def _strangers(path: Path, known: Set[str]) -> Iterator[str]:
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if name == LOCK_FILE and file.is_file():
            if file.stat().st_size:
                yield f"{name}: is not empty; whatever was written there is no part of the run"
        elif not file.is_dir() and name not in known:
            yield f"{name} was added: no stage wrote it"
        if file.is_symlink():
            yield f"{name} is a symbolic link: what a run holds lies in it; put the target there"


def _changed(path: Path, chain: Chain) -> Iterator[str]:
    for record in chain.stages:
        for relative, sha256 in record.outputs.items():
            file = path / relative
            if not file.is_file():
                yield f"{relative} is missing"
            elif file_digest(file) != sha256:
                yield f"{relative} was changed after stage {record.name!r}"
