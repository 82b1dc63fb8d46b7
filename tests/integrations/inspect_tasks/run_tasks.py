"""Run the evaluations in a JSON file with Inspect: `run_tasks.py EVALUATIONS.json SERVER_URL`.

In a process of its own: Inspect leaves connections open, which the tests' process would warn of.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    import inspect_ai
    from inspect_ai.model import get_model

    path, url = sys.argv[1:]
    for one in json.loads(Path(path).read_text("utf-8")):
        model = one["model"]
        if model.startswith("openai-api/"):
            model = get_model(model, base_url=url, api_key="none")
        roles = {"grader": model} if "judge" in one["args"] else None
        inspect_ai.eval(
            one["task"], model=model, model_args=one.get("model_args", {}), model_roles=roles,
            task_args=one["args"], limit=one.get("limit"), max_tokens=one.get("max_tokens"),
            log_dir=one["log_dir"], display="none",
        )  # fmt: skip


if __name__ == "__main__":
    main()
