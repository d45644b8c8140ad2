"""From what a file says about its colours to sRGB, as browsers convert them.

A file may embed an ICC profile, or name its colours by the code points of ITU-T H.273 (a `cICP` chunk in PNG,
an `nclx` box in HEIC and AVIF), or, in PNG, by `gAMA` and `cHRM`. All but the first become a small ICC
profile, so that there is one conversion. HDR (PQ, HLG) is tone-mapped on the way.
"""

import io
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageChops, ImageCms

from conversations.images.formats import Format

Primaries = tuple[float, float, float, float, float, float, float, float]  # x, y of white, red, green, blue
Info = Mapping[str | tuple[int, int], Any]  # of a Pillow image
Curve = Callable[[float], float]  # from a stored value to light, both 0..1

_D65 = (0.3127, 0.3290)
_BT709: Primaries = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES: dict[int, Primaries] = {  # by code point
    1: _BT709,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
UNSPECIFIED, SRGB_CURVE, PQ, HLG = 2, 13, 16, 18
_VIDEO_CURVES = (1, 6, 14, 15)
_GAMMA_OF_SRGB = 0.45455  # browsers read this value alone, without cHRM, as sRGB
_WHITE_NITS, _PEAK_NITS = 203.0, 1000.0  # of HDR: what becomes white on paper, and the brightest kept apart
_LARGEST_PROFILE = 8 * 2**20  # bytes
_SPACES = {"L": ("GRAY", "RGB"), "RGB": ("RGB",), "RGBA": ("RGB",), "CMYK": ("CMYK",)}  # profiles by mode


@dataclass(frozen=True, slots=True)
class CodePoints:
    """Primaries and transfer curve by their numbers in ITU-T H.273."""

    primaries: int
    transfer: int

    @property
    def is_hdr(self) -> bool:
        """Whether the curve is one of high dynamic range."""
        return self.transfer in (PQ, HLG)


def code_points(data: bytes, kind: Format, info: Info) -> CodePoints | None:
    """The code points of a file that count more than its ICC profile, if it has one."""
    if kind is Format.PNG:
        return _png_code_points(data)
    if kind not in (Format.HEIC, Format.AVIF) or info.get("icc_profile"):
        return None
    if kind is Format.AVIF:
        found = _avif_code_points(data)
    else:
        nclx = info.get("nclx_profile")
        found = CodePoints(nclx["color_primaries"], nclx["transfer_characteristics"]) if nclx else None
    if found is not None and found.transfer in _VIDEO_CURVES:  # browsers show these as sRGB
        return CodePoints(found.primaries, SRGB_CURVE)
    return found


def profile_of(info: Info, points: CodePoints | None) -> bytes | None:
    """The ICC profile that holds for a picture; None for sRGB. ValueError for colours that are not known."""
    if points is not None and points != CodePoints(UNSPECIFIED, UNSPECIFIED):
        return _profile_of_points(points)
    if profile := info.get("icc_profile"):
        return bytes(profile)
    if "srgb" in info or not info.get("gamma"):
        return None
    chromaticity, gamma = info.get("chromaticity"), float(info["gamma"])
    if chromaticity is None and gamma == _GAMMA_OF_SRGB:
        return None
    return _built(chromaticity or _BT709, lambda value: value ** (1 / gamma))


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """The picture (L, RGB, RGBA or CMYK) as sRGB; unchanged where the profile is sRGB by another name.

    ValueError for a profile that is damaged or fits no such picture.
    """
    if len(profile) > _LARGEST_PROFILE:
        raise ValueError("the colour profile is too long")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space not in _SPACES.get(picture.mode, ()):
            raise ValueError(f"a profile for {space} in a picture of mode {picture.mode}")
        if picture.mode == "L":
            if space == "GRAY":
                return _grey_to_srgb(picture, source)
            picture = picture.convert("RGB")
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, target, picture.mode, mode)
        return picture if _changes_nothing(transform, picture.mode) else transform.apply(picture)
    except (ImageCms.PyCMSError, OSError, TypeError) as error:
        raise ValueError("the colour profile is damaged") from error


def _grey_to_srgb(picture: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    # By a table: LittleCMS is off by seven levels in the dark, and slow where it has to be exact.
    target, exact = ImageCms.createProfile("sRGB"), ImageCms.Flags.NOOPTIMIZE
    transform = ImageCms.buildTransform(source, target, "L", "RGB", flags=exact)
    levels = Image.frombytes("L", (256, 1), bytes(range(256)))
    return picture.point(list(transform.apply(levels).getchannel("G").tobytes()))


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether no colour moves by more than one level: many profiles are sRGB, and rounding is avoidable."""
    if mode == "CMYK":
        return False
    ramp = Image.linear_gradient("L").crop((0, 0, 1, 256))
    none, half = Image.new("L", ramp.size), Image.new("L", ramp.size, 128)
    colours = ((ramp,) * 3, (ramp, none, none), (none, ramp, none), (none, none, ramp), (ramp, half, ramp))
    probes = [Image.merge("RGB", colour).convert(mode) for colour in colours]
    moved = (
        ImageChops.difference(transform.apply(probe).convert("RGB"), probe.convert("RGB")) for probe in probes
    )
    return all(
        difference.point(lambda level: 255 * (level > 1)).getbbox(alpha_only=False) is None
        for difference in moved
    )


# -- where files keep their code points ---------------------------------------------------------------------


def _png_code_points(data: bytes) -> CodePoints | None:
    place = 8
    while place + 12 <= len(data):
        kind = data[place + 4 : place + 8]
        if kind == b"cICP":
            return CodePoints(data[place + 8], data[place + 9])
        if kind == b"IDAT":
            return None
        place += 12 + int.from_bytes(data[place : place + 4], "big")
    return None


def _avif_code_points(data: bytes) -> CodePoints | None:
    """Of the main picture; of the first `nclx` box, if the file does not say which belongs to that."""
    meta = _boxes(data).get(b"meta", [b""])[0][4:]
    inside = _boxes(meta)
    properties = _boxes(inside.get(b"iprp", [b""])[0])
    colours = [
        CodePoints(*struct.unpack_from(">HH", body, 4))
        for body in _boxes(properties.get(b"ipco", [b""])[0]).get(b"colr", [])
        if body[:4] == b"nclx" and len(body) >= 8
    ]
    return colours[0] if colours else None


def _boxes(data: bytes) -> dict[bytes, list[bytes]]:
    """The boxes of an ISO media file side by side, by type."""
    found: dict[bytes, list[bytes]] = {}
    place = 0
    while place + 8 <= len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        size = len(data) - place if size == 0 else size  # 0: until the end
        if size < 8:  # 1 stands for a longer number, which no file here needs
            break
        found.setdefault(data[place + 4 : place + 8], []).append(data[place + 8 : place + size])
        place += size
    return found


# -- profiles -----------------------------------------------------------------------------------------------


def _profile_of_points(points: CodePoints) -> bytes | None:
    primaries = _BT709 if points.primaries == UNSPECIFIED else _PRIMARIES.get(points.primaries)
    curve = _srgb if points.transfer == UNSPECIFIED else _CURVES.get(points.transfer)
    if primaries is None or curve is None:
        raise ValueError(f"colours of {points} are not known")
    return None if primaries == _BT709 and curve is _srgb else _built(primaries, curve)


def _built(primaries: Primaries, curve: Curve) -> bytes:
    """A profile of three primaries and one curve, exact at each of the 256 levels."""
    levels = (min(max(curve(level / 255), 0.0), 1.0) for level in range(256))
    trc = b"curv" + struct.pack(">II256H", 0, 256, *(round(light * 65535) for light in levels))
    columns = _adapted(primaries)
    bodies = [b"XYZ " + bytes(4) + struct.pack(">3i", *(round(x * 65536) for x in xyz)) for xyz in columns]
    names = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
    start = 128 + 4 + 12 * len(names)
    places = [(start + 20 * n, 20) for n in range(3)] + [(start + 60, len(trc))] * 3
    table = struct.pack(">I", len(names))
    for name, (place, size) in zip(names, places, strict=True):
        table += name + struct.pack(">II", place, size)
    body = table + b"".join(bodies) + trc
    head = struct.pack(">I4xI4s4s4s", 128 + len(body), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head = head.ljust(36, b"\0") + b"acsp"
    head = head.ljust(68, b"\0") + struct.pack(">3i", *(round(x * 65536) for x in _D50))
    return head.ljust(128, b"\0") + body


_D50 = (0.9642, 1.0, 0.8249)  # the white of profiles
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
Matrix = tuple[tuple[float, ...], ...]


def _adapted(primaries: Primaries) -> Matrix:
    """XYZ of full red, green and blue, under the white of profiles. ValueError for no colours at all."""
    try:
        white, *lights = (_xyz(*primaries[n : n + 2]) for n in range(0, 8, 2))
        matrix = tuple(zip(*lights, strict=True))
        strengths = _times(_inverse(matrix), white)
        cones, cones_d50 = _times(_BRADFORD, white), _times(_BRADFORD, _D50)
        back = _inverse(_BRADFORD)
        columns = []
        for light, strength in zip(lights, strengths, strict=True):
            seen = _times(_BRADFORD, tuple(strength * x for x in light))
            columns.append(
                _times(back, tuple(s * d / c for s, d, c in zip(seen, cones_d50, cones, strict=True)))
            )
    except ZeroDivisionError as error:
        raise ValueError("the primaries span no colours") from error
    if not all(abs(x) < 4 for column in columns for x in column):
        raise ValueError("the primaries are no colours")
    return tuple(columns)


def _xyz(x: float, y: float) -> tuple[float, ...]:
    return (x / y, 1.0, (1 - x - y) / y)


def _times(matrix: Matrix, vector: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)


def _inverse(m: Matrix) -> Matrix:
    def cofactor(row: int, column: int) -> float:
        a, b = (row + 1) % 3, (row + 2) % 3
        c, d = (column + 1) % 3, (column + 2) % 3
        return m[a][c] * m[b][d] - m[a][d] * m[b][c]

    determinant = sum(m[0][column] * cofactor(0, column) for column in range(3))
    return tuple(tuple(cofactor(column, row) / determinant for column in range(3)) for row in range(3))


# -- curves -------------------------------------------------------------------------------------------------


def _srgb(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def _smpte240(value: float) -> float:
    return float(value / 4.0 if value < 0.0913 else ((value + 0.1115) / 1.1115) ** (1 / 0.45))


def _pq(value: float) -> float:
    power = value ** (1 / 78.84375)
    light = max(power - 0.8359375, 0.0) / (18.8515625 - 18.6875 * power)
    return _tone_mapped(10_000 * light ** (1 / 0.1593017578125))


def _hlg(value: float) -> float:
    scene = value**2 / 3 if value <= 0.5 else (math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return _tone_mapped(_PEAK_NITS * scene**1.2)  # the display of the standard


def _tone_mapped(nits: float) -> float:
    """Reinhard's curve: the peak becomes 1, and the dark keeps its contrast."""
    light, peak = nits / _WHITE_NITS, _PEAK_NITS / _WHITE_NITS
    return light * (1 + light / peak**2) / (1 + light)


_CURVES: dict[int, Curve] = {  # by code point
    **dict.fromkeys(_VIDEO_CURVES, lambda value: value**2.4),  # of the display, not of the camera
    4: lambda value: value**2.2,
    5: lambda value: value**2.8,
    7: _smpte240,
    8: lambda value: value,
    SRGB_CURVE: _srgb,
    PQ: _pq,
    17: lambda value: min(value**2.6 * 52.37 / 48, 1.0),
    HLG: _hlg,
}
