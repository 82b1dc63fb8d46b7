"""The one tree of errors: every message says what is wrong, where, and what to do."""


class OfftargetError(Exception):
    """Base of everything that offtarget raises on purpose; exit code 2 at the command line."""


class ConfigError(OfftargetError):
    """A study, plan or option that cannot be used as given."""


class DataError(OfftargetError):
    """A data set, suite or record that is malformed or does not fit its use."""


class ModelError(OfftargetError):
    """A model, adapter or tokenizer that is refused, broken or does not fit."""


class TrainingError(ModelError):
    """An arm that could not be trained to its end (NaN loss, divergence)."""


class ResourceError(OfftargetError):
    """The machine lacks something: memory, disk, device or network."""


class JudgeError(OfftargetError):
    """A judge that is misconfigured; a judge that fails on one rollout is an outcome instead."""


class VerifyError(OfftargetError):
    """A run directory that is not what it claims to be."""
