"""/admin, reports and appeals: what moderators decide for their server, seen from both sides."""

import re
from pathlib import Path

import pytest

from bot.chat.replies import duration
from conversations.messages import Message as Said
from tests.bot.discord_chat.test_buttons import a_card, next_result, said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_gestures import opened, press, seen
from tests.support.discord_room import Room, results_in, room
from tests.support.discord_server import shapes
from tests.support.discord_server.interactions import Interaction
from tests.support.discord_server.limits import every_component
from tests.support.discord_server.people import RefusedByDiscord, buttons_of, gallery_of, text_of
from tests.support.discord_server.world import Channel, Message
from tests.support.english import english
from tests.support.fakes import ScriptedEditor, a_busy_picture, a_picture


def admin(r: Room, command: str, channel: Channel | None = None, **options: object) -> Interaction:
    """The owner of the server uses /admin."""
    return r.discord.slash(channel or r.channel, r.discord.world.owner, f"admin {command}", **options)


async def decided(r: Room, command: str, channel: Channel | None = None, **options: object) -> str:
    return await said(r, admin(r, command, channel, **options))


async def moderators(r: Room) -> Channel:
    """The channel in which reports are shown."""
    channel = r.discord.world.add_channel("moderators")
    assert await decided(r, "reports", channel) == english("decided.reports")
    return channel


async def reported(r: Room, words: str = "not nice") -> tuple[Message, Message]:
    """A result of Anna's that Ben reported, and the card moderators see."""
    channel = await moderators(r)
    result = await r.result(post_picture(r, picture=a_busy_picture()))
    await r.turns_end()
    form = await opened(r, r.discord.menu(result, r.ben, "Report edit"))
    assert await said(r, r.discord.fill_in(form, words=words)) == english("reported_here")
    (card,) = await r.discord.wait_for(lambda: r.discord.messages_of_bot(channel))
    return result, card


async def closed(r: Room, card: Message, button: str) -> str:
    """What a report says once the owner of the server has pressed this button under it."""
    r.discord.press(card, button, r.discord.world.owner)
    await r.discord.wait_for(lambda: card.edits and not buttons_of(card))
    return text_of(card)


def is_hidden(message: Message) -> bool:
    """Whether every picture of a message is behind a spoiler."""
    items = [item for c in every_component(message.components) for item in c.get("items", ())]
    assert items
    return all(item.get("spoiler") for item in items)


# -- what moderators decide ---------------------------------------------------------------------------------


async def test_discord_keeps_admin_from_others_and_from_dms(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        with pytest.raises(RefusedByDiscord):
            r.discord.slash(r.channel, r.anna, "admin pause")
        with pytest.raises(RefusedByDiscord):
            admin(r, "pause", r.discord.dm(r.discord.world.owner))


async def test_a_paused_server_takes_nothing_new_and_finishes_what_was_asked(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked = post_picture(r)
        edit = await editor.started()
        assert await decided(r, "pause") == english("decided.pause")
        assert text_of(await r.answer(post_picture(r, "blue"))) == english("paused")
        edit.finish()
        await r.result(asked)
        assert await decided(r, "resume") == english("decided.resume")
        await r.result_of(editor, post_picture(r, "green"))


async def test_a_channel_that_is_switched_off_says_so_in_its_threads_too(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        thread = r.discord.world.add_thread(r.channel, "talk")
        r.discord.gateway.dispatch("THREAD_CREATE", {**_shape(r, thread), "newly_created": True})
        assert await decided(r, "channel", do="edits off") == english("decided.close")
        files = {"b.png": a_picture()}
        for place in (r.channel, thread):
            asked = r.discord.say(place, r.anna, "red", files=files, mention=True)
            assert text_of(await r.answer(asked)) == english("channel_closed")
        assert await decided(r, "channel", do="edits on") == english("decided.open")
        await r.result(post_picture(r))


def _shape(r: Room, channel: Channel) -> dict[str, object]:
    return shapes.channel(r.discord.world, channel)


async def test_pictures_go_behind_spoilers_by_channel_and_stay_there(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        assert not is_hidden(await r.result(post_picture(r)))
        said_ = await decided(r, "channel", do="behind spoilers")
        assert said_ == f"{english('decided.hide')} {english('hidden_posted', count=1)}"
        first = await r.result(post_picture(r))
        assert is_hidden(first)
        await decided(r, "channel", do="edits on")
        assert is_hidden(await r.result(r.discord.say(r.channel, r.anna, "now blue", reply_to=first)))
        assert is_hidden(await press(r, first, "Compare"))


async def test_a_user_may_want_a_spoiler_for_one_edit(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        r.discord.slash(r.channel, r.anna, "edit", instruction="red", image=a_picture(), spoiler=True)
        assert is_hidden(await next_result(r, 1))


async def test_plain_words_count_where_moderators_say_so(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        place = r.discord.world.add_channel("more pictures")
        r.discord.gateway.dispatch("CHANNEL_CREATE", _shape(r, place))
        first = r.discord.say(place, r.anna, "red", files={"b.png": a_picture()}, mention=True)
        await r.result(first)
        assert await decided(r, "channel", place, do="plain words on") == english("decided.overhear")
        assert "v2 · [from v1" in text_of(await r.result(r.discord.say(place, r.anna, "make it blue")))
        assert await decided(r, "channel", place, do="plain words off") == english("decided.ignore")


async def test_who_is_blocked_loses_what_waits_and_may_come_back(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        post_picture(r)
        edit = await editor.started()
        anna = f"<@{r.anna.id}>"
        assert await decided(r, "block", user=r.anna) == english("decided_blocked", person=anna, count=1)
        assert edit.cancelled
        assert text_of(await r.answer(post_picture(r, "blue"))) == english("blocked")
        assert await decided(r, "unblock", user=r.anna) == english("decided_unblocked", person=anna)
        await r.result_of(editor, post_picture(r, "green"))


async def test_what_a_user_has_queued_can_be_cancelled(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        post_picture(r)
        await editor.started()
        done = english("decided_cancelled", person=f"<@{r.anna.id}>", count=1)
        assert await decided(r, "cancel", user=r.anna) == done
        await a_card(r, "🚫")


async def test_a_day_has_so_many_edits_and_failures_do_not_count(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        reply = await decided(r, "limits", per_day=1)
        assert "edits per user and day: 1" in reply
        post_picture(r)
        for _ in range(2):
            (await editor.started()).die()
        await a_card(r, "⚠️")
        await r.result_of(editor, post_picture(r))
        refused = await r.answer(post_picture(r, "blue"))
        assert text_of(refused) == english(
            "share_used_up",
            whose=Said("share.member"),
            most=1,
            window=Said("share_window.day"),
            wait=duration(24 * 3600),
        )
        assert english("nothing_queued", waiting=0, running=0) in text_of(await press(r, refused, "My edits"))
        await decided(r, "limits", per_day=0)
        await r.result_of(editor, post_picture(r, "green"))


async def test_a_server_may_let_fewer_edits_of_one_user_wait(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        await decided(r, "limits", waiting=1)
        post_picture(r)
        await editor.started()
        await r.answer(post_picture(r, "blue"))
        refused = await r.answer(post_picture(r, "green"))
        assert text_of(refused) == english("too_many_waiting", count=1, limit=1)
        queue = text_of(await press(r, refused, "My edits"))
        assert re.search(r"\[v1 ↗\]\(https://discord.com/channels/", queue)


async def test_a_server_may_allow_only_ones_own_pictures(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        assert await decided(r, "pictures", whose="only own") == english("decided.own_only")
        cat = r.discord.say(r.channel, r.ben, "my cat", files={"cat.png": a_picture()})
        asked = r.discord.say(r.channel, r.anna, "make it red", reply_to=cat, mention=True)
        assert text_of(await r.answer(asked)) == english("only_own")
        await r.result(r.discord.say(r.channel, r.ben, "make it red", reply_to=cat, mention=True))
        assert await decided(r, "pictures", whose="with consent") == english("decided.by_consent")


async def test_the_status_and_the_log_tell_what_holds_and_who_decided(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        assert await decided(r, "log") == english("log_empty")
        await decided(r, "channel", do="edits off")
        await decided(r, "block", user=r.ben)
        status = await decided(r, "status")
        assert f"**Blocked:** <@{r.ben.id}>" in status
        assert f"**Channels with edits disabled:** <#{r.channel.id}>" in status
        newest, older = (await decided(r, "log")).splitlines()
        assert newest.endswith(f"<@{r.discord.world.owner.id}> blocked <@{r.ben.id}>")
        assert older.endswith(f"disabled edits in <#{r.channel.id}>")


# -- reports ------------------------------------------------------------------------------------------------


async def test_a_report_shows_moderators_what_it_is_about(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result, card = await reported(r, "not *nice*")
        reply = text_of(card)
        assert f"<@{r.ben.id}> reported v1 by <@{r.anna.id}>" in reply
        assert f"/{result.id})" in reply
        assert r"> not \*nice\*" in reply
        assert is_hidden(card)
        assert [b["label"] for b in buttons_of(card)] == [
            "Remove",
            "Remove and block image",
            "Block user",
            "Dismiss",
        ]


async def test_the_same_report_comes_once_and_from_the_card_too(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result, card = await reported(r)
        more = await press(r, result, "More", r.ben)
        form = await opened(r, r.discord.press(more, "Report", r.ben))
        assert await said(r, r.discord.fill_in(form)) == english("reported_here")
        assert r.discord.messages_of_bot(card.channel) == [card]


async def test_a_removed_version_goes_with_its_message(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        _, card = await reported(r)
        reply = await closed(r, card, "Remove")
        assert reply.endswith(
            f"-# {english('decided_removed', version='v1')} · <@{r.discord.world.owner.id}>"
        )
        await r.discord.wait_for(lambda: not results_in(r.discord, r.channel))
        assert [turn.is_upload for turn in await r.turns()] == [True]
        assert gallery_of(card, r.discord.world) == []


async def test_the_author_of_a_reported_version_can_be_blocked(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        _, card = await reported(r)
        await closed(r, card, "Block user")
        assert text_of(await r.answer(post_picture(r, "blue"))) == english("blocked")


async def test_a_dismissed_report_changes_nothing(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result, card = await reported(r)
        assert english("decided.dismiss") in await closed(r, card, "Dismiss")
        assert results_in(r.discord, r.channel) == [result]


async def test_only_moderators_decide_about_reports(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        _, card = await reported(r)
        assert text_of(await press(r, card, "Remove", r.ben)) == english("not_a_moderator")
        assert len(buttons_of(card)) == 4


async def test_a_report_that_cannot_be_shown_goes_to_the_log(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        channel = await moderators(r)
        channel.denied.add("send_messages")
        result = await r.result(post_picture(r))
        form = await opened(r, r.discord.menu(result, r.ben, "Report edit"))
        assert await said(r, r.discord.fill_in(form)) == english("reported")


# -- removed pictures, known again --------------------------------------------------------------------------


async def test_a_blocked_picture_is_not_taken_again_until_an_appeal_is_heard(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        _, card = await reported(r)  # the editor gives the picture back as it was
        await closed(r, card, "Remove and block image")
        refused = await r.answer(post_picture(r, "blue", a_busy_picture()))
        assert text_of(refused) == english("image_blocked")
        assert text_of(await press(r, refused, "Appeal")) == english("appealed")
        assert text_of(await press(r, refused, "Appeal")) == english("appealed")
        _, appeal = r.discord.messages_of_bot(card.channel)
        assert f"<@{r.anna.id}> appeals" in text_of(appeal)
        await closed(r, appeal, "Unblock image")
        assert text_of(await press(r, refused, "Appeal")) == english("appeal_over")
        await r.result(post_picture(r, "green", a_busy_picture()))


async def test_a_result_like_a_blocked_picture_is_filtered_and_not_counted(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        channel = await moderators(r)
        photo = await r.result(post_picture(r, picture=a_busy_picture()))
        further = await r.result(r.discord.say(r.channel, r.anna, "now blue", reply_to=photo))
        await r.turns_end()
        form = await opened(r, r.discord.menu(further, r.ben, "Report edit"))
        r.discord.fill_in(form)
        (card,) = await r.discord.wait_for(lambda: r.discord.messages_of_bot(channel))
        assert "similar pictures are blocked" in await closed(r, card, "Remove and block image")
        r.discord.say(r.channel, r.anna, "now green", reply_to=photo)
        filtered = await a_card(r, "⚠️")
        assert "Try a different instruction. This edit does not count." in text_of(filtered)
        assert [b["label"] for b in buttons_of(filtered)] == ["Retry", "Appeal"]
        assert text_of(await press(r, filtered, "Appeal")) == english("appealed")
        assert "> now green" in text_of(r.discord.messages_of_bot(channel)[-1])


async def test_without_a_channel_for_it_an_appeal_names_the_hash(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        _, card = await reported(r)
        await closed(r, card, "Remove and block image")
        status = await decided(r, "status")
        mark = next(m[1] for m in [re.search(r"([0-9a-f]{16})", status)] if m)
        assert await decided(r, "lift", hash=mark) == english("decided_image_unblocked", hash=mark)
        await seen(
            r, r.discord.slash(r.channel, r.anna, "edit", instruction="make it red", image=a_busy_picture())
        )
        await next_result(r, 1)
