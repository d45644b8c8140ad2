"""Masks: what is one, and that no byte outside changes at 12 megapixels, for every model and door."""

import io

import numpy as np
import pytest
from PIL import Image

from mgie_engine import Editor, MGIEPipeline
from mgie_engine.checkpoints import native
from mgie_engine.cli import main
from mgie_engine.errors import RequestRefused
from mgie_engine.serving.masks import mask_png, open_mask
from tests.support import tiny_model
from tests.support.published import write_release
from tests.support.tiny_serving import a_tiny_mgie

SIZE = WIDTH, HEIGHT = 4000, 3000
INSIDE = slice(700, 2100), slice(900, 2600)


def levels(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def mask(mode, inside, outside):
    picture = Image.new(mode, (30, 20), outside)
    picture.paste(inside, (5, 5, 15, 12))
    return picture


MASKS = {
    "grey": mask("L", 255, 0),
    "one bit": mask("1", 1, 0),
    "colours": mask("RGB", (255, 255, 255), (9, 0, 40)),
    "white on opaque black": mask("RGBA", (255, 255, 255, 255), (0, 0, 0, 255)),
    "transparent, as OpenAI has it": mask("RGBA", (90, 90, 90, 0), (255, 255, 255, 255)),
    "grey with a transparent hole": mask("LA", (0, 0), (255, 255)),
    "nearly white on nearly black": mask("L", 128, 127),
}


@pytest.mark.parametrize("picture", MASKS.values(), ids=MASKS)
def test_light_or_transparent_pixels_are_the_region(picture):
    region = open_mask(mask_png(picture), (30, 20))
    assert region.dtype == np.bool_
    assert (region.shape, int(region.sum())) == ((20, 30), 70)
    assert region[5:12, 5:15].all()


def png(picture):
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


REFUSED = {
    "of another size": (
        png(Image.new("L", (31, 20), 255)),
        r"the mask has 31 × 20 pixels, the picture 30 × 20",
    ),
    "turned": (png(Image.new("L", (20, 30), 255)), r"the mask has 20 × 30 pixels, the picture 30 × 20"),
    "in colour": (png(Image.new("RGB", (30, 20), "white")), "8-bit grey PNG, this one is RGB"),
    "of 16 bits": (png(Image.new("I;16", (30, 20), 65535)), "8-bit grey PNG, this one is I;16"),
    "black": (png(Image.new("L", (30, 20), 127)), "nothing is marked"),
    "huge": (png(Image.new("1", (20_000, 20_000))), "8-bit grey PNG|cannot be read"),
    "no picture": (b"\x89PNG\r\n", "the mask cannot be read"),
    "cut off": (png(mask("L", 255, 0))[:-30], "the mask cannot be read"),
    "a JPEG": (b"\xff\xd8\xff\xe0" + bytes(50), "the mask cannot be read"),
    "nothing": (b"", "the mask cannot be read"),
}


@pytest.mark.parametrize(("data", "complaint"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_mask_for_this_picture_is_refused(data, complaint):
    with pytest.raises(RequestRefused, match=complaint) as caught:
        open_mask(data, (30, 20))
    assert caught.value.message.code.startswith("mask_")


@pytest.fixture(scope="module")
def photo():
    """12 megapixels, each pixel another, so that a changed byte shows."""
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    large = np.asarray(Image.fromarray(noise).resize(SIZE, Image.Resampling.BICUBIC)).copy()
    large[::7, ::5] ^= 1
    return Image.fromarray(large)


@pytest.fixture(scope="module")
def marked():
    region = np.zeros((HEIGHT, WIDTH), np.uint8)
    region[INSIDE] = 255
    return Image.fromarray(region)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A random model with the architecture and in the files of the 7B, and one in ours."""
    folder = tmp_path_factory.mktemp("models")
    native.save(a_tiny_mgie(), folder / "ours")
    (folder / "7b").mkdir()
    write_release(folder / "7b", tiny_model.model())
    return {"mgie-mini": "mgie-mini", "7b": folder / "7b", "ours": folder / "ours"}


def assert_only_inside(before, after):
    before, after = np.asarray(before), np.asarray(after)
    assert before.shape == after.shape
    differs = (before != after).any(2)
    inside = differs[INSIDE].sum()
    assert inside > 0
    assert differs.sum() - inside == 0


@pytest.mark.parametrize("keep", ["auto", "off"])
@pytest.mark.parametrize("name", ["mgie-mini", "7b"])
def test_no_byte_outside_changes_at_12_megapixels(models, photo, marked, name, keep):
    with Editor(models[name], device="cpu") as editor:
        options = {"steps": 2, "seed": 3, "keep": keep}
        made = editor.edit(photo, "make it darker", mask=marked, reading="The picture is darker.", **options)
    if keep == "off" or made.changed:
        assert_only_inside(photo, made.image)
    else:
        assert made.image.tobytes() == photo.tobytes()


def test_the_pipeline_and_the_command_take_a_mask(models, tmp_path, capsys):
    picture, region = Image.effect_noise((300, 200), 90).convert("RGB"), Image.new("L", (300, 200))
    region.paste(255, (20, 30, 120, 90))
    picture.save(tmp_path / "in.png")
    region.save(tmp_path / "mask.png")
    with Editor(models["ours"], device="cpu") as editor:
        found = MGIEPipeline(editor)(picture, "darker", mask_image=region, num_inference_steps=2).images[0]
    out = tmp_path / "out.png"
    command = ["edit", str(tmp_path / "in.png"), "darker", "-o", str(out), "--model", str(models["ours"])]
    command += ["--device", "cpu", "--steps", "2", "--keep", "off", "--mask", str(tmp_path / "mask.png")]
    assert main(command) == 0
    outside = np.asarray(region) == 0
    for after in (found, Image.open(out)):
        assert np.array_equal(np.asarray(after)[outside], np.asarray(picture)[outside])
    Image.new("L", (10, 10), 255).save(tmp_path / "mask.png")
    assert main([*command, "--force"]) == 1
    assert "the mask has 10 × 10 pixels, the picture 300 × 200" in capsys.readouterr().err
