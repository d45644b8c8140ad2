"""What a user does on the loopback Discord, and the answer they wait for."""

import io

from PIL import Image

from conversations.turn import Turn
from tests.support.discord_room import Room, is_result
from tests.support.discord_server.interactions import Interaction
from tests.support.discord_server.world import Message, Person
from tests.support.fakes import a_picture

OTHER = a_picture(colour="black")  # not the picture that `post_picture` posts


async def seen(r: Room, asked: Interaction) -> Message:
    """The answer, once it is there."""
    return await r.discord.wait_for(lambda: asked.answer)


async def done(r: Room, asked: Interaction) -> Message:
    """The answer, once it is the card of a finished version."""
    return await r.discord.wait_for(lambda: m if (m := asked.answer) and is_result(m) else None)


async def press(r: Room, message: Message, label: str, who: Person | None = None) -> Message:
    return await seen(r, r.discord.press(message, label, who or r.anna))


async def opened(r: Room, asked: Interaction) -> Interaction:
    """The same interaction, once a form is open."""
    await r.discord.wait_for(lambda: asked.modal)
    return asked


async def colour_of(r: Room, instruction: str) -> tuple[int, ...]:
    """The colour of the uploaded picture, which is of one colour."""
    turn = await upload_of(r, instruction)
    with Image.open(io.BytesIO(r.images.get(turn.image or ""))) as picture:
        pixel = picture.convert("RGB").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel


async def upload_of(r: Room, instruction: str) -> Turn:
    """The upload that the edit with this instruction goes back to."""
    (edit,) = [turn for turn in await r.turns() if turn.instruction == instruction]
    return (await r.store.session(edit.session_id)).root


async def is_about_the_other(r: Room, instruction: str) -> bool:
    return await colour_of(r, instruction) == (0, 0, 0)
