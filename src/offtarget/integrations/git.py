"""Which files changed, as git says: by path, however they are named."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from offtarget.core.errors import ConfigError, ResourceError

TIMEOUT_S = 300
_NO_COMMIT = re.compile("0{40,64}")
"""What GitHub names as the commit before the first one of a branch."""


def changed_files(root: Path, base: str) -> list[Path]:
    """Return the files that differ between `base` and the commit that is checked out at `root`.

    Changes are counted from the last common ancestor where the clone holds it, else from `base`
    itself. Deleted files are left out.

    Args:
        root: Top of the work tree.
        base: A commit or ref; it is fetched if the clone lacks it. Empty or all zeros: every file
            counts as changed.

    Raises:
        ConfigError: If there is no such commit.
        ResourceError: If git is missing or fails.
    """
    _check(root)
    if not base or _NO_COMMIT.fullmatch(base):
        return _paths(root, ["ls-files", "-z"])
    commit = _commit(root, base) or _fetched(root, base)
    if commit is None:
        raise ConfigError(
            f"base {base!r} is no commit of this clone; check out with fetch-depth: 0, or name one"
        )
    ancestor = _git(root, ["merge-base", commit, "HEAD"])
    start = ancestor.decode("ascii").strip() if ancestor else commit
    return _paths(
        root, ["diff", "--name-only", "-z", "--no-renames", "--diff-filter=d", start, "HEAD"]
    )


def _check(root: Path) -> None:
    done = _run(root, ["rev-parse", "--verify", "--quiet", "HEAD"])
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise ResourceError(
            f"git cannot read {root.name!r} ({said or 'no commit'}); check out the repository "
            "first, or name the paths to scan"
        )


def _fetched(root: Path, base: str) -> str | None:
    arguments = ["fetch", "--quiet", "--no-tags", "--depth=1", "--end-of-options", "origin", base]
    done = _git(root, arguments)
    return None if done is None else _commit(root, "FETCH_HEAD")  # else that of an older fetch


def _commit(root: Path, name: str) -> str | None:
    arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
    found = _git(root, arguments)
    return found.decode("ascii").strip() if found else None


def _paths(root: Path, arguments: Sequence[str]) -> list[Path]:
    said = _git(root, arguments)
    if said is None:
        raise ResourceError(f"git {arguments[0]} fails in {root.name!r}; name the paths to scan")
    return [root / os.fsdecode(name) for name in said.split(b"\0") if name]


def _git(root: Path, arguments: Sequence[str]) -> bytes | None:
    """Return what git prints, or None if it fails."""
    done = _run(root, arguments)
    return done.stdout if done.returncode == 0 else None


def _run(root: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - no shell; names are data
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the user's git
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ResourceError(
            f"cannot run git ({error}); install it, or name the paths to scan"
        ) from error
