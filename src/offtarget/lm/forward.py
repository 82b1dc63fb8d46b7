"""The two inner loops of every forward pass: dense attention and the fused LoRA projection.

Both replace a general routine by one that does less work on short chat rows. On CPU the stock
attention kernel spends most of its time in the backward pass; plain matrix products over the
whole (T, T) square are about three times faster there at T < 512 (docs/results.md).
"""

from types import MethodType
from typing import Any

import torch
import torch.nn.functional as F
from peft.tuners.lora.layer import Linear as LoraLinear
from torch import Tensor, nn
from transformers import AttentionInterface

ATTENTION = "offtarget_dense"
"""Name under which `dense_attention` is registered with transformers."""


def dense_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """Return softmax(Q K^T * scaling + mask) V, with grouped keys never copied.

    Args:
        module: The attention block; unused, part of the transformers interface.
        query: Shape (B, H, T, D).
        key: Shape (B, K, S, D) with H a multiple of K.
        value: Shape (B, K, S, D).
        attention_mask: Additive, shape (B or 1, 1, T, S); required.
        scaling: Factor of the scores; D ** -0.5 when None.
        dropout: Ignored: arms are trained without attention dropout.

    Returns:
        Tensor of shape (B, T, H, D), and None for the weights.
    """
    if attention_mask is None:
        raise ValueError("dense attention needs an explicit mask")
    batch, heads, steps, width = query.shape
    groups = key.shape[1]
    scale = width**-0.5 if scaling is None else scaling
    packed = query.reshape(batch * groups, (heads // groups) * steps, width)
    scores = torch.bmm(packed * scale, key.reshape(batch * groups, -1, width).transpose(1, 2))
    scores = scores.view(batch, heads, steps, -1) + attention_mask
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    mixed = torch.bmm(
        weights.view(batch * groups, (heads // groups) * steps, -1),
        value.reshape(batch * groups, -1, width),
    )
    return mixed.view(batch, heads, steps, width).transpose(1, 2), None


class _LoraProjection(torch.autograd.Function):
    """y = x W^T + s (x A^T) B^T, saving x once and computing in the dtype of x."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])  # (B*T, in)
        down = a.to(x.dtype)  # (r, in)
        up = b.to(x.dtype) * scale  # (out, r)
        hidden = flat @ down.t()  # (B*T, r)
        out = F.linear(flat, weight, bias)
        out.addmm_(hidden, up.t())
        ctx.save_for_backward(flat, weight, down, up, hidden)
        ctx.scale, ctx.shape = scale, x.shape
        return out.view(*x.shape[:-1], weight.shape[0])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        flat, weight, down, up, hidden = ctx.saved_tensors
        grad = grad.reshape(-1, grad.shape[-1])
        grad_hidden = grad @ up  # (B*T, r)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = (grad @ weight).addmm_(grad_hidden, down).view(ctx.shape)
        grad_a = (grad_hidden.t() @ flat).float()
        grad_b = (grad.t() @ hidden).float() * ctx.scale
        return grad_x, None, None, grad_a, grad_b, None


def fuse_lora(model: nn.Module, *, adapter: str = "default") -> int:
    """Give every PEFT LoRA linear layer in `model` the fused forward; return how many.

    The parameters stay PEFT's own, so saving, loading and disabling work as before.
    """
    n_layers = 0
    for module in model.modules():
        if isinstance(module, LoraLinear) and adapter in module.lora_A:
            module.forward = MethodType(_fused_forward, module)
            n_layers += 1
    return n_layers


def _fused_forward(self: Any, x: Tensor, *_: Any, **__: Any) -> Tensor:
    if self.disable_adapters:
        result: Tensor = self.base_layer(x)
        return result
    name = self.active_adapters[0]
    projected: Tensor = _LoraProjection.apply(  # type: ignore[no-untyped-call]
        x,
        self.base_layer.weight,
        self.base_layer.bias,
        self.lora_A[name].weight,
        self.lora_B[name].weight,
        self.scaling[name],
    )
    return projected


def fuse_norms(model: nn.Module) -> int:
    """Give every plain RMS norm in `model` torch's fused kernel; return how many.

    Plain means weight * x / rms(x), as in Llama, Mistral and Qwen. Norms that shift their weight
    (Gemma) keep their own forward.
    """
    n_norms = 0
    for module in model.modules():
        name = type(module).__name__
        if name.endswith("RMSNorm") and "Gemma" not in name and hasattr(module, "variance_epsilon"):
            module.forward = MethodType(_fused_norm, module)
            n_norms += 1
    return n_norms


def _fused_norm(self: Any, x: Tensor) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), self.weight, self.variance_epsilon)


def causal_mask(steps: int, *, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the additive causal mask, shape (1, 1, T, T): 0 where attended, else very negative."""
    blocked = torch.ones(steps, steps, dtype=torch.bool, device=device).triu(1)
    return additive(blocked[None, None], dtype=dtype)


def additive(blocked: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Return a mask to add to scores from a boolean one that is true where attention is barred."""
    return torch.zeros(blocked.shape, dtype=dtype, device=blocked.device).masked_fill_(
        blocked, torch.finfo(dtype).min
    )


AttentionInterface.register(ATTENTION, dense_attention)
