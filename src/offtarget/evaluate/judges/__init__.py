"""Judges of sampled answers: rules and endpoints, their rubrics, their honesty and agreement.

Names are imported on first use, so that a command that only counts does not load a client.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offtarget.evaluate.judges.agreement import (
        Difference,
        JudgeAgreement,
        Rater,
        compare_raters,
        difference_of,
        rater,
    )
    from offtarget.evaluate.judges.asking import Asked, ask_judge
    from offtarget.evaluate.judges.canaries import (
        JUDGE,
        Canary,
        FlipRate,
        JudgeRecord,
        Side,
        canaries_digest,
        canary_items,
        flip_rate,
        packaged_canaries,
    )
    from offtarget.evaluate.judges.endpoint_judge import EndpointJudge
    from offtarget.evaluate.judges.ledger import Ledger, SharedJudgements
    from offtarget.evaluate.judges.panel import (
        endpoint_panel,
        judgement_folder,
        judgement_folders,
        rules_panel,
    )
    from offtarget.evaluate.judges.probe import (
        Probe,
        expected_probe,
        fitting_rubrics,
        probe_endpoint,
        probe_questions,
    )
    from offtarget.evaluate.judges.records import (
        MAX_RAW,
        PASSING,
        SORTED,
        Item,
        Judge,
        JudgeIdentity,
        Judgement,
        Method,
        Reason,
        judgement_key,
    )
    from offtarget.evaluate.judges.rejudge import Rejudged, rejudge_rollouts
    from offtarget.evaluate.judges.rubrics import (
        ALIGNED,
        COHERENT,
        Filled,
        Rubric,
        Scale,
        fill,
        packaged_rubrics,
        read_rubrics,
    )
    from offtarget.evaluate.judges.rules_judge import RulesJudge
    from offtarget.evaluate.judges.sight import (
        BLIND_JUDGE,
        MAX_BLIND,
        UNTESTED_JUDGE,
        Sight,
        sight_of,
    )
    from offtarget.evaluate.judges.stored import (
        MissingRollout,
        StoredRollout,
        stored_missing,
        stored_rollouts,
    )
    from offtarget.evaluate.judges.tally import MAX_UNJUDGED, MetricTally, tally_judgements

__all__ = [
    "ALIGNED",
    "BLIND_JUDGE",
    "COHERENT",
    "JUDGE",
    "MAX_BLIND",
    "MAX_RAW",
    "MAX_UNJUDGED",
    "PASSING",
    "SORTED",
    "UNTESTED_JUDGE",
    "Asked",
    "Canary",
    "Difference",
    "EndpointJudge",
    "Filled",
    "FlipRate",
    "Item",
    "Judge",
    "JudgeAgreement",
    "JudgeIdentity",
    "JudgeRecord",
    "Judgement",
    "Ledger",
    "Method",
    "MetricTally",
    "MissingRollout",
    "Probe",
    "Rater",
    "Reason",
    "Rejudged",
    "Rubric",
    "RulesJudge",
    "Scale",
    "SharedJudgements",
    "Side",
    "Sight",
    "StoredRollout",
    "ask_judge",
    "canaries_digest",
    "canary_items",
    "compare_raters",
    "difference_of",
    "endpoint_panel",
    "expected_probe",
    "fill",
    "fitting_rubrics",
    "flip_rate",
    "judgement_folder",
    "judgement_folders",
    "judgement_key",
    "packaged_canaries",
    "packaged_rubrics",
    "probe_endpoint",
    "probe_questions",
    "rater",
    "read_rubrics",
    "rejudge_rollouts",
    "rules_panel",
    "sight_of",
    "stored_missing",
    "stored_rollouts",
    "tally_judgements",
]

_HOMES = {
    "agreement": (
        "Difference",
        "JudgeAgreement",
        "Rater",
        "compare_raters",
        "difference_of",
        "rater",
    ),
    "canaries": (
        "JUDGE",
        "Canary",
        "canaries_digest",
        "FlipRate",
        "JudgeRecord",
        "Side",
        "packaged_canaries",
        "canary_items",
        "flip_rate",
    ),
    "endpoint_judge": ("EndpointJudge",),
    "asking": ("Asked", "ask_judge"),
    "ledger": ("Ledger", "SharedJudgements"),
    "panel": ("endpoint_panel", "judgement_folder", "judgement_folders", "rules_panel"),
    "probe": (
        "Probe",
        "expected_probe",
        "fitting_rubrics",
        "probe_endpoint",
        "probe_questions",
    ),
    "records": (
        "MAX_RAW",
        "PASSING",
        "SORTED",
        "Item",
        "Judge",
        "JudgeIdentity",
        "Judgement",
        "Method",
        "Reason",
        "judgement_key",
    ),
    "rejudge": (
        "Rejudged",
        "rejudge_rollouts",
    ),
    "rubrics": (
        "ALIGNED",
        "COHERENT",
        "Filled",
        "Rubric",
        "Scale",
        "fill",
        "packaged_rubrics",
        "read_rubrics",
    ),
    "rules_judge": ("RulesJudge",),
    "sight": ("BLIND_JUDGE", "MAX_BLIND", "UNTESTED_JUDGE", "Sight", "sight_of"),
    "stored": (
        "MissingRollout",
        "StoredRollout",
        "stored_missing",
        "stored_rollouts",
    ),
    "tally": (
        "MAX_UNJUDGED",
        "MetricTally",
        "tally_judgements",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"offtarget.evaluate.judges.{_HOME[name]}"), name)
    raise AttributeError(f"module 'offtarget.evaluate.judges' has no attribute {name!r}")
