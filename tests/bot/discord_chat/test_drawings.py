"""A picture that is sent back in a reply, drawn upon: where it differs, the instruction may change it."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from mgie_engine.serving.masks import open_mask
from tests.support.discord_gestures import seen
from tests.support.discord_room import room
from tests.support.discord_server.people import text_of
from tests.support.english import english
from tests.support.fakes import ScriptedEditor
from tests.support.page_server import a_drawing, to_png

SIZE = 640, 480


def drawn_upon(png: bytes) -> bytes:
    """A filled red box on a JPEG that is somewhat smaller, as a phone sends it."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    ImageDraw.Draw(picture).rectangle((200, 150, 400, 300), "red")
    file = io.BytesIO()
    picture.resize((480, 360), Image.Resampling.LANCZOS).save(file, "JPEG", quality=70)
    return file.getvalue()


@pytest.mark.parametrize("place", ["server", "dm"])
@pytest.mark.parametrize("to", ["result", "picture"])
async def test_what_was_drawn_is_the_region(tmp_path: Path, place: str, to: str) -> None:
    editor, original = ScriptedEditor(), a_drawing(SIZE)
    async with room(tmp_path, editor) as r:
        channel, is_dm = (r.discord.dm(r.anna), True) if place == "dm" else (r.channel, False)
        posted = r.discord.say(channel, r.anna, "darker", files={"a.png": original}, mention=not is_dm)
        result = await r.result_of(editor, posted)
        reply = r.discord.say(
            channel,
            r.anna,
            "make it blue",
            files={"drawn.jpg": drawn_upon(original)},
            reply_to=result if to == "result" else posted,
            mention=not is_dm,
        )
        edit = await editor.started()
        edit.finish()
        card = text_of(await r.result(reply))
    assert edit.request.mask is not None
    region = open_mask(edit.request.mask, SIZE)
    assert region[155:295, 205:395].all()
    assert not region[:130].any()
    assert not region[320:].any()
    assert edit.request.instruction == "make it blue"
    assert english("fact_region") in card
    assert ("v2 · [from v1" if to == "result" else "v2 · [from v0") in card


def a_mask(mode: str, outside: str | int, inside: str | tuple[int, ...]) -> bytes:
    """A box of `inside`."""
    mask = Image.new(mode, SIZE, outside)
    mask.paste(inside, (200, 150, 400, 300))
    return to_png(mask)


MASKS = {"white": a_mask("L", 0, "white"), "transparent": a_mask("RGBA", "gray", (0, 0, 0, 0))}


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("of", ["a picture", "the last version"])
async def test_a_command_takes_a_mask(tmp_path: Path, kind: str, of: str) -> None:
    editor, original = ScriptedEditor(), a_drawing(SIZE)
    async with room(tmp_path, editor) as r:
        own = {"image": original} if of == "a picture" else {}
        if not own:
            await r.result_of(
                editor, r.discord.say(r.channel, r.anna, "darker", files={"a.png": original}, mention=True)
            )
        r.discord.slash(r.channel, r.anna, "edit", instruction="make it blue", mask=MASKS[kind], **own)
        edit = await editor.started()
        edit.finish()
        await r.turns_end()
        assert edit.request.mask is not None
        region = open_mask(edit.request.mask, SIZE)
        assert region[150:300, 200:400].all()
        assert int(region.sum()) == 200 * 150


async def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    async with room(tmp_path, ScriptedEditor()) as r:
        asked = r.discord.slash(
            r.channel,
            r.anna,
            "edit",
            instruction="make it blue",
            image=a_drawing((320, 240)),
            mask=MASKS["white"],
        )
        assert "The mask has 640 × 480 pixels, but the picture has 320 × 240." in text_of(
            await seen(r, asked)
        )
