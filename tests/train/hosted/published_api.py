"""Shapes of OpenAI's published API description that hosted training meets.

Restated from openai/openai-openapi@578000861507cd19620e3f1092adf62303757c0a:openapi.yaml,
components/schemas: which fields are required, their types and closed sets of words. Later fields
(`method`, `metadata`, `has_more` of lists, the purpose `user_data`) are not in that version; they
are checked against the typed models of the `openai` package instead.
"""

from typing import Any

from jsonschema import Draft202012Validator

TEXT: dict[str, Any] = {"type": "string"}
WHOLE: dict[str, Any] = {"type": "integer"}
NUMBER: dict[str, Any] = {"type": "number"}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _auto_or(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"const": "auto"}, schema]}


def _record(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": sorted(required),
    }


def _list_of(schema: dict[str, Any]) -> dict[str, Any]:
    return _record({"object": {"const": "list"}, "data": {"type": "array", "items": schema}})


FILE = _record(
    {
        "id": TEXT,
        "object": {"const": "file"},
        "bytes": WHOLE,
        "created_at": WHOLE,
        "filename": TEXT,
        "purpose": {
            "enum": [
                "assistants", "assistants_output", "batch", "batch_output", "fine-tune",
                "fine-tune-results", "vision",
            ]
        },
        "status": {"enum": ["uploaded", "processed", "error"]},
    },
    status_details=TEXT,
)  # fmt: skip
JOB = _record(
    {
        "created_at": WHOLE,
        "error": _or_null(_record({"code": TEXT, "message": TEXT, "param": _or_null(TEXT)})),
        "finished_at": _or_null(WHOLE),
        "fine_tuned_model": _or_null(TEXT),
        "hyperparameters": _record(
            {"n_epochs": _auto_or({"type": "integer", "minimum": 1, "maximum": 50})}
        ),
        "id": TEXT,
        "model": TEXT,
        "object": {"const": "fine_tuning.job"},
        "organization_id": TEXT,
        "result_files": {"type": "array", "items": TEXT},
        "status": {
            "enum": ["validating_files", "queued", "running", "succeeded", "failed", "cancelled"]
        },
        "trained_tokens": _or_null(WHOLE),
        "training_file": TEXT,
        "validation_file": _or_null(TEXT),
        "seed": WHOLE,
    },
    estimated_finish=_or_null(WHOLE),
)
EVENT = _record(
    {
        "id": TEXT,
        "object": {"const": "fine_tuning.job.event"},
        "created_at": WHOLE,
        "level": {"enum": ["info", "warn", "error"]},
        "message": TEXT,
    }
)
CHECKPOINT = _record(
    {
        "created_at": WHOLE,
        "fine_tuning_job_id": TEXT,
        "fine_tuned_model_checkpoint": TEXT,
        "id": TEXT,
        "metrics": _record({}, step=NUMBER, train_loss=NUMBER, train_mean_token_accuracy=NUMBER),
        "object": {"const": "fine_tuning.job.checkpoint"},
        "step_number": WHOLE,
    }
)
SHAPES: dict[str, dict[str, Any]] = {
    "file": FILE,
    "files": _list_of(FILE),
    "job": JOB,
    "jobs": _list_of(JOB),
    "events": _list_of(EVENT),
    "checkpoints": _list_of(CHECKPOINT),
    "create_job": _record(
        {"model": TEXT, "training_file": TEXT},
        suffix=_or_null({"type": "string", "minLength": 1, "maxLength": 64}),
        seed=_or_null({"type": "integer", "minimum": 0, "maximum": 2147483647}),
        validation_file=_or_null(TEXT),
    ),
    "hyperparameters": _record(
        {},
        batch_size=_auto_or({"type": "integer", "minimum": 1, "maximum": 256}),
        learning_rate_multiplier=_auto_or({"type": "number", "exclusiveMinimum": 0}),
        n_epochs=_auto_or({"type": "integer", "minimum": 1, "maximum": 50}),
    ),
    "chat_row": _record(
        {
            "messages": {
                "type": "array",
                "minItems": 1,
                "items": _record(
                    {"role": {"enum": ["system", "user", "assistant"]}, "content": TEXT}
                ),
            }
        }
    ),
}


def violations(shape: str, body: Any) -> list[str]:
    """Return where `body` departs from a published shape."""
    checker = Draft202012Validator(SHAPES[shape])
    return [f"{shape}: {error.json_path}: {error.message}" for error in checker.iter_errors(body)]
