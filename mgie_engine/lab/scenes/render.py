"""Renders shape tables: antialiased signed-distance shapes in torch, in batches, on any device.

Rendering is elementwise arithmetic over (B, H, W), so that torch.compile makes one kernel per shape; without
it the same functions run anywhere. The same table always gives the same picture.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mgie_engine.lab.scenes.drawing import (
    CRESCENT,
    ELLIPSE,
    SHAPES,
    SPOTTED,
    STAR,
    STRIPED,
    TRIANGLE,
    ShapeTable,
)
from mgie_engine.restore.weather import VEILS, dots, lattice_hash

Paint = Callable[[Tensor, Tensor], Tensor]


def stack(sheets: Sequence[ShapeTable]) -> tuple[Tensor, Tensor]:
    """Shapes (B, SHAPES, 14) and backdrops (B, 22) of several sheets, float32 on the CPU."""
    shapes = torch.from_numpy(np.stack([sheet.shapes for sheet in sheets]))
    return shapes, torch.from_numpy(np.stack([sheet.backdrop for sheet in sheets]))


def paint(
    shapes: Tensor, backdrop: Tensor, size: int = 256, *, compiled: tuple[Paint, ...] | None = None
) -> Tensor:
    """Pictures (B, 3, size, size), sRGB in [0, 1], of shapes (B, SHAPES, 14) and backdrops (B, 22)."""
    behind, over, above = compiled or (_paint_backdrop, _paint_shape, _paint_air)
    canvas = torch.zeros(len(shapes), 3, size, size, device=shapes.device)
    canvas = behind(canvas, backdrop)
    busiest = int((shapes[:, :, 0] >= 0).sum(1).max()) if len(shapes) else 0
    for index in range(min(busiest, SHAPES)):
        canvas = over(canvas, shapes[:, index])
    return above(canvas, backdrop).clamp(0, 1)


def compile_painter() -> tuple[Paint, ...]:
    """The three rendering functions through torch.compile, for `paint(compiled=...)`."""
    return tuple(torch.compile(step, dynamic=False) for step in (_paint_backdrop, _paint_shape, _paint_air))


def picture(sheet: ShapeTable, size: int = 256) -> Image.Image:
    """One picture, `size` square, RGB."""
    pixels = paint(*stack([sheet]), size)[0]
    return Image.fromarray((pixels * 255).round().byte().permute(1, 2, 0).contiguous().numpy())


def _grid(canvas: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel centres in picture widths: x (1, 1, W) and y (1, H, 1)."""
    height, width = canvas.shape[-2:]
    x = (torch.arange(width, device=canvas.device) + 0.5) / width
    y = (torch.arange(height, device=canvas.device) + 0.5) / height
    return x.view(1, 1, -1), y.view(1, -1, 1)


def _column(table: Tensor, index: int) -> Tensor:
    return table[:, index].view(-1, 1, 1)


def _paint_shape(canvas: Tensor, shape: Tensor) -> Tensor:
    """Lay one shape per picture, shape (B, 14), over the canvas (B, 3, H, W)."""
    x, y = _grid(canvas)
    kind, cx, cy, half_width, half_height, angle, corner = (_column(shape, i) for i in range(7))
    half_width, half_height = half_width.clamp(min=1e-4), half_height.clamp(min=1e-4)
    cos, sin = torch.cos(angle), torch.sin(angle)
    dx, dy = x - cx, y - cy
    px, py = cos * dx + sin * dy, cos * dy - sin * dx  # (B, H, W), the shape's own axes
    distance = _distance(kind, px, py, half_width, half_height, corner)
    edge = _column(shape, 13).clamp(min=1.0 / canvas.shape[-1])
    cover = (0.5 - distance / edge).clamp(0, 1) * _column(shape, 10) * (kind >= 0)
    tone = 1 - _column(shape, 12) * (py * cos / half_height).clamp(-1, 1)
    tone = tone * _pattern(_column(shape, 11), px / half_width, py / half_height)
    colour = shape[:, 7:10].view(-1, 3, 1, 1) * tone.unsqueeze(1)
    return torch.lerp(canvas, colour.clamp(0, 1), cover.unsqueeze(1))


def _distance(kind: Tensor, px: Tensor, py: Tensor, hw: Tensor, hh: Tensor, corner: Tensor) -> Tensor:
    """Signed distance (B, H, W) to the outline, negative inside; first-order near the edge."""
    ellipse = _ellipse(px, py, hw, hh)
    qx, qy = px.abs() - hw + corner, py.abs() - hh + corner
    box = (
        (qx.clamp(min=0) ** 2 + qy.clamp(min=0) ** 2 + 1e-12).sqrt()
        + torch.maximum(qx, qy).clamp(max=0)
        - corner
    )
    slope = (4 * hh * hh + hw * hw).sqrt()
    triangle = torch.maximum(py - hh, (2 * hh * px.abs() - (py + hh) * hw) / slope)
    crescent = torch.maximum(ellipse, -_ellipse(px - 0.45 * hw, py + 0.2 * hh, 0.85 * hw, 0.85 * hh))
    distance = torch.where(kind == ELLIPSE, ellipse, box)
    distance = torch.where(kind == TRIANGLE, triangle, distance)
    distance = torch.where(kind == CRESCENT, crescent, distance)
    return torch.where(kind == STAR, _star(px, py, hw), distance)


def _ellipse(px: Tensor, py: Tensor, hw: Tensor, hh: Tensor) -> Tensor:
    """The gradient-normalised distance of an axis-aligned ellipse."""
    near = ((px / hw) ** 2 + (py / hh) ** 2 + 1e-9).sqrt()
    steep = ((px / hw**2) ** 2 + (py / hh**2) ** 2 + 1e-9).sqrt()
    return near * (near - 1) / steep


def _star(px: Tensor, py: Tensor, radius: Tensor) -> Tensor:
    """A five-pointed star, inner radius 0.45 of the outer: distance to the edge of the folded sector."""
    sector = 2 * torch.pi / 5
    turn = torch.atan2(px, -py)
    turn = (turn - sector * torch.round(turn / sector)).abs()
    length = (px**2 + py**2 + 1e-12).sqrt()
    ax, ay = length * torch.sin(turn), length * torch.cos(turn)  # tip on the y axis
    inner_x = 0.45 * radius * float(np.sin(np.pi / 5))
    inner_y = 0.45 * radius * float(np.cos(np.pi / 5))
    edge_x, edge_y = inner_x, inner_y - radius
    norm = (edge_x**2 + edge_y**2).sqrt()
    return (edge_x * (ay - radius) - edge_y * ax) / norm


def _pattern(pattern: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """Brightness factor (B, H, W) of stripes and spots in the shape's unit square."""
    stripes = (torch.sin((u + v) * 9.0) * 3).clamp(0, 1)
    du, dv = u * 2.2 - torch.round(u * 2.2), v * 2.2 - torch.round(v * 2.2)
    spots = ((0.3 - (du**2 + dv**2 + 1e-9).sqrt()) * 10).clamp(0, 1)
    dark = torch.where(pattern == STRIPED, stripes, torch.where(pattern == SPOTTED, spots, 0.0))
    return 1 - 0.45 * dark


def _paint_backdrop(canvas: Tensor, backdrop: Tensor) -> Tensor:
    """Sky, stars and ground under everything; backdrop (B, 22)."""
    x, y = _grid(canvas)
    horizon = _column(backdrop, 15)
    up, down = (y / horizon).clamp(0, 1), ((y - horizon) / (1 - horizon)).clamp(0, 1)
    rgb = [backdrop[:, i : i + 3].view(-1, 3, 1, 1) for i in (0, 3, 6, 9)]
    sky = torch.lerp(rgb[0], rgb[1], up.unsqueeze(1).expand(-1, 3, -1, canvas.shape[-1]))
    ground = torch.lerp(rgb[2], rgb[3], down.unsqueeze(1).expand(-1, 3, -1, canvas.shape[-1]))
    sky = sky + (0.9 * _column(backdrop, 16) * dots(x, y, 14.0, 0.05, 0.75) * (y < 0.5)).unsqueeze(1) * 2.5
    below = ((y - horizon) * canvas.shape[-2] + 0.5).clamp(0, 1)
    return torch.lerp(sky, ground, below.unsqueeze(1).expand_as(sky))


def _paint_air(canvas: Tensor, backdrop: Tensor) -> Tensor:
    """Fog, rain, snow, 1/f grain and the light of the hour, over everything."""
    x, y = _grid(canvas)
    for name, column in (("fog", 17), ("rain", 18), ("snow", 19)):
        veil = VEILS[name]
        weight = (_column(backdrop, column) * veil.weights(x, y)).unsqueeze(1)
        canvas = torch.lerp(canvas, torch.full_like(canvas, veil.light), weight)
    canvas = canvas * (1 + _column(backdrop, 20) * _grain(x, y, _column(backdrop, 21))).unsqueeze(1)
    return canvas * backdrop[:, 12:15].view(-1, 3, 1, 1)


def _grain(x: Tensor, y: Tensor, seed: Tensor) -> Tensor:
    """Value noise with an amplitude that halves per octave (about 1/f), (B, H, W) in about [-1, 1]."""
    total = torch.zeros((), device=x.device)
    for octave in range(6):
        frequency, shift = 4.0 * 2**octave, seed + 17.0 * octave
        u, v = x * frequency, y * frequency
        i, j = torch.floor(u), torch.floor(v)
        a, b = u - i, v - j
        a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
        top = torch.lerp(lattice_hash(i, j, shift), lattice_hash(i + 1, j, shift), a)
        low = torch.lerp(lattice_hash(i, j + 1, shift), lattice_hash(i + 1, j + 1, shift), a)
        total = total + (torch.lerp(top, low, b) * 2 - 1) * 0.5**octave
    return total * 0.6
