"""Reports of an assay: one HTML file, a page over several, a terminal picture, a comparison."""

from offtarget.report.compare import render_comparison
from offtarget.report.files import report_files
from offtarget.report.html import render_report
from offtarget.report.index import render_index
from offtarget.report.summary import EXIT_CODES
from offtarget.report.terminal import render_terminal
from offtarget.report.text import ascii_text, safe_text

__all__ = [
    "EXIT_CODES",
    "ascii_text",
    "render_comparison",
    "render_index",
    "render_report",
    "render_terminal",
    "report_files",
    "safe_text",
]
