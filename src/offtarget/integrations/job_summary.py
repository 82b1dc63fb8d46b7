"""A scan as Markdown for a job's summary page; hostile names stay text."""

import re
from collections.abc import Iterable, Mapping, Sequence

from offtarget.api.curation import Scan
from offtarget.integrations.changed import headline, shown_findings
from offtarget.report.text import safe_text

MAX_LISTED = 50
"""Files that a list names."""
MAX_NAME_CHARS = 200


def scan_page(
    found: Scan, names: Mapping[str, str], passed_over: Sequence[str], *, plain: bool
) -> str:
    """Return the page of a finished scan.

    Args:
        found: The scan.
        names: What to call the files that it names.
        passed_over: What was not scanned, and why.
        plain: Source files were scanned.
    """
    summary = found.summary
    engines = ", ".join(f"{used.name} {used.version}" for used in summary.engines)
    files = [
        (code(names.get(one.path, one.path)), one.n_samples, one.n_flagged)
        for one in sorted(summary.files, key=lambda one: -one.n_flagged)
    ]
    parts = [
        f"## offtarget: {headline(found)}",
        table(("file", "rows", "flagged"), files),
        table(("CWE", "findings"), [*summary.by_cwe.items()]),
        table(("framing", "flagged rows"), [*summary.by_framing.items()]),
        _listed("Findings at the gate", shown_findings(found, names, plain=plain)),
        _not_known(found),
        _listed("Not scanned", passed_over),
        f"Engines: {code(engines)}. Clean means that nothing was found.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def nothing_page(passed_over: Sequence[str]) -> str:
    """Return the page of a job with nothing to scan."""
    parts = ["## offtarget: nothing to scan", _listed("Not scanned", passed_over)]
    return "\n\n".join(part for part in parts if part) + "\n"


def failure_page(message: str) -> str:
    """Return the page of a job that could not scan."""
    return f"## offtarget: could not scan\n\n{code(message)}\n"


def code(text: str) -> str:
    """Return text as a code span: one line, nothing in it is Markdown, also in a table's cell."""
    shown = safe_text(text, limit=MAX_NAME_CHARS) or " "
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if "`" in shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}".replace("|", "\\|")


def table(head: Sequence[str], rows: Sequence[tuple[str | int, ...]]) -> str:
    """Return a Markdown table; empty if there are no rows."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows[:MAX_LISTED]]
    if len(rows) > MAX_LISTED:
        lines.append([f"and {len(rows) - MAX_LISTED:,} more", *[""] * (len(head) - 1)])
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _listed(title: str, texts: Iterable[str]) -> str:
    lines = [f"- {code(text)}" for text in texts]
    if not lines:
        return ""
    if len(lines) > MAX_LISTED:
        lines = [*lines[:MAX_LISTED], f"- and {len(lines) - MAX_LISTED:,} more"]
    return f"{title}:\n\n" + "\n".join(lines)


def _not_known(found: Scan) -> str:
    summary = found.summary
    if not summary.unparsed + summary.quarantined:
        return ""
    return (
        f"Not known to be clean: {summary.unparsed:,} rows with code that no engine could read, "
        f"{summary.quarantined:,} set aside."
    )
