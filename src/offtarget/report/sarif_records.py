"""The objects of SARIF 2.1.0 that we write; names and meanings are those of the standard.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0 with Errata 01, section 3.
"""

from typing import Any

from msgspec import Raw, Struct, field

SCHEMA_URI = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
VERSION = "2.1.0"
SOURCE_ROOT = "%SRCROOT%"
"""What every file's URI is relative to; viewers take the root of the repository."""

Properties = dict[str, Any]


class _Object(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An object without the properties that are not set."""


class Message(_Object, frozen=True):
    """Text for people, with Markdown beside it where a viewer can show that."""

    text: str
    markdown: str | None = None


class Content(_Object, frozen=True):
    """Part of a file."""

    text: str


class Region(_Object, frozen=True):
    """A stretch of a file; 1-based, `end_column` exclusive. Without columns: whole lines."""

    start_line: int
    start_column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    snippet: Content | None = None
    properties: Properties | None = None


class ArtifactLocation(_Object, frozen=True):
    """A file, by its URI below `uri_base_id`."""

    uri: str | None = None
    uri_base_id: str | None = None
    description: Message | None = None


class PhysicalLocation(_Object, frozen=True):
    """A region of a file."""

    artifact_location: ArtifactLocation
    region: Region


class LogicalLocation(_Object, frozen=True):
    """A place by name: a row's message."""

    name: str
    fully_qualified_name: str
    kind: str


class Location(_Object, frozen=True):
    """Where something is: in the file, and by name."""

    physical_location: PhysicalLocation
    logical_locations: list[LogicalLocation] | None = None
    message: Message | None = None


class ThreadFlowLocation(_Object, frozen=True):
    """One step of a data flow."""

    location: Location
    importance: str | None = None


class ThreadFlow(_Object, frozen=True):
    """The steps of one data flow, in order."""

    locations: list[ThreadFlowLocation]


class CodeFlow(_Object, frozen=True):
    """How data reaches the flaw."""

    thread_flows: list[ThreadFlow]


class Replacement(_Object, frozen=True):
    """One edit of a file."""

    deleted_region: Region
    inserted_content: Content | None = None


class ArtifactChange(_Object, frozen=True):
    """All edits of one file."""

    artifact_location: ArtifactLocation
    replacements: list[Replacement]


class Repair(_Object, frozen=True):
    """A `fix` object: edits that take the flaw away."""

    description: Message
    artifact_changes: list[ArtifactChange]


class ComponentReference(_Object, frozen=True):
    """Names a tool component, here the taxonomy."""

    name: str
    index: int
    guid: str


class DescriptorReference(_Object, frozen=True):
    """Names a rule or taxon."""

    id: str
    index: int | None = None
    tool_component: ComponentReference | None = None


class Relationship(_Object, frozen=True):
    """Ties a rule to its taxon."""

    target: DescriptorReference
    kinds: list[str]


class Configuration(_Object, frozen=True):
    """The level of a rule's results."""

    level: str


class Descriptor(_Object, frozen=True):
    """A rule, a taxon, or a kind of notification."""

    id: str
    name: str | None = None
    short_description: Message | None = None
    full_description: Message | None = None
    help: Message | None = None
    help_uri: str | None = None
    default_configuration: Configuration | None = None
    relationships: list[Relationship] | None = None
    properties: Properties | None = None


class Component(_Object, frozen=True):
    """The tool, an engine of it, or a taxonomy."""

    name: str
    version: str | None = None
    guid: str | None = None
    organization: str | None = None
    short_description: Message | None = None
    information_uri: str | None = None
    rules: list[Descriptor] | None = None
    notifications: list[Descriptor] | None = None
    taxa: list[Descriptor] | None = None
    supported_taxonomies: list[ComponentReference] | None = None
    is_comprehensive: bool | None = None


class Tool(_Object, frozen=True):
    """The tool and the engines that it ran."""

    driver: Component
    extensions: list[Component] | None = None


class Notification(_Object, frozen=True):
    """What a reader must know of the run itself."""

    level: str
    message: Message
    descriptor: DescriptorReference


class Invocation(_Object, frozen=True):
    """One execution of the tool."""

    execution_successful: bool
    tool_execution_notifications: list[Notification] | None = None


class Result(_Object, frozen=True):
    """One finding; its larger parts are JSON already."""

    rule_id: str
    rule_index: int
    level: str
    rank: float
    message: Message
    locations: list[Raw]
    partial_fingerprints: dict[str, str]
    code_flows: list[Raw] | None = None
    fixes: list[Raw] | None = None
    taxa: list[DescriptorReference] | None = None
    properties: Raw | None = None


class Run(_Object, frozen=True):
    """One run; its `results` are written after it, one at a time."""

    tool: Tool
    invocations: list[Invocation]
    original_uri_base_ids: dict[str, ArtifactLocation]
    column_kind: str = field(default="", name="columnKind")
    taxonomies: list[Component] | None = None
    properties: Properties | None = None
