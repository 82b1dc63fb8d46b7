"""A headless Chromium that reports whatever a page tries to do."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective));
"""


@dataclass(slots=True)
class Watched:
    """A page and all that it did besides showing itself."""

    page: Page
    file: Path
    incidents: list[str] = field(default_factory=list)
    """Dialogs, console errors and warnings, exceptions, popups and requests."""

    def show(self, html: str) -> None:
        """Load `html` from the file; what the page before did is forgotten."""
        self.incidents.clear()
        self.file.write_bytes(html.encode("utf-8"))
        self.page.goto(self.file.as_uri())

    def violations(self) -> list[str]:
        """Return the directives of the page's policy that were violated."""
        found: list[str] = self.page.evaluate("window.violations")
        return found


def start_browser() -> Iterator[Browser]:
    """Yield a browser; without Chromium skip, or fail where `CI` is set."""
    path = shutil.which("chromium")
    if path is None:
        reason = "chromium is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGS))
        yield browser
        browser.close()


@contextmanager
def open_page(
    browser: Browser, folder: Path, *, width: int = 1280, scheme: str = "light"
) -> Iterator[Watched]:
    """Yield an empty page that is watched; it shows one file of `folder`."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    watched = Watched(page, folder / "report.html")
    note = watched.incidents.append

    def on_request(request: Request) -> None:
        if request.url != watched.file.as_uri():
            note(f"request {request.url}")

    page.add_init_script(WATCH)
    page.on("dialog", lambda dialog: (note(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: note(f"exception {error}"))
    page.on("popup", lambda popup: note(f"popup {popup.url}"))
    page.on("request", on_request)
    page.on(
        "console",
        lambda said: note(f"console {said.text}") if said.type in ("error", "warning") else None,
    )
    try:
        yield watched
    finally:
        context.close()
