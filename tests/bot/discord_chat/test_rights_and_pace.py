"""What users may do in a place, and how often; the same rules for every gesture."""

from dataclasses import replace
from pathlib import Path

from bot.policy.strikes import STRIKES
from conversations.turn import TurnState
from tests.bot.discord_chat.test_buttons import said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.bot.discord_chat.test_moderation import decided
from tests.support.discord_gestures import opened
from tests.support.discord_room import LIMITS, room, turn_of
from tests.support.discord_server.people import text_of
from tests.support.english import english
from tests.support.fakes import a_picture

SLOW = replace(LIMITS, requests=4, window_s=3600.0)


async def test_every_gesture_counts_towards_one_rate(tmp_path: Path) -> None:
    async with room(tmp_path, limits=SLOW) as r:
        first = await r.result(post_picture(r))
        await said(r, r.discord.press(first, "Compare", r.anna))
        await said(r, r.discord.slash(r.channel, r.anna, "queue"))
        undone = await r.answer(r.discord.say(r.channel, r.anna, "undo", mention=True))
        assert english("back_at", version="v0") in text_of(undone)
        for gesture in (
            r.discord.slash(r.channel, r.anna, "show", version="v1"),
            r.discord.press(first, "Retry", r.anna),
        ):
            assert "4" in (refusal := await said(r, gesture))
            assert refusal.startswith(english("too_fast", count=4, window="", wait="").split("4")[0])


async def test_after_five_strikes_the_bot_stops_answering(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        await decided(r, "block", user=r.anna)
        asked = [
            r.discord.say(r.channel, r.anna, f"make it darker {n}", mention=True) for n in range(STRIKES + 3)
        ]
        last = r.discord.say(r.channel, r.ben, "make it blue", mention=True)
        await r.answer(last)
        await r.discord.wait_for(lambda: len([m for m in asked if r.discord.answers_to(m)]) >= STRIKES)
        answered = [message for message in asked if r.discord.answers_to(message)]
        assert len(answered) == STRIKES
        texts = [text_of(r.discord.answers_to(message)[0]) for message in answered]
        assert sum(english("silenced") in text for text in texts) == 1


async def test_a_guest_sets_their_own_settings_only(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        await said(r, r.discord.slash(r.channel, r.anna, "cfg", steps=7))
        guest = await r.result(r.discord.say(r.channel, r.ben, "make it blue", reply_to=first))
        await said(r, r.discord.slash(r.channel, r.anna, "session lock"))
        await said(r, r.discord.slash(r.channel, r.ben, "cfg", steps=9))
        again = await r.result(r.discord.say(r.channel, r.anna, "make it grey", reply_to=guest))
        assert "7 steps" in text_of(again)
        await said(r, r.discord.slash(r.channel, r.anna, "session share"))
        assert "9 steps" in text_of(await r.result(r.discord.say(r.channel, r.ben, "red", reply_to=again)))


async def test_a_private_result_stays_private(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        visited = r.discord.world.add_channel("elsewhere", foreign=True)
        await said(r, r.discord.slash(visited, r.anna, "edit", instruction="red", image=a_picture()))
        await r.turns_end()
        (turn,) = [turn for turn in await r.turns(TurnState.DONE) if turn.number == 1]
        others = await said(r, r.discord.slash(visited, r.ben, "show", version=turn.id))
        assert others == english("no_such_version", version=turn.id)
        own = r.discord.slash(visited, r.anna, "show", version=turn.id)
        await said(r, own)
        assert own.answer is not None
        assert own.answer.is_ephemeral


async def test_who_may_not_write_sees_a_version_in_private(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        await r.turns_end()
        r.anna.is_muted = True
        before = len(r.discord.messages_of_bot(r.channel))
        shown = r.discord.slash(r.channel, r.anna, "show", version=turn_of(first))
        assert "v1" in await said(r, shown)
        assert len(r.discord.messages_of_bot(r.channel)) == before


async def test_many_reports_of_one_version_are_one_card(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await decided(r, "reports")
        first = await r.result(post_picture(r))
        await r.turns_end()
        before = len(r.discord.messages_of_bot(r.channel))
        for user in (r.anna, r.ben):
            form = await opened(r, r.discord.menu(first, user, "Report edit"))
            assert await said(r, r.discord.fill_in(form, words="bad")) == english("reported_here")
        assert len(r.discord.messages_of_bot(r.channel)) == before + 1
