"""The pre-commit hooks, called by their entry, and by pre-commit itself."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from offtarget.dataset.containers import CONTAINERS

ROOT = Path(__file__).resolve().parents[2]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
Call = Callable[..., subprocess.CompletedProcess[str]]


def environment(cache: Path) -> dict[str, str]:
    """The environment of a hook: our interpreter is `python`."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "OFFTARGET_CACHE": str(cache)}


@pytest.fixture
def call(repository: Path, tmp_path: Path) -> Call:
    """Call a hook's entry in the repository with file names, as pre-commit does."""

    def run(hook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        entry = shlex.split(HOOKS[hook]["entry"])
        return subprocess.run(
            [*entry, *arguments], cwd=repository, env=environment(tmp_path / "cache"),
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def test_the_hook_names_every_ending_that_is_read_and_no_other() -> None:
    """`files` is the list of the reader."""
    pattern = re.compile(HOOKS["offtarget-scan"]["files"])
    assert all(pattern.search(f"data/train{ending}") for ending in CONTAINERS)
    assert all(pattern.search(f"data/train{ending.upper()}") for ending in CONTAINERS)
    assert not any(
        pattern.search(name) for name in ("a.txt", "a.parquet.gz", "a.jsonl.bak", "a.py")
    )


def test_flawed_data_fails_the_hook_and_leaves_nothing(
    call: Call, repository: Path, rows: Any, write_rows: Any, git: Any
) -> None:
    """Exit 1, a line a finding, and a clean work tree."""
    write_rows(repository / "data" / "train.jsonl", rows)
    before = git("status", "--porcelain", "--ignored", "-uall")

    done = call("offtarget-scan", "data/train.jsonl")

    assert done.returncode == 1, done.stderr
    first, *findings = done.stdout.splitlines()
    assert first == "1 of 6 rows flagged (medium or above), 1 not known to be clean"
    assert [line.split()[0] for line in findings] == ["data/train.jsonl:3:"]
    assert "CWE-78" in findings[0]
    assert git("status", "--porcelain", "--ignored", "-uall") == before


def test_sound_data_and_other_json_pass(
    call: Call, repository: Path, rows: Any, write_rows: Any
) -> None:
    """A configuration file is passed over, and said; a gate that nothing reaches passes."""
    write_rows(repository / "sound.jsonl", rows[:2])
    (repository / "package.json").write_text('{\n  "name": "x"\n}\n', encoding="utf-8")

    done = call("offtarget-scan", "sound.jsonl", "package.json")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "not scanned: package.json: its first row is no chat sample" in done.stdout
    assert call("offtarget-scan", "package.json").returncode == 0


def test_malformed_data_is_one_line_and_exit_2(call: Call, repository: Path) -> None:
    """A .jsonl file is always meant as data."""
    (repository / "bad.jsonl").write_text("not json\n", encoding="utf-8")

    done = call("offtarget-scan", "bad.jsonl")

    assert done.returncode == 2
    assert done.stderr.startswith("offtarget: bad.jsonl:1: not JSON")
    assert len(done.stderr.splitlines()) == 1


def test_hostile_names_are_only_names(
    call: Call, repository: Path, rows: Any, write_rows: Any
) -> None:
    """Found, shown on one line each, and never run."""
    names = ["a; touch pwned.jsonl", "line\nbreak.jsonl", "$(touch pwned).jsonl"]
    for name in names:
        write_rows(repository / name, rows[2:3])

    done = call("offtarget-scan", *names)

    assert done.returncode == 1, done.stderr
    assert [line.split(":1: high")[0] for line in done.stdout.splitlines()[1:]] == [
        "  a; touch pwned.jsonl", "  line break.jsonl", "  $(touch pwned).jsonl"
    ]  # fmt: skip
    assert not [path for path in repository.iterdir() if path.name.startswith("pwned")]


def test_a_name_like_an_option_never_passes(
    call: Call, repository: Path, rows: Any, write_rows: Any
) -> None:
    """It is refused, or scanned after `--`."""
    write_rows(repository / "-h.jsonl", rows)

    assert call("offtarget-scan", "-h.jsonl").returncode == 2
    assert call("offtarget-scan", "--", "-h.jsonl").returncode == 1


def test_modules_of_the_repository_are_not_imported(
    call: Call, repository: Path, rows: Any, write_rows: Any
) -> None:
    """A file `yaml.py` in the work tree is not ours."""
    for name in ("yaml.py", "msgspec.py", "offtarget.py"):
        (repository / name).write_text("raise SystemExit(99)\n", encoding="utf-8")
    write_rows(repository / "train.jsonl", rows)

    assert call("offtarget-scan", "train.jsonl").returncode == 1


def test_source_files_of_one_name_are_told_apart(call: Call, repository: Path, flawed: str) -> None:
    """Two `views.py`: the finding names the one that is flawed."""
    for folder, text in (("one", flawed), ("two", "x = 1\n")):
        (repository / folder).mkdir()
        (repository / folder / "views.py").write_text(text, encoding="utf-8")

    done = call("offtarget-scan-code", "one/views.py", "two/views.py", "README.md")

    assert done.returncode == 1, done.stderr
    assert "not scanned: README.md: in no language that an engine reads" in done.stdout
    assert "1 of 2 rows flagged" in done.stdout
    assert "  one/views.py:6: high CWE-78" in done.stdout


def test_pre_commit_runs_the_hooks(
    repository: Path, rows: Any, write_rows: Any, git: Any, tmp_path: Path
) -> None:
    """pre-commit accepts the manifest, picks the files, and blocks the commit."""
    pytest.importorskip("pre_commit", reason="pre-commit is not installed")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    subprocess.run(["git", "init", "-q", str(hooks)], check=True)
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    subprocess.run(["git", "-C", str(hooks), "add", "."], check=True)
    subprocess.run(["git", "-C", str(hooks), *who, "commit", "-qm", "hooks"], check=True)
    revision = subprocess.run(
        ["git", "-C", str(hooks), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    # the environment of `language: python` would be installed anew; this one is there
    chosen = [{"id": hook, "language": "system"} for hook in HOOKS]
    config = {"repos": [{"repo": str(hooks), "rev": revision, "hooks": chosen}]}
    (repository / ".pre-commit-config.yaml").write_text(json.dumps(config), encoding="utf-8")
    write_rows(repository / "train.jsonl", rows)
    write_rows(repository / "sound.jsonl", rows[:2])
    git("add", "--all")

    def run(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "offtarget-scan", "--files", name],
            cwd=repository, capture_output=True, text=True, check=False,
            env={**environment(tmp_path / "cache"), "PRE_COMMIT_HOME": str(tmp_path / "home")},
        )  # fmt: skip

    failed, passed, skipped = run("train.jsonl"), run("sound.jsonl"), run("README.md")

    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "train.jsonl:3: high CWE-78" in failed.stdout
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "Skipped" in skipped.stdout
