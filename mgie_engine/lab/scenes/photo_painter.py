"""Paints the numbers of procedural photos, in batches, on any device, with the masks of their layers.

Layers are laid over one another from the back to the front: sky, ridges, ground, water, trees, near leaves,
subject. A layer's mask is what can be seen of it.
"""

from collections.abc import Sequence
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor

from mgie_engine.lab.scenes.photo_generator import BLOBS, FRAMES, PhotoView
from mgie_engine.lab.scenes.photo_noise import compressed, fractal, random_lattice
from mgie_engine.lab.scenes.photo_subjects import PARTS, SubjectPart
from mgie_engine.restore import tone_curves as curves
from mgie_engine.restore.region_masks import LAYERS, luma

NATIVE = 256  # photos are painted at this size, or at a larger power of two, and then resized
_LENGTHS = [len(item) if isinstance(item, Sequence) else 1 for item in PhotoView()]
_PLACES = dict(
    zip(PhotoView._fields, zip(accumulate(_LENGTHS, initial=0), _LENGTHS, strict=False), strict=True)
)


@torch.no_grad()
def paint_photos(numbers: Tensor, size: int = NATIVE) -> tuple[Tensor, Tensor]:
    """Pictures (B, 3, size, size) in [0, 1] and masks (B, layers, size, size) of numbers (B, NUMBERS)."""
    side = NATIVE
    while side < size:
        side *= 2
    canvas = _Canvas(numbers, side)
    for layer in (_sky, _ridges, _boxes, _ground, _water, _trees, _blobs, _defocus, _subject, _camera):
        layer(canvas)
    return _resized(canvas.pixels, size), _resized(canvas.layers(), size)


def _resized(x: Tensor, size: int) -> Tensor:
    if x.shape[-1] == size:
        return x
    return F.interpolate(x, (size, size), mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)


class _Canvas:
    """The picture so far, what its numbers are, and where the layers lie."""

    def __init__(self, numbers: Tensor, side: int) -> None:
        self.numbers, self.side = numbers, side
        place = (torch.arange(side, device=numbers.device) + 0.5) / side
        self.x, self.y = place.view(1, 1, 1, -1), place.view(1, 1, -1, 1)
        self.pixels = numbers.new_zeros(len(numbers), 3, side, side)
        self.masks = dict[str, Tensor]()
        self.horizon = self.number("horizon")
        seed = self.list("seed")[:, 0]
        rough = self.number("roughness")
        self.noise = fractal(seed, torch.cat([rough, rough, rough + 0.1, rough + 0.25], 1), side)
        self.plane = self._in_perspective()

    def list(self, name: str) -> Tensor:
        """The numbers (B, n) of a field."""
        start, length = _PLACES[name]
        return self.numbers[:, start : start + length]

    def number(self, name: str, index: int = 0) -> Tensor:
        """One number of a field, (B, 1, 1, 1)."""
        return self.list(name)[:, index].view(-1, 1, 1, 1)

    def colour(self, name: str) -> Tensor:
        """A colour, (B, 3, 1, 1)."""
        return self.list(name).view(-1, 3, 1, 1)

    def edge(self, distance: Tensor, softness: float | Tensor = 0.0) -> Tensor:
        """1 where `distance`, in picture widths, is above 0, antialiased or softer."""
        return (0.5 + distance / (1.2 / self.side + softness)).clamp(0, 1)

    def lay(self, layer: str | None, colour: Tensor, mask: Tensor) -> None:
        """Paint a colour (B, 3, H, W) over what is there, and take its place from the other layers."""
        self.pixels = torch.lerp(self.pixels, colour, mask.expand_as(self.pixels))
        for name, seen in self.masks.items():
            self.masks[name] = seen * (1 - mask)
        if layer is not None:
            self.masks[layer] = self.masks[layer] + mask if layer in self.masks else mask

    def layers(self) -> Tensor:
        """The masks of all layers, (B, len(LAYERS), H, W)."""
        empty = torch.zeros_like(self.pixels[:, :1])
        return torch.cat([self.masks.get(name, empty).expand_as(empty) for name in LAYERS], 1)

    def _in_perspective(self) -> Tensor:
        """Two channels of noise as on a plane overhead above the horizon and on the ground below it."""
        depth = (self.y - self.horizon).abs()
        scale = torch.where(self.y < self.horizon, 0.3, self.number("ground_scale"))
        far = 0.25 / (depth + 0.07)
        u, v = (self.x - 0.5) * far * scale * 2, (far * scale).expand(-1, -1, -1, self.side)
        grid = torch.stack([u[:, 0], v[:, 0] - 0.9], -1)
        return F.grid_sample(
            self.noise[:, :2], grid, mode="bilinear", padding_mode="reflection", align_corners=False
        )


def _relief(noise: Tensor) -> Tensor:
    """How a rough surface is lit from the top left: differences of neighbours, (B, 1, H, W)."""
    step = max(1, noise.shape[-1] // 128)
    return noise - torch.roll(noise, (step, step), (-2, -1))


def _gradient(canvas: _Canvas, y: Tensor) -> Tensor:
    """The sky's, or the wall's, colour without clouds at a height y, (B, 3, H, W)."""
    share = (y / canvas.horizon.clamp(min=0.05)).clamp(0, 1) ** canvas.number("sky_curve")
    return torch.lerp(canvas.colour("sky_top"), canvas.colour("sky_low"), share)


def _sky(canvas: _Canvas) -> None:
    sky = _gradient(canvas, canvas.y).expand_as(canvas.pixels)
    dx, dy = canvas.x - canvas.number("sun"), canvas.y - canvas.number("sun", 1)
    glow = canvas.number("sun", 2) * (0.015 / (dx**2 + dy**2 + 0.012)).clamp(max=1)
    sky = torch.lerp(sky, canvas.colour("sun_colour"), glow.clamp(0, 1).expand_as(sky))
    cover, softness, relief = (canvas.number("clouds", index) for index in range(3))
    cloud, outdoors = canvas.plane[:, :1], 1 - canvas.number("indoors")
    thick = ((cloud - 1.6 + 2.6 * cover) / (0.4 + 2 * softness)).clamp(0, 1) * (cover > 0)
    light = (0.75 + 0.5 * relief * _relief(cloud) - 0.5 * thick * softness).clamp(0, 1)
    puff = torch.lerp(canvas.colour("cloud_dark"), canvas.colour("cloud_light"), light)
    sky = torch.lerp(sky, puff, (thick * outdoors).expand_as(sky))
    wall = 1 + 0.2 * relief * (canvas.noise[:, 2:3] + _relief(canvas.noise[:, 3:])) * canvas.number("indoors")
    canvas.pixels = (sky * wall * _bricks(canvas)).clamp(0, 1)
    canvas.masks["sky"] = outdoors.expand_as(canvas.x + canvas.y + outdoors)


def _bricks(canvas: _Canvas) -> Tensor:
    """Brightness of a wall of bricks or tiles, 1 where there is none."""
    count = canvas.number("bricks")
    row = canvas.y * count
    column = canvas.x * count * 0.45 + 0.5 * (torch.floor(row) % 2)
    joint = torch.minimum(row - torch.floor(row), 2 * (column - torch.floor(column)))
    tone = torch.sin(torch.floor(row) * 12.99 + torch.floor(column) * 78.23) * 0.12
    return 1 + (count > 0) * torch.where(joint < 0.13, canvas.number("joint"), tone)


def _boxes(canvas: _Canvas) -> None:
    """Windows and frames on a wall, or buildings with rows of windows before the sky."""
    frames = canvas.list("frames").view(-1, FRAMES, 7)
    if not bool(frames.any()):
        return
    outdoors = 1 - canvas.number("indoors")
    for index in range(FRAMES):
        x, y, a, b, *_ = (frames[:, index, i].view(-1, 1, 1, 1) for i in range(7))
        u, v = canvas.x - x, canvas.y - y
        outside = torch.maximum(u.abs() - a, v.abs() - b)
        rim = canvas.edge(0.012 - outside, 0.01) * (a > 0) * (1 - outdoors)
        canvas.pixels = canvas.pixels * (1 - 0.45 * rim)
        shine = (
            0.85
            + 0.2 * (u - v) / (a + b).clamp(min=0.01)
            + 0.12 * canvas.noise[:, 1:2]
            + 0.2 * _relief(canvas.noise[:, 3:])
        )
        window = (torch.sin(90 * u) > 0.1) * (torch.sin(70 * v) > 0.2) * outdoors
        colour = frames[:, index, 4:].reshape(-1, 3, 1, 1) * shine * (1 - 0.55 * window)
        canvas.lay(None, colour.clamp(0, 1), canvas.edge(-outside) * (a > 0))


def _ridges(canvas: _Canvas) -> None:
    air, far = canvas.number("air"), canvas.colour("sky_low")
    for index, row in enumerate((0.3, 0.7)):
        height = canvas.number("ridges", index)
        line = canvas.noise[:, 2 + index : 3 + index, int(row * canvas.side)].unsqueeze(2)  # (B, 1, 1, W)
        top = canvas.horizon - height * (0.6 + 0.28 * line)
        mask = canvas.edge(canvas.y - top, 0.002) * (height > 0)
        rock = canvas.colour("ridge") * (1 + 0.9 * _relief(canvas.noise[:, index : index + 1]))
        share = air * (1 - 0.45 * index) + 0.25 * ((canvas.y - top) / height.clamp(min=0.02)).clamp(0, 1)
        colour = torch.lerp(rock, far.expand_as(rock), share.clamp(0, 0.95).expand_as(rock)).clamp(0, 1)
        canvas.lay("mountains", colour, mask)


def _ground(canvas: _Canvas) -> None:
    down = ((canvas.y - canvas.horizon) / (1 - canvas.horizon).clamp(min=0.05)).clamp(0, 1)
    base = torch.lerp(canvas.colour("ground_far"), canvas.colour("ground_near"), down)
    rough = canvas.number("ground_texture") * (0.3 + 0.7 * down)
    stones = ((canvas.noise[:, 3:] + canvas.plane[:, 1:2]).abs() > 1.9).float()
    texture = 0.3 * canvas.plane[:, 1:2] + (0.7 * _relief(canvas.noise[:, 3:]) - 0.5 * stones) * down
    start, width, end = (canvas.number("path", index) for index in range(3))
    away = (canvas.x - torch.lerp(start, end, down)).abs()
    path = canvas.edge(width * down - away - 0.01 * canvas.noise[:, 3:], 0.01) * (width > 0)
    colour = torch.lerp(
        base.expand_as(canvas.pixels), canvas.colour("path_colour"), path.expand_as(canvas.pixels)
    )
    mask = canvas.edge(canvas.y - canvas.horizon)
    outdoors = 1 - canvas.number("indoors")
    canvas.lay("ground", (colour * (1 + rough * texture)).clamp(0, 1), mask)
    canvas.masks["ground"] = canvas.masks["ground"] * outdoors


def _water(canvas: _Canvas) -> None:
    shore = canvas.number("shore") + 0.012 * canvas.noise[:, 2:3]
    mask = canvas.edge(canvas.y - canvas.horizon) * canvas.edge(shore - canvas.y, 0.004)
    mask = mask * (canvas.number("shore") > 0)
    down = (canvas.y - canvas.horizon).clamp(min=0)
    mirrored = torch.flip(canvas.pixels, (2,))  # what stands above the middle, as a first guess
    sky = 0.75 * _gradient(canvas, (canvas.horizon - down).clamp(min=0)) + 0.25 * mirrored
    share = 0.75 - 0.45 * (down / (1 - canvas.horizon).clamp(min=0.05)).clamp(0, 1)
    waves = canvas.number("ripples") * (canvas.plane[:, :1] + _relief(canvas.plane[:, 1:2]))
    colour = torch.lerp(canvas.colour("water").expand_as(sky), sky, share.expand_as(sky)) * (1 + 0.5 * waves)
    canvas.lay("water", colour.clamp(0, 1), mask)


def _leafage(canvas: _Canvas, light: Tensor) -> Tensor:
    """Leaves in light and shadow; `light` (B, 1, H, W) is about 0 to 1."""
    texture = canvas.number("leaf_texture")
    rough = 0.3 * canvas.noise[:, 2:3] + 0.8 * _relief(canvas.noise[:, 3:])
    share = (light + texture * rough).clamp(0, 1)
    return torch.lerp(canvas.colour("leaf"), canvas.colour("leaf_light"), share)


def _trees(canvas: _Canvas) -> None:
    height, foot = canvas.number("trees"), canvas.horizon + canvas.number("trees", 1)
    line = canvas.noise[:, 3:, int(0.5 * canvas.side)].unsqueeze(2)
    top = foot - height * (0.75 + 0.22 * line + 0.1 * canvas.noise[:, 2:3] + 0.1 * canvas.noise[:, 3:])
    mask = canvas.edge(canvas.y - top) * canvas.edge(foot - canvas.y + 0.004 * canvas.noise[:, 3:], 0.006)
    light = 0.75 - 0.7 * (canvas.y - top) / height.clamp(min=0.01)
    canvas.lay("foliage", _leafage(canvas, light), mask * (height > 0))


def _blobs(canvas: _Canvas) -> None:
    blobs = canvas.list("blobs").view(-1, BLOBS, 4)
    field, light = None, None
    for index in range(BLOBS):
        x, y, a, b = (blobs[:, index, i].view(-1, 1, 1, 1) for i in range(4))
        u, v = (canvas.x - x) / a.clamp(min=1e-3), (canvas.y - y) / b.clamp(min=1e-3)
        inside = 1 - u**2 - v**2
        inside = torch.where(a > 0, inside, -9.0)
        field = inside if field is None else torch.maximum(field, inside)
        lit = 0.45 - 0.3 * (u + v)
        light = lit if light is None else torch.where(inside >= field, lit, light)
    assert field is not None
    assert light is not None
    mask = ((field + 0.4 * canvas.noise[:, 2:3] + 0.55 * canvas.noise[:, 3:]) * 4).clamp(0, 1)
    canvas.lay("foliage", _leafage(canvas, light), mask * (field > -8))


def _defocus(canvas: _Canvas) -> None:
    amount = canvas.number("defocus")
    rows = (canvas.list("defocus")[:, 0] > 0).nonzero()[:, 0]
    if len(rows):
        names = list(canvas.masks)
        together = torch.cat(
            [canvas.pixels[rows], *(canvas.masks[n].expand_as(canvas.pixels[:, :1])[rows] for n in names)], 1
        )
        soft = curves.blur(together, amount[rows])
        canvas.pixels[rows] = soft[:, :3]
        for place, name in enumerate(names):
            mask = canvas.masks[name].expand_as(canvas.pixels[:, :1]).clone()
            mask[rows] = soft[:, 3 + place : 4 + place]
            canvas.masks[name] = mask


def _subject(canvas: _Canvas) -> None:
    parts = canvas.list("parts").view(-1, PARTS, len(SubjectPart._fields))
    used = int((parts[:, :, 2] > 0).sum(1).max())
    if not used:
        return
    _shadow(canvas, parts)
    rough = 0.35 * canvas.noise[:, 3:] + 0.8 * _relief(canvas.noise[:, 3:])
    rough = 1 + canvas.number("subject_texture") * rough
    for index in range(used):
        colour, mask = _part(canvas, parts[:, index])
        canvas.lay("subject", (colour * rough).clamp(0, 1), mask)


def _part(canvas: _Canvas, part: Tensor) -> tuple[Tensor, Tensor]:
    """The colour (B, 3, H, W) and the mask (B, 1, H, W) of one part, of its numbers (B, 9)."""
    x, y, a, b, power, *_, stripes = (part[:, i].view(-1, 1, 1, 1) for i in range(9))
    u, v = (canvas.x - x) / a.clamp(min=1e-4), (canvas.y - y) / b.clamp(min=1e-4)
    far = (u**2 + v**2).sqrt()
    norm = torch.lerp(far, torch.maximum(u.abs(), v.abs()), 1 - 2 / power.clamp(min=2))
    mask = canvas.edge((1 - norm) * torch.minimum(a, b), canvas.number("subject_softness")) * (a > 0)
    lit_from = torch.sign(canvas.number("side_light") + 1e-6)
    shade = 1 + (0.28 * lit_from) * u - 0.22 * v - 0.15 * far**2
    if bool((stripes > 0).any()):
        dark = torch.sin(canvas.x * (stripes * 20) + 6 * canvas.y) > 0.2
        shade = shade * (1 - 0.4 * (dark * (stripes > 0)))
    return part[:, 5:8].reshape(-1, 3, 1, 1) * shade, mask


def _shadow(canvas: _Canvas, parts: Tensor) -> None:
    """A soft shadow at the foot of the subject."""
    foot = (parts[:, :, 1] + parts[:, :, 3]).amax(1).view(-1, 1, 1, 1)
    x, wide = parts[:, 0, 0].view(-1, 1, 1, 1), parts[:, :, 2].amax(1).view(-1, 1, 1, 1)
    u, v = (canvas.x - x) / (1.3 * wide).clamp(min=1e-3), (canvas.y - foot) / (0.3 * wide).clamp(min=1e-3)
    dark = 0.45 * (1 - u**2 - v**2).clamp(0, 1) * (wide > 0) * (canvas.y > canvas.horizon)
    canvas.pixels = canvas.pixels * (1 - dark)


def _coloured(grain: Tensor) -> Tensor:
    """Noise of three channels from one."""
    return torch.cat(
        [grain, torch.roll(grain, (31, 17), (-2, -1)), torch.roll(grain, (-23, 41), (-2, -1))], 1
    )


def _camera(canvas: _Canvas) -> None:
    """Light, cast, contrast, noise and compression over everything."""
    mean = luma(canvas.pixels).mean((2, 3), keepdim=True).clamp(min=0.05)
    exposure = (0.44 / mean).sqrt()  # half of what an automatic camera would give
    lit = canvas.pixels * (
        exposure * canvas.colour("light") * (1 + canvas.number("side_light") * (canvas.x - 0.5) * 2)
    )
    contrast = canvas.number("contrast")
    mean = luma(lit).mean((2, 3), keepdim=True)
    lit = torch.lerp(lit, luma(lit).expand_as(lit), 0.18)
    lit = (mean + (lit - mean) * contrast).clamp(min=0)
    seed = canvas.list("seed")[:, 0] + 77
    grain = canvas.number("noise") * _coloured(random_lattice(seed, 1, canvas.side))
    lit = (lit + grain * (0.4 + luma(lit).clamp(0, 1).sqrt())).clamp(0, 1)
    step = canvas.list("jpeg")[:, 0]
    rows = (step > 0).nonzero()[:, 0]
    if len(rows):
        lit[rows] = compressed(lit[rows], step[rows]).clamp(0, 1)
    canvas.pixels = lit
