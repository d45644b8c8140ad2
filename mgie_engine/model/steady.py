"""Convolutions and products whose rows are the same, to the bit, in every batch that a denoising step has.

The libraries choose a kernel by the size of the work, and kernels add in different orders. So an edit would
be painted a little differently alone and in company. What is listed here goes through one kernel at all
sizes, found by comparing bits on an H200 with PyTorch 2.11; elsewhere, only that difference comes back.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int, int, int]  # pixels of a map, channels in, channels out, stride
AT_ONCE: dict[Size, int] = {  # rows that one call takes at most
    (4096, 320, 320, 1): 4,
    (4096, 320, 320, 2): 4,
    (4096, 640, 320, 1): 4,
    (4096, 960, 320, 1): 4,
    (4096, 640, 640, 1): 3,
    (1024, 640, 640, 1): 12,
    (1024, 640, 640, 2): 8,
    (1024, 320, 640, 1): 12,
}
AT_LEAST: dict[Size, int] = {(4096, 320, 4, 1): 6}  # rows that one call takes at least
LEAST_ROWS, LONG = 384, 4096  # of a product of so long sums: with fewer rows they are taken in parts


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
    """`F.conv2d` of channels-last x (N, C, h, w)."""
    rows = len(x)
    size = x.shape[2] * x.shape[3], x.shape[1], len(weight), stride
    most, least = AT_ONCE.get(size, rows), AT_LEAST.get(size, rows)
    if not x.is_cuda or most >= rows >= least:
        return F.conv2d(x, weight, bias, stride, padding)
    if rows < least:
        return F.conv2d(_with_rows(x, least), weight, bias, stride, padding)[:rows]
    out = torch.empty(
        rows, len(weight), x.shape[2] // stride, x.shape[3] // stride, device=x.device, dtype=x.dtype,
        memory_format=torch.channels_last,
    )  # fmt: skip
    cudnn = torch.backends.cudnn
    way = [padding] * 2, [stride] * 2, [1, 1], 1, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32
    for at in range(0, rows, most):
        torch.ops.aten.cudnn_convolution.out(x[at : at + most], weight, *way, out=out[at : at + most])
    return out if bias is None else out.add_(bias[:, None, None])


def add_product(total: Tensor, x: Tensor, weight: Tensor) -> None:
    """Add x (…, K) times weight (N, K) transposed to total (…, N), in place."""
    onto, x = total.view(-1, total.shape[-1]), x.reshape(-1, x.shape[-1])
    if x.is_cuda and len(x) < LEAST_ROWS and x.shape[1] >= LONG:
        onto.add_(F.linear(_with_rows(x, LEAST_ROWS), weight)[: len(x)])
        return
    onto.addmm_(x, weight.t())


def _with_rows(x: Tensor, rows: int) -> Tensor:
    """x and, below it, rows of zeros."""
    layout = torch.channels_last if x.dim() == 4 else torch.contiguous_format
    out = torch.empty(rows, *x.shape[1:], device=x.device, dtype=x.dtype, memory_format=layout)
    out[: len(x)] = x
    out[len(x) :] = 0
    return out
