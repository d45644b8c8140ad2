import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from conversations.messages import Message
from mgie_engine.restore import restore
from tests.support.restored_pictures import (
    SQUARE,
    as_seen,
    carried,
    differ,
    dimmed,
    drawing,
    far_from,
    noisy,
    psnr,
    with_contrast,
)


def test_an_edit_that_changed_nothing_gives_the_same_bytes():
    picture = drawing()
    restored = restore(picture, as_seen(picture), as_seen(picture))
    assert restored.picture.tobytes() == picture.tobytes()
    assert restored.changed == 0
    assert not restored.change_map.any()


def test_ten_idle_turns_of_a_noisy_model_give_the_same_bytes():
    picture = first = drawing()
    for turn in range(10):
        seen = as_seen(picture)
        picture = restore(picture, seen, noisy(seen, turn), reconstruction=seen).picture
    assert picture.tobytes() == first.tobytes()


def test_errors_of_the_autoencoder_are_not_taken_for_an_edit():
    picture = drawing()
    blurred = as_seen(picture).resize((32, 32), Image.Resampling.BOX).resize((SQUARE, SQUARE))
    restored = restore(picture, as_seen(picture), noisy(blurred), reconstruction=blurred)
    assert restored.picture.tobytes() == picture.tobytes()


@pytest.mark.parametrize("size", [(512, 512), (900, 300), (80, 640), (37, 53), (1, 1), (1, 300)])
@pytest.mark.parametrize("keep", ["auto", "strict", "off"])
def test_size_is_kept(size: tuple[int, int], keep: str):
    picture = drawing(600, 600).resize(size)
    restored = carried(picture, dimmed(picture), keep=keep)
    assert restored.picture.size == size
    assert restored.picture.mode == "RGB"


def test_the_change_map_is_small_and_has_the_aspect_of_the_picture():
    picture = drawing(800, 100)
    restored = carried(picture, dimmed(picture))
    assert restored.change_map.shape == (32, 256)
    assert restored.change_map.dtype == np.uint8
    assert restored.change_map.min() == 255


@pytest.mark.parametrize("keep", ["auto", "strict", "off"])
def test_alpha_is_kept(keep: str):
    picture = drawing()
    picture.putalpha(Image.radial_gradient("L").resize(picture.size))
    restored = carried(picture, dimmed(picture.convert("RGB")), keep=keep)
    assert restored.picture.mode == "RGBA"
    assert restored.picture.getchannel("A").tobytes() == picture.getchannel("A").tobytes()
    assert restored.changed > 0.9


def test_arrays_are_as_good_as_images():
    picture = drawing()
    seen, painted = as_seen(picture), noisy(as_seen(dimmed(picture)))
    from_images = restore(picture, seen, painted)
    from_arrays = restore(np.asarray(picture), np.asarray(seen), np.asarray(painted))
    assert from_arrays.picture.tobytes() == from_images.picture.tobytes()


def test_the_inputs_are_left_alone():
    pixels = np.asarray(drawing()).copy()
    untouched = pixels.copy()
    restore(pixels, as_seen(drawing()), as_seen(dimmed(drawing())))
    assert (pixels == untouched).all()


def test_a_tonal_edit_comes_out_sharp():
    picture = drawing(1024, 1024)
    restored = carried(picture, dimmed(picture))
    assert psnr(restored.picture, dimmed(picture)) > 45
    assert restored.changed > 0.95


def test_a_vignette_is_carried_over():
    picture = drawing(1024, 1024)
    across, down = np.meshgrid(*[np.linspace(-1, 1, 1024)] * 2)
    light = 1 - 0.2 * (across**2 + down**2)
    wanted = Image.fromarray((np.asarray(picture) * light[..., None]).round().astype(np.uint8))
    assert psnr(carried(picture, wanted).picture, wanted) > 45


@pytest.mark.parametrize(
    "operation", [ImageFilter.UnsharpMask(3, 80, 0), ImageFilter.GaussianBlur(1), ImageFilter.GaussianBlur(2)]
)
def test_sharper_and_softer_are_carried_over_from_a_soft_painting(operation: ImageFilter.Filter):
    picture = drawing(256, 256)
    wanted = picture.filter(operation)
    restored = restore(picture, picture, wanted.filter(ImageFilter.GaussianBlur(0.5)))
    assert psnr(restored.picture, wanted) > psnr(picture, wanted) + 11


def through_an_autoencoder(picture: Image.Image, levels: float = 20.0) -> Image.Image:
    """Errors of a pixel's size wherever there is detail, as an autoencoder makes them."""
    noise = np.random.default_rng(0).normal(0, 1, (*picture.size[::-1], 3))
    smooth = np.asarray(picture.filter(ImageFilter.GaussianBlur(2)), np.float64)
    detail = np.abs(np.asarray(picture) - smooth).mean(2, keepdims=True)
    wanted = np.asarray(picture) + noise * np.minimum(detail, levels)
    return Image.fromarray(wanted.round().clip(0, 255).astype(np.uint8))


def test_errors_that_an_autoencoder_makes_of_sharp_detail_do_not_count_as_detail_of_a_soft_picture():
    picture = drawing(256, 256)
    wanted = picture.filter(ImageFilter.GaussianBlur(2))
    painted = through_an_autoencoder(wanted)
    restored = restore(picture, picture, painted, reconstruction=through_an_autoencoder(picture))
    assert psnr(restored.picture, wanted) > 33


def test_more_contrast_is_not_taken_for_a_blur_although_models_paint_it_soft():
    picture = drawing(256, 256)
    wanted = with_contrast(picture)
    restored = restore(picture, picture, wanted.filter(ImageFilter.GaussianBlur(0.8)))
    assert psnr(restored.picture, wanted) > 33


def test_detail_stays_the_pictures_own_where_more_contrast_is_painted_without_it():
    picture = drawing(256, 256)
    draw, dice = ImageDraw.Draw(picture), np.random.default_rng(1)
    for x, y in dice.uniform(0.05, 0.9, (60, 2)) * 256:  # windows of a house, leaves of a tree
        draw.rectangle((x, y, x + 3, y + 5), tuple(dice.integers(60, 200, 3).tolist()))
    wanted = with_contrast(picture)
    seen = through_an_autoencoder(picture.filter(ImageFilter.GaussianBlur(1)))
    painted = through_an_autoencoder(wanted.filter(ImageFilter.GaussianBlur(1.5)), 30)
    restored = restore(picture, picture, painted, reconstruction=seen)
    assert psnr(restored.picture, wanted) > 28


def test_a_recoloured_thing_is_recoloured_sharply_and_the_rest_stays_as_it_was():
    picture, wanted = drawing(1024, 1024), drawing(1024, 1024, ball="#2040d0")
    restored = carried(picture, wanted)
    mask = differ(picture, wanted)
    assert psnr(restored.picture, wanted, mask) > 33
    assert not differ(restored.picture, picture)[far_from(mask, 32)].any()
    assert psnr(restored.picture, picture, ~mask) > 45


def test_a_removed_thing_leaves_no_ghost():
    picture, wanted = drawing(1024, 1024), drawing(1024, 1024, ball=None)
    restored = carried(picture, wanted)
    mask = differ(picture, wanted)
    assert psnr(restored.picture, wanted, mask) > 30
    assert not differ(restored.picture, picture)[far_from(mask, 32)].any()


def test_the_shadow_of_a_removed_thing_goes_with_it():
    bare = Image.new("RGB", (SQUARE, SQUARE), "#808080")
    before = bare.copy()
    draw = ImageDraw.Draw(before)
    draw.rectangle((36, 60, 73, 63), "#787878")
    draw.rectangle((40, 40, 69, 59), "#080808")
    assert psnr(restore(before, before, bare).picture, bare) > 55  # half of its faint last row may stay


def test_an_added_thing_is_taken_from_the_painting_with_crisp_edges():
    picture, wanted = drawing(1024, 1024), drawing(1024, 1024, star=True)
    restored = carried(picture, wanted)
    mask = differ(picture, wanted)
    enlarge_relevance = noisy(as_seen(wanted)).resize(picture.size, Image.Resampling.BICUBIC)
    assert psnr(restored.picture, wanted, mask) > psnr(enlarge_relevance, wanted, mask) + 1
    assert not differ(restored.picture, picture)[far_from(mask, 32)].any()


def test_the_share_of_changed_pixels_is_counted():
    picture = drawing()
    restored = carried(picture, drawing(ball="#2040d0"))
    assert restored.changed == differ(restored.picture, picture).mean()
    assert 0.05 < restored.changed < 0.2


def test_a_faint_tint_is_not_an_edit():
    picture = drawing()
    tinted = Image.merge("RGB", [band.point(lambda level: level + 1) for band in as_seen(picture).split()])
    assert restore(picture, as_seen(picture), tinted).picture.tobytes() == picture.tobytes()


def test_what_the_model_tints_is_kept_when_the_instruction_hardly_speaks():
    picture = drawing()
    tinted = as_seen(picture).point([min(255, level + 6) for level in range(256)] * 3)
    quiet, loud = np.full((16, 16), 0.03, np.float32), np.full((16, 16), 0.1, np.float32)
    assert restore(picture, as_seen(picture), tinted, relevance=quiet).changed == 0
    assert restore(picture, as_seen(picture), tinted, relevance=loud).changed > 0.9


def test_the_tint_is_taken_back_from_what_is_painted():
    picture, wanted = drawing(), drawing(ball="#2040d0")
    tinted = as_seen(wanted).point([min(255, level + 6) for level in range(256)] * 3)
    restored = restore(picture, as_seen(picture), tinted, relevance=0.03 + relevant(0.2, 0.5) / 3)
    painted = np.asarray(restored.picture, int)[256, 178]
    assert np.abs(painted - (0x20, 0x40, 0xD0)).max() <= 3


def relevant(left: float, right: float) -> np.ndarray:
    """A 16 x 16 map that speaks of the columns from left to right, in picture widths."""
    speaks = np.zeros((16, 16), np.float32)
    speaks[:, int(16 * left) : int(16 * right)] = 0.3
    return speaks


@pytest.mark.parametrize("keep", ["auto", "strict"])
def test_nothing_changes_where_the_instruction_was_silent(keep: str):
    picture = drawing(ball="#2040d0", star=True)
    restored = carried(drawing(), picture, relevance=relevant(0, 0.5), keep=keep)
    touched = differ(restored.picture, drawing())
    assert touched[:, :256].any()
    assert not touched[:, 256:].any()


def test_strict_leaves_out_what_the_instruction_hardly_speaks_of():
    hints = 0.02 + relevant(0.1, 0.4) + 0.2 * relevant(0.6, 0.8)
    wanted = drawing(ball="#2040d0", star=True)
    strict = carried(drawing(), wanted, relevance=hints, keep="strict")
    auto = carried(drawing(), wanted, relevance=hints, keep="auto")
    assert not differ(strict.picture, drawing())[:, 256:].any()
    assert differ(auto.picture, drawing())[:, 256:].any()


def test_a_slip_of_the_model_is_no_edit_where_the_instruction_hardly_speaks():
    hints = 0.03 + relevant(0.1, 0.5)
    restored = carried(drawing(), drawing(ball="#2040d0", star=True), relevance=hints)
    touched = differ(restored.picture, drawing())
    assert touched[:, :256].any()
    assert not touched[:, 280:].any()


def test_off_is_the_whole_painted_picture_enlarged():
    picture = drawing(640, 480)
    painted = noisy(as_seen(picture))
    restored = restore(picture, as_seen(picture), painted, keep="off")
    enlarge_relevance = painted.resize(picture.size, Image.Resampling.LANCZOS)
    assert restored.picture.tobytes() == enlarge_relevance.tobytes()


@pytest.mark.parametrize("keep", ["auto", "strict", "off"])
def test_a_grey_picture_stays_grey(keep: str):
    picture = ImageOps.grayscale(drawing()).convert("RGB")
    restored = carried(picture, dimmed(picture), keep=keep)
    pixels = np.asarray(restored.picture)
    assert (pixels == pixels[..., :1]).all()
    assert restored.changed > 0.9


def test_a_grey_picture_gets_colour_when_colour_was_painted():
    picture = ImageOps.grayscale(drawing()).convert("RGB")
    sepia = ImageOps.colorize(ImageOps.grayscale(drawing()), "#201000", "#ffe0a0")
    assert psnr(carried(picture, sepia).picture, sepia) > 40


def test_only_an_edit_that_changed_nothing_is_worth_a_word():
    picture = drawing()
    assert restore(picture, as_seen(picture), as_seen(picture)).notes == (Message("note_nothing_changed"),)
    assert carried(picture, dimmed(picture)).notes == ()
    assert carried(picture, dimmed(picture), keep="off").notes == ()


def test_it_is_told_how_much_was_kept_and_how_much_painted():
    picture = drawing()
    star, dark = carried(picture, drawing(star=True)), carried(picture, dimmed(picture))
    assert 0.03 < star.painted < 0.1 < 0.9 < star.kept
    assert (dark.painted, dark.kept) == (0, 0)


def test_pictures_of_other_modes_are_refused():
    with pytest.raises(ValueError, match="RGB or RGBA, not L"):
        restore(drawing().convert("L"), as_seen(drawing()), as_seen(drawing()))


def test_small_pictures_must_be_of_one_size():
    with pytest.raises(ValueError, match="128"):
        restore(drawing(), as_seen(drawing()), drawing())


REPOSITORY = Path(__file__).parents[3]
MEASURE = """
import json
from PIL import Image
from mgie_engine.restore import restore
from tests.support.peak_memory import peak_mib
original = Image.radial_gradient("L").resize((6000, 4000)).convert("RGBA")
seen = original.convert("RGB").resize((256, 256))
painted = seen.point([round(level * 0.7) for level in range(256)] * 3)
painted.paste((250, 10, 10), (40, 40, 100, 90))
changed = restore(original, seen, painted).changed
print(json.dumps([changed, peak_mib()]))
"""


def test_24_megapixels_fit_in_2_gigabytes():
    command = [sys.executable, "-c", MEASURE]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    changed, most_mib = json.loads(answer.stdout)
    assert changed > 0.9
    assert most_mib < 2000
