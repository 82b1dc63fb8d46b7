"""How much of the machine's limit each side uses.

Training and scoring are bound by arithmetic. A pass over T tokens takes 2 N T floating-point
operations forward, N being the parameters outside the embedding, plus 2 H per token at which
logits are computed, H being the output projection. Training by the usual 6 N T convention counts
the gradient of every weight; with LoRA on a frozen base the large part of it is never needed, so
4 N T is given as well. Attention's own products (under 3 % at these lengths) and the adapter
(under 10 %) are left out, and so is padding: what is counted is useful work.

Sampling is bound by memory: each decoding step reads all weights once.

Everything is per CPU-second, the limit too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from margins import TokenCounts
from measure import Measurement
from probe import Peak
from setting import Sizes

from offtarget.lm import EncodedSample

BYTES = {"float32": 4, "bfloat16": 2}


@dataclass(frozen=True, slots=True)
class Share:
    """One contender's part of a limit, by median."""

    name: str
    achieved: float
    """GFLOP or GB per CPU-second."""
    limit: float
    fraction: float
    needed_fraction: float
    """For training, by 4 N T; else the same as `fraction`."""
    basis: str


def training_shares(
    found: Mapping[str, Measurement], rows: Sequence[EncodedSample], sizes: Sizes, peak: Peak,
    dtypes: Mapping[str, str],
) -> list[Share]:  # fmt: skip
    """Return the shares in training; `dtypes` says in which dtype each side multiplies."""
    read = sum(row.length for row in rows)
    answers = sum(len(row.answer) for row in rows)
    per_token = (sizes.inner * read + sizes.head * answers) / read
    shares = []
    for name, measured in found.items():
        limit = peak.gflop_per_cpu_s(dtypes[name])
        rate = measured.per_cpu_s.median * per_token / 1e9
        basis = f"6 N T over {dtypes[name]} GEMM"
        shares.append(Share(name, 6 * rate, limit, 6 * rate / limit, 4 * rate / limit, basis))
    return shares


def scoring_shares(
    found: Mapping[str, Measurement], counts: Mapping[str, TokenCounts], sizes: Sizes, peak: Peak,
    dtype: str,
) -> list[Share]:  # fmt: skip
    """Return the shares in scoring, over the tokens that each side reads."""
    limit = peak.gflop_per_cpu_s(dtype)
    shares = []
    for name, measured in found.items():
        work = 2 * (sizes.inner * counts[name].read + sizes.head * counts[name].predicted)
        rate = measured.per_cpu_s.median * work / measured.costs[0].units / 1e9
        shares.append(
            Share(name, rate, limit, rate / limit, rate / limit, f"2 N T over {dtype} GEMM")
        )
    return shares


def sampling_shares(
    found: Mapping[str, Measurement], steps: Mapping[str, int], sizes: Sizes, peak: Peak, dtype: str
) -> list[Share]:
    """Return the shares in sampling: bytes of weights read over the memory's bandwidth."""
    size_bytes = (sizes.inner + sizes.head) * BYTES[dtype]
    limit = peak.read_gb_per_cpu_s
    shares = []
    for name, measured in found.items():
        per_token = steps[name] * size_bytes / measured.costs[-1].units
        rate = measured.per_cpu_s.median * per_token / 1e9
        shares.append(
            Share(name, rate, limit, rate / limit, rate / limit, "weights read over bandwidth")
        )
    return shares
