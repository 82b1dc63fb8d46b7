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

OVERLAPS = """() => {
  const found = [];
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    if (!frame.width) continue;
    const texts = [...svg.querySelectorAll("text")];
    const boxes = texts.map((t) => t.getBoundingClientRect());
    boxes.forEach((a, i) => {
      if (a.left < frame.left - 1 || a.right > frame.right + 1
          || a.top < frame.top - 1 || a.bottom > frame.bottom + 1)
        found.push("outside: " + texts[i].textContent);
      boxes.slice(i + 1).forEach((b, j) => {
        const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (x > 1 && y > 3)
          found.push(texts[i].textContent + " over " + texts[i + 1 + j].textContent);
      });
    });
  }
  return found;
}"""
CLIPPED = """() => [...document.querySelectorAll("h1,h2,p,li,dd,dt,th,td,summary,.facts div,.gate")]
  .filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1 && !e.closest(".scroll"))
  .map((e) => e.textContent.slice(0, 60))"""


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

    def layout_faults(self, html: str) -> list[str]:
        """Show `html` with everything unfolded; return what overlaps, is cut off or was done.

        A page that scrolls sideways is a fault too.
        """
        self.show(html)
        self.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = 1)")
        wide = self.page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        return [
            *([f"scrolls {wide} pixels sideways"] if wide > 0 else []),
            *self.page.evaluate(OVERLAPS),
            *(f"cut off: {text}" for text in self.page.evaluate(CLIPPED)),
            *self.incidents,
        ]

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
