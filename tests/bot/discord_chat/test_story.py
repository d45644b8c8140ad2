"""One story from beginning to end: two people, one channel, twelve turns, a restart in the middle."""

import re
from dataclasses import dataclass
from pathlib import Path

from conversations.turn import Turn, TurnState
from tests.bot.discord_chat.test_buttons import a_card, next_result, said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.bot_process import MarkingEditor, colour_of, marks_on
from tests.support.discord_gestures import opened, press
from tests.support.discord_room import Room, loopback, results_in, room
from tests.support.discord_server.people import gallery_of, text_of
from tests.support.discord_server.world import Message
from tests.support.english import english
from tests.support.fakes import ScriptedEditor


@dataclass(frozen=True)
class ExpectedVersion:
    """A version as it should be: its parent, who asked, what, how it ended."""

    parent: str
    by: str
    words: str
    state: TurnState = TurnState.DONE


BALL, DARK = "make the ball red", "make it darker"
EXPECTED = {
    "v1": ExpectedVersion("v0", "anna", BALL),
    "v2": ExpectedVersion("v1", "anna", DARK),
    "v3": ExpectedVersion("v1", "ben", "add a hat"),  # a branch: Ben replies to v1
    "v4": ExpectedVersion("v2", "anna", "add snow"),
    "v5": ExpectedVersion("v2", "anna", "add rain"),  # after undo
    "v6": ExpectedVersion("v2", "anna", "add rain"),  # stronger: from the parent of v5
    "v7": ExpectedVersion("v3", "ben", "a blue hat", TurnState.CANCELLED),  # while it ran
    "v8": ExpectedVersion("v6", "anna", "add fog", TurnState.CANCELLED),  # while it waited
    "v9": ExpectedVersion("v3", "ben", "a green hat"),  # begun before the restart, finished after it
    "v10": ExpectedVersion("v2", "anna", "add rain"),  # v6 with a corrected reading
    "v11": ExpectedVersion("v10", "anna", "add a boat"),  # Anna goes on from there
    "v12": ExpectedVersion("v0", "ben", "make it grey"),  # Ben names the original
}


async def test_a_story_of_twelve_turns_ends_in_the_tree_it_tells(tmp_path: Path) -> None:
    async with loopback() as discord:
        async with room(tmp_path, MarkingEditor(), discord) as r:
            await first_evening(r)
        editor = ScriptedEditor()
        async with room(tmp_path, editor, discord) as r:
            await two_change_their_minds(r, editor)
        async with room(tmp_path, MarkingEditor(), discord) as r:
            await next_morning(r)
            await r.turns_end()
            check_tree(r, await r.turns())
            for card in results_in(r.discord, r.channel):
                check_card(r, card)
            check_pictures(r)


async def first_evening(r: Room) -> None:
    """v1 to v6: replies, a branch, an undo, stronger."""
    v1 = await r.result(post_picture(r, BALL))
    v2 = await r.result(r.discord.say(r.channel, r.anna, DARK, reply_to=v1))
    await r.result(r.discord.say(r.channel, r.ben, "add a hat", reply_to=v1))
    v4 = await r.result(r.discord.say(r.channel, r.anna, "add snow", reply_to=v2))
    assert english("back_at", version="v2") in await said(r, r.discord.press(v4, "Undo", r.anna))
    v5 = await r.result(r.discord.say(r.channel, r.anna, "add rain", mention=True))
    await said(r, r.discord.press(v5, "Stronger", r.anna))
    await next_result(r, 6)
    await r.turns_end()


async def two_change_their_minds(r: Room, editor: ScriptedEditor) -> None:
    """v7 is cancelled while it runs, v8 while it waits, v9 is still running when the bot ends."""
    r.discord.say(r.channel, r.ben, "a blue hat", mention=True)
    running = await editor.started()
    r.discord.say(r.channel, r.anna, "add fog", mention=True)
    waiting = await r.discord.wait_for(lambda: card_of_words(r, "⏳", "add fog"))
    assert english("stopped", version="v8") in await said(r, r.discord.press(waiting, "Cancel", r.anna))
    card = await a_card(r, "🎨")
    assert english("stopped", version="v7") in await said(r, r.discord.press(card, "Cancel", r.ben))
    assert running.cancelled
    r.discord.say(r.channel, r.ben, "a green hat", mention=True)
    await editor.started()


async def next_morning(r: Room) -> None:
    """The bot is back: v9 is finished; a corrected reading, a step on from it, and the original again."""
    await next_result(r, 7)
    v6 = await r.discord.wait_for(lambda: card_of_words(r, "✅ v6", "add rain"))
    more = await press(r, v6, "More")
    form = await opened(r, r.discord.press(more, "Correct the reading", r.anna))
    r.discord.fill_in(form, words="heavy rain over the meadow")
    v10 = await next_result(r, 8)
    assert "**Understood as:** heavy rain over the meadow" in text_of(v10)
    await r.result(r.discord.say(r.channel, r.anna, "add a boat", mention=True))
    r.discord.slash(r.channel, r.ben, "edit", instruction="make it grey", **{"from": "v0"})
    await next_result(r, 10)


def card_of_words(r: Room, mark: str, words: str) -> Message | None:
    """The card with this mark and these words."""
    cards = (m for m in r.discord.messages_of_bot(r.channel) if f"### {mark}" in text_of(m))
    return next((m for m in cards if f"**Instruction:** {words}" in text_of(m)), None)


def check_tree(r: Room, turns: tuple[Turn, ...]) -> None:
    """Every version hangs where the story says, asked by whom it says, and ended so."""
    labels = {turn.id: turn.label for turn in turns}
    names = {f"discord:{who.id}": who.name for who in (r.anna, r.ben)}
    found = {
        turn.label: ExpectedVersion(labels[turn.parent_id], names[turn.user], turn.instruction, turn.state)
        for turn in turns
        if turn.parent_id is not None
    }
    assert found == EXPECTED


def check_card(r: Room, card: Message) -> None:
    """The card says the right parent, and links the message that shows it."""
    found = re.search(r"### ✅ (v\d+) · \[from (v\d+) ↗\]\(.*/(\d+)\) · <@(\d+)>", text_of(card))
    assert found is not None, text_of(card)
    version, parent, linked, owner = found.groups()
    expected = EXPECTED[version]
    assert (parent, r.discord.world.people[int(owner)].name) == (expected.parent, expected.by)
    shown = r.channel.messages[int(linked)]
    assert f"### ✅ {parent} · " in text_of(shown) if parent != "v0" else shown.author is r.anna


def check_pictures(r: Room) -> None:
    """Every result bears the marks of all instructions on its way, oldest first, and of no others."""
    for card in results_in(r.discord, r.channel):
        version = next(v for v in EXPECTED if f"### ✅ {v} · " in text_of(card))
        path = []
        while version != "v0":
            path.insert(0, EXPECTED[version].words)
            version = EXPECTED[version].parent
        picture = gallery_of(card, r.discord.world)[-1][0]
        assert marks_on(picture, len(path)) == [colour_of(words) for words in path]
