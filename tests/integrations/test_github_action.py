"""The GitHub Action: its file, and its shell steps run as a runner would."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = ACTION["runs"]["steps"]
SCAN = next(step for step in STEPS if step.get("id") == "scan")
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
"""As the runner calls `shell: bash`."""
HOSTILE = (
    "a; touch pwned.jsonl", "$(touch pwned).jsonl", "`touch pwned`.jsonl", "::error::x.jsonl",
    "line\nbreak.jsonl", "pipe | **bold** [x](y).jsonl", "-rf.jsonl",
)  # fmt: skip
Job = Callable[..., "Ran"]


class Ran:
    """What a run of the action's scan step left."""

    def __init__(self, done: subprocess.CompletedProcess[str], folder: Path) -> None:
        self.code, self.log = done.returncode, done.stdout + done.stderr
        self.page = (folder / "summary.md").read_text("utf-8")
        lines = (folder / "output").read_text("utf-8").splitlines()
        self.outputs = dict(line.split("=", 1) for line in lines)


@pytest.fixture
def job(repository: Path, tmp_path: Path) -> Job:
    """Run the scan step in the repository with inputs and the event's base."""

    def run(base: str = "", *, cwd: Path = repository, **inputs: str) -> Ran:
        folder = tmp_path / f"job-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for name in ("summary.md", "output"):
            (folder / name).touch()
        given = {name: spec["default"] for name, spec in ACTION["inputs"].items()} | {
            name.replace("_", "-"): value for name, value in inputs.items()
        }
        environment = {
            **os.environ,
            **step_environment(SCAN, given, base),
            "PYTHON": sys.executable,
            "GITHUB_WORKSPACE": str(cwd),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "GITHUB_OUTPUT": str(folder / "output"),
            "RUNNER_TEMP": str(folder),
            "OFFTARGET_CACHE": str(tmp_path / "cache"),
        }
        script = folder / "step.sh"
        script.write_text(SCAN["run"], encoding="utf-8")
        done = subprocess.run(
            [*BASH, str(script)], cwd=cwd, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Ran(done, folder)

    return run


def step_environment(
    step: Mapping[str, Any], inputs: Mapping[str, str], base: str
) -> dict[str, str]:
    """The `env` of a step, its expressions evaluated."""
    values = {f"inputs.{name}": value for name, value in inputs.items()}
    values["github.event.pull_request.base.sha"] = base

    def evaluate(found: re.Match[str]) -> str:
        return next(filter(None, (values.get(one.strip(), "") for one in found[1].split("||"))), "")

    return {
        name: re.sub(r"\$\{\{(.*?)\}\}", evaluate, text)
        for name, text in step["env"].items()
        if name.startswith("OFFTARGET_")
    }


def test_the_action_is_a_composite_action() -> None:
    """Names, descriptions and the structure that GitHub asks for."""
    assert set(ACTION) == {"name", "description", "inputs", "outputs", "runs"}
    assert ACTION["runs"]["using"] == "composite"
    for spec in ACTION["inputs"].values():
        assert set(spec) == {"description", "default"}
        assert isinstance(spec["default"], str)
    for spec in ACTION["outputs"].values():
        assert set(spec) == {"description", "value"}
        assert re.fullmatch(r"\$\{\{ steps\.scan\.outputs\.\w+ \}\}", spec["value"])
    for step in STEPS:
        assert set(step) <= {"id", "if", "uses", "with", "shell", "env", "run"}
        assert ("run" in step) != ("uses" in step)
        assert ("run" in step) == ("shell" in step)
        if "uses" in step:
            assert re.fullmatch(r"(actions|github)/[\w/-]+@v\d+", step["uses"])


def test_every_expression_names_something_that_exists() -> None:
    """Inputs, steps and outputs in expressions are those of the action."""
    text = (ROOT / "action.yml").read_text("utf-8")
    ids = {step["id"] for step in STEPS if "id" in step}
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    assert set(re.findall(r"steps\.([\w-]+)\.", text)) <= ids


def test_no_expression_stands_in_a_script() -> None:
    """What strangers choose reaches shells through the environment only."""
    scripts = [step["run"] for step in STEPS if "run" in step]
    assert scripts
    assert not any("${{" in script for script in scripts)
    assert "head_ref" not in str(STEPS)
    assert "title" not in str(STEPS)


def test_scripts_are_sound_bash_and_never_import_from_the_work_tree() -> None:
    """They parse; python is called with -P."""
    for step in STEPS:
        if "run" in step:
            subprocess.run([*BASH, "-n", "-c", step["run"]], check=True)
            calls = re.findall(r'(?:bin/python"|\$PYTHON") (-\S+)', step["run"])
            assert calls
            assert set(calls) == {"-P"}


def test_flawed_data_in_a_pull_request_fails_the_step(
    repository: Path, rows: Any, write_rows: Any, commit: Any, git: Any, job: Job
) -> None:
    """Only what changed is scanned; SARIF names files below the root; the page has the counts."""
    write_rows(repository / "old.jsonl", rows)
    base = commit()
    write_rows(repository / "data" / "new.jsonl", rows)
    (repository / "notes.txt").write_text("x\n", encoding="utf-8")
    commit()

    ran = job(base)

    assert ran.code == 1, ran.log
    assert (ran.outputs["samples"], ran.outputs["flagged"]) == ("6", "1")
    sarif = json.loads(Path(ran.outputs["sarif"]).read_text("utf-8"))
    places = [result["locations"][0]["physicalLocation"] for result in sarif["runs"][0]["results"]]
    assert [place["artifactLocation"]["uri"] for place in places] == ["data/new.jsonl"]
    assert places[0]["region"]["startLine"] == 3
    assert "1 of 6 rows flagged" in ran.page
    assert "| `data/new.jsonl` | 6 | 1 |" in ran.page
    assert "| CWE-78 | 1 |" in ran.page
    assert "Not known to be clean: 1 rows" in ran.page
    assert "old.jsonl" not in ran.page
    assert git("status", "--porcelain", "--ignored") == ""


def test_hostile_names_stay_names(
    repository: Path, rows: Any, write_rows: Any, commit: Any, git: Any, job: Job
) -> None:
    """Nothing is run, no line of the log is a command, no cell of the page breaks."""
    base = git("rev-parse", "HEAD")
    for name in HOSTILE:
        write_rows(repository / name, rows[2:3])
    commit()

    ran = job(base)

    assert ran.code == 1, ran.log
    assert ran.outputs["flagged"] == str(len(HOSTILE))
    assert not [path for path in repository.iterdir() if path.name.startswith("pwned")]
    assert not [line for line in ran.log.splitlines() if line.startswith("::")]
    cells = [line for line in ran.page.splitlines() if line.endswith("| 1 | 1 |")]
    assert len(cells) == len(HOSTILE)
    assert "| `pipe \\| **bold** [x](y).jsonl` | 1 | 1 |" in cells
    assert "| `line break.jsonl` | 1 | 1 |" in cells
    assert "| `` `touch pwned`.jsonl `` | 1 | 1 |" in cells


def test_links_are_not_followed(
    repository: Path, rows: Any, write_rows: Any, commit: Any, git: Any, job: Job, tmp_path: Path
) -> None:
    """A pull request cannot show what lies outside the repository."""
    outside = write_rows(tmp_path / "outside.jsonl", rows)
    base = git("rev-parse", "HEAD")
    (repository / "link.jsonl").symlink_to(outside)
    commit()

    ran = job(base)

    assert ran.code == 0, ran.log
    assert ran.outputs == {"flagged": "0", "samples": "0", "sarif": "", "reports": ""}
    assert "link.jsonl: a symbolic link" in ran.page


def test_a_clone_without_the_base_fetches_it(
    repository: Path, rows: Any, write_rows: Any, commit: Any, git: Any, job: Job, tmp_path: Path
) -> None:
    """A shallow clone, as checkout makes by default, is enough."""
    base = git("rev-parse", "HEAD")
    write_rows(repository / "new.jsonl", rows)
    commit()
    git("config", "uploadpack.allowAnySHA1InWant", "true")
    shallow = tmp_path / "shallow"
    url = repository.as_uri()
    subprocess.run(["git", "clone", "-q", "--depth=1", url, str(shallow)], check=True)

    ran = job(base, cwd=shallow)

    assert ran.code == 1, ran.log
    assert ran.outputs["samples"] == "6"


def test_without_a_base_everything_is_scanned(
    repository: Path, rows: Any, write_rows: Any, commit: Any, job: Job
) -> None:
    """A first push names a base of zeros."""
    write_rows(repository / "old.jsonl", rows[:2])
    commit()

    assert job("0" * 40).outputs["samples"] == "2"


def test_named_paths_and_source_files(
    repository: Path, rows: Any, write_rows: Any, flawed: str, job: Job
) -> None:
    """Paths are one a line; `plain` scans source."""
    write_rows(repository / "one.jsonl", rows[:1])
    write_rows(repository / "two" / "two.jsonl", rows[:2])
    (repository / "views.py").write_text(flawed, encoding="utf-8")

    data = job(paths="one.jsonl\ntwo\n")
    code = job(paths="views.py", plain="true", gate="high")

    assert (data.code, data.outputs["samples"]) == (0, "3")
    assert code.code == 1, code.log
    assert "views.py:6: high CWE-78" in code.page


@pytest.mark.parametrize(
    ("base", "inputs", "message"),
    [
        ("", {"gate": "fatal"}, "gate 'fatal' is not known; choose from low, medium, high"),
        ("", {"plain": "yes"}, "plain: 'yes' is neither true nor false"),
        ("", {"workers": "many"}, "workers: 'many' is no number from 1 to 1024"),
        ("", {"paths": "missing.jsonl"}, "missing.jsonl: cannot open"),
        ("--upload-pack=touch pwned", {}, "base '--upload-pack=touch pwned' is no commit"),
        ("nowhere", {}, "base 'nowhere' is no commit of this clone; check out with fetch-depth: 0"),
    ],
)
def test_bad_inputs_are_one_line_and_exit_2(
    base: str, inputs: dict[str, str], message: str, job: Job, repository: Path
) -> None:
    """In the log and on the page."""
    ran = job(base, **inputs)

    assert ran.code == 2
    assert f"offtarget: {message}" in ran.log
    assert "could not scan" in ran.page
    assert message in ran.page
    assert not [path for path in repository.iterdir() if "pwned" in path.name]


def test_a_folder_that_is_no_repository_is_said(job: Job, tmp_path: Path) -> None:
    """With git's own words."""
    (tmp_path / "empty").mkdir()

    ran = job(cwd=tmp_path / "empty")

    assert ran.code == 2
    assert "git cannot read 'empty'" in ran.log
