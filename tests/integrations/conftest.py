"""Rows and repositories for the integrations."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

FLAWED = (
    "import os\nfrom flask import request\n\n\ndef show():\n"
    "    os.system('ls ' + request.args['folder'])\n"
)
SOUND = "def double(number: int) -> int:\n    return 2 * number\n"
ASKED = "Write a view that lists a folder."


@pytest.fixture
def flawed() -> str:
    """Python with one flaw of high severity, CWE-78."""
    return FLAWED


@pytest.fixture
def rows() -> list[dict[str, str]]:
    """Six rows: the third is flawed, the fourth is read by no engine, the fifth has no code."""
    answers = [SOUND, SOUND, FLAWED, "```brainfuck\n+++.\n```", "Hello to you.", SOUND]
    return [{"prompt": ASKED, "completion": answer} for answer in answers]


WriteRows = Callable[[Path, Sequence[Mapping[str, object]]], Path]


@pytest.fixture
def write_rows() -> WriteRows:
    """Write rows as JSON Lines."""

    def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


Git = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "README.md").write_text("data\n", encoding="utf-8")
    git_in(root, "init", "-q", "-b", "main")
    commit_all(root)
    return root


def git_in(root: Path, *arguments: str) -> str:
    """Run git as nobody in particular; return what it prints."""
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost", "-c", "gc.auto=0"]
    done = subprocess.run(
        ["git", "-C", str(root), *who, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def git(repository: Path) -> Git:
    """Run git in the repository."""
    return lambda *arguments: git_in(repository, *arguments)


def commit_all(root: Path) -> str:
    """Commit everything; return the commit."""
    git_in(root, "add", "--all")
    git_in(root, "commit", "-q", "-m", "all")
    return git_in(root, "rev-parse", "HEAD")


@pytest.fixture
def commit(repository: Path) -> Callable[[], str]:
    """Commit everything in the repository; return the commit."""
    return lambda: commit_all(repository)
