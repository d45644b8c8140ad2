"""The showcase of a server, by consent of the author alone; and spoilers on posted results."""

from pathlib import Path

import pytest

from tests.bot.discord_chat.test_buttons import next_result, said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.bot.discord_chat.test_erasing import erase, killed_before_recording
from tests.bot.discord_chat.test_moderation import closed, decided, is_hidden, moderators
from tests.support.discord_gestures import opened, seen
from tests.support.discord_room import Room, loopback, results_in, room
from tests.support.discord_server.interactions import Interaction
from tests.support.discord_server.people import buttons_of, text_of
from tests.support.discord_server.world import Channel, Message, Person
from tests.support.english import english
from tests.support.fakes import ScriptedEditor


async def showcase(r: Room) -> Channel:
    """The channel in which results are shared."""
    channel = r.discord.open_channel("showcase")
    assert await decided(r, "channel", channel, do="showcase here") == english("decided.showcase")
    return channel


async def sheet_and_pick(r: Room) -> tuple[Message, Message]:
    """A sheet of four results, and the second of them as a version."""
    await r.result(post_picture(r))
    await seen(r, r.discord.slash(r.channel, r.anna, "edit", instruction="make it dusk", results=4))
    sheet = await next_result(r, 2)
    await said(r, r.discord.press(sheet, "2", r.anna))
    picked = await next_result(r, 3)
    await r.turns_end()
    return sheet, picked


async def more(r: Room, result: Message, label: str, person: Person | None = None) -> Interaction:
    """A button behind More, pressed."""
    opened = r.discord.press(result, "More", person or r.anna)
    await said(r, opened)
    assert opened.answer is not None
    return r.discord.press(opened.answer, label, person or r.anna)


async def share(r: Room, result: Message, person: Person | None = None) -> str:
    return await said(r, await more(r, result, "Share in showcase", person))


@pytest.mark.parametrize("words", ["make it blue", "no, not like that", "but keep the red", "undo"])
async def test_a_reply_to_a_shared_copy_is_answered_with_the_channel_where_it_was_made(
    tmp_path: Path, words: str
) -> None:
    async with room(tmp_path) as r:
        channel = await showcase(r)
        await share(r, await r.result(post_picture(r)))
        [copy] = results_in(r.discord, channel)
        for who in (r.anna, r.ben):
            answer = await r.answer(r.discord.say(channel, who, words, reply_to=copy))
            place = f"<#{r.channel.id}>"
            assert text_of(answer) == english("made_elsewhere", version="v1", place=place)


async def test_the_author_shares_a_result_and_takes_it_back(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        channel = await showcase(r)
        result = await r.result(post_picture(r))
        place = f"<#{channel.id}>"
        assert await share(r, result) == english("shared_in", version="v1", place=place)
        [copy] = results_in(r.discord, channel)
        assert f"<@{r.anna.id}>" in text_of(copy)
        assert [b["label"] for b in buttons_of(copy)] == ["Take back"]
        assert len(copy.uploads) == 1  # the result alone
        assert await share(r, result) == english("shared_already", place=place)
        assert await said(r, r.discord.press(copy, "Take back", r.ben)) == english("not_yours", version="v1")
        taken = r.discord.press(copy, "Take back", r.anna)
        assert await said(r, taken) == english("taken_back", version="v1")
        await r.discord.wait_for(lambda: not results_in(r.discord, channel))
        assert results_in(r.discord, r.channel) == [result]


async def test_two_quick_presses_share_it_once(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        channel = await showcase(r)
        result = await r.result(post_picture(r))
        menu = r.discord.press(result, "More", r.anna)
        await said(r, menu)
        assert menu.answer is not None
        presses = [r.discord.press(menu.answer, "Share in showcase", r.anna) for _ in range(2)]
        shared = english("shared_in", version="v1", place=f"<#{channel.id}>")
        already = english(
            "shared_already", place=f"<#{channel.id}>"
        )  # where the first copy is posted by then
        answers = [await said(r, press) for press in presses]
        assert shared in answers
        assert {*answers} <= {shared, already}
        assert len(results_in(r.discord, channel)) == 1


async def test_a_copy_whose_posting_was_not_recorded_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill between the two."""
    async with room(tmp_path) as r:
        channel = await showcase(r)
        result = await r.result(post_picture(r))
        async with killed_before_recording(monkeypatch):
            await more(r, result, "Share in showcase")
            [copy] = await r.discord.wait_for(lambda: results_in(r.discord, channel))
        taken = r.discord.press(copy, "Take back", r.anna)
        assert await said(r, taken) == english("taken_back", version="v1")
        await r.discord.wait_for(lambda: not results_in(r.discord, channel))


@pytest.mark.parametrize("erased_at", ["before the restart", "after it"])
async def test_a_copy_that_a_kill_kept_from_being_recorded_goes_with_the_data_of_its_author(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, erased_at: str
) -> None:
    async with loopback() as server:
        async with room(tmp_path, discord=server) as r:
            channel = await showcase(r)
            result = await r.result(post_picture(r))
            async with killed_before_recording(monkeypatch):
                await more(r, result, "Share in showcase")
                await server.wait_for(lambda: results_in(server, channel))
            assert await r.store.messages.postings("discord")
            if erased_at == "before the restart":
                await erase(r)
        async with room(tmp_path, discord=server) as r:
            if erased_at == "after it":
                await erase(r)
            await server.wait_for(lambda: not results_in(server, channel))


@pytest.mark.parametrize(
    ("code", "why"),
    [(50013, "showcase_closed"), (160005, "showcase_closed"), (200000, "discord_blocked_words")],
)
async def test_why_a_showcase_takes_no_copy_is_said(tmp_path: Path, code: int, why: str) -> None:
    async with room(tmp_path) as r:
        channel = await showcase(r)
        result = await r.result(post_picture(r))
        status = 403 if code == 50013 else 400
        r.discord.faults.refuse("POST", f"/{channel.id}/messages$", code, "no", status=status)
        assert await share(r, result) == english(why)
        assert results_in(r.discord, channel) == []


async def test_what_moderators_remove_leaves_the_showcase_and_the_grid_it_was_picked_from(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as r:
        channel = await showcase(r)
        await moderators(r)
        _, picked = await sheet_and_pick(r)
        await share(r, picked)
        form = await opened(r, r.discord.menu(picked, r.ben, "Report edit"))
        await said(r, r.discord.fill_in(form, words="no"))
        reports = next(c for c in r.discord.world.channels.values() if c.name == "moderators")
        [card] = await r.discord.wait_for(lambda: r.discord.messages_of_bot(reports))
        assert english("decided_removed", version="v3") in await closed(r, card, "Remove")
        await r.discord.wait_for(lambda: not results_in(r.discord, channel))
        await r.discord.wait_for(lambda: len(results_in(r.discord, r.channel)) == 1)


async def test_a_grid_and_what_was_picked_from_it_go_behind_spoilers_together(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        sheet, picked = await sheet_and_pick(r)
        await said(r, await more(r, picked, "Behind a spoiler"))
        assert is_hidden(picked)
        assert is_hidden(sheet)


async def test_nobody_else_shares_it_and_not_every_picture_is_shared(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result = await r.result(post_picture(r))
        assert await share(r, result) == english("no_showcase")
        channel = await showcase(r)
        assert await share(r, result, r.ben) == english("not_yours", version="v1")
        by_ben = await r.result(r.discord.say(r.channel, r.ben, "now blue", reply_to=result))
        assert await share(r, by_ben, r.ben) == english("showcase_lent")
        await decided(r, "channel", do="behind spoilers")
        hidden = await r.result(post_picture(r, "make it brighter"))
        assert await share(r, hidden) == english("showcase_hidden")
        assert results_in(r.discord, channel) == []


async def test_a_shared_copy_goes_with_the_data_of_its_author(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        channel = await showcase(r)
        await share(r, await r.result(post_picture(r)))
        assert len(results_in(r.discord, channel)) == 1
        await erase(r)
        await r.discord.wait_for(lambda: not results_in(r.discord, channel))


async def test_a_posted_result_goes_behind_a_spoiler_with_what_was_made_from_it(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        channel = await showcase(r)
        first = await r.result(post_picture(r))
        second = await r.result(r.discord.say(r.channel, r.anna, "now blue", reply_to=first))
        await share(r, second)
        uploads = list(first.uploads)
        assert not is_hidden(first)
        pressed = await more(r, first, "Behind a spoiler")
        assert await said(r, pressed) == english("hidden_version", version="v1", count=2)
        assert is_hidden(first)
        assert is_hidden(second)
        assert first.uploads == uploads  # nothing was sent again
        assert "v1 · [from v0 ↗]" in text_of(first)
        assert results_in(r.discord, channel) == []
        third = await r.result(r.discord.say(r.channel, r.anna, "now warmer", reply_to=second))
        assert is_hidden(third)


async def test_what_is_being_painted_from_a_hidden_result_comes_out_hidden(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        first = await r.result_of(editor, post_picture(r))
        asked = r.discord.say(r.channel, r.anna, "now blue", reply_to=first)
        painting = await editor.started()
        await said(r, await more(r, first, "Behind a spoiler"))
        painting.finish()
        assert is_hidden(await r.result(asked))


async def test_only_the_author_and_moderators_hide_a_result(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        pressed = await more(r, first, "Behind a spoiler", r.ben)
        assert await said(r, pressed) == english("not_yours", version="v1")
        assert not is_hidden(first)


async def test_a_channel_behind_spoilers_hides_what_is_posted_there(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        second = await r.result(post_picture(r, "make it brighter"))
        text = await decided(r, "channel", do="behind spoilers")
        assert text == f"{english('decided.hide')} {english('hidden_posted', count=2)}"
        assert is_hidden(first)
        assert is_hidden(second)
