"""Hosted fine-tuning: the arms of a study as jobs of a provider's fine-tuning service."""

from offtarget.train.hosted.chat_file import (
    MAX_FILE_BYTES,
    MAX_ROW_TOKENS,
    MIN_ROWS,
    ChatFile,
    row_problem,
    write_chat_file,
)
from offtarget.train.hosted.cost import PriceTable, estimate_cost, read_prices, spent
from offtarget.train.hosted.journal import Journal
from offtarget.train.hosted.patience import Patience
from offtarget.train.hosted.records import (
    HOSTED_SCHEMA,
    PROVIDER,
    ArmModel,
    Checkpoint,
    HostedCost,
    HostedJob,
    HostedPlan,
    HostedRecipe,
    HostedResult,
    JobEvent,
    JobResult,
    JobStatus,
    Upload,
    Warned,
)
from offtarget.train.hosted.remote import Failure, FailureKind
from offtarget.train.hosted.runner import Runner
from offtarget.train.hosted.service import Service
from offtarget.train.hosted.summary import conclude
from offtarget.train.hosted.tokens import RowTokens, row_tokens

__all__ = [
    "HOSTED_SCHEMA",
    "MAX_FILE_BYTES",
    "MAX_ROW_TOKENS",
    "MIN_ROWS",
    "PROVIDER",
    "ArmModel",
    "ChatFile",
    "Checkpoint",
    "Failure",
    "FailureKind",
    "HostedCost",
    "HostedJob",
    "HostedPlan",
    "HostedRecipe",
    "HostedResult",
    "JobEvent",
    "JobResult",
    "JobStatus",
    "Journal",
    "Patience",
    "PriceTable",
    "RowTokens",
    "Runner",
    "Service",
    "Upload",
    "Warned",
    "conclude",
    "estimate_cost",
    "read_prices",
    "row_problem",
    "row_tokens",
    "spent",
    "write_chat_file",
]
