"""Many fine-tunes of one base, held one at a time without loading the base again."""

from pathlib import Path

from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import ModulesToSaveWrapper
from torch import nn

from offtarget.lm.adapt import apply_adapter
from offtarget.lm.model import LanguageModel


class AdapterSwitch:
    """Holds a base and puts one adapter at a time on it.

    A model handed out before the next call of `put` must not be used after it: they share weights.
    """

    def __init__(self, base: LanguageModel) -> None:
        """Take over `base`, which must be bare."""
        self._base = base
        self._directory: Path | None = None
        self._held = base

    def put(self, directory: Path | None, *, is_assay: bool = False) -> LanguageModel:
        """Return the base with the adapter in `directory`, or bare for None.

        Args:
            directory: A PEFT LoRA adapter.
            is_assay: Whether the model is only going to be measured; allows do-not-deploy adapters.

        Raises:
            ModelError: If the adapter is refused; the base is bare afterwards.
        """
        if directory == self._directory:
            return self._held
        _strip(self._base.causal)
        self._directory, self._held = None, self._base
        if directory is not None:
            self._held = apply_adapter(self._base, directory, is_assay=is_assay)
            self._directory = directory
        return self._held


def _strip(model: nn.Module) -> None:
    """Put every layer that PEFT wrapped back in its place."""
    wrapped = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, BaseTunerLayer | ModulesToSaveWrapper)
    ]
    outermost = {name for name, _ in wrapped}
    for name, module in wrapped:
        path, _, leaf = name.rpartition(".")
        if any(path == other or path.startswith(other + ".") for other in outermost):
            continue  # inside a wrapper that goes as a whole
        is_layer = isinstance(module, BaseTunerLayer)
        original = module.get_base_layer() if is_layer else module.original_module
        setattr(model.get_submodule(path), leaf, original)
    if hasattr(model, "peft_config"):
        del model.peft_config
