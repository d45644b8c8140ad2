"""Which picture an instruction is about, however people point at it."""

import io
from pathlib import Path

import pytest
from PIL import Image

from bot.discord_chat.inbound.proxied_messages import ProxiedMessages
from tests.bot.discord_chat.test_buttons import said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.bot.discord_chat.test_moderation import is_hidden
from tests.support.discord_gestures import OTHER, is_about_the_other, upload_of
from tests.support.discord_room import NO_CARDS, Room, results_in, room
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import FORUM, Channel, Message
from tests.support.english import english
from tests.support.fakes import a_picture

SVG, PDF = b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"


def tiff() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 24), "black").save(file, "TIFF")
    return file.getvalue()


# -- pictures that the message itself brings --------------------------------------------------------------


@pytest.mark.parametrize("place", ["server", "dm", "of another user"])
async def test_a_new_picture_in_a_reply_is_edited_and_begins_a_session_of_its_sender(
    tmp_path: Path, place: str
) -> None:
    async with room(tmp_path) as r:
        channel = r.discord.dm(r.anna) if place == "dm" else r.channel
        first = await r.result(
            r.discord.say(channel, r.anna, "red", files={"a.png": a_picture()}, mention=place != "dm")
        )
        author = r.ben if place == "of another user" else r.anna
        reply = r.discord.say(channel, author, "make it blue", files={"b.png": OTHER}, reply_to=first)
        assert "v1 · [from v0" in text_of(await r.result(reply))
        assert await is_about_the_other(r, "make it blue")
        upload = await upload_of(r, "make it blue")
        assert (upload.user, upload.lent_by) == (f"discord:{author.id}", None)


async def test_the_first_readable_of_several_pictures_is_used_and_it_says_so(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        files = {"plan.svg": SVG, "scan.tiff": tiff(), "notes.pdf": PDF, "a.png": OTHER, "b.png": a_picture()}
        result = await r.result(r.discord.say(r.channel, r.anna, "red", files=files, mention=True))
        assert english("used_first", count=4) in text_of(result)
        assert await is_about_the_other(r, "red")


async def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        answer = await r.answer(r.discord.say(r.channel, r.anna, "red", files={"a.pdf": PDF}, mention=True))
        assert "PDF" in text_of(answer)
        await r.result(post_picture(r))
        song = r.discord.say(r.channel, r.anna, "listen", files={"song.mp3": b"ID3" * 100})
        plan = r.discord.say(r.channel, r.anna, "", files={"a.pdf": PDF})
        await r.result(r.discord.say(r.channel, r.anna, "make it darker"))
        assert r.discord.answers_to(song) == r.discord.answers_to(plan) == []


async def test_a_forwarded_picture_is_edited(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        shared = r.discord.say(r.channel, r.ben, "look", files={"SPOILER_a.png": OTHER})
        dm = r.discord.dm(r.anna)
        ready = await r.answer(r.discord.forward(shared, dm, r.anna))
        assert english("picture_ready", version="v0") in text_of(ready)
        assert is_hidden(ready)
        assert is_hidden(await r.result(r.discord.say(dm, r.anna, "make it red")))
        again = r.discord.forward(shared, r.channel, r.anna)
        await r.result(r.discord.say(r.channel, r.anna, "make it blue", reply_to=again, mention=True))
        assert await is_about_the_other(r, "make it blue")


async def test_the_picture_of_an_embed_is_edited_if_discord_hosts_it(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        held = r.discord.say(r.channel, r.ben, files={"a.png": OTHER})
        url = r.discord.shown(held)["attachments"][0]["url"]
        card = r.discord.say(
            r.channel,
            r.ben,
            "look",
            embeds=[{"type": "rich", "image": {"url": "https://x.example/a.png", "proxy_url": url}}],
        )
        question = await r.answer(r.discord.say(r.channel, r.anna, "red", reply_to=card, mention=True))
        r.discord.press(question, english("button.allow_once"), r.ben)
        await r.discord.wait_for(lambda: results_in(r.discord, r.channel))
        assert await is_about_the_other(r, "red")


async def test_a_sticker_beside_words_is_a_picture(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result = await r.result(r.discord.say(r.channel, r.anna, "red", sticker=OTHER, mention=True))
        await is_about_the_other(r, "red")
        reaction = r.discord.say(r.channel, r.anna, sticker=a_picture(), reply_to=result)
        assert text_of(await r.answer(reaction)) == english("no_words")


async def test_a_link_on_discords_hosts_is_opened_and_others_are_not(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        held = r.discord.say(r.channel, r.ben, files={"a.png": OTHER})
        url = r.discord.shown(held)["attachments"][0]["url"]
        hidden = r.discord.say(r.channel, r.anna, f"make it red ||{url}||", mention=True)
        assert is_hidden(await r.result(hidden))
        assert [turn for turn in await r.turns() if turn.image] != []
        for link in ("https://i.example/cat.png", "<http://169.254.169.254/latest>"):
            refused = r.discord.say(r.channel, r.anna, f"make it blue {link}", mention=True)
            assert text_of(await r.answer(refused)) == english("link_not_opened")
        assert not [turn for turn in await r.turns() if "blue" in turn.instruction]


# -- pictures of other messages ---------------------------------------------------------------------------


@pytest.mark.parametrize("hides", [False, True])
async def test_a_reply_to_a_picture_works_or_says_that_discord_hides_it(tmp_path: Path, hides: bool) -> None:
    async with room(tmp_path) as r:
        r.discord.world.hides_referenced = hides
        await r.result(post_picture(r))
        other = r.discord.say(r.channel, r.anna, "look", files={"a.png": OTHER})
        asked = r.discord.say(r.channel, r.anna, "make it red", reply_to=other, mention=True)
        if hides:
            assert text_of(await r.answer(asked)) == english("message_hidden")
        else:
            await r.result(asked)
            assert await is_about_the_other(r, "make it red")


@pytest.mark.parametrize("is_known", [False, True])
async def test_the_question_about_a_reply_keeps_its_picture(tmp_path: Path, is_known: bool) -> None:
    """Also where a version was made of that picture; the user's current version is another one."""
    async with room(tmp_path, reads_all=True) as r:
        words = "make it blue" if is_known else "look"
        other = r.discord.say(r.channel, r.anna, words, files={"a.png": OTHER}, mention=is_known)
        if is_known:
            await r.result(other)
        await r.result(post_picture(r))
        question = await r.answer(
            r.discord.say(r.channel, r.anna, "this but different", reply_to=other, mention=True)
        )
        assert text_of(question).startswith(english("is_instruction"))
        assert "Queued as" in await said(r, r.discord.press(question, english("button.say"), r.anna))
        await r.turns_end()
        assert await is_about_the_other(r, "this but different")


async def test_with_the_intent_a_reply_to_a_picture_is_never_hidden(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        r.discord.world.hides_referenced = True
        other = r.discord.say(r.channel, r.anna, "look", files={"a.png": OTHER})
        await r.result(r.discord.say(r.channel, r.anna, "make it red", reply_to=other, mention=True))


async def test_a_reply_to_my_own_instruction_is_about_what_came_of_it(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        asked = r.discord.say(r.channel, r.anna, "make it darker", mention=True)
        await r.result(asked)
        await r.result(r.discord.say(r.channel, r.anna, "make it warmer", mention=True))
        again = r.discord.say(r.channel, r.anna, "now blue", reply_to=asked, mention=True)
        assert "v4 · [from v2" in text_of(await r.result(again))


async def talk_in(r: Room, place: Channel) -> list[str]:
    """Two instructions there; the titles of their results."""
    return [
        text_of(await r.result(r.discord.say(place, r.anna, words, mention=True))).splitlines()[0]
        for words in ("make it blue", "make it grey")
    ]


async def test_a_thread_belongs_to_the_result_it_hangs_on(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        await r.result(r.discord.say(r.channel, r.anna, "make it darker", mention=True))
        thread = r.discord.open_thread(first)
        one, two = await talk_in(r, thread)
        assert ("v3 · [from v1" in one, "v4 · [from v3" in two) == (True, True)
        named = r.discord.slash(thread, r.anna, "edit", instruction="make it green", **{"from": "v2"})
        assert "v5" in await said(r, named)
        await said(r, r.discord.slash(thread, r.anna, "session undo"))
        await r.turns_end()
        assert len({turn.session_id for turn in await r.turns()}) == 1


async def test_a_thread_belongs_to_a_result_that_the_bot_has_not_yet_recorded(tmp_path: Path) -> None:
    async with room(tmp_path, pacing=NO_CARDS) as r:
        posted = r.discord.faults.silence("POST", "/messages$", said="-done")
        first = await r.result(post_picture(r))
        assert posted.met == 1
        one, two = await talk_in(r, r.discord.open_thread(first))
        assert ("v2 · from v1" in one, "v3 · [from v2" in two) == (True, True)


@pytest.mark.parametrize("how", ["slash", "words"])
async def test_commands_in_such_a_thread_are_about_that_result(tmp_path: Path, how: str) -> None:
    async with room(tmp_path, pacing=NO_CARDS) as r:
        r.discord.faults.silence("POST", "/messages$", said="-done")
        thread = r.discord.open_thread(await r.result(post_picture(r)))
        compared, back = "v0 and v1", english("back_at", version="v0")
        if how == "words":
            assert compared in text_of(await r.answer(r.discord.say(thread, r.anna, "compare", mention=True)))
            assert back in text_of(await r.answer(r.discord.say(thread, r.anna, "undo", mention=True)))
            return
        assert compared in await said(r, r.discord.slash(thread, r.anna, "session compare"))
        assert back in await said(r, r.discord.slash(thread, r.anna, "session undo"))


async def test_in_a_thread_the_original_is_that_of_its_result(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        thread = r.discord.open_thread(await r.result(post_picture(r)))
        answer = await r.answer(r.discord.say(thread, r.ben, "start over", mention=True))
        assert english("back_at", version="v0") in text_of(answer)
        result = await r.result(r.discord.say(thread, r.ben, "make it blue", mention=True))
        assert "v2 · [from v0" in text_of(result)


@pytest.mark.parametrize("hides", [False, True])
async def test_a_thread_on_a_picture_is_about_that_picture(tmp_path: Path, hides: bool) -> None:
    async with room(tmp_path, reads_all=not hides) as r:
        if hides:
            r.discord.gateway.allowed_privileged = 0
        thread = r.discord.open_thread(r.discord.say(r.channel, r.anna, "// look", files={"a.png": OTHER}))
        if hides:
            answer = await r.answer(r.discord.say(thread, r.anna, "make it blue", mention=True))
            assert text_of(answer) == english("message_hidden")
            return
        one, two = await talk_in(r, thread)
        assert ("v1 · " in one, "v2 · [from v1" in two) == (True, True)
        assert await is_about_the_other(r, "make it blue")


async def test_a_forum_post_is_about_its_first_message(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        forum = r.discord.open_channel("show", FORUM)
        first = r.discord.open_post(forum, r.anna, "my cat", files={"a.png": OTHER})
        one, two = await talk_in(r, first.channel)
        assert ("v1 · " in one, "v2 · [from v1" in two) == (True, True)
        assert await is_about_the_other(r, "make it blue")


# -- other ways to name the bot ---------------------------------------------------------------------------


@pytest.mark.parametrize("reads_all", [False, True])
async def test_the_role_of_the_bot_is_the_bot_or_explained_once(tmp_path: Path, reads_all: bool) -> None:
    async with room(tmp_path, reads_all=reads_all) as r:
        elsewhere = r.discord.open_channel("talk")
        words = f"<@&{r.discord.world.application_id}> make it red"
        asked = r.discord.say(elsewhere, r.anna, words, files={"a.png": OTHER})
        if reads_all:
            await r.result(asked)
            assert await is_about_the_other(r, "make it red")
            return
        assert text_of(await r.answer(asked)) == english("role_mentioned")
        again = r.discord.say(elsewhere, r.anna, words)
        await r.result(post_picture(r))
        assert r.discord.answers_to(again) == []


def edited(r: Room, message: Message, content: str) -> None:
    """The same message, with a mention now."""
    message.mentions.append(r.discord.world.bot)
    r.discord.post.rewrite(message, f"<@{r.discord.world.bot.id}> {content}")


async def test_a_mention_added_by_editing_counts(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        message = r.discord.say(r.channel, r.anna, "make it red", files={"a.png": OTHER})
        edited(r, message, "make it red")
        await r.result(message)
        edited(r, message, "make it very red")
        await r.result(post_picture(r))
        await r.turns_end()
        assert len(await r.turns()) == 4


async def test_words_added_to_a_picture_by_editing_count(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        message = r.discord.say(r.channel, r.anna, files={"a.png": OTHER}, mention=True)
        assert english("picture_ready", version="v0") in text_of(await r.answer(message))
        r.discord.rewrite(message, "make it red")
        await r.results(message, 2)
        await r.turns_end()
        assert [turn.instruction for turn in await r.turns()] == ["", "make it red"]


async def test_a_message_that_a_proxy_posts_again_is_not_taken_back(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        proxy = r.discord.world.add_webhook("Rosa")
        message = r.discord.say(r.channel, r.anna, "R: make it red", files={"a.png": OTHER}, mention=True)
        copy = r.discord.say(r.channel, proxy, "make it red", files={"a.png": OTHER}, mention=True)
        r.discord.delete(message)
        await r.discord.wait_for(lambda: results_in(r.discord, r.channel))
        await r.turns_end()
        assert r.discord.answers_to(copy) == []
        assert [turn.instruction for turn in await r.turns()] == ["", "R: make it red"]


@pytest.mark.parametrize(
    ("words", "is_copy"), [("make it red", True), ("it", False), ("make it blue", False)]
)
async def test_what_a_webhook_says_by_chance_is_no_copy(tmp_path: Path, words: str, is_copy: bool) -> None:
    async with room(tmp_path) as r:
        proxied = ProxiedMessages(lambda: 0.0)
        place = r.bot.get_partial_messageable(r.channel.id)
        original = r.discord.say(r.channel, r.anna, "R: make it red")
        posted = r.discord.say(r.channel, r.discord.world.add_webhook("Rosa"), words)
        proxied.acted_on(await place.fetch_message(original.id))
        proxied.posted_by_webhook(await place.fetch_message(posted.id))
        assert proxied.is_copied(original.id) is is_copy


async def test_two_quick_presses_of_a_button_make_one_edit(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        presses = [r.discord.press(first, "Retry", r.anna) for _ in range(2)]
        answers = [await said(r, press) for press in presses]
        assert all(answer.startswith(english("queued", version="v2")) for answer in answers)
        await r.turns_end()
        assert len(await r.turns()) == 3
