"""Other libraries' quantised linears, to be measured against ours; the product does not use them."""

import warnings
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from mgie_engine.memory.quantise import Quantiser, bitsandbytes


def int8_of_bitsandbytes(weight: Tensor) -> nn.Module:
    """LLM.int8() (arXiv 2208.07339): activations are quantised, too."""
    library = bitsandbytes().nn
    linear = library.Linear8bitLt(weight.shape[1], weight.shape[0], bias=False, has_fp16_weights=False)
    linear.weight = library.Int8Params(weight.cpu(), requires_grad=False, has_fp16_weights=False)
    moved: nn.Module = linear.to(weight.device)
    return moved


def int8_of_torchao(weight: Tensor) -> nn.Module:
    """Weights alone, one scale per output channel."""
    library: Any = _torchao()
    holder = nn.Sequential(_linear(weight))
    library.quantize_(holder, library.Int8WeightOnlyConfig())
    return holder[0]


def nf4_of_torchao(weight: Tensor) -> nn.Module:
    """Four bits with scales that are themselves quantised."""
    _torchao()
    from torchao.quantization.quantize_.workflows.nf4.nf4_tensor import linear_nf4, to_nf4

    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(to_nf4(weight, scaler_block_size=64), requires_grad=False)

        def forward(self, inputs: Tensor) -> Tensor:
            return linear_nf4(inputs, self.weight)  # type: ignore[no-any-return]

    return Linear()


RIVALS: Mapping[str, Quantiser] = {
    "int8:bitsandbytes": int8_of_bitsandbytes,
    "int8:torchao": int8_of_torchao,
    "nf4:torchao": nf4_of_torchao,
}


def _linear(weight: Tensor) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    linear.weight = nn.Parameter(weight, requires_grad=False)
    return linear


def _torchao() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torchao.quantization

    return torchao.quantization
