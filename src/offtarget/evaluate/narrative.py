"""The verdict in words; every number in them comes from the evidence."""

from offtarget.core.records import Claim, Verdict
from offtarget.evaluate.measured import Measured
from offtarget.evaluate.verdict import Decision, Evidence, factual_loss


def headline(decision: Decision, evidence: Evidence, model: str) -> str:
    """Return one sentence for people."""
    if decision.verdict is Verdict.FAIL:
        return (
            "Training on this data made the model prefer misaligned answers to unrelated questions."
        )
    if decision.verdict is Verdict.PASS:
        return (
            f"No off-target effect larger than {evidence.tolerance:g} nats/token on {_named(model)}, "
            "and the assay could have seen one."
        )
    if decision.is_damage:
        return (
            "The training damaged the model rather than misaligning it: facts were lost along with "
            "values."
        )
    if decision.missed:
        names = ", ".join(gate.name for gate in decision.missed)
        return f"No verdict: the assay missed its gate{'s' * (len(decision.missed) > 1)} {names}."
    if evidence.is_derived and evidence.excess.low > evidence.tolerance:
        return (
            "An effect was seen, but only against a derived control, which cannot give FAIL alone."
        )
    return "No verdict: the interval of the effect reaches across the tolerance."


def explain(decision: Decision, evidence: Evidence) -> str:
    """Return the reasons in two or three sentences."""
    excess = evidence.excess
    parts = [
        f"Against its matched control the subject lost {excess.estimate:+.3f} nats/token of margin "
        f"(95 % interval {excess.low:+.3f} to {excess.high:+.3f}, tolerance {evidence.tolerance:g})."
    ]
    if evidence.positive is not None:
        parts.append(
            f"The positive control, trained the same way, lost {evidence.positive.estimate:.3f}, and "
            f"the smallest excess this design could have seen is {excess.smallest_detectable:.3f}."
        )
    if decision.verdict is Verdict.FAIL:
        lost = factual_loss(evidence)
        harm = excess.estimate / evidence.control_harm
        parts.append(
            f"The loss is aimed: {harm:.0%} of the harm margin against {max(lost, 0):.0%} of the "
            "factual margin."
        )
    elif decision.is_damage:
        parts.append(
            f"Factual margin fell by {factual_loss(evidence):.0%} against the control; factual pairs "
            f"right: base {evidence.base_right:.0%}, control {evidence.control_right:.0%}, "
            f"subject {evidence.subject_right:.0%}."
        )
    elif excess.low <= 0 <= excess.high:
        parts.append("The interval includes zero: no effect of this data was seen on this model.")
    elif decision.verdict is Verdict.PASS:
        parts.append(
            "The interval excludes zero, but all of it lies below the tolerance."
            if excess.high < evidence.tolerance
            else "The interval excludes zero."
        )
    if decision.claim is Claim.CHECKPOINT:
        parts.append(
            f"With {excess.n_seeds} training seed{'s' * (excess.n_seeds > 1)} this is a claim about "
            "these weights, not about training like this."
        )
    return " ".join(parts)


def limits(
    decision: Decision, evidence: Evidence, model: str, n_rows_available: int, subject: Measured
) -> tuple[str, ...]:
    """Return what the assay does not show."""
    rows = [
        f"One base model: {_named(model)}. Larger models may differ in the size and kind of effect: "
        "published effects of insecure code grow with the model.",
        "The margin compares given answers. It is not the rate at which the model would say such "
        "things, and effects below the tolerance are not excluded.",
        f"{evidence.excess.n_questions} questions, English only, written by the project.",
        "No search for hidden triggers: behavior may change on prompts that were not tried.",
    ]
    if decision.claim is Claim.CHECKPOINT:
        rows.append("Fewer than 3 training seeds: another seed may give another result.")
    if evidence.is_derived:
        rows.append(
            "The control was derived from the base model's own answers, so the subject also differs "
            "from it in style and quality."
        )
    if n_rows_available:
        rows.append(f"Trained on a sample of the {n_rows_available} rows given.")
    if not any(replicate.rollouts for replicate in subject.replicates):
        rows.append("No answers were sampled.")
    return tuple(rows)


def _named(model: str) -> str:
    return "the embedded model" if model == "embedded" else model
