"""One line for all that a scan says of a row: the row's record, then its findings, tabs between.

JSON never holds a tab as such, so that the parts are told apart without being parsed.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from offtarget.core.codec import canonical, to_builtins
from offtarget.core.finding import Finding
from offtarget.curate.records import RowScan
from offtarget.curate.written import decode_line

_ROW = msgspec.json.Decoder(RowScan)
_FINDING = msgspec.json.Decoder(Finding)


def pack(scan: RowScan) -> bytes:
    """Return the line."""
    row = to_builtins(scan)
    findings = row.pop("findings")
    return b"\t".join([canonical(row), *map(canonical, findings)])


def parts_of(line: bytes) -> tuple[bytes, Sequence[bytes]]:
    """Return the row's record and those of its findings, each as canonical JSON."""
    row, *findings = line.split(b"\t")
    return row, findings


def unpack(line: bytes) -> RowScan:
    """Return what was packed."""
    row, findings = parts_of(line)
    found = tuple(decode_line(_FINDING, one) for one in findings)
    return replace(decode_line(_ROW, row), findings=found)
