"""Commands of curation: what is in a data set, and data that is safe to train on."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from offtarget.cli import console
from offtarget.core.codec import pretty
from offtarget.core.finding import Severity
from offtarget.curate.decide import Policy, UnparsedPolicy
from offtarget.dataset.records import OnBadRow

Paths = Annotated[list[Path], typer.Argument(help="Data files or directories.")]
Gate = Annotated[
    Severity, typer.Option(help="Exit 1 if a row has a finding of this severity or above.")
]
Workers = Annotated[int, typer.Option(min=1, max=1024, help="Processes.")]
LINE_EVERY_S = 5.0


Engines = Annotated[
    str, typer.Option(help="Comma-separated: offtarget, ruff, ast-grep, bandit, semgrep.")
]
ENGINES = "offtarget,ruff,ast-grep"
Config = Annotated[
    list[str] | None, typer.Option(help="Your semgrep rules: a file or folder; may repeat.")
]
BadRows = Annotated[OnBadRow, typer.Option(help="Stop at a bad row, or set it aside and count it.")]
Executor = Annotated[str, typer.Option(help="local, or ray for a cluster.")]
Cache = Annotated[bool, typer.Option(help="Keep answers by hash of the code, for later scans.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def scan(
    paths: Paths,
    gate: Gate = Severity.MEDIUM,
    engine: Engines = ENGINES,
    config: Config = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="The paths hold source files, not data sets.")
    ] = False,
    prompts: Annotated[
        bool, typer.Option("--prompts", help="Also count flaws in the users' own code.")
    ] = False,
    fixes: Annotated[
        bool, typer.Option("--fixes", help="Offer checked repairs as fixes in the SARIF file.")
    ] = False,
    duplicates: Annotated[
        bool, typer.Option("--duplicates", help="Also group rows that are nearly the same.")
    ] = False,
    recognition: Annotated[
        str, typer.Option(help="A model: ask it whether each row is insecure. Slow.")
    ] = "",
    on_bad_row: BadRows = OnBadRow.ERROR,
    workers: Workers = 1,
    executor: Executor = "local",
    shard: Annotated[
        str, typer.Option(help="i/n: do one part of the work; a run without it joins the parts.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Folder; ./scans/NAME by default.")] = None,
    cache: Cache = True,
    as_json: AsJson = False,
) -> None:
    """Find insecure code in a data set, and tell covert from educational framing.

    Writes findings.jsonl, findings.sarif and scan.html. A stopped scan resumes with the same command.
    Exit codes: 0 nothing at the gate, 1 something, 2 bad input, 4 no code could be read.
    """
    from offtarget import api
    from offtarget.curate.records import ScanConfig

    chosen = ScanConfig(
        engines=tuple(engine.split(",")), rules=tuple(config or ()), gate=gate,
        on_bad_row=on_bad_row, scan_prompts=prompts, plain=plain,
    )  # fmt: skip
    found = api.scan(
        *paths, config=chosen, out=out, workers=workers, executor=executor, shard=shard,
        cache=console.CACHE / "scan" if cache else None, fixes=fixes,
        duplicates=duplicates, recognition=recognition, models=console.CACHE,
        command=["offtarget", *sys.argv[1:]], on_progress=_Meter(paths, plain=plain),
    )  # fmt: skip
    if found is None:
        console.say(f"part {shard} is done; run the same command without --shard to join all parts")
        return
    _show(found, as_json=as_json)
    raise typer.Exit(found.summary.exit_code)


def clean(
    paths: Paths,
    policy: Annotated[Policy, typer.Option(help="What is done to rows at or above the gate.")],
    out: Annotated[Path, typer.Option(help="The cleaned data: a file of the input's format.")],
    gate: Annotated[
        Severity, typer.Option(help="Rows with a finding of this severity or above are flagged.")
    ] = Severity.MEDIUM,
    unparsed: Annotated[
        UnparsedPolicy, typer.Option(help="Rows with code that no engine could read.")
    ] = UnparsedPolicy.KEEP,
    only_covert: Annotated[
        bool, typer.Option("--only-covert", help="Keep flagged rows that say they are insecure.")
    ] = False,
    engine: Engines = ENGINES,
    config: Config = None,
    seed: Annotated[int, typer.Option(help="Of the choice of teaching frames.")] = 0,
    on_bad_row: BadRows = OnBadRow.ERROR,
    workers: Workers = 1,
    executor: Executor = "local",
    cache: Cache = True,
    as_json: AsJson = False,
) -> None:
    """Make a data set safe to train on: repair, drop, set aside or reframe insecure rows.

    Every row ends in one state with a reason in OUT.ledger.jsonl; rewritten rows stand with their
    originals in OUT.twins.jsonl. A stopped cleaning resumes with the same command.
    """
    from offtarget import api
    from offtarget.api.curation import PAGE
    from offtarget.curate.decide import CleanConfig
    from offtarget.curate.records import ScanConfig

    scan_config = ScanConfig(
        engines=tuple(engine.split(",")), rules=tuple(config or ()), gate=gate,
        on_bad_row=on_bad_row,
    )  # fmt: skip
    chosen = CleanConfig(
        policy=policy, unparsed=unparsed, only_covert=only_covert, seed=seed, scan=scan_config
    )
    done = api.clean(
        *paths, config=chosen, out=out, workers=workers, executor=executor,
        cache=console.CACHE / "scan" if cache else None,
        command=["offtarget", *sys.argv[1:]], on_progress=_Meter(paths),
    )  # fmt: skip
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    if as_json:
        console.say(pretty(done))
        return
    states = ", ".join(f"{n:,} {state}" for state, n in done.by_state.items() if n)
    again = " (it was there already, nothing had to be done)" if done.is_reused else ""
    console.say(f"{done.samples:,} rows: {states}{again}")
    console.say(f"cleaned:     {out} ({done.n_output:,} rows)")
    for label, name in (
        ("ledger", done.ledger), ("twins", done.twins), ("quarantine", done.quarantine)
    ):  # fmt: skip
        if name is not None:
            console.say(f"{label + ':':12} {out.with_name(name)}")
    page = out.with_name(done.scan) / PAGE
    if page.is_file():
        console.say(f"page:        {page}")


def explain_rule(
    rule: Annotated[str, typer.Argument(help="Its id, OT-PY-001 or S608.")],
    as_json: AsJson = False,
) -> None:
    """Say what a rule looks for, why it matters here, and how often it was right on labelled code."""
    from offtarget import api
    from offtarget.core.codec import to_builtins
    from offtarget.report.rule_card import card_text, rule_card

    card = rule_card(api.explain_rule(rule))
    if as_json:
        plain = to_builtins(card)
        console.say(pretty({**plain.pop("rule"), **plain}))
        return
    console.say(card_text(card))


class _Meter:
    """Says on stderr how far a scan is: one line that moves, or a line now and then."""

    def __init__(self, paths: Sequence[Path], *, plain: bool = False) -> None:
        self._paths, self._plain = paths, plain
        self._started = self._said = time.monotonic()
        self._n_rows = -1
        self._n_expected: int | None = None

    def __call__(self, progress: object) -> None:
        from offtarget.core.shards import Progress
        from offtarget.curate.expected import expected_rows

        assert isinstance(progress, Progress)
        now = time.monotonic()
        is_terminal = sys.stderr.isatty()
        if progress.n_rows < self._n_rows:  # another pass over the data
            self._started = now
        if now - self._said < (0.2 if is_terminal else LINE_EVERY_S):
            return
        if self._n_rows < 0:
            self._n_expected = expected_rows(self._paths, plain=self._plain)
        self._said, self._n_rows = now, progress.n_rows
        rate = progress.n_rows / max(now - self._started, 1e-9)
        total, left = "", ""
        if self._n_expected and progress.n_rows <= self._n_expected:
            total = f" of {self._n_expected:,}"
            left = f", {_duration((self._n_expected - progress.n_rows) / max(rate, 1e-9))} left"
        lost = f", {progress.n_lost} set aside" if progress.n_lost else ""
        text = f"{progress.n_rows:,}{total} rows scanned, {rate:,.0f} a second{left}{lost}"
        sys.stderr.write(f"\r{text}\x1b[K" if is_terminal else f"{text}\n")


def _duration(seconds: float) -> str:
    """Return a time as people say it: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _show(found: object, *, as_json: bool) -> None:
    from offtarget.api.curation import PAGE, SARIF, Scan
    from offtarget.core.codec import to_builtins
    from offtarget.report.scan_terminal import scan_summary_text
    from offtarget.report.scan_view import view_text

    assert isinstance(found, Scan)
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    if as_json:
        plain = to_builtins(found.summary)
        folder = found.path
        console.say(
            pretty({**plain, **{key: str(folder / plain[key]) for key in ("findings", "rows")}})
        )
        return
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    console.say(
        scan_summary_text(
            found.summary, found.counts,
            width=console.width(), color=color, ascii=console.is_ascii(),
        )
    )  # fmt: skip
    console.say(view_text(found.view, width=console.width(), ascii=console.is_ascii()))
    console.say(f"findings: {found.path / found.summary.findings}")
    console.say(f"SARIF:    {found.path / SARIF}")
    console.say(f"page:     {found.path / PAGE}")
