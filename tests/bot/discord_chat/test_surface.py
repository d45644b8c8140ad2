"""What is behind the buttons and in the menus: compare, more, strengths, forms, sheets, consent, privacy."""

import io
import zipfile
from pathlib import Path

import pytest

from conversations.errors import StorageFull
from conversations.messages import Message as Text
from conversations.turn import TurnState
from tests.bot.discord_chat.test_buttons import a_card, next_result, said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_gestures import done, opened, press, seen
from tests.support.discord_room import Room, results_in, room, turn_of
from tests.support.discord_server.people import buttons_of, gallery_of, text_of
from tests.support.discord_server.world import Message
from tests.support.english import english
from tests.support.fakes import ScriptedEditor, a_picture, a_preview, painting

# -- cards --------------------------------------------------------------------------------------------------


async def test_compare_shows_both_versions_and_where_they_differ(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        answer = await press(r, await r.result(post_picture(r)), "Compare", r.ben)
        alts = [alt for _, alt in gallery_of(answer, r.discord.world)]
        assert alts == [
            "v0: The uploaded picture",
            "v1: make the ball red",
            "Difference: bright where v0 and v1 differ",
        ]
        assert "0 % of the pixels differ" in text_of(answer)


async def test_more_lists_the_versions_and_choosing_one_goes_there(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        more = await press(r, await r.result(post_picture(r)), "More")
        root = next(turn for turn in await r.turns() if turn.is_upload)
        assert english("now_at", version="v0") in await said(r, r.discord.choose(more, r.anna, root.id))


async def test_the_picture_alone_comes_as_it_was_made(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        more = await press(r, await r.result(post_picture(r)), "More")
        picture = await press(r, more, "PNG")
        (upload,) = picture.uploads
        assert upload.data == r.images.get((await r.turns())[1].image or "")


async def test_a_corrected_reading_conditions_the_model(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        more = await press(r, await r.result(post_picture(r)), "More")
        form = await opened(r, r.discord.press(more, "Correct the reading", r.anna))
        assert (form.modal or {})["components"][0]["component"]["value"] == "(echo)"
        r.discord.fill_in(form, words="a crimson ball")
        corrected = await next_result(r, 2)
        assert "**Understood as:** a crimson ball" in text_of(corrected)
        assert "v2 · [from v0" in text_of(corrected)
        seeds = {turn.settings.seed for turn in await r.turns() if turn.settings}
        assert len(seeds) == 1


async def test_a_deleted_version_takes_its_message_along(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result = await r.result(post_picture(r))
        await r.turns_end()
        more = await press(r, result, "More")
        assert english("not_yours", version="v1") in text_of(await press(r, more, "Delete", r.ben))
        await press(r, more, "Delete")
        await r.discord.wait_for(lambda: not r.discord.messages_of_bot(r.channel))
        assert [turn.is_upload for turn in await r.turns()] == [True]


async def test_strengths_show_who_says_so_and_set_the_session(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result = await r.result(post_picture(r))
        panel = await press(r, result, "Strengths")
        assert "**text CFG** 7.5 · *model default*" in text_of(panel)
        assert "**text CFG** 9 · *this session*" in text_of(await press(r, panel, "Bold"))
        assert "**seed** " in text_of(await press(r, panel, "Keep the seed"))
        second = await r.result(r.discord.say(r.channel, r.anna, "now blue", reply_to=result))
        turns = {turn.id: turn for turn in await r.turns()}
        first_used, used = turns[turn_of(result)].settings, turns[turn_of(second)].settings
        assert used is not None
        assert first_used is not None
        assert (used.text_cfg, used.seed) == (9.0, first_used.seed)


async def test_previews_come_at_most_twice_each_with_a_fresh_card(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked = post_picture(r)
        edit = await editor.started()
        shown = set()
        for step in (4, 10, 12):
            edit.report(painting(step, 12, preview=a_preview()))
            if step < 12:
                card = await r.discord.wait_for(lambda: _preview(r, shown))
                shown.add(card.id)
        edit.finish()
        await r.result(asked)
        await r.turns_end()
        assert len(r.discord.messages_of_bot(r.channel)) == 1
        with_files = [q for q in r.discord.requests if isinstance(q.body, dict) and q.body.get("attachments")]
        assert [(q.method, len(q.body["attachments"])) for q in with_files] == [
            ("POST", 1),
            ("POST", 1),
            ("PATCH", 2),
        ]


async def test_a_withdrawn_edit_keeps_no_previews_from_the_next(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked = post_picture(r)
        (await editor.started()).report(painting(1, 12))
        await a_card(r, "🎨")
        r.discord.delete(asked)
        await r.discord.wait_for(lambda: not r.discord.messages_of_bot(r.channel))
        again = post_picture(r)
        edit = await editor.started()
        edit.report(painting(8, 12, preview=a_preview()))
        await r.discord.wait_for(lambda: _preview(r, set()))
        edit.finish()
        await r.result(again)


def _preview(r: Room, before: set[int]) -> Message | None:
    cards = [m for m in r.discord.messages_of_bot(r.channel) if gallery_of(m, r.discord.world)]
    return next((m for m in cards if m.id not in before), None)


# -- forms and menus ----------------------------------------------------------------------------------------


async def test_refine_can_choose_strength_and_start_from_the_original(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        form = await opened(r, r.discord.press(await r.result(post_picture(r)), "Refine", r.anna))
        r.discord.fill_in(form, words="now blue", strength="bold", start="original")
        second = text_of(await next_result(r, 2))
        assert "v2 · [from v0" in second
        assert "-# text 9 · image 1.2" in second


async def test_refine_can_take_another_photo(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        form = await opened(r, r.discord.press(await r.result(post_picture(r)), "Refine", r.anna))
        r.discord.fill_in(form, words="now blue", photo=a_picture(colour="black"))
        assert "v1 · from v0" in text_of(await next_result(r, 2))


async def test_the_menu_of_a_message_edits_its_picture(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        own = r.discord.say(r.channel, r.anna, "look", files={"a.png": a_picture()})
        form = await opened(r, r.discord.menu(own, r.anna, "Edit this image"))
        assert (await said(r, r.discord.fill_in(form, words="make it red"))).startswith("Queued as v1.")
        await next_result(r, 1)


async def test_the_menu_says_where_there_is_nothing_to_do(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        chatter = r.discord.say(r.channel, r.anna, "hello")
        assert await said(r, r.discord.menu(chatter, r.anna, "Edit this image")) == english(
            "no_picture_there"
        )
        for entry in ("Refine from here", "Edit details", "Cancel or delete edit", "Report edit"):
            assert await said(r, r.discord.menu(chatter, r.anna, entry)) == english("no_version_there")


async def test_the_menu_refines_explains_and_reports_a_version(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result = await r.result(post_picture(r))
        form = await opened(r, r.discord.menu(result, r.ben, "Refine from here"))
        assert (form.modal or {})["title"] == "Refine v1"
        assert "**Instruction:** make the ball red" in await said(
            r, r.discord.menu(result, r.ben, "Edit details")
        )
        form = await opened(r, r.discord.menu(result, r.ben, "Report edit"))
        assert await said(r, r.discord.fill_in(form)) == english("reported")


async def test_the_menu_cancels_what_runs_and_deletes_what_is_over(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        post_picture(r)
        await editor.started()
        card = await a_card(r, "🎨")
        assert english("stopped", version="v1") in await said(
            r, r.discord.menu(card, r.anna, "Cancel or delete edit")
        )
        over = await a_card(r, "🚫")
        await r.turns_end()
        await seen(r, r.discord.menu(over, r.anna, "Cancel or delete edit"))
        await r.discord.wait_for(lambda: not r.discord.messages_of_bot(r.channel))


async def test_the_menu_knows_cards_of_the_bot_only(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        post_picture(r)
        await editor.started()
        card = await a_card(r, "🎨")
        copycat = r.discord.world.add_webhook("copycat")
        forged = r.discord.say(r.channel, copycat)
        forged.components, forged.flags = card.components, card.flags
        for entry in ("Cancel or delete edit", "Edit details", "Refine from here", "Report edit"):
            answer = await said(r, r.discord.menu(forged, r.anna, entry))
            assert english("no_version_there") in answer
        assert [turn.state for turn in await r.turns() if not turn.is_upload] == [TurnState.RUNNING]


# -- commands -----------------------------------------------------------------------------------------------


async def test_versions_complete_themselves(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        typing = r.discord.autocomplete(r.channel, r.anna, "edit", "from", "", instruction="blue")
        choices = await r.discord.wait_for(lambda: typing.choices)
        assert [c["value"] for c in choices] == ["v1", "v0"]
        typing = r.discord.autocomplete(r.channel, r.anna, "session goto", "version", "ball")
        assert [c["name"] for c in await r.discord.wait_for(lambda: typing.choices)] == [
            "v1 make the ball red"
        ]


async def test_a_grid_is_one_labelled_image(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        await seen(r, r.discord.slash(r.channel, r.anna, "grid", text_cfg="6 9", image_cfg="1.5"))
        sheet = await next_result(r, 2)
        assert "grid from" in text_of(sheet)
        assert "-# text 6, 9 · image 1.5" in text_of(sheet)
        assert [b["label"] for b in buttons_of(sheet)] == ["1", "2", "Delete"]
        wrong = r.discord.slash(r.channel, r.anna, "grid", text_cfg="many")
        assert await said(r, wrong) == english("grid_size", count=3)


async def test_one_of_four_results_is_picked(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        asked = r.discord.slash(r.channel, r.anna, "edit", instruction="make it dusk", results=4)
        await seen(r, asked)
        sheet = await next_result(r, 2)
        assert [b["label"] for b in buttons_of(sheet)] == ["1", "2", "3", "4", "Delete"]
        assert (await said(r, r.discord.press(sheet, "3", r.anna))).startswith("Picked as v3.")
        picked = await next_result(r, 3)
        assert "v3 · [from v1 ↗]" in text_of(picked)
        assert "make it dusk" in text_of(picked)
        vary = r.discord.slash(r.channel, r.anna, "vary", how="four seeds")
        await seen(r, vary)
        assert "v4 · [grid from v1 ↗]" in text_of(await next_result(r, 4))


async def test_a_grid_says_why_the_current_settings_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise StorageFull("no page can be read", Text("disk_full"))

    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        monkeypatch.setattr("bot.workflow.settings_panel.layers", fails)
        asked = r.discord.slash(r.channel, r.anna, "grid", text_cfg="6 9")
        assert await said(r, asked) == english("disk_full")


async def test_a_version_is_compared_with_any_other(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        await r.result(r.discord.say(r.channel, r.anna, "now blue", reply_to=first))
        asked = r.discord.slash(r.channel, r.anna, "session compare", version="v2", **{"with": "v0"})
        assert "v0 and v2" in await said(r, asked)


async def test_the_queue_offers_to_cancel_each_edit(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        post_picture(r)
        await editor.started()
        queue = await seen(r, r.discord.slash(r.channel, r.anna, "queue"))
        assert english("stopped", version="v1") in text_of(await press(r, queue, "✖ v1"))


# -- privacy ------------------------------------------------------------------------------------------------


async def test_everything_of_mine_comes_as_a_zip(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        await r.turns_end()
        answer = await seen(r, r.discord.slash(r.channel, r.anna, "privacy export"))
        (upload,) = answer.uploads
        with zipfile.ZipFile(io.BytesIO(upload.data)) as export:
            assert any(name.endswith(".png") for name in export.namelist())


async def test_everything_of_mine_is_erased_after_one_more_question(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        await r.turns_end()
        question = await seen(r, r.discord.slash(r.channel, r.anna, "privacy delete"))
        assert len(await r.turns()) == 2
        await press(r, question, "Delete all my data")
        await r.discord.wait_for(lambda: not r.discord.messages_of_bot(r.channel))
        assert await r.turns() == ()
        view = r.discord.slash(r.channel, r.anna, "privacy view")
        assert "0 edits" in await said(r, view)


# -- where only the person has the bot ----------------------------------------------------------------------


async def test_where_the_bot_is_no_member_the_answer_becomes_the_card(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        away = r.discord.world.add_channel("away", foreign=True)
        asked = r.discord.slash(away, r.anna, "edit", instruction="make it red", image=a_picture())
        card = await done(r, asked)
        assert english("no_replies_here") in text_of(card)
        assert len(gallery_of(card, r.discord.world)) == 2
        await r.turns_end()
        form = await opened(r, r.discord.press(card, "Refine", r.anna))
        again = r.discord.fill_in(form, words="now blue")
        second = await r.discord.wait_for(
            lambda: m if (m := again.answer) and "### ✅" in text_of(m) else None
        )
        assert "v2 · " in text_of(second)
        assert away.messages == {}
        assert results_in(r.discord, r.channel) == []


async def test_an_answer_that_comes_too_late_there_ends_quietly(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        away = r.discord.world.add_channel("away", foreign=True)
        asked = r.discord.slash(away, r.anna, "edit", instruction="make it red", image=a_picture())
        edit = await editor.started()
        await seen(r, asked)
        asked.expired = True
        edit.finish()
        await r.turns_end()
        assert {str(turn.state) for turn in await r.turns()} == {"done"}
