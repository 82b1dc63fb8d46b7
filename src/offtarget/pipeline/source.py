"""Rows named in a study: files, directories or the packaged demo data."""

from collections.abc import Sequence
from pathlib import Path

from offtarget.core.errors import ConfigError
from offtarget.core.run import RunDirectory
from offtarget.dataset import (
    Dataset,
    OnBadRow,
    load_dataset,
    samples_digest,
    write_quarantine,
)
from offtarget.train import demo_pairs


def read_source(
    source: Sequence[str], on_bad_row: OnBadRow, run: RunDirectory, arm: str
) -> Dataset:
    """Return the rows named by `demo:...` or by paths; bad rows go to data/quarantine-ARM.jsonl."""
    if len(source) == 1 and source[0].startswith("demo:"):
        insecure, secure = demo_pairs()
        sides = {"demo:insecure": insecure, "demo:secure": secure}
        if source[0] not in sides:
            raise ConfigError(f"{source[0]!r}: the demo data are {', '.join(sides)}")
        samples = sides[source[0]]
        return Dataset(source[0], samples, (), (), samples_digest(samples))
    dataset = load_dataset([Path(name) for name in source], on_bad_row=on_bad_row)
    if dataset.quarantined:
        write_quarantine(dataset.quarantined, run.file(f"data/quarantine-{arm}.jsonl"))
    return dataset
