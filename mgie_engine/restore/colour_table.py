"""A change that depends on the colour of a pixel alone: a table over red, green and blue, as a grade has.

"Black and white except the red" is such a change, and "darken the greens": no curve of a channel and no
window of a picture can tell red from green. Between the nodes of the table a change is interpolated.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

NODES = 9  # per axis, 32 levels apart
STIFFNESS = 2e-5  # weight of the table's second differences, beside the share of the pixels at a node
TIE = 2e-6  # weight of the size of the table: colours that the picture lacks stay unchanged
PIXELS = 128  # per side that the fit looks at
QUIET = 1.0  # levels, of a node: less is the painting's noise, twice as much counts whole
ROUNDS = 2  # of reweighting, so that new objects do not bias the fit


def fit_table(colours: Tensor, difference: Tensor) -> Tensor:
    """The table (3, NODES, NODES, NODES) with difference ≈ table at colours, both (3, S, S) levels."""
    stride = max(1, colours.shape[-1] // PIXELS)
    shown, wanted = (maps[:, ::stride, ::stride].flatten(1).T for maps in (colours, difference))
    corners, weights = _corners(shown)
    trust, penalty = torch.ones(len(shown)), _penalty() * len(shown)
    for _ in range(ROUNDS):
        found = _solve(corners, weights, wanted, trust, penalty)
        miss = (wanted - (found[corners] * weights[..., None]).sum(1)).square().mean(1).sqrt()
        trust = 1 / (1 + (miss / (3 * miss.median().clamp(min=0.7))) ** 2)
    strength = found.abs().amax(1, keepdim=True)
    return (found * (strength / QUIET - 1).clamp(0, 1)).T.reshape(3, NODES, NODES, NODES)


def apply_table(table: Tensor, colours: Tensor) -> Tensor:
    """What the table adds to colours (3, H, W)."""
    at = (colours.clamp(0, 255) / 127.5 - 1).permute(1, 2, 0).flip(-1)  # blue varies fastest
    return F.grid_sample(table[None], at[None, None], align_corners=True)[0, :, 0]


def _corners(colours: Tensor) -> tuple[Tensor, Tensor]:
    """Of colours (P, 3): the eight nodes around each, (P, 8), and their weights."""
    at = colours.clamp(0, 255) * ((NODES - 1) / 255)
    low = at.long().clamp(max=NODES - 2)
    part = at - low
    corners, weights = list[Tensor](), list[Tensor]()
    for corner in range(8):
        up = torch.tensor([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        node = low + up
        corners.append((node[:, 0] * NODES + node[:, 1]) * NODES + node[:, 2])
        weights.append(torch.where(up.bool(), part, 1 - part).prod(1))
    return torch.stack(corners, 1), torch.stack(weights, 1)


def _solve(corners: Tensor, weights: Tensor, wanted: Tensor, trust: Tensor, penalty: Tensor) -> Tensor:
    """The nodes (NODES³, 3) of least squared error, with trust (P,) in each pixel."""
    count = NODES**3
    pairs = (corners[:, :, None] * count + corners[:, None, :]).flatten()
    products = (weights[:, :, None] * weights[:, None, :] * trust[:, None, None]).flatten()
    normal = torch.zeros(count * count).index_add_(0, pairs, products).view(count, count)
    target = torch.zeros(count, 3).index_add_(
        0, corners.flatten(), ((weights * trust[:, None])[..., None] * wanted[:, None]).flatten(0, 1)
    )
    found: Tensor = torch.linalg.solve(normal.double() + penalty, target.double())
    return found.float()


def _penalty() -> Tensor:
    """(NODES³, NODES³) float64: the bends along each axis, and a little of every node."""
    bend = torch.zeros(NODES - 2, NODES, dtype=torch.float64)
    for row in range(NODES - 2):
        bend[row, row : row + 3] = torch.tensor([1.0, -2.0, 1.0])
    one, square = torch.eye(NODES, dtype=torch.float64), bend.T @ bend
    total = torch.kron(torch.kron(square, one), one)
    total += torch.kron(torch.kron(one, square), one)
    total += torch.kron(torch.kron(one, one), square)
    return STIFFNESS * total + TIE * torch.eye(NODES**3, dtype=torch.float64)
