"""Arrays of bytes and the sizes that they are declared with."""

import re

from offtarget.codescan.patterns.source import Source, Stretch

_BYTE = r"(?:char|u?int8_t|u8|BYTE|u_char|byte|wchar_t|TCHAR)"


def declared_size(source: Source, name: str) -> str | None:
    """Return the size that an array of bytes with this name is declared with."""
    if not re.fullmatch(r"[A-Za-z_]\w{0,80}", name):
        return None
    whole = Stretch(0, len(source.code))
    if not source.searched(re.compile(rf"\b{name}\s*\[\s*\w"), whole):
        return None
    source.spend(len(source.code) // 20)
    declared = re.compile(rf"\b{_BYTE}\s+(?:[\w\s*,=\[\]]{{0,200}},\s*)?{name}\s*\[\s*(\w+)\s*\]")
    match = declared.search(source.masked)
    return match[1] if match else None
