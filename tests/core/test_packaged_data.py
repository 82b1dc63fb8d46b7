"""What is not Python travels in the wheel as well."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_data_file_is_packaged() -> None:
    """Each file of the package that is not source matches a pattern of package-data."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    package = ROOT / "src" / "offtarget"
    patterns = settings["tool"]["setuptools"]["package-data"]["offtarget"]
    packaged = {path for pattern in patterns for path in package.glob(pattern)}
    files = {
        path
        for path in package.rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"} and path.name[0] != "."
    }

    assert files <= packaged, sorted(str(path.relative_to(package)) for path in files - packaged)
    assert len(files) > 20
