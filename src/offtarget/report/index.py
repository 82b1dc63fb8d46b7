"""The page over several assays of one study: a verdict per model, with links to their reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from offtarget.core.errors import DataError
from offtarget.evaluate.results import Results
from offtarget.report.html import TONES
from offtarget.report.page import render_page

REPORT = "report/report.html"


@dataclass(frozen=True, slots=True)
class _Entry:
    results: Results
    tone: str
    href: str
    """Empty when the folder's name could lead elsewhere."""


def render_index(
    results: Sequence[Results],
    *,
    title: str = "Assays of one study",
    folders: Sequence[str] | None = None,
) -> str:
    """Return a page with a row per assay.

    Args:
        results: One per model.
        title: The study's name.
        folders: Where each run lies, relative to the page; the runs' names by default.

    Raises:
        DataError: If there is not one folder per result.
    """
    paths = [one.run for one in results] if folders is None else list(folders)
    if len(paths) != len(results):
        raise DataError(f"{len(paths)} folders for {len(results)} results; give one for each")
    entries = [
        _Entry(one, TONES[one.verdict], report_href(path))
        for one, path in zip(results, paths, strict=True)
    ]
    return render_page("index.html.jinja", {"heading": title, "entries": entries})


def report_href(folder: str) -> str:
    """Return the relative link to a run's report, or nothing if `folder` could leave the page's.

    Absolute paths, `..`, back slashes and empty parts are refused; all else is percent-encoded, so
    that no name can be read as a scheme or a host.
    """
    parts = folder.split("/")
    if "\\" in folder or any(part.strip() in ("", ".", "..") for part in parts):
        return ""
    encoded = "/".join(quote(part, safe="", errors="replace") for part in parts)
    return f"./{encoded}/{REPORT}"
