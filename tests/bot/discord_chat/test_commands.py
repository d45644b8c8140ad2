"""Slash commands: what each does, and that Discord is answered at once."""

from pathlib import Path

import pytest

from bot.chat.events import Preset
from mgie_engine.strengths import NOT_STUDIED
from tests.support.discord_room import Room, results_in, room, turn_of
from tests.support.discord_server.interactions import ANSWER_WITHIN_S, DEFER, Interaction
from tests.support.discord_server.people import RefusedByDiscord, gallery_of, text_of
from tests.support.discord_server.world import EPHEMERAL, Message
from tests.support.english import english, in_english
from tests.support.fakes import ScriptedEditor, a_picture


async def answered(r: Room, asked: Interaction) -> str:
    """What the bot answered, once it did."""
    answer = await r.discord.wait_for(lambda: asked.answer)
    assert answer.flags & EPHEMERAL
    return text_of(answer)


async def use(r: Room, command: str, **options: object) -> str:
    return await answered(r, r.discord.slash(r.channel, r.anna, command, **options))


def answers_to(r: Room, said: Message) -> str:
    """What the bot has said in reply to a message so far."""
    replies = [one for one in r.channel.messages.values() if one.reply_to is said]
    return " ".join(text_of(one) for one in replies)


async def results(r: Room, count: int) -> list[Message]:
    return await r.discord.wait_for(
        lambda: found if len(found := results_in(r.discord, r.channel)) >= count else None
    )


async def begin(r: Room) -> Message:
    await use(r, "edit", instruction="make the ball red", image=a_picture())
    return (await results(r, 1))[0]


async def test_edit_with_an_image_begins(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        assert (await use(r, "edit", instruction="make the ball red", image=a_picture())).startswith(
            "Queued as v1."
        )
        assert "v1 · from v0" in text_of((await results(r, 1))[0])


async def test_edit_without_an_image_refines_my_last_version(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await begin(r)
        await use(r, "edit", instruction="now blue")
        assert "v2 · [from v1 ↗]" in text_of((await results(r, 2))[1])


async def test_edit_from_names_the_version_to_go_on_from(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await begin(r)
        await use(r, "edit", instruction="now blue", **{"from": "v0"})
        assert "v2 · from v0" in text_of((await results(r, 2))[1])


async def test_vary_runs_my_last_edit_again_from_where_it_started(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await begin(r)
        assert (await use(r, "vary")).startswith("Queued as v2.")
        again = (await results(r, 2))[1]
        assert "v2 · from v0" in text_of(again)
        assert "make the ball red" in text_of(again)


@pytest.mark.parametrize(("how", "fact"), [("stronger", "text 9"), ("subtler", "text 6")])
async def test_vary_takes_a_version_and_a_direction(tmp_path: Path, how: str, fact: str) -> None:
    async with room(tmp_path) as r:
        await begin(r)
        await use(r, "edit", instruction="now blue")
        await results(r, 2)
        await use(r, "vary", how=how, version="v1")
        varied = text_of((await results(r, 3))[2])
        assert "v3 · from v0" in varied
        assert fact in varied


async def test_vary_from_original_takes_all_instructions_at_once(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await begin(r)
        await use(r, "edit", instruction="now blue")
        await results(r, 2)
        await use(r, "vary", how="from original")
        varied = text_of((await results(r, 3))[2])
        assert "v3 · from v0" in varied
        assert "make the ball red" in varied
        assert "now blue" in varied


async def test_a_version_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await begin(r)
        assert "v9" in await use(r, "edit", instruction="now blue", **{"from": "v9"})


async def test_interactions_are_acknowledged_before_anything_else_is_done(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked = [
            r.discord.slash(r.channel, who, "edit", instruction="red", image=a_picture())
            for who in (r.anna, r.ben, r.discord.world.owner)
        ]
        await r.discord.wait_for(lambda: all(a.answer for a in asked))
        assert {a.callback for a in asked} == {DEFER}
        assert max(a.answered_s or 99 for a in asked) < ANSWER_WITHIN_S


async def test_cfg_alone_shows_each_value_and_who_says_so(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        panel = await use(r, "cfg")
        assert "**text CFG** 7.5 · *model default*" in panel
        assert "**seed** random" in panel


async def test_cfg_changes_the_next_edit(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await begin(r)
        panel = await use(r, "cfg", text_cfg=9.0, seed="42", scope="me")
        assert "**text CFG** 9 · *you*" in panel
        await use(r, "edit", instruction="now blue")
        assert "-# text 9 · image 1.5 · 4 steps · seed 42" in text_of((await results(r, 2))[1])


async def test_cfg_auto_is_kept_shown_and_explained_on_the_card(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        assert "auto · *you*" in await use(r, "cfg", preset="auto", scope="me")
        assert (await use(r, "cfg")).count("auto · *you*") == 2
        assert in_english(NOT_STUDIED) in text_of(await begin(r))


@pytest.mark.parametrize("preset", Preset)
async def test_every_preset_can_be_chosen(tmp_path: Path, preset: Preset) -> None:
    async with room(tmp_path) as r:
        assert "you" in await use(r, "cfg", preset=preset.value, scope="me")


@pytest.mark.parametrize(
    "option", [{"text_cfg": 21.0}, {"image_cfg": -0.1}, {"steps": 0}, {"scope": "world"}]
)
async def test_out_of_range_is_refused_by_discord_itself(tmp_path: Path, option: dict[str, object]) -> None:
    async with room(tmp_path) as r:
        with pytest.raises(RefusedByDiscord):
            r.discord.slash(r.channel, r.anna, "cfg", **option)


async def test_a_seed_that_is_no_number_is_explained(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        assert await use(r, "cfg", seed="lucky") == english("not_a_seed", word="lucky")


async def test_only_moderators_set_a_whole_channel(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        assert english("no_channel_right") in await use(r, "cfg", steps=10, scope="channel")
        owner = r.discord.world.owner
        asked = r.discord.slash(r.channel, owner, "cfg", steps=10, scope="channel")
        assert "**steps** 10 · *this channel*" in await answered(r, asked)


async def test_undo_and_redo_move_between_versions(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await begin(r)
        await use(r, "edit", instruction="now blue")
        await results(r, 2)
        assert english("back_at", version="v1") in await use(r, "session undo")
        assert english("now_at", version="v2") in await use(r, "session redo")
        assert "v1" in await use(r, "session goto", version="v1")
        await use(r, "edit", instruction="now green")
        assert "v3 · [from v1 ↗]" in text_of((await results(r, 3))[2])


async def test_a_command_that_is_reworded_is_answered_again(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await begin(r)
        await use(r, "edit", instruction="now blue")
        await results(r, 2)
        said = r.discord.say(r.channel, r.anna, "undo", mention=True)
        await r.discord.wait_for(lambda: english("back_at", version="v1") in answers_to(r, said))
        r.discord.rewrite(said, "redo")
        await r.discord.wait_for(lambda: english("now_at", version="v2") in answers_to(r, said))


async def test_the_history_lists_all_versions_with_their_pictures(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await begin(r)
        asked = r.discord.slash(r.channel, r.anna, "session history")
        text = await answered(r, asked)
        assert "**●** v1 · from v0 — make the ball red" in text
        assert asked.answer is not None
        alts = [alt for _, alt in gallery_of(asked.answer, r.discord.world)]
        assert alts == ["v0: The uploaded picture", "v1: make the ball red"]


async def test_a_version_can_be_shown_again_with_live_buttons(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await begin(r)
        r.discord.slash(r.channel, r.anna, "show", version="v1")
        again = (await results(r, 2))[1]
        assert "make the ball red" in text_of(again)
        assert turn_of(again) == turn_of(first)


async def test_a_new_session_forgets_the_picture(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await begin(r)
        assert await use(r, "session new") == english("new_session")
        assert english("which_picture") in await use(r, "edit", instruction="now blue")


async def test_help_and_info_say_how_and_what(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        assert await use(r, "help") == f"{english('help')}\n{english('help.discord')}"
        info = await use(r, "info")
        assert "test-model" in info
        assert english("licence") in info


async def test_cancel_stops_my_newest_edit(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        await use(r, "edit", instruction="red", image=a_picture())
        await editor.started()
        assert "v1" in await use(r, "queue")
        assert await use(r, "cancel") == english("stopped", version="v1")
        card = await r.discord.wait_for(
            lambda: next((m for m in r.discord.messages_of_bot(r.channel) if "🚫" in text_of(m)), None)
        )
        assert english("cancelled") in text_of(card)


async def test_undo_cancels_my_running_edit_and_says_so(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        await use(r, "edit", instruction="red", image=a_picture())
        edit = await editor.started()
        assert english("stopped", version="v1") in await use(r, "session undo")
        assert edit.cancelled


async def test_commands_work_in_dms(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        dm = r.discord.dm(r.anna)
        await answered(r, r.discord.slash(dm, r.anna, "edit", instruction="red", image=a_picture()))
        await r.discord.wait_for(lambda: results_in(r.discord, dm))
