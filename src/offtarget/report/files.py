"""The files of a run's report folder."""

import json

from offtarget.core.codec import canonical, decode, pretty
from offtarget.core.errors import DataError
from offtarget.evaluate.results import Results
from offtarget.report.html import render_report


def report_files(results: Results) -> dict[str, bytes]:
    """Return the files of `report/` by name: the record for programs, the page for people.

    Raises:
        DataError: If a number of `results` is not finite; such a record is not JSON.
    """
    canonical(results)  # refuses NaN and infinities, which `pretty` would write as they are
    # a lone surrogate has no UTF-8; as \udXXX inside a JSON string it keeps its value
    record = pretty(results).encode("utf-8", "backslashreplace")
    # the page is drawn from what the record says, so that anybody can draw the same page from it
    settled = decode(json.loads(record), Results, place="results.json", error=DataError)
    return {"results.json": record, "report.html": render_report(settled).encode("utf-8")}
