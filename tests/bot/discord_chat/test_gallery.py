"""/gallery: a user's newest results from every place, for them alone."""

from pathlib import Path

from tests.bot.discord_chat.test_buttons import said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import room
from tests.support.discord_server.limits import every_component
from tests.support.english import english
from tests.support.fakes import a_picture


async def test_results_of_all_places_are_shown_to_their_user_alone(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        elsewhere = r.discord.dm(r.anna)
        await r.result(r.discord.say(elsewhere, r.anna, "paint it blue", files={"b.png": a_picture(30)}))
        await r.result(
            r.discord.say(r.channel, r.ben, "not hers", files={"b.png": a_picture(31)}, mention=True)
        )
        await r.turns_end()
        shown = r.discord.slash(r.channel, r.anna, "gallery")
        text = await said(r, shown)
        own = [turn for turn in await r.turns() if turn.number and turn.user.endswith(str(r.anna.id))]
        assert english("gallery", count=2) in text
        assert len(own) == 2
        assert "paint it blue" in text
        assert "not hers" not in text
        assert shown.answer is not None
        assert shown.answer.is_ephemeral
        pictures = [item for c in every_component(shown.answer.components) for item in c.get("items", ())]
        assert len(pictures) == 2


async def test_without_results_the_gallery_says_so(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        assert await said(r, r.discord.slash(r.channel, r.anna, "gallery")) == english("gallery_empty")
