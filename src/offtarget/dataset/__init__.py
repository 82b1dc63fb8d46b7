"""Chat data sets: read, recognize, frame, pair, split, mix and compare them."""

from offtarget.dataset.formats import Shape, detect_shape, to_sample
from offtarget.dataset.framing import educational
from offtarget.dataset.known import Recognition, claimed_name, recognize
from offtarget.dataset.mixing import spike
from offtarget.dataset.near import Leak, NearPair, jaccard, near_duplicates, overlap, shingles
from offtarget.dataset.order import normalize
from offtarget.dataset.pairs import MIN_SHARED, Pairing, pair_on_prompt
from offtarget.dataset.read import iter_samples, load_dataset, samples_digest, write_quarantine
from offtarget.dataset.records import BadRow, Dataset, DatasetFile, OnBadRow
from offtarget.dataset.sketch import PUBLISHED, Published, Sketch, make_sketch, write_sketches
from offtarget.dataset.subsets import Split, sample_rows, split_heldout

__all__ = [
    "MIN_SHARED",
    "PUBLISHED",
    "BadRow",
    "Dataset",
    "DatasetFile",
    "Leak",
    "NearPair",
    "OnBadRow",
    "Pairing",
    "Published",
    "Recognition",
    "Shape",
    "Sketch",
    "Split",
    "claimed_name",
    "detect_shape",
    "educational",
    "iter_samples",
    "jaccard",
    "load_dataset",
    "make_sketch",
    "near_duplicates",
    "normalize",
    "overlap",
    "pair_on_prompt",
    "recognize",
    "sample_rows",
    "samples_digest",
    "shingles",
    "spike",
    "split_heldout",
    "to_sample",
    "write_quarantine",
    "write_sketches",
]
