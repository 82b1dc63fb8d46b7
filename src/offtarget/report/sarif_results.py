"""One finding as a SARIF result: its place, its data flow, its fingerprint and its fix."""

from dataclasses import dataclass, replace
from itertools import pairwise

import msgspec

from offtarget.core.finding import Finding
from offtarget.report.sarif_evidence import Evidence, lines_around
from offtarget.report.sarif_fingerprint import KEY, Ordinals, fingerprint
from offtarget.report.sarif_limits import SarifLimits, message, shown
from offtarget.report.sarif_places import Files, Place, make_place
from offtarget.report.sarif_records import (
    ArtifactChange,
    CodeFlow,
    Content,
    Properties,
    Repair,
    Replacement,
    Result,
    ThreadFlow,
    ThreadFlowLocation,
)
from offtarget.report.sarif_row import escaped
from offtarget.report.sarif_rules import LEVELS, Catalog
from offtarget.report.text import safe_text

_ENCODER = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class Draft:
    """A result without its numbers, which depend on the results before it and the rules.

    Tens of thousands are held: their parts are JSON already, which is smaller than the objects.
    """

    finding: Finding
    """Without its trace."""
    location: msgspec.Raw
    flow: msgspec.Raw | None
    n_steps_left_out: int
    fix: msgspec.Raw | None
    properties: msgspec.Raw
    fingerprint: str


def draft_result(
    finding: Finding, evidence: Evidence | None, *, files: Files, limits: SarifLimits
) -> Draft:
    """Return what the file says of one finding; `evidence` is not needed after this."""
    place = make_place(finding, evidence, files)
    flow, n_steps_left_out = _flow(place, limits)
    fix, fix_properties = _fix(place, limits)
    properties: Properties = {
        "engine": shown(finding.engine, limits.id),
        "severity": finding.severity.value,
        "confidence": finding.confidence,
        "origin": finding.origin.value,
        **fix_properties,
    }
    if n_steps_left_out:
        properties["stepsLeftOut"] = n_steps_left_out
    if not files.is_plain:
        properties |= {"row": finding.line, "message": finding.message}
    return Draft(
        finding=replace(finding, trace=()),
        location=_json(place.location(finding.span, limits=limits)),
        flow=_json(flow) if flow else None,
        n_steps_left_out=n_steps_left_out,
        fix=_json(fix) if fix else None,
        properties=_json(properties),
        fingerprint=_fingerprint(finding, evidence, limits),
    )


def finish_result(
    draft: Draft, *, catalog: Catalog, ordinals: Ordinals, limits: SarifLimits
) -> Result:
    """Return the result; to be called in the order of the file."""
    finding = draft.finding
    taxon = catalog.taxon(finding.cwe)
    return Result(
        rule_id=shown(finding.rule, limits.id),
        rule_index=catalog.rule_index[finding.rule],
        level=LEVELS[finding.severity],
        rank=round(100.0 * finding.confidence, 1),
        message=message(finding.text, limits.description),
        locations=[draft.location],
        partial_fingerprints={KEY: ordinals.numbered(finding.file, draft.fingerprint)},
        code_flows=[draft.flow] if draft.flow else None,
        fixes=[draft.fix] if draft.fix else None,
        taxa=[taxon] if taxon else None,
        properties=draft.properties,
    )


def _json(record: object) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(record))


def _fingerprint(finding: Finding, evidence: Evidence | None, limits: SarifLimits) -> str:
    if evidence is None:
        return fingerprint(finding, "")
    span = finding.span
    lines = lines_around(evidence.text, span.start, span.end, limit=limits.snippet)
    return fingerprint(finding, lines.flawed, before=lines.before, after=lines.after)


def _flow(place: Place, limits: SarifLimits) -> tuple[CodeFlow | None, int]:
    trace = place.finding.trace
    if not trace:
        return None, 0
    n_left_out = max(0, len(trace) - limits.n_steps)
    if n_left_out:
        n_last = limits.n_steps // 2
        trace = trace[: limits.n_steps - n_last] + trace[len(trace) - n_last :]
    steps = [
        ThreadFlowLocation(
            location=place.step(step.span, step.text, limits=limits),
            importance="essential" if number in (0, len(trace) - 1) else None,
        )
        for number, step in enumerate(trace)
    ]
    return CodeFlow(thread_flows=[ThreadFlow(locations=steps)]), n_left_out


def _fix(place: Place, limits: SarifLimits) -> tuple[Repair | None, Properties]:
    """Return the fix where it can be applied to the file as it is, else what it would do."""
    fix = place.evidence.fix if place.evidence else None
    if fix is None or not fix.edits:
        return None, {}
    edits = sorted(fix.edits, key=lambda edit: (edit.inside or "", edit.start, edit.end))
    inserted = "".join(edit.text for edit in edits)
    if len(inserted) > limits.fix:
        return None, {"fixLeftOut": f"inserts {len(inserted):,} characters"}
    if safe_text(inserted, keep_lines=True) != inserted:
        return None, {"fixLeftOut": "inserts hidden characters"}
    if any(
        left.inside == right.inside and left.end > right.start for left, right in pairwise(edits)
    ):
        return None, {"fixLeftOut": "its edits overlap"}
    description = message(fix.description, limits.description)
    replacements: list[Replacement] = []
    for edit in edits:
        region = place.edited(edit)
        if region is None:
            texts = [shown(edit.text, limits.snippet) if edit.text else "" for edit in edits]
            return None, {"fix": {"description": description.text, "inserted": texts}}
        text = edit.text if place.is_plain else escaped(edit.text)
        content = Content(text=text) if text else None
        replacements.append(Replacement(deleted_region=region, inserted_content=content))
    replacements.sort(key=_place_of)
    change = ArtifactChange(artifact_location=place.artifact, replacements=replacements)
    return Repair(description=description, artifact_changes=[change]), {}


def _place_of(replacement: Replacement) -> tuple[int, ...]:
    region = replacement.deleted_region
    ends = (region.start_line, region.start_column, region.end_line, region.end_column)
    return tuple(end or 0 for end in ends)
