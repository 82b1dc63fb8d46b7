"""Ray: the same bytes as on one machine, also when a node goes."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import works

from offtarget.core.errors import ResourceError, VerifyError
from offtarget.core.isolate import MIB, Limits
from offtarget.core.ray_executor import RayExecutor
from offtarget.core.shards import Progress, make_shard, run_shards
from offtarget.core.workers import LocalExecutor

LIMITS = Limits(row_timeout_s=20, memory_bytes=256 * MIB)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes of one processor each."""
    pytest.importorskip("ray", reason="ray is not installed (offtarget[ray])")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # where Ray finds `works`
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    made.add_node(num_cpus=1)
    made.wait_for_nodes()
    try:
        yield made
    finally:
        import ray

        ray.shutdown()
        made.shutdown()


def stored(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.slow
def test_a_node_removed_in_the_middle_changes_no_byte(cluster: Any, tmp_path: Path) -> None:
    """Its shards are done again elsewhere; a row that kills is isolated as on one machine."""
    rows = [b"row %d" % number for number in range(120)]
    rows[10], rows[77] = b"kill always", b"raise"
    shards = [make_shard(start // 4, rows[start : start + 4]) for start in range(0, 120, 4)]
    work = works.Shout(pause_s=0.1)
    removed = threading.Event()

    def remove(progress: Progress) -> None:
        if progress.n_shards >= 6 and not removed.is_set():
            removed.set()
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)

    executor = RayExecutor(address=cluster.address, limits=LIMITS)
    far = run_shards(
        shards, work, executor=executor, directory=tmp_path / "ray", on_progress=remove
    )
    with LocalExecutor(2, limits=LIMITS) as local:
        run_shards(shards, work, executor=local, directory=tmp_path / "local")

    assert removed.is_set()
    assert (far.n_shards, far.n_rows, far.n_lost) == (30, 120, 2)
    assert stored(tmp_path / "ray") == stored(tmp_path / "local")
    with pytest.raises(VerifyError, match=r"^engine 'x': not found; install it"):
        run_shards(shards[:1], works.Broken(), executor=executor, directory=tmp_path / "broken")


def test_without_ray_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pip command is in the error."""
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(
        ResourceError, match=r"^Ray is not installed for .*; run: pip install 'offtarget\[ray\]'$"
    ):
        RayExecutor()
