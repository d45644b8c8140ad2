"""Talking to the bot on Discord: pictures in, pictures out, refined by replying."""

from pathlib import Path

from conversations.turn import TurnState
from tests.support.discord_room import Room, results_in, room, turn_of
from tests.support.discord_server.people import buttons_of, gallery_of, text_of
from tests.support.discord_server.world import Message
from tests.support.english import english
from tests.support.fakes import a_picture

SECTION = 9  # a text with a small picture beside it


def post_picture(r: Room, words: str = "make the ball red", picture: bytes | None = None) -> Message:
    files = {"ball.png": picture or a_picture()}
    return r.discord.say(r.channel, r.anna, words, files=files, mention=True)


async def test_a_mention_with_a_picture_gets_the_edited_picture(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result = await r.result(post_picture(r))
        assert "v1 · [from v0 ↗]" in text_of(result)
        assert "**Instruction:** make the ball red\n**Understood as:** (echo)" in text_of(result)
        assert "-# text 7.5 · image 1.5 · 4 steps" in text_of(result)
        assert [b["label"] for b in buttons_of(result)] == [
            *("Refine", "Undo", "Retry", "Subtler", "Stronger"),
            *("Compare", "Strengths", "More"),
        ]


async def test_a_result_shows_before_and_after_with_words_for_those_who_cannot_see(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        (before, about_before), (after, about_after) = gallery_of(
            await r.result(post_picture(r)), r.discord.world
        )
        assert before.startswith(b"\xff\xd8")
        assert after.startswith(b"\x89PNG")
        assert about_before == "Before: v0"
        assert about_after == "After: make the ball red. Understood as: (echo)"


async def test_a_reply_to_a_result_goes_on_from_that_result(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        other = await r.result(r.discord.say(r.channel, r.anna, "now green", mention=True))
        second = await r.result(r.discord.say(r.channel, r.anna, "now blue", reply_to=first))
        by_id = {turn.id: turn for turn in await r.turns()}
        assert by_id[turn_of(second)].parent_id == by_id[turn_of(other)].parent_id == turn_of(first)
        assert (
            f"[from v1 ↗](https://discord.com/channels/{r.discord.world.guild_id}/{r.channel.id}/{first.id})"
            in (text_of(second))
        )


async def test_while_an_edit_waits_one_card_stands_and_goes_when_the_result_is_there(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        await r.turns_end()
        assert r.discord.messages_of_bot(r.channel) == results_in(r.discord, r.channel)


async def test_a_dm_needs_no_mention(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        dm = r.discord.dm(r.anna)
        first = r.discord.say(dm, r.anna, "make the ball red", files={"ball.png": a_picture()})
        assert "v1 · [from v0 ↗](https://discord.com/channels/@me/" in text_of(await r.result(first))
        assert "v2 · " in text_of(await r.result(r.discord.say(dm, r.anna, "now blue")))


async def test_a_reply_to_ones_own_picture_begins_with_that_picture(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        shared = r.discord.say(r.channel, r.anna, "look", files={"cat.png": a_picture(colour="orange")})
        result = await r.result(
            r.discord.say(r.channel, r.anna, "make it darker", reply_to=shared, mention=True, ping=False)
        )
        assert f"/{shared.id})" in text_of(result)


async def test_a_second_reply_to_the_same_upload_makes_no_second_session(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        upload = post_picture(r)
        await r.result(upload)
        again = r.discord.say(r.channel, r.anna, "make it darker", reply_to=upload, mention=True)
        assert "v2 · [from v0 ↗]" in text_of(await r.result(again))


async def test_chatter_between_users_is_left_alone(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        r.discord.say(r.channel, r.ben, "make the ball red", files={"ball.png": a_picture()})
        r.discord.say(r.channel, r.discord.world.add_person("robot", bot=True), "red!", mention=True)
        asked = post_picture(r)
        await r.result(asked)
        await r.turns_end()
        assert len(r.discord.messages_of_bot(r.channel)) == 1
        assert len(await r.turns()) == 2


async def test_words_without_any_picture_are_asked_back(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        answer = await r.answer(r.discord.say(r.channel, r.anna, "make it darker", mention=True))
        assert english("which_picture") in text_of(answer)


async def test_a_new_user_in_the_channel_chooses_which_picture_is_meant(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        which = await r.answer(r.discord.say(r.channel, r.ben, "make it darker", mention=True))
        label = buttons_of(which)[0]["label"]
        r.discord.press(which, label, r.ben)
        await r.discord.wait_for(lambda: len(results_in(r.discord, r.channel)) == 2)
        (_, mine) = results_in(r.discord, r.channel)
        assert "**Instruction:** make it darker" in text_of(mine)
        assert f"<@{r.ben.id}>" in text_of(mine)


def offers_of(which: Message, r: Room) -> list[tuple[str, str]]:
    """What "Which picture?" offers: each text, and the alt text of the file that stands beside it."""
    sections = [c for c in which.components if c["type"] == SECTION]
    shown = [r.discord.world.uploads[s["accessory"]["media"]["attachment"]] for s in sections]
    return [
        (section["components"][0]["content"], upload.description or "")
        for section, upload in zip(sections, shown, strict=True)
    ]


async def test_each_choice_stands_beside_its_own_picture(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        for words in ("red", "green", "blue"):
            await r.result(post_picture(r, words))
        which = await r.answer(r.discord.say(r.channel, r.ben, "make it darker", mention=True))
        assert offers_of(which, r) == [
            ("**v1** blue", "v1: blue"),
            ("**v1** green", "v1: green"),
            ("**v1** red", "v1: red"),
        ]
        assert len({upload.filename for upload in which.uploads}) == 3


async def test_a_picture_that_was_erased_is_no_choice(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        for words, colour in (("red", "teal"), ("green", "pink"), ("blue", "navy")):
            await r.result(post_picture(r, words, a_picture(colour=colour)))
        turns = {turn.instruction: turn for turn in await r.turns()}
        r.images.delete(turns["green"].image or "")
        which = await r.answer(r.discord.say(r.channel, r.ben, "make it darker", mention=True))
        assert [text for text, _ in offers_of(which, r)] == ["**v1** blue", "**v1** red"]
        chosen = [turns["blue"].id, turns["red"].id]
        assert [b["custom_id"] for b in buttons_of(which)] == [f"e1:choose:{turn}:" for turn in chosen]


async def test_where_every_picture_was_erased_the_question_has_no_choices(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        for turn in await r.turns():
            r.images.delete(turn.image or "")
        which = await r.answer(r.discord.say(r.channel, r.ben, "make it darker", mention=True))
        assert english("which_picture") in text_of(which)
        assert (offers_of(which, r), buttons_of(which), which.uploads) == ([], [], [])


async def test_a_picture_without_words_waits_for_them(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        ready = await r.answer(post_picture(r, ""))
        assert english("picture_ready", version="v0") in text_of(ready)
        result = await r.result(r.discord.say(r.channel, r.anna, "now blue", reply_to=ready))
        assert "v1 · " in text_of(result)


async def test_a_file_that_is_no_picture_gets_a_sentence(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        asked = r.discord.say(r.channel, r.anna, "red", files={"a.png": b"GIF89a nonsense"}, mention=True)
        answer = await r.answer(asked)
        assert text_of(answer)
        assert "Traceback" not in text_of(answer)
        assert await r.turns() == ()


async def test_mentions_of_others_reach_the_model_as_names_and_ping_nobody(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result = await r.result(post_picture(r, f"give <@{r.ben.id}> a hat"))
        assert "**Instruction:** give @Ben a hat" in text_of(result)
        sent = [q for q in r.discord.requests if q.method == "POST" and q.path.endswith("/messages")]
        assert all(q.body["allowed_mentions"]["parse"] == [] for q in sent)


async def test_every_turn_ends_done(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        await r.turns_end()
        assert {turn.state for turn in await r.turns()} == {TurnState.DONE}
