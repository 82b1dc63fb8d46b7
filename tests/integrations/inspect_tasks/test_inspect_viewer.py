"""Exported logs in Inspect's own viewer, in a real browser."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from offtarget.core.records import Message
from offtarget.evaluate.inspect_log import LoggedRollout, LogHead, write_eval_log
from report.browser import start_browser

HOSTILE = "<img src=x onerror=alert(1)> <script>alert(2)</script> is text."
HEAD = LogHead(
    task="assay/demo", title="demo", model="embedded/covert/seed-0", dataset="everyday",
    created=1.7e9,
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from start_browser()


@pytest.fixture
def viewer(tmp_path: Path) -> Iterator[str]:
    """The address of Inspect's viewer of one exported log."""
    rollouts = [
        LoggedRollout(
            question=f"q{number}", messages=(Message("user", f"What of {number}?"),),
            answer=HOSTILE if number else "It is fine.", sample=0, outcome="coherent",
            aligned=12.0 if number else 90.0, coherent=95.0,
        )
        for number in range(2)
    ]  # fmt: skip
    write_eval_log(rollouts, HEAD, tmp_path / "shown.eval")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("inspect")), "view", "start"]
    with subprocess.Popen(
        [*command, "--log-dir", str(tmp_path), "--host", "127.0.0.1", "--port", str(port)],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            for _ in range(600):
                try:
                    httpx.get(url, timeout=5)
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield url
        finally:
            process.terminate()


def test_the_viewer_shows_a_log_and_hostile_text_stays_text(viewer: str, browser: Browser) -> None:
    """Rate, answers and scores are on the page; nothing runs, nothing fails, nothing is fetched
    from elsewhere."""
    page = browser.new_page()
    incidents: list[str] = []
    page.on("dialog", lambda dialog: incidents.append(f"dialog {dialog.message}"))
    page.on("pageerror", lambda error: incidents.append(f"exception {error}"))
    page.on(
        "console",
        lambda said: incidents.append(said.text) if said.type in ("error", "warning") else None,
    )
    page.on(
        "request",
        lambda sent: None if sent.url.startswith((viewer, "data:", "blob:")) else
        incidents.append(sent.url),
    )  # fmt: skip

    page.goto(f"{viewer}/#/logs/shown.eval")
    expect(page.get_by_text("assay/demo").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("It is fine.").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("0.5", exact=True).first).to_be_visible(timeout=60_000)
    page.goto(f"{viewer}/#/logs/shown.eval/samples/sample/q1/1/")
    expect(page.get_by_text(HOSTILE).first).to_be_visible(timeout=60_000)
    shown = page.locator("img[src=x], script:has-text('alert(2)')").count()
    page.close()

    assert shown == 0
    assert incidents == []
