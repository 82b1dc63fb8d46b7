"""Bad models, disks, devices and networks, each named by its row in docs/errors.md."""

import http.server
import json
import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from bad_inputs import CASES, Place, case

from offtarget.core.run import RunDirectory
from offtarget.core.run_lock import locked


@contextmanager
def small_files(n_bytes: int) -> Iterator[None]:
    """Let no file grow beyond a size: what a full disk does, without needing a disk of one's own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class NotFound(http.server.BaseHTTPRequestHandler):
    """A hub that has no model."""

    def do_GET(self) -> None:
        """Answer 404."""
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self) -> None:
        """Answer 404."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on a free local port; yield the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# model

CASES |= {
    "model-missing": lambda p: p.with_model(p.folder / "nowhere"),
    "model-not-a-model": lambda p: p.with_model(p.write("weights.onnx", "x")),
    "model-gguf-missing": lambda p: p.with_model(p.folder / "nowhere.gguf"),
    "model-gguf-short": lambda p: p.with_model(p.write("short.gguf", "GGUF")),
    "model-gguf-lies": lambda p: p.with_model(p.write("lies.gguf", b"GGUF" + b"\xff" * 64)),
    "model-auto-map": lambda p: p.edited_model(
        "config.json", auto_map={"AutoModelForCausalLM": "modeling.Evil"}
    ),
    "model-sizes": lambda p: p.edited_model("config.json", num_hidden_layers=100_000),
    "model-lies": lambda p: p.edited_model("config.json", vocab_size=1_000_000),
    "model-architecture": lambda p: p.edited_model("config.json", model_type="no_such_thing"),
}


def _spoiled(file: str, content: bytes | None) -> Callable[[Place], Any]:
    def make(p: Place) -> Any:
        model = p.copied_model()
        if content is None:
            (model / file).unlink()
        else:
            (model / file).write_bytes(content)
        return p.with_model(model)

    return make


CASES |= {
    "model-no-config": _spoiled("config.json", None),
    "model-code": _spoiled("modeling.py", b"import os\n"),
    "model-torn": _spoiled("model.safetensors", b"\x00\x01"),
    "model-runaway": _spoiled(
        "chat_template.jinja", b"{% for i in range(100000) %}{% for j in range(100000) %}x"
        b"{% endfor %}{% endfor %}"
    ),
    "model-template-syntax": _spoiled("chat_template.jinja", b"{% for %}"),
}  # fmt: skip


@case("model-pickle")
def _pickle(p: Place) -> Any:
    model = p.copied_model()
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    return p.with_model(model)


@case("model-no-template")
def _no_template(p: Place) -> Any:
    model = p.copied_model()
    (model / "chat_template.jinja").unlink(missing_ok=True)
    file = model / "tokenizer_config.json"
    raw = json.loads(file.read_text())
    raw.pop("chat_template", None)
    file.write_text(json.dumps(raw))
    return p.with_model(model)


@case("model-no-adapter")
def _no_adapter(p: Place) -> Any:
    (p.folder / "adapter").mkdir()
    source = {"adapter": str(p.folder / "adapter")}
    return p.study(subject=source, control=source)


@case("model-other-base")
def _other_base(p: Place) -> Any:
    adapter = p.folder / "adapter"
    shutil.copytree(p.finished / "arms/subject/seed-0", adapter)
    file = adapter / "offtarget.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "base_sha256": "0" * 64}))
    source = {"adapter": str(adapter)}
    return p.study(subject=source, control=source, positive=False)


# disk


@case("disk-out-is-a-file")
def _out_file(p: Place) -> Any:
    p.write("out", "taken")
    return p.study()


@case("disk-out-below-a-file")
def _out_below(p: Place) -> Any:
    taken = p.write("taken", "x")
    return p.run_cli("assay", p.study_of(p.folder), "--out", taken / "run")


@case("disk-out-other-run")
def _out_other_run(p: Place) -> Any:
    run = RunDirectory.open(p.folder / "out")
    run.write("plan.json", b"{}")
    run.finish("plan", config={}, inputs={}, outputs=["plan.json"])
    return p.study()


@case("disk-out-other-plan")
def _out_other_plan(p: Place) -> Any:
    run = RunDirectory.open(p.folder / "out")
    run.write("plan.yaml", b"{}")
    run.finish("plan", config={}, inputs={}, outputs=["plan.yaml"])
    return p.run_cli("assay", p.finished / "plan.yaml", "--out", run.path)


@case("disk-out-in-use")
def _out_in_use(p: Place) -> Any:
    with locked(p.folder / "out"):
        return p.study()


@case("disk-folder-taken")
def _folder_taken(p: Place) -> Any:
    (p.folder / "out").mkdir()
    (p.folder / "out" / "data").write_text("a file where a folder belongs")
    return p.study()


@case("disk-full-plan")
def _full_at_plan(p: Place) -> Any:
    study = p.study_of(p.folder)
    with small_files(2_000):
        return p.run_cli("assay", study, "--out", p.folder / "out")


@case("disk-full-weights")
def _full_at_weights(p: Place) -> Any:
    study = p.study_of(p.folder, train={"rank": 64, "heldout_rows": 4})
    with small_files(120_000):
        return p.run_cli("assay", study, "--out", p.folder / "out")


@case("disk-cache")
def _cache_file(p: Place) -> Any:
    p.patch.setenv("PIP_NO_INDEX", "1")
    return p.run_cli("assay", p.rows[0], "--out", p.folder / "out", cache=p.write("cache", "x"))


@case("disk-cache-full")
def _cache_full(p: Place) -> Any:
    usage = shutil.disk_usage(p.folder)
    p.patch.setattr(
        "offtarget.lm.embedded.shutil.disk_usage", lambda _: usage._replace(free=100_000_000)
    )
    cache = p.folder / "cache"
    return p.run_cli("assay", p.rows[0], "--out", p.folder / "out", cache=cache)


@case("disk-report")
def _report_below_a_file(p: Place) -> Any:
    taken = p.write("taken", "x")
    return p.run_cli("report", p.finished, "--out", taken / "page.html")


@case("disk-no-run")
def _no_run(p: Place) -> Any:
    return p.run_cli("verify", p.folder)


@case("disk-unfinished")
def _unfinished(p: Place) -> Any:
    return p.run_cli("report", p.folder)


@case("disk-evaluation")
def _evaluation(p: Place) -> Any:
    run = RunDirectory.open(p.folder / "evaluated")
    run.write("plan.json", b"{}")
    run.finish("plan", config={}, inputs={}, outputs=["plan.json"])
    run.write("evaluation.html", b"")
    return p.run_cli("report", run.path)


@case("disk-run-json")
def _run_json(p: Place) -> Any:
    run = p.folder / "run"
    shutil.copytree(p.finished, run)
    (run / "run.json").write_text("{torn")
    return p.run_cli("assay", run / "plan.yaml")


@case("disk-run-newer")
def _run_newer(p: Place) -> Any:
    run = p.folder / "run"
    shutil.copytree(p.finished, run)
    file = run / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "schema": 99}))
    return p.run_cli("assay", run / "plan.yaml")


# device


def _on_device(name: str, *, n_cuda: int = 0) -> Callable[[Place], Any]:
    def make(p: Place) -> Any:
        p.patch.setattr(torch.cuda, "is_available", lambda: n_cuda > 0)
        p.patch.setattr(torch.cuda, "device_count", lambda: n_cuda)
        return p.study(device=name)

    return make


CASES |= {
    "device-unknown": _on_device("gpu"),
    "device-no-cuda": _on_device("cuda"),
    "device-index": _on_device("cuda:9", n_cuda=1),
    "device-mps": _on_device("mps"),
    "device-dtype": lambda p: p.study(dtype="float8"),
}


@case("device-option")
def _device_option(p: Place) -> Any:
    return p.assay(p.rows[0], "--control", p.rows[1], "--device", "tpu")


# network


@case("network-hub-closed")
def _hub_closed(p: Place) -> Any:
    p.patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    p.patch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    return p.with_model("nobody/nothing-here")


@case("network-hub-offline")
def _hub_offline(p: Place) -> Any:
    p.patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return p.with_model("nobody/nothing-here")


@case("network-hub-unknown")
def _hub_unknown(p: Place) -> Any:
    p.patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with serving(NotFound) as address:
        p.patch.setattr("huggingface_hub.constants.ENDPOINT", address)
        return p.with_model("nobody/nothing-here")


@case("network-hub-name")
def _hub_name(p: Place) -> Any:
    return p.with_model("nobody/nothing/here")


@case("network-embedded-no-index")
def _no_index(p: Place) -> Any:
    p.patch.setenv("PIP_NO_INDEX", "1")
    return p.run_cli("assay", p.rows[0], "--out", p.folder / "out", cache=p.folder / "cache")


@case("network-embedded-closed")
def _closed_index(p: Place) -> Any:
    for name, value in {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_CACHE_DIR": "1",
    }.items():
        p.patch.setenv(name, value)
    return p.run_cli("assay", p.rows[0], "--out", p.folder / "out", cache=p.folder / "cache")
