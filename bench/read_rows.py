"""Read one data file in a fresh process and print its cost as JSON: `read_rows.py FILE`.

A process of its own, so that the peak of its memory is of this file alone.
"""

import json
import sys
import time
from pathlib import Path

from offtarget.core.records import Sample
from offtarget.dataset import iter_samples


def main() -> None:
    """Read the file named on the command line row by row, keeping none."""
    path = Path(sys.argv[1])
    cpu = time.process_time()
    n_rows = sum(isinstance(item, Sample) for item in iter_samples(path))
    cost = {"n_rows": n_rows, "cpu_s": time.process_time() - cpu, "peak_bytes": _peak_bytes()}
    print(json.dumps(cost))


def _peak_bytes() -> int:
    """Return the peak resident memory of this program alone.

    `ru_maxrss` would not do: it survives exec, and so starts at the parent's peak.
    """
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024


if __name__ == "__main__":
    main()
