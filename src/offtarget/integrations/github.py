"""The GitHub Action: scan what a push or pull request changed; write a job summary and outputs.

`action.yml` runs `python -P -m offtarget.integrations.github`. Everything that a stranger can choose
(file names, refs) comes through environment variables and NUL-separated lists, never through a shell.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from offtarget.api.curation import SARIF, Scan, scan
from offtarget.cli import console
from offtarget.core.errors import ConfigError, OfftargetError
from offtarget.core.finding import Severity
from offtarget.curate.engines import BUNDLED
from offtarget.curate.inputs import places_below
from offtarget.curate.records import ScanConfig
from offtarget.dataset import OnBadRow
from offtarget.integrations.changed import (
    Chosen,
    choose_code,
    choose_data,
    engine_languages,
    headline,
)
from offtarget.integrations.choices import choice
from offtarget.integrations.git import changed_files
from offtarget.integrations.job_summary import failure_page, nothing_page, scan_page


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The inputs of the action."""

    paths: tuple[Path, ...]
    """Files or folders; empty for what changed."""
    base: str
    """What changes are counted from; empty for everything."""
    config: ScanConfig
    workers: int
    root: Path
    """The repository."""
    out: Path
    """Folder for the reports."""


def run(environment: Mapping[str, str]) -> int:
    """Scan as the environment says; return the exit code of `offtarget scan`.

    Raises:
        ConfigError: For an input that cannot be used.
        DataError: If a data set is malformed.
        ResourceError: If git or an engine is missing or fails.
    """
    try:
        return _run(read_inputs(environment), environment)
    except OfftargetError as error:
        _append(environment, "GITHUB_STEP_SUMMARY", failure_page(str(error)))
        raise


def read_inputs(environment: Mapping[str, str]) -> Inputs:
    """Return the inputs of the action, which `action.yml` hands over as `OFFTARGET_NAME`.

    Raises:
        ConfigError: For a value that cannot be used.
    """

    def given(name: str, default: str = "") -> str:
        return environment.get(f"OFFTARGET_{name}", "").strip() or default

    root = Path(environment.get("GITHUB_WORKSPACE") or Path.cwd())
    workers, plain = given("WORKERS", "1"), given("PLAIN", "false")
    if not (workers.isdecimal() and 1 <= int(workers) <= 1024):
        raise ConfigError(f"workers: {workers!r} is no number from 1 to 1024")
    if plain not in ("true", "false"):
        raise ConfigError(f"plain: {plain!r} is neither true nor false")
    return Inputs(
        paths=tuple(root / line.strip() for line in given("PATHS").splitlines() if line.strip()),
        base=given("BASE"),
        config=ScanConfig(
            engines=tuple(given("ENGINES", ",".join(BUNDLED)).split(",")),
            rules=tuple(str(root / line) for line in given("CONFIG").splitlines() if line),
            gate=choice(Severity, given("GATE", "medium"), "gate"),
            on_bad_row=choice(OnBadRow, given("ON_BAD_ROW", "error"), "on-bad-row"),
            plain=plain == "true",
        ),
        workers=int(workers),
        root=root,
        out=Path(environment.get("RUNNER_TEMP") or tempfile.gettempdir()) / "offtarget",
    )


def _run(inputs: Inputs, environment: Mapping[str, str]) -> int:
    chosen = Chosen(inputs.paths, ())
    if not inputs.paths:
        changed = changed_files(inputs.root, inputs.base)
        plain = inputs.config.plain
        chosen = (
            choose_code(changed, engine_languages(inputs.config)) if plain else choose_data(changed)
        )
    if not chosen.paths:
        console.say("offtarget: nothing to scan")
        _append(environment, "GITHUB_STEP_SUMMARY", nothing_page(chosen.passed_over))
        _append(environment, "GITHUB_OUTPUT", "flagged=0\nsamples=0\nsarif=\nreports=\n")
        return 0
    out = Path(tempfile.mkdtemp(prefix="scan-", dir=_made(inputs.out)))
    found = scan(
        *chosen.paths, config=inputs.config, out=out, workers=inputs.workers, root=inputs.root,
        cache=console.CACHE / "scan",
    )  # fmt: skip
    assert found is not None, "no shard is asked for"
    plain = inputs.config.plain
    names = places_below(inputs.root, chosen.paths, plain=plain)
    console.say(f"offtarget: {headline(found)}")
    page = scan_page(found, names, chosen.passed_over, plain=plain)
    _append(environment, "GITHUB_STEP_SUMMARY", page)
    _append(environment, "GITHUB_OUTPUT", _outputs(found))
    return found.summary.exit_code


def _outputs(found: Scan) -> str:
    """Return the outputs: numbers, and paths that we chose."""
    summary = found.summary
    return (
        f"flagged={summary.flagged}\nsamples={summary.samples}\n"
        f"sarif={found.path / SARIF}\nreports={found.path}\n"
    )


def _append(environment: Mapping[str, str], name: str, text: str) -> None:
    """Add text to a file that GitHub names; outside of a job there is none."""
    if environment.get(name):
        with Path(environment[name]).open("a", encoding="utf-8") as file:
            file.write(text)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(console.guard(lambda: run(os.environ)))
