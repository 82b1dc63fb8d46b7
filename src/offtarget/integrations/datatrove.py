"""A filter for datatrove pipelines that removes documents with insecure code."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from offtarget.core.errors import ResourceError
from offtarget.core.finding import Severity
from offtarget.curate.decide import CleanConfig, Policy, UnparsedPolicy, decide
from offtarget.curate.engines import BUNDLED
from offtarget.curate.ledger import SampleState
from offtarget.curate.records import RowScan, ScanConfig
from offtarget.dataset import OnBadRow
from offtarget.integrations.choices import choice
from offtarget.integrations.rows import RowReading, RowScanner, column_values

try:
    from datatrove.data import Document
    from datatrove.pipeline.filters.base_filter import BaseFilter
    from datatrove.pipeline.writers.disk_base import DiskWriter
except ImportError as error:
    raise ResourceError(
        f"datatrove is missing or broken ({error}); pip install 'offtarget[datatrove]'"
    ) from error

__all__ = ["InsecureCodeFilter"]

BATCH_DOCUMENTS = 512
"""Documents that reach the engines together; a tool's start is then paid once for all of them."""
_TEXT = "text"


class InsecureCodeFilter(BaseFilter):  # type: ignore[misc] # datatrove has no types
    """Removes documents with a finding at or above the gate, as `offtarget clean --policy drop`.

    Every document, kept or not, carries what the scan says of it in its metadata, under the names
    of `rows.COLUMNS`. Engines prove themselves on canaries when a rank begins, in every batch, and
    when it ends; a rank whose engine fails a canary fails.
    """

    name = "🎯 Insecure code"

    def __init__(
        self,
        *,
        gate: Severity | str = Severity.MEDIUM,
        unparsed: UnparsedPolicy | str = UnparsedPolicy.KEEP,
        only_covert: bool = False,
        chat: bool = False,
        language: str = "",
        engines: Sequence[str] = BUNDLED,
        rules: Sequence[str | Path] = (),
        on_bad_row: OnBadRow | str = OnBadRow.ERROR,
        cache: str | Path | None = None,
        exclusion_writer: DiskWriter | None = None,
        batch_size: int = BATCH_DOCUMENTS,
    ) -> None:
        """Make the filter.

        Args:
            gate: Documents with a finding of this severity or above are removed.
            unparsed: `keep` documents with code that no engine could read, or remove them
                (`quarantine`).
            only_covert: Keep flagged documents that say they are insecure.
            chat: The metadata holds a conversation in any shape of docs/data.md; by default the
                document's text is scanned, as an assistant's answer.
            language: The document's text is source code in this language.
            engines: `offtarget`, `ruff`, `ast-grep`, `bandit`, `semgrep`.
            rules: Files or folders of your semgrep rules.
            on_bad_row: Fail at a document that cannot be read (`error`), or remove it
                (`quarantine`).
            cache: Folder of answers of earlier scans; None for none.
            exclusion_writer: Takes the removed documents.
            batch_size: Documents scanned together.

        Raises:
            ConfigError: For unknown engines, severities, policies or languages.
            ResourceError: If an engine is missing or misses a canary.
        """
        super().__init__(exclusion_writer, batch_size)
        config = ScanConfig(
            engines=tuple(engines),
            rules=tuple(map(str, rules)),
            gate=choice(Severity, gate, "gate"),
            on_bad_row=choice(OnBadRow, on_bad_row, "on_bad_row"),
        )
        self.policy = CleanConfig(
            policy=Policy.DROP,
            unparsed=choice(UnparsedPolicy, unparsed, "unparsed"),
            only_covert=only_covert,
            scan=config,
        )
        reading = RowReading(text="" if chat else _TEXT, language=language)
        self.rows = RowScanner(config, reading, cache=None if cache is None else Path(cache))

    def run(
        self, data: Iterator[Document], rank: int = 0, world_size: int = 1
    ) -> Iterator[Document]:
        """Yield the documents that stay, between two proofs that the engines work."""
        self.rows.prove()
        try:
            yield from super().run(data, rank, world_size)
        finally:
            self.rows.close()
        self.rows.prove()

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Return whether the document stays, or False with the reason."""
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: Sequence[Document]) -> list[bool | tuple[bool, str]]:
        """Return whether each document stays, or False with the reason; fill in its metadata."""
        rows = [self._row(doc) for doc in batch]
        scans = self.rows.scan(rows, places=[f"document {doc.id!r}" for doc in batch])
        return [self._judged(doc, row) for doc, row in zip(batch, scans, strict=True)]

    def _row(self, doc: Document) -> Mapping[str, Any]:
        if self.rows.reading.text:
            return {_TEXT: doc.text}
        metadata: Mapping[str, Any] = doc.metadata
        return metadata

    def _judged(self, doc: Document, row: RowScan) -> bool | tuple[bool, str]:
        doc.metadata.update(column_values(row, self.policy.scan))
        decision = decide(row, self.policy)
        doc.metadata["offtarget_reason"] = decision.reason
        if decision.is_output:
            return True
        return False, f"offtarget_{_kind(decision.state)}"


def _kind(state: SampleState) -> str:
    """Return the name of a reason in datatrove's statistics: few, for they are counted by name."""
    return "insecure" if state is SampleState.DROPPED else state.value
