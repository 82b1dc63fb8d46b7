"""What the docs hold: fenced blocks, links, headings."""

import re
from dataclasses import dataclass
from pathlib import Path

from .generate import ROOT

PAGES = tuple(sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]))
"""Every page of the repository."""
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    page: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.text.split())[:40]}"


def blocks(*languages: str) -> list[Block]:
    """Return the fenced blocks in any of `languages`, over all pages."""
    return [
        Block(page.relative_to(ROOT).as_posix(), language, text)
        for page in PAGES
        for language, text in _FENCE.findall(page.read_text("utf-8"))
        if language in languages
    ]


def commands(program: str) -> list[str]:
    """Return every command line in console and bash blocks that begins with `program`."""
    found = []
    for block in blocks("console", "bash"):
        for line in block.text.splitlines():
            command = line.removeprefix("$ ").strip()
            found += [command] if command.split(" ")[0] == program else []
    return found


def links(page: Path) -> list[str]:
    """Return the targets of relative links on a page."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    return [to for to in _LINK.findall(text) if not to.startswith(("http://", "https://"))]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
