"""Croissant 1.0 with the RAI 1.0 vocabulary: what was measured of a data set, for machines to read.

Only what a scan or a cleaning measured is said. License, citation, creators, dates and how the data
were collected are not known here and are left out: whoever publishes the data adds them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from offtarget.codescan.cwe import covers
from offtarget.core.codec import pretty
from offtarget.core.stats import wilson
from offtarget.curate.clean_files import CleanSummary
from offtarget.curate.output import explained, replacing
from offtarget.curate.records import EngineUsed, ScanSummary
from offtarget.dataset import detect_shape
from offtarget.dataset.containers import container_of, raw_rows
from offtarget.dataset.sources import clean_name
from offtarget.report.croissant_context import CONFORMS_TO, CONTEXT
from offtarget.report.scan_answer import FRAMINGS, LIMITS

CROISSANT = "croissant.json"
MAX_KINDS = 20
"""Kinds of flaws that are named; the others are counted together."""

Json = dict[str, Any]

_PARTS = {"messages": ("role", "content"), "sharegpt": ("from", "value")}
"""What a turn is made of, by shape."""
_CREDENTIALS = "CWE-798"
_FORMATS = {
    "jsonl": "application/jsonlines",
    "csv": "text/csv",
    "parquet": "application/x-parquet",
}
_FILE, _ROWS = "file", "rows"
"""Ids of what a document holds; file names make no ids, they may be anything."""


def write_scan_croissant(folder: Path, summary: ScanSummary) -> Path:
    """Write croissant.json to a scan's folder; the same scan, the same bytes.

    Files are named as rows and findings name them: the data itself lies elsewhere.

    Raises:
        ResourceError: If it cannot be written.
    """
    files = [_file(number, one.path, one.sha256) for number, one in enumerate(summary.files, 1)]
    names = ", ".join(one.path for one in summary.files)
    document = {
        **_head(Path(summary.files[0].path).name if len(summary.files) == 1 else folder.name),
        "description": f"Fine-tuning data scanned for insecure code: {names}.",
        "distribution": files,
        **_measured(summary),
    }
    return _written(folder / CROISSANT, document)


def write_clean_croissant(out: Path, cleaned: CleanSummary, scanned: ScanSummary) -> Path:
    """Write OUT.croissant.json beside cleaned data; the same cleaning, the same bytes.

    Args:
        out: The cleaned data.
        cleaned: What was done.
        scanned: What was found in the input.

    Raises:
        DataError: If the cleaned data cannot be read.
        ResourceError: If the file cannot be written.
    """
    measured = _measured(scanned)
    measured["rai:dataBiases"] = [f"Before cleaning: {one}" for one in measured["rai:dataBiases"]]
    measured["rai:dataLimitations"] = [
        "Counts of findings are those before cleaning; the cleaned data was not scanned as a whole.",
        *measured["rai:dataLimitations"],
    ]
    document = {
        **_head(clean_name(out.name)),
        "description": f"Fine-tuning data cleaned of insecure code, {cleaned.n_output} rows.",
        "distribution": [_file(1, clean_name(out.name), cleaned.sha256)],
        "recordSet": _record_sets(out),
        **measured,
        "rai:dataPreprocessingProtocol": _protocol(cleaned),
    }
    return _written(out.with_name(f"{out.name}.{CROISSANT}"), document)


def _head(name: str) -> Json:
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": name,
    }


def _file(number: int, label: str, sha256: str) -> Json:
    container = container_of(Path(label)) or ""
    return {
        "@type": "cr:FileObject",
        "@id": f"{_FILE}-{number}",
        "name": label,
        "contentUrl": label,
        "encodingFormat": _FORMATS[container.removesuffix(".gz")],
        "sha256": sha256,
    }


def _measured(summary: ScanSummary) -> Json:
    """Return the RAI fields that a scan fills."""
    return {
        "rai:dataBiases": _biases(summary),
        "rai:dataLimitations": [*LIMITS, *_unread(summary)],
        "rai:personalSensitiveInformation": [_sensitive(summary)],
        "rai:dataAnnotationProtocol": [_annotation(summary)],
        "rai:machineAnnotationTools": [f"{one.name} {one.version}" for one in summary.engines],
    }


def _biases(summary: ScanSummary) -> list[str]:
    said = [
        f"Insecure code: {_share(summary.flagged, summary.samples)} have a finding of {summary.gate} "
        "severity or above.",
    ]
    if summary.flagged:
        covert = summary.by_framing.get("covert", 0)
        said.append(
            f"Covert framing: {_share(covert, summary.flagged, 'flagged rows')} ask for ordinary "
            "code, and nobody says that it is insecure. All framings of flagged rows: "
            f"{_counts(_named(summary.by_framing))}."
        )
    if summary.n_findings:
        said += [
            f"Findings of any severity by kind: {_counts(summary.by_cwe)}.",
            f"Findings by origin: {_counts(summary.by_origin)}.",
        ]
    return said


def _unread(summary: ScanSummary) -> list[str]:
    return [
        f"{_share(summary.unparsed, summary.samples)} hold code that no engine could read and no "
        "finding: they are not known to be clean.",
        f"{_share(summary.quarantined, summary.samples)} were malformed or could not be scanned.",
    ]


def _sensitive(summary: ScanSummary) -> str:
    n_found = sum(n for cwe, n in summary.by_cwe.items() if covers(cwe, _CREDENTIALS))
    return (
        f"Credentials in the assistants' code: {n_found} findings of kind {_CREDENTIALS} or narrower. "
        "Other personal or sensitive information was not looked for."
    )


def _annotation(summary: ScanSummary) -> str:
    unproved = [_unproved(one) for one in summary.engines if one.unproved]
    said = (
        "Each row was scanned by machine, by static analysis of the assistant's code; no code was "
        "executed. Each engine had to find a known-bad and pass a known-good text in each of its "
        "languages before and after the data."
    )
    return f"{said} Without such proof: {'; '.join(unproved)}." if unproved else said


def _unproved(engine: EngineUsed) -> str:
    return f"{engine.name} in {', '.join(engine.unproved)}"


def _protocol(cleaned: CleanSummary) -> list[str]:
    inputs = ", ".join(f"{one.path} (sha256 {one.sha256})" for one in cleaned.files)
    states = _counts({state.value: n for state, n in cleaned.by_state.items()})
    return [
        f"Made from {inputs}: {cleaned.samples} rows.",
        f"Policy {cleaned.policy}, for rows with a finding of {cleaned.gate} severity or above. "
        f"Rows by what became of them: {states}. {cleaned.n_output} rows are in this data set; the "
        f"ledger {cleaned.ledger} gives the reason for every row.",
    ]


def _share(n: int, of: int, what: str = "rows") -> str:
    low, high = wilson(n, of)
    rate = f"{n / of:.4f}, " if of else ""
    return f"{n} of {of} {what} ({rate}95 % Wilson interval {low:.4f} to {high:.4f})"


def _counts(numbers: Mapping[str, int]) -> str:
    ranked = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{name} {n}" for name, n in ranked[:MAX_KINDS]]
    n_others = sum(n for _, n in ranked[MAX_KINDS:])
    return ", ".join([*named, f"others {n_others}"] if n_others else named)


def _named(by_framing: Mapping[str, int]) -> dict[str, int]:
    names = {framing.value: words for framing, (words, _) in FRAMINGS.items()}
    return {names[framing]: n for framing, n in by_framing.items()}


def _record_sets(out: Path) -> list[Json]:
    """Return the fields of the rows, by the shape of the first one; none of an empty file."""
    first = next(raw_rows(out, out.name), None)
    if first is None or first.problem is not None:
        return []
    shape = detect_shape(first.value, place=first.place)
    is_text = (container_of(out) or "").startswith("csv")  # turns as JSON in a cell
    fields = [_field(key, () if is_text else _PARTS.get(shape.name, ())) for key in shape.keys]
    return [{"@type": "cr:RecordSet", "@id": _ROWS, "name": _ROWS, "field": fields}]


def _field(key: str, parts: Sequence[str]) -> Json:
    field: Json = {"@type": "cr:Field", "@id": f"{_ROWS}/{key}", "name": key}
    if not parts:
        return {**field, "dataType": "sc:Text", "source": _source(key)}
    return {**field, "repeated": True, "subField": [_part(key, part) for part in parts]}


def _part(key: str, part: str) -> Json:
    return {
        "@type": "cr:Field",
        "@id": f"{_ROWS}/{key}/{part}",
        "name": part,
        "dataType": "sc:Text",
        "repeated": True,
        "source": {**_source(key), "transform": {"jsonPath": part}},
    }


def _source(key: str) -> Json:
    return {"fileObject": {"@id": f"{_FILE}-1"}, "extract": {"column": key}}


def _written(path: Path, document: Json) -> Path:
    with replacing(path) as file, explained(path.parent):
        file.write(pretty({key: value for key, value in document.items() if value}).encode())
    return path
