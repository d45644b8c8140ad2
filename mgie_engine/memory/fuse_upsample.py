"""The same networks with fewer multiplications, for CPUs."""

import torch
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn


@torch.no_grad()
def fold_upsampling(network: nn.Module) -> None:
    """Let every doubling of pixels and the 3 x 3 convolution after it be one transposed convolution.

    The 3 x 3 convolution sees each pixel up to four times, beside itself; the transposed one, of 4 x 4 and
    stride 2, sees it once, with the sum of those weights: 16 multiplications where there were 36. Results
    differ by rounding alone, for sizes that double.
    """
    for module in network.modules():
        if isinstance(module, Upsample2D) and isinstance(module.conv, nn.Conv2d):
            module.conv = _transposed(module.conv)
            module.use_conv_transpose = True


def _transposed(conv: nn.Conv2d) -> nn.ConvTranspose2d:
    weight = conv.weight.transpose(0, 1).flip(2, 3)  # to spread what a plain convolution gathers
    folded: Tensor = weight.new_zeros(*weight.shape[:2], 4, 4)
    for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        folded[..., y : y + 3, x : x + 3] += weight
    made = nn.ConvTranspose2d(
        conv.in_channels, conv.out_channels, 4, stride=2, padding=1, device="meta", dtype=weight.dtype
    )
    made.weight, made.bias = nn.Parameter(folded, requires_grad=False), conv.bias
    return made
