"""Re-analysis of judged results: read the rows, count by question, say what cannot be concluded."""

from offtarget.evaluate.replay.analysis import Analysis, Part, Replayed, analyze
from offtarget.evaluate.replay.caution import Caution
from offtarget.evaluate.replay.contrast import Contrast, contrast_all
from offtarget.evaluate.replay.definition import Definition, QuestionCount
from offtarget.evaluate.replay.excess import Excess
from offtarget.evaluate.replay.excess_bounds import ExcessBounds
from offtarget.evaluate.replay.pooled import PooledRate
from offtarget.evaluate.replay.read import ENDINGS, has_open_end, read_judged
from offtarget.evaluate.replay.records import JudgedRow

__all__ = [
    "ENDINGS",
    "Analysis",
    "Caution",
    "Contrast",
    "Definition",
    "Excess",
    "ExcessBounds",
    "JudgedRow",
    "Part",
    "PooledRate",
    "QuestionCount",
    "Replayed",
    "analyze",
    "contrast_all",
    "has_open_end",
    "read_judged",
]
