"""One browser for all tests of this folder."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from .browser import start_browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    yield from start_browser()
