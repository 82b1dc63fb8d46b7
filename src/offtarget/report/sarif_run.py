"""The run of a SARIF file: the tool, its engines, what was scanned and what is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from offtarget.report.sarif_limits import SarifLimits, shown
from offtarget.report.sarif_records import (
    SOURCE_ROOT,
    ArtifactLocation,
    Component,
    Descriptor,
    DescriptorReference,
    Invocation,
    Message,
    Notification,
    Run,
    Tool,
)
from offtarget.report.sarif_rules import CWE, Catalog

_LEFT_OUT = "OT-SARIF-LIMIT"


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """An engine that took part in the scan."""

    name: str
    version: str


def make_run(
    catalog: Catalog,
    *,
    engines: Sequence[EngineInfo],
    n_samples: int,
    n_findings: int,
    n_results: int,
    limits: SarifLimits,
) -> Run:
    """Return the run of a scan; findings that are not among the results are told of in it."""
    n_left_out = n_findings - n_results
    driver = Component(
        name="offtarget",
        version=version("offtarget"),
        short_description=Message(text="Audits fine-tuning data for covertly insecure code"),
        rules=catalog.rules,
        notifications=[
            Descriptor(id=_LEFT_OUT, short_description=Message(text="Findings were left out"))
        ],
        supported_taxonomies=[CWE],
    )
    extensions = [
        Component(name=shown(engine.name, limits.id), version=shown(engine.version, limits.id))
        for engine in engines[: limits.n_engines]
    ]
    return Run(
        tool=Tool(driver=driver, extensions=extensions),
        invocations=[
            Invocation(
                execution_successful=True,
                tool_execution_notifications=_notifications(n_left_out, n_findings),
            )
        ],
        original_uri_base_ids={
            SOURCE_ROOT: ArtifactLocation(
                description=Message(text="The root of the repository that holds the data")
            )
        },
        column_kind="unicodeCodePoints",
        taxonomies=[catalog.taxonomy],
        properties={
            "samples": n_samples,
            "findings": n_findings,
            "findingsLeftOut": n_left_out,
        },
    )


def _notifications(n_left_out: int, n_findings: int) -> list[Notification]:
    if not n_left_out:
        return []
    text = (
        f"{n_left_out:,} of {n_findings:,} findings are left out, the least severe and least "
        "certain ones: the file would be too large for code-scanning viewers. findings.jsonl "
        "holds all of them."
    )
    return [
        Notification(
            level="warning",
            message=Message(text=text),
            descriptor=DescriptorReference(id=_LEFT_OUT, index=0),
        )
    ]
