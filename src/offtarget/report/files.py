"""The files of a run's report folder."""

from offtarget.core.codec import canonical, pretty
from offtarget.evaluate.results import Results
from offtarget.report.html import render_report


def report_files(results: Results) -> dict[str, bytes]:
    """Return the files of `report/` by name: the record for programs, the page for people.

    Raises:
        DataError: If a number of `results` is not finite; such a record is not JSON.
    """
    canonical(results)  # refuses NaN and infinities, which `pretty` would write as they are
    return {
        # a lone surrogate has no UTF-8; as \udXXX inside a JSON string it keeps its value
        "results.json": pretty(results).encode("utf-8", "backslashreplace"),
        "report.html": render_report(results).encode("utf-8"),
    }
