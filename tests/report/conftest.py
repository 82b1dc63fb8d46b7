"""A browser for each file of tests: its event loop must be gone before others of this thread run."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from .browser import start_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from start_browser()
