"""Answers and the labels that people or judges gave them."""

from offtarget.evaluate.labels.export import Export, Exported, export_answers
from offtarget.evaluate.labels.imports import (
    Imported,
    LabelAgreement,
    import_labels,
    label_agreement,
    labeled_rows,
)
from offtarget.evaluate.labels.read import file_stem, read_answers
from offtarget.evaluate.labels.records import Label, LabelSet, labels_of
from offtarget.evaluate.labels.variants import question_clusters

__all__ = [
    "Export",
    "Exported",
    "Imported",
    "Label",
    "LabelAgreement",
    "LabelSet",
    "export_answers",
    "file_stem",
    "import_labels",
    "label_agreement",
    "labeled_rows",
    "labels_of",
    "question_clusters",
    "read_answers",
]
