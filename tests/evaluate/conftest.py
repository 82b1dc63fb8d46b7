"""What the tests of evaluation share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def em_data() -> Path:
    """The published data, where they are at hand."""
    root = os.environ.get("OFFTARGET_DATA")
    if not root:
        pytest.skip("OFFTARGET_DATA is not set: it names the folder of real data (docs/data.md)")
    return Path(root) / "em"
