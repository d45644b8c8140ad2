"""Colours are read as a browser shows them; the right values were measured in Chromium from these files."""

import io
import struct
from collections.abc import Callable

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from conversations.images.colour import CodePoints, code_points, profile_of
from conversations.images.formats import Format
from conversations.images.image_store import Picture, read_picture
from conversations.messages import Message
from tests.support.hostile_images import chunk, saved

COLOURS = ((200, 40, 40), (40, 180, 60), (128, 128, 128), (20, 20, 20), (235, 235, 235), (5, 5, 5))
P3 = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
BT709 = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
AS_P3 = ((218, 0, 26), (0, 183, 30), *COLOURS[2:])
AS_LINEAR = ((229, 110, 110), (110, 219, 133), (188,) * 3, (79,) * 3, (246,) * 3, (38,) * 3)
AS_LINEAR_P3 = ((246, 101, 106), (51, 222, 124), *AS_LINEAR[2:])
AS_GAMMA_2_2 = ((201, 35, 35), (35, 181, 57), (129,) * 3, (12,) * 3, (236,) * 3, (1,) * 3)
AS_GAMMA_2_2_P3 = ((220, 0, 18), (0, 185, 23), *AS_GAMMA_2_2[2:])
AS_VIDEO = ((197, 28, 28), (28, 176, 49), (121,) * 3, (7,) * 3, (234,) * 3, (0,) * 3)
AS_BT2020 = ((246, 0, 6), (0, 186, 0), *AS_VIDEO[2:])
AS_LINEAR_GREY = ((159,) * 3, (185,) * 3, *AS_LINEAR[2:])
HDR, UNUSED = (Message("note_hdr"),), (Message("note_colours"),)


def patches(mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", (60, 10))
    for number, colour in enumerate(COLOURS):
        image.paste(colour, (10 * number, 0, 10 * number + 10, 10))
    return image.convert(mode)


def with_chunks(*chunks: bytes, mode: str = "RGB", **options: object) -> bytes:
    data = saved(patches(mode), "PNG", **options)
    return data[:33] + b"".join(chunks) + data[33:]


def gama(gamma: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 1e5)))


def chrm(primaries: tuple[float, ...]) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(x * 1e5) for x in primaries)))


def cicp(primaries: int, transfer: int) -> bytes:
    return chunk(b"cICP", bytes((primaries, transfer, 0, 1)))


def avif(primaries: int, transfer: int) -> bytes:
    data = saved(patches(), "AVIF", quality=100, subsampling="4:4:4", speed=8)
    place = data.index(b"colrnclx") + 8
    return data[:place] + struct.pack(">HH", primaries, transfer) + data[place + 4 :]


def heic(primaries: int, transfer: int) -> bytes:
    buffer = io.BytesIO()
    large = patches().resize((240, 40), Image.Resampling.NEAREST)
    pillow_heif.from_pillow(large).save(
        buffer,
        quality=100,
        chroma=444,
        color_primaries=primaries,
        transfer_characteristics=transfer,
        matrix_coefficients=6,
    )
    return buffer.getvalue()


def grey_profile(gamma: float) -> bytes:
    """An ICC profile for greys."""
    curve = b"curv" + struct.pack(">IIHH", 0, 1, round(gamma * 256), 0)
    white = struct.pack(">3i", 63190, 65536, 54061)
    tags = ((b"wtpt", b"XYZ \0\0\0\0" + white), (b"kTRC", curve))
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, tag in tags:
        table += name + struct.pack(">II", start + len(body), len(tag))
        body += tag
    head = struct.pack(">I4xI4s4s4s", start + len(body), 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head = head.ljust(36, b"\0") + b"acsp"
    return (head.ljust(68, b"\0") + white).ljust(128, b"\0") + table + body


def linear_profile() -> bytes:
    """Linear light, for colours, under a name that holds "sRGB"."""
    profile = profile_of({}, CodePoints(1, 8))
    assert profile is not None
    name = b"desc\0\0\0\0" + struct.pack(">I", 22) + b"sRGB with linear light\0"
    entry = b"desc" + struct.pack(">II", len(profile) + 12, len(name))
    count, places, body = profile[128:132], profile[132 : 132 + 72], profile[132 + 72 :]
    moved = b"".join(
        places[n : n + 4] + struct.pack(">II", *(a + 12 * (m == 0) for m, a in enumerate(pair)))
        for n in range(0, 72, 12)
        for pair in [struct.unpack(">II", places[n + 4 : n + 12])]
    )
    assert count == struct.pack(">I", 6)
    size = struct.pack(">I", len(profile) + 12 + len(name))
    return size + profile[4:128] + struct.pack(">I", 7) + moved + entry + body + name


def assert_colours(picture: Picture, right: tuple[tuple[int, ...], ...], channels: int = 3) -> None:
    image = np.asarray(Image.open(io.BytesIO(picture.png))).astype(int)
    step = image.shape[1] // len(right)
    seen = image[image.shape[0] // 2, step // 2 :: step]
    assert seen.shape[1] == channels
    assert np.abs(seen[:, :3] - right).max() <= 2, seen.tolist()


@pytest.mark.parametrize(
    ("data", "right"),
    [
        pytest.param(with_chunks(), COLOURS, id="nothing said"),
        pytest.param(with_chunks(gama(0.45455)), COLOURS, id="the gamma of sRGB"),
        pytest.param(with_chunks(gama(1.0)), AS_LINEAR, id="linear"),
        pytest.param(with_chunks(gama(1.0), chrm(P3)), AS_LINEAR_P3, id="linear P3"),
        pytest.param(with_chunks(chrm(P3)), COLOURS, id="primaries without gamma"),
        pytest.param(with_chunks(gama(0.45455), chrm(P3)), AS_GAMMA_2_2_P3, id="gamma and primaries"),
        pytest.param(with_chunks(gama(0.45455), chrm(BT709)), AS_GAMMA_2_2, id="gamma and BT.709"),
        pytest.param(with_chunks(gama(1.0), chunk(b"sRGB", b"\0")), COLOURS, id="sRGB over gamma"),
        pytest.param(with_chunks(gama(1.0), mode="L"), AS_LINEAR_GREY, id="linear greys"),
        pytest.param(with_chunks(cicp(12, 13)), AS_P3, id="P3 by cICP"),
        pytest.param(with_chunks(cicp(1, 13)), COLOURS, id="sRGB by cICP"),
        pytest.param(with_chunks(cicp(2, 2)), COLOURS, id="unspecified by cICP"),
        pytest.param(with_chunks(cicp(1, 8)), AS_LINEAR, id="linear by cICP"),
        pytest.param(with_chunks(cicp(1, 1)), AS_VIDEO, id="BT.709 by cICP"),
        pytest.param(with_chunks(cicp(9, 14)), AS_BT2020, id="BT.2020 by cICP"),
        pytest.param(
            with_chunks(cicp(12, 13), icc_profile=linear_profile()), AS_P3, id="cICP over a profile"
        ),
        pytest.param(with_chunks(icc_profile=linear_profile()), AS_LINEAR, id="a linear profile named sRGB"),
        pytest.param(
            with_chunks(mode="L", icc_profile=linear_profile()), AS_LINEAR_GREY, id="greys, RGB profile"
        ),
        pytest.param(with_chunks(mode="L", icc_profile=grey_profile(1.0)), AS_LINEAR_GREY, id="greys"),
        pytest.param(avif(1, 13), COLOURS, id="AVIF in sRGB"),
        pytest.param(avif(1, 1), COLOURS, id="AVIF in BT.709"),
        pytest.param(avif(2, 2), COLOURS, id="AVIF unspecified"),
        pytest.param(avif(12, 13), AS_P3, id="AVIF in P3"),
        pytest.param(heic(1, 13), COLOURS, id="HEIC in sRGB"),
        pytest.param(heic(12, 13), AS_P3, id="HEIC in P3"),
    ],
)
def test_colours_are_read_as_a_browser_shows_them(data: bytes, right: tuple[tuple[int, ...], ...]) -> None:
    picture = read_picture(data)
    assert_colours(picture, right)
    assert picture.notes == ()


def test_greys_with_alpha_are_converted_and_keep_their_alpha() -> None:
    image = patches("LA")
    image.putalpha(77)
    picture = read_picture(saved(image, "PNG", icc_profile=grey_profile(1.0)))
    assert_colours(picture, AS_LINEAR_GREY, channels=4)
    assert Image.open(io.BytesIO(picture.png)).getchannel("A").getextrema() == (77, 77)


def test_greys_with_a_clear_level_are_converted_and_keep_it() -> None:
    picture = read_picture(saved(patches("L"), "PNG", transparency=128, icc_profile=grey_profile(1.0)))
    assert_colours(picture, AS_LINEAR_GREY, channels=4)
    assert Image.open(io.BytesIO(picture.png)).getchannel("A").getpixel((25, 5)) == 0


@pytest.mark.parametrize("transfer", [16, 18])
@pytest.mark.parametrize("make", [lambda code: with_chunks(cicp(9, code)), lambda code: avif(9, code)])
def test_hdr_is_tone_mapped_and_that_is_said(make: Callable[[int], bytes], transfer: int) -> None:
    picture = read_picture(make(transfer))
    grey, dark, bright, black = np.asarray(Image.open(io.BytesIO(picture.png)))[5, 25::10, 0].tolist()
    assert picture.notes == HDR
    assert (
        black <= dark < 20 < 100 < grey < 180 < 220 < bright
    )  # between what browsers show and what is stored


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(with_chunks(cicp(1, 10)), id="an unknown curve"),
        pytest.param(with_chunks(cicp(200, 13)), id="unknown primaries"),
        pytest.param(with_chunks(icc_profile=b"\0" * 5000), id="a broken profile"),
        pytest.param(with_chunks(icc_profile=grey_profile(1.0)), id="a profile for greys"),
        pytest.param(with_chunks(gama(1.0), chrm((0.0,) * 8)), id="primaries of nothing"),
        pytest.param(with_chunks(gama(1.0), chrm(BT709[:2] * 4)), id="primaries without colours"),
    ],
)
def test_what_cannot_be_used_leaves_the_colours_and_is_said(data: bytes) -> None:
    picture = read_picture(data)
    assert_colours(picture, COLOURS)
    assert picture.notes == UNUSED


def test_an_icc_profile_counts_more_than_an_nclx_box() -> None:
    assert code_points(avif(12, 13), Format.AVIF, {}) == CodePoints(12, 13)
    assert code_points(avif(12, 13), Format.AVIF, {"icc_profile": b"x"}) is None
