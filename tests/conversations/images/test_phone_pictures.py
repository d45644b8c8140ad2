"""Pictures as phones and careless programs write them: a video behind, no end, an empty start, size."""

import io
import random

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from conversations.errors import PictureRefused
from conversations.images.decode import FRAMES_TRIED, PictureLimits
from conversations.images.image_store import Picture, read_picture
from conversations.messages import Message
from tests.support.hostile_images import gif_frames, jpeg_of_size, photo, saved

SMALL_LIMITS = PictureLimits(pixels=4000, jpeg_pixels=16_000, heic_pixels=16_000)


def pixels(picture: Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.png)))


def whole_jpeg(progressive: bool = False) -> bytes:
    return saved(photo(200, 150), "JPEG", quality=90, progressive=progressive)


# -- the end of a JPEG --------------------------------------------------------------------------------------


@pytest.mark.parametrize("progressive", [False, True])
def test_a_video_behind_a_jpeg_does_not_matter(progressive: bool) -> None:
    data = whole_jpeg(progressive)
    video = random.Random(5).randbytes(2**20) + b"\xff\xda\0\2" * 2000
    assert read_picture(data + video) == read_picture(data)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [1, 2])
def test_a_jpeg_without_its_end_marker_is_read(missing: int, progressive: bool) -> None:
    data = whole_jpeg(progressive)
    assert read_picture(data[:-missing]) == read_picture(data)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [8, 40, 400, 2000])
def test_a_jpeg_without_its_last_pixels_is_refused(missing: int, progressive: bool) -> None:
    with pytest.raises(PictureRefused, match="damaged or incomplete"):
        read_picture(whole_jpeg(progressive)[:-missing])


def test_bytes_behind_a_jpeg_do_not_make_up_for_its_own() -> None:
    with pytest.raises(PictureRefused, match="damaged or incomplete"):
        read_picture(jpeg_of_size(6400, 4800) + bytes(2**20))


def test_a_picture_inside_the_exif_block_is_not_the_end() -> None:
    thumbnail = saved(photo(32, 24), "JPEG", progressive=True)
    with_thumbnail = saved(photo(200, 150), "JPEG", quality=90, exif=b"Exif\0\0" + thumbnail)
    assert read_picture(with_thumbnail).png == read_picture(whole_jpeg()).png


# -- animations ---------------------------------------------------------------------------------------------


def animation(kind: str, empty: int, full: int = 1) -> bytes:
    """Frames with nothing in them, then some with a picture."""
    clear, painted = Image.new("RGBA", (64, 48)), photo(mode="RGBA")
    frames = [*(clear.copy() for _ in range(empty)), *(painted.copy() for _ in range(full))]
    for number, frame in enumerate(frames):
        frame.putpixel((0, 0), (number, 0, 0, 0 if number < empty else 255))  # so that none is dropped
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {"disposal": 2}
    options = {} if kind == "AVIF" else options
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **options)


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize("empty", [1, 2])
def test_an_animation_that_starts_empty_gives_its_first_frame_with_something(kind: str, empty: int) -> None:
    picture = read_picture(animation(kind, empty, full=2))
    assert picture.notes == (Message("note_later_frame", frame=empty + 1),)
    assert np.abs(pixels(picture)[2:, 2:, :3].astype(int) - np.asarray(photo())[2:, 2:]).mean() < 12


def test_a_gif_that_starts_empty_gives_its_first_frame_with_something() -> None:
    picture = read_picture(animation("GIF", 1, full=2))
    assert picture.notes == (Message("note_later_frame", frame=2),)
    assert np.abs(pixels(picture)[2:, 2:, :3].astype(int) - np.asarray(photo())[2:, 2:]).mean() < 30


def test_an_animation_of_nothing_gives_its_first_frame() -> None:
    picture = read_picture(animation("WEBP", 3, full=0))
    assert picture.notes == (Message("note_first_frame"),)
    assert pixels(picture)[..., 3].max() == 0


def test_only_the_earliest_frames_are_looked_at() -> None:
    assert read_picture(animation("PNG", FRAMES_TRIED)).notes == (Message("note_first_frame"),)
    assert read_picture(gif_frames(900)).notes == (Message("note_first_frame"),)


# -- many pixels --------------------------------------------------------------------------------------------


def reduced(megapixels: int, width: int, height: int) -> Message:
    return Message("note_reduced", megapixels=megapixels, size=Message("pixels", width=width, height=height))


@pytest.mark.parametrize(("width", "height", "progressive"), [(8064, 6048, False), (8160, 6144, True)])
def test_a_jpeg_of_a_50_megapixel_phone_is_read_at_half_its_size(
    width: int, height: int, progressive: bool
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(photo(width, height), "JPEG", quality=60, exif=exif, progressive=progressive)
    picture = read_picture(data)
    assert (picture.width, picture.height) == (height // 2, width // 2)
    assert picture.notes == (reduced(round(width * height / 1e6), height // 2, width // 2),)
    right = np.rot90(np.asarray(photo(width // 2, height // 2)), -1)[::16, ::16].astype(int)
    assert np.abs(pixels(picture)[::16, ::16] - right).mean() < 4


def test_a_jpeg_that_is_too_large_at_half_its_size_is_read_at_a_quarter() -> None:
    limits = PictureLimits(pixels=1000, jpeg_pixels=16_000)
    assert read_picture(saved(photo(120, 100), "JPEG"), limits).width == 30


def test_a_reduced_jpeg_may_lack_its_end_marker() -> None:
    data = saved(photo(120, 100), "JPEG")
    assert read_picture(data[:-2], SMALL_LIMITS) == read_picture(data, SMALL_LIMITS)


def test_a_large_heic_is_reduced() -> None:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(photo(120, 100)).save(buffer)
    picture = read_picture(buffer.getvalue(), SMALL_LIMITS)
    assert (picture.width, picture.height, picture.notes) == (60, 50, (reduced(0, 60, 50),))


def test_more_pixels_than_that_are_refused() -> None:
    data = saved(photo(200, 100), "JPEG")
    with pytest.raises(PictureRefused, match="200 × 100 pixels, more than 16000"):
        read_picture(data, SMALL_LIMITS)
