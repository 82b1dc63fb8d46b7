"""Rules and the CWE taxonomy as a SARIF file declares them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from offtarget.codescan.cwe import table
from offtarget.codescan.rule import Rule
from offtarget.core.finding import Finding, Severity
from offtarget.report.sarif_limits import SarifLimits, message, shown
from offtarget.report.sarif_records import (
    Component,
    ComponentReference,
    Configuration,
    Descriptor,
    DescriptorReference,
    Message,
    Relationship,
)

LEVELS = {Severity.LOW: "note", Severity.MEDIUM: "warning", Severity.HIGH: "error"}
SCORES = {Severity.LOW: "3.0", Severity.MEDIUM: "5.5", Severity.HIGH: "8.0"}
"""`security-severity`: the middle of the bands 0.1-3.9, 4.0-6.9 and 7.0-9.0 of a CVSS score."""
PRECISIONS = ((0.9, "very-high"), (0.7, "high"), (0.4, "medium"), (0.0, "low"))

CWE = ComponentReference(name="CWE", index=0, guid="FFC64C90-42B6-44CE-8BEB-F6B7DAE649E5")
"""Other tools name the taxonomy by the same guid."""
CWE_VERSION = "4.17"
_CWE_ID = re.compile(r"CWE-([1-9][0-9]{0,4})")


@dataclass(frozen=True, slots=True)
class Catalog:
    """The rules and taxa of a run, and at which index each stands."""

    rules: list[Descriptor]
    taxa: list[Descriptor]
    rule_index: dict[str, int]
    taxon_index: dict[str, int]

    def taxon(self, cwe: str) -> DescriptorReference | None:
        """Return the reference to a kind of flaw, or None if `cwe` is not an id of one."""
        index = self.taxon_index.get(cwe)
        return index if index is None else _reference(cwe, index)

    @property
    def taxonomy(self) -> Component:
        """The part of CWE that the run uses."""
        return Component(
            name=CWE.name,
            version=CWE_VERSION,
            guid=CWE.guid,
            organization="MITRE",
            short_description=Message(text="Common Weakness Enumeration"),
            information_uri="https://cwe.mitre.org/",
            taxa=self.taxa,
            is_comprehensive=False,
        )


def make_catalog(
    rules: Sequence[Rule], findings: Iterable[Finding], *, limits: SarifLimits
) -> Catalog:
    """Return the catalog of all rules that ran or that a finding names, sorted by id.

    Over the limit rules without a finding are left out. A rule that only a finding names (of a
    user's own engine rules) is described by that finding.
    """
    named: dict[str, Finding] = {}
    cwes: set[str] = set()
    for finding in findings:
        named.setdefault(finding.rule, finding)
        cwes.add(finding.cwe)
    known = {rule.id: rule for rule in reversed(rules)}
    silent = sorted(known.keys() - named.keys())[: max(0, limits.n_rules - len(named))]
    ids = sorted([*named, *silent])
    cwes |= {known[id].cwe for id in ids if id in known}
    taxa = sorted((cwe for cwe in cwes if _CWE_ID.fullmatch(cwe)), key=lambda cwe: (len(cwe), cwe))
    taxon_index = {cwe: index for index, cwe in enumerate(taxa)}
    return Catalog(
        rules=[
            _declared(known[id], taxon_index, limits)
            if id in known
            else _undeclared(named[id], taxon_index, limits)
            for id in ids
        ],
        taxa=[_taxon(cwe) for cwe in taxa],
        rule_index={id: index for index, id in enumerate(ids)},
        taxon_index=taxon_index,
    )


def _declared(rule: Rule, taxa: dict[str, int], limits: SarifLimits) -> Descriptor:
    fence = "`" * (1 + max(map(len, re.findall("`+", f"``{rule.bad}\n{rule.good}"))))
    language = rule.language if rule.language.isalnum() else ""
    examples = "".join(
        f"\n\n{title}\n\n{fence}{language}\n{code}\n{fence}"
        for title, code in (("Found:", rule.bad), ("Not found:", rule.good))
    )
    plain = f"{rule.title}. {rule.why}\n\nFound:\n{rule.bad}\n\nNot found:\n{rule.good}"
    return Descriptor(
        id=shown(rule.id, limits.id),
        short_description=message(rule.title, limits.description),
        full_description=message(rule.why, limits.description),
        help=Message(
            text=shown(plain, 8 * limits.description),
            markdown=shown(f"{rule.title}. {rule.why}{examples}", 8 * limits.description),
        ),
        help_uri=_page(rule.cwe),
        default_configuration=Configuration(level=LEVELS[rule.severity]),
        relationships=_relationships(rule.cwe, taxa),
        properties={
            "tags": _tags(rule.cwe, rule.language)[: limits.n_tags],
            "precision": _precision(rule.confidence),
            "security-severity": SCORES[rule.severity],
        },
    )


def _undeclared(finding: Finding, taxa: dict[str, int], limits: SarifLimits) -> Descriptor:
    """Describe a rule that is known by its findings only; the first one speaks for it."""
    text = message(f"{finding.rule} ({finding.engine})", limits.description)
    return Descriptor(
        id=shown(finding.rule, limits.id),
        short_description=text,
        full_description=text,
        help=Message(text=f"{text.text}: see the rule in the engine's own configuration."),
        help_uri=_page(finding.cwe),
        default_configuration=Configuration(level=LEVELS[finding.severity]),
        relationships=_relationships(finding.cwe, taxa),
        properties={
            "tags": _tags(finding.cwe, "")[: limits.n_tags],
            "precision": _precision(finding.confidence),
            "security-severity": SCORES[finding.severity],
        },
    )


def _taxon(cwe: str) -> Descriptor:
    known = table().get(cwe)
    return Descriptor(
        id=cwe,
        name=known.name if known else None,
        short_description=Message(text=known.name) if known else None,
        help_uri=_page(cwe),
    )


def _page(cwe: str) -> str | None:
    number = _CWE_ID.fullmatch(cwe)
    return f"https://cwe.mitre.org/data/definitions/{number[1]}.html" if number else None


def _tags(cwe: str, language: str) -> list[str]:
    number = _CWE_ID.fullmatch(cwe)
    tags = ["security"]
    if number:
        tags.append(f"external/cwe/cwe-{int(number[1]):03d}")  # the form that code scanning reads
    return [*tags, language] if language else tags


def _precision(confidence: float) -> str:
    return next((name for least, name in PRECISIONS if confidence >= least), "low")


def _relationships(cwe: str, taxa: dict[str, int]) -> list[Relationship] | None:
    if cwe not in taxa:
        return None
    return [Relationship(target=_reference(cwe, taxa[cwe]), kinds=["superset"])]


def _reference(cwe: str, index: int) -> DescriptorReference:
    return DescriptorReference(id=cwe, index=index, tool_component=CWE)
