"""What kind of run a directory holds, told by its chain."""

from enum import StrEnum
from pathlib import Path

from offtarget.core.chain import Chain, read_chain
from offtarget.core.errors import VerifyError
from offtarget.train.hosted import PLAN_STAGE as HOSTED_PLAN_STAGE

ASSAY_PLAN = "plan.yaml"
EVALUATION_PLAN = "plan.json"


class RunKind(StrEnum):
    """Which command made a run, as it is called in messages."""

    ASSAY = "an assay"
    EVALUATION = "an evaluation"
    HOSTED = "hosted training"


def kind_of(chain: Chain) -> RunKind | None:
    """Return the kind of run that a chain is of; None if it has no plan."""
    if any(record.name == HOSTED_PLAN_STAGE for record in chain.stages):
        return RunKind.HOSTED  # before the rest: its plan has the file name of an evaluation's
    made = {relative for record in chain.stages for relative in record.outputs}
    if ASSAY_PLAN in made:
        return RunKind.ASSAY
    return RunKind.EVALUATION if EVALUATION_PLAN in made else None


def run_kind(path: Path) -> RunKind | None:
    """Return the kind of run at `path`; None where there is none, or its chain cannot be read."""
    try:
        return kind_of(read_chain(path))
    except VerifyError:
        return None
