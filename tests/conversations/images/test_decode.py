"""What comes out of read_picture: the same pixels, upright, in 8-bit sRGB, and nothing else."""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageFile
from PIL.PngImagePlugin import PngInfo

from conversations.errors import PictureRefused
from conversations.images.decode import mebibytes
from conversations.images.image_store import Picture, PictureLimits, read_picture
from conversations.messages import Message
from tests.support.hostile_images import animation, avif, chunk, gif_frames, heic, ihdr, photo, png, saved

REPOSITORY = Path(__file__).parents[3]
SIXTEEN_BITS = Message("note_8_bits")
FIRST_FRAME = Message("note_first_frame")
SIZE = Message("pixels", width=64, height=48)


def pixels(picture: Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.png)))


def array(image: Image.Image) -> np.ndarray:
    return np.asarray(image)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP"])
def test_a_lossless_picture_keeps_its_pixels(kind: str) -> None:
    picture = read_picture(saved(photo(), kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert (picture.width, picture.height, picture.notes) == (64, 48, ())
    assert np.array_equal(pixels(picture), array(photo()))


@pytest.mark.parametrize("make", [lambda: saved(photo(), "JPEG"), lambda: avif(64, 48), lambda: heic(64, 48)])
def test_a_lossy_picture_is_read(make: Callable[[], bytes]) -> None:
    picture = read_picture(make())
    assert (picture.width, picture.height, picture.notes) == (64, 48, ())


def test_the_same_picture_gives_the_same_bytes() -> None:
    plain, annotated = PngInfo(), PngInfo()
    annotated.add_text("Comment", "hello")
    first, second = (read_picture(saved(photo(), "PNG", pnginfo=info)) for info in (plain, annotated))
    assert first == second


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = {
        1: array(photo()),
        2: np.fliplr(array(photo())),
        3: np.rot90(array(photo()), 2),
        4: np.flipud(array(photo())),
        5: array(photo()).transpose(1, 0, 2),
        6: np.rot90(array(photo()), -1),
        7: np.rot90(array(photo()), 2).transpose(1, 0, 2),
        8: np.rot90(array(photo()), 1),
    }[orientation]
    picture = read_picture(saved(photo(), "PNG", exif=exif))
    assert np.array_equal(pixels(picture), upright)
    assert (picture.height, picture.width) == upright.shape[:2]


def test_an_orientation_is_applied_to_a_heic_once() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    pillow_heif.from_pillow(photo()).save(buffer, exif=exif.tobytes())
    picture = read_picture(buffer.getvalue())
    assert (picture.width, picture.height) == (48, 64)


def test_nothing_but_pixels_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    data = saved(photo(), "JPEG", exif=exif, comment=b"a secret place", dpi=(300, 300))
    picture = read_picture(data)
    kinds = [picture.png[place + 4 : place + 8] for place in chunk_places(picture.png)]
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}
    assert b"secret" not in picture.png


def chunk_places(data: bytes) -> list[int]:
    places, place = [], 8
    while place < len(data):
        places.append(place)
        place += 12 + int.from_bytes(data[place : place + 4], "big")
    return places


def sixteen_bit_png(values: np.ndarray, colour: int) -> bytes:
    rows = values.astype(">u2").reshape(values.shape[0], -1)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    return png(ihdr(values.shape[1], values.shape[0], 16, colour), chunk(b"IDAT", zlib.compress(raw)))


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3)])
def test_sixteen_bits_become_eight_and_that_is_said(colour: int, channels: int) -> None:
    ramp = np.linspace(0, 65535, 64 * 48 * channels).reshape(48, 64, channels).round()
    picture = read_picture(sixteen_bit_png(ramp, colour))
    assert picture.notes == (SIXTEEN_BITS,)
    assert np.abs(pixels(picture) - ramp / 257).max() <= 1


def test_transparency_is_kept() -> None:
    veiled = photo(mode="RGBA")
    veiled.putalpha(Image.linear_gradient("L").resize(veiled.size))
    assert np.array_equal(pixels(read_picture(saved(veiled, "PNG"))), array(veiled))


def test_transparency_that_hides_nothing_is_dropped() -> None:
    assert np.array_equal(pixels(read_picture(saved(photo(mode="RGBA"), "PNG"))), array(photo()))


def test_a_palette_with_a_clear_colour_becomes_rgba() -> None:
    image = Image.new("P", (16, 16), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.paste(1, (8, 0, 16, 16))
    result = pixels(read_picture(saved(image, "GIF", transparency=1)))
    assert result[0, 0].tolist() == [255, 0, 0, 255]
    assert result[0, 15, 3] == 0


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_other_modes_become_rgb(mode: str) -> None:
    image = photo(mode="L").convert(mode)
    assert np.array_equal(pixels(read_picture(saved(image, "PNG"))), array(image.convert("RGB")))


def test_cmyk_becomes_rgb() -> None:
    red = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    r, g, b = pixels(read_picture(saved(red, "JPEG", quality=95)))[16, 16].tolist()
    assert (r > 240, g < 16, b < 16) == (True, True, True)


def swapped_profile() -> bytes:
    """sRGB with its red and green primaries exchanged, under another name."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"rXYZ", b"?XYZ").replace(b"gXYZ", b"rXYZ").replace(b"?XYZ", b"gXYZ")
    return profile.replace("sRGB".encode("utf-16-be"), "sGRB".encode("utf-16-be"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_converted_out_of_an_embedded_profile(mode: str) -> None:
    image = Image.new(mode, (16, 16), (200, 30, 60, 128)[: len(mode)])
    result = pixels(read_picture(saved(image, "PNG", icc_profile=swapped_profile())))
    assert np.abs(result[0, 0].astype(int) - (30, 200, 60, 128)[: len(mode)]).max() <= 1


def test_a_picture_in_srgb_is_not_touched() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = read_picture(saved(photo(), "PNG", icc_profile=profile))
    assert np.array_equal(pixels(picture), array(photo()))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_of_an_animation_the_first_frame_is_used_and_that_is_said(kind: str) -> None:
    picture = read_picture(animation(kind))
    assert picture.notes == (FIRST_FRAME,)
    assert np.abs(pixels(picture).astype(int) - array(photo())).mean() < 12


def test_a_heic_of_several_pictures_gives_the_main_one() -> None:
    several = pillow_heif.from_pillow(photo())
    several.add_from_pillow(photo(96, 96))
    buffer = io.BytesIO()
    several.save(buffer, primary_index=1)
    picture = read_picture(buffer.getvalue())
    assert (picture.width, picture.notes) == (96, (Message("note_main_picture", count=2),))


@pytest.mark.parametrize(
    ("limits", "refused"),
    [
        (PictureLimits(bytes=100), Message("file_large", size=mebibytes(6495), limit=mebibytes(100))),
        (PictureLimits(pixels=3000), Message("file_pixels", size=SIZE, megapixels=0, limit=0.003)),
        (PictureLimits(aspect=1.2), Message("file_long", size=SIZE, times=1.2)),
        (
            PictureLimits(min_side=50),
            Message("file_small", size=SIZE, least=Message("pixels", width=50, height=50)),
        ),
        (PictureLimits(frames=1), Message("file_frames", count=1)),
    ],
)
def test_each_limit_can_be_set_and_is_named(limits: PictureLimits, refused: Message) -> None:
    with pytest.raises(PictureRefused) as refusal:
        read_picture(animation("GIF"), limits)
    assert refusal.value.message == refused


@pytest.mark.parametrize(("frames", "read"), [(1000, True), (1001, False)])
def test_frames_are_counted_before_any_is_decoded(frames: int, read: bool) -> None:
    if read:
        assert read_picture(gif_frames(frames)).notes == (FIRST_FRAME,)
    else:
        with pytest.raises(PictureRefused, match="more than 1000 frames"):
            read_picture(gif_frames(frames))


def test_limits_hold_for_formats_read_apart() -> None:
    with pytest.raises(PictureRefused, match="more than 3000"):
        read_picture(avif(64, 48), PictureLimits(pixels=3000))


def test_the_format_is_recognised_by_the_bytes_and_not_by_a_name() -> None:
    mixed_brands = avif(64, 48).replace(b"ftypavif", b"ftypmif1", 1)
    assert read_picture(mixed_brands).width == 64


def test_pillow_is_left_as_it_was() -> None:
    read_picture(saved(photo(), "PNG"))
    assert Image.MAX_IMAGE_PIXELS == 89478485
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    assert "HEIF" not in Image.OPEN


def test_a_jpeg_far_too_short_for_its_size_is_refused() -> None:
    data = saved(photo(), "JPEG")
    lying = data.replace(struct.pack(">HH", 48, 64), struct.pack(">HH", 4800, 6400), 1)
    with pytest.raises(PictureRefused, match="damaged or incomplete"):
        read_picture(lying)


def test_reading_pictures_needs_neither_torch_nor_a_chat() -> None:
    imports = "conversations.images.image_store, conversations.store.session_store, sys"
    program = f"import {imports}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True)
    assert {"torch", "discord", "aiohttp"}.isdisjoint(done.stdout.split())
