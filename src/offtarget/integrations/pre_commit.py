"""The pre-commit hook: scan the changed files that pre-commit names; say little, leave nothing behind.

Run as `python -P -m offtarget.integrations.pre_commit FILES`.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from offtarget.api.curation import scan
from offtarget.cli import console
from offtarget.core.finding import Severity
from offtarget.curate.engines import BUNDLED
from offtarget.curate.inputs import places_below
from offtarget.curate.records import ScanConfig
from offtarget.dataset import OnBadRow
from offtarget.integrations.changed import (
    choose_code,
    choose_data,
    engine_languages,
    headline,
    shown_findings,
)


def run(arguments: Sequence[str]) -> int:
    """Scan what the arguments name; return the exit code of `offtarget scan`.

    Reports go to a temporary folder, which is removed; answers are kept in the user's cache.

    Raises:
        ConfigError: For unknown engines.
        DataError: If a data set is malformed.
        ResourceError: If an engine is missing or misses a canary.
    """
    options = _parser().parse_args(arguments)
    config = ScanConfig(
        engines=tuple(options.engine.split(",")),
        rules=tuple(options.config),
        gate=options.gate,
        on_bad_row=options.on_bad_row,
        plain=options.plain,
    )
    if options.plain:
        chosen = choose_code(options.files, engine_languages(config))
    else:
        chosen = choose_data(options.files)
    for sentence in chosen.passed_over:
        console.say(f"not scanned: {sentence}")
    if not chosen.paths:
        return 0
    with tempfile.TemporaryDirectory(prefix="offtarget-") as folder:
        found = scan(
            *chosen.paths, config=config, out=folder, workers=options.workers, root=Path.cwd(),
            cache=console.CACHE / "scan",
        )  # fmt: skip
        assert found is not None, "no shard is asked for"
        console.say(headline(found))
        names = places_below(Path.cwd(), chosen.paths, plain=options.plain)
        for line in shown_findings(found, names, plain=options.plain):
            console.say(f"  {line}")
    return found.summary.exit_code


def _parser() -> argparse.ArgumentParser:
    # no -h and no short options: a file may be called that
    parser = argparse.ArgumentParser("offtarget-scan", add_help=False, allow_abbrev=False)
    parser.add_argument("--gate", type=Severity, choices=list(Severity), default=Severity.MEDIUM)
    parser.add_argument("--engine", default=",".join(BUNDLED))
    parser.add_argument("--config", action="append", default=[])
    parser.add_argument("--plain", action="store_true")
    parser.add_argument(
        "--on-bad-row", type=OnBadRow, choices=list(OnBadRow), default=OnBadRow.ERROR
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("files", nargs="*", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(console.guard(lambda: run(sys.argv[1:])))
