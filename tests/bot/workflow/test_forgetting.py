"""Sessions, words and settings age, and a server that the bot left is forgotten after a grace period."""

import sqlite3
from pathlib import Path

from bot.chat.moderation_events import ModAction, ModActionRequested
from bot.policy.host_facts import HostFacts
from conversations.request_source import RequestSource
from conversations.settings import SettingsOverride
from conversations.store.user_data import Consent
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.workflow_room import WorkflowRoom, workflow_room

DAY_S = 24 * 3600.0
HOST = HostFacts(forget_days=365, left_server_days=30)
LEFT, STAYS = "paper:s1", "paper:s2"


async def tidy(d: WorkflowRoom, days: float) -> None:
    """That many days later, hourly tidies run; two, a day apart, so that an even clock is known."""
    await d.workflow.delete_old_images()
    d.clock.now += days * DAY_S
    await d.workflow.delete_old_images()


def rows(d: WorkflowRoom) -> dict[str, int]:
    """How many rows there are in each table that has any."""
    with sqlite3.connect(d.folder / "conversations.db") as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: db.execute(f"SELECT count(*) FROM [{table}]").fetchone()[0] for table in tables}


async def test_what_nobody_used_for_a_year_is_erased_and_the_rest_stays(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        old = await d.accepted("make it red", picture=a_picture())
        await d.idle()
        await d.store.set_override("user", "paper:ann", SettingsOverride(steps=3))
        await d.store.set_consent("paper:ann", None, Consent.ALWAYS)
        await d.store.users.set_language("paper:ann", "de")
        await tidy(d, 200)
        young = await d.accepted("make it blue", "ben", "c2", picture=a_picture(colour="red"))
        await d.idle()
        await tidy(d, 170)
        found = rows(d)
        assert (found["sessions"], found["turns"], found["heads"]) == (1, 2, 1)
        assert (found["overrides"], found["consents"], found["users"]) == (0, 0, 0)
        assert await d.store.turn(young.card.turn_id)
        database = (tmp_path / "conversations.db").read_bytes()
        assert b"make it red" not in database
        assert old.card.turn_id not in {turn.id for turn in await d.store.turns_by("paper:ann")}
        assert d.chat.deleted == []


async def test_a_wrong_clock_erases_nothing(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        d.workflow._privacy.uptime = lambda: 0.0  # the machine ran on: only its clock was set
        await tidy(d, 400)
        assert rows(d)["sessions"] == 1


async def test_a_server_is_forgotten_a_month_after_the_bot_left(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        for place, server in (("c1", LEFT), ("c2", STAYS)):
            source = RequestSource(server=server)
            await d.accepted("red", channel=place, picture=a_picture(), source=source)
            await d.idle()
            mod = {**d.origin("mod", place), "source": source, "is_moderator": True}
            await d.workflow.handle(ModActionRequested(**mod, action=ModAction.BLOCK, subject="paper:cem"))
        await d.store.ageing.servers_present("paper", [STAYS])
        await tidy(d, 29)
        assert rows(d)["sessions"] == 2
        await tidy(d, 2)
        assert rows(d)["sessions"] == 1
        assert (await d.store.servers.settings(LEFT)).blocked == ()
        assert await d.store.servers.audit_log(LEFT) == ()
        assert (await d.store.servers.settings(STAYS)).blocked == ("paper:cem",)


async def test_a_bot_that_is_invited_again_in_time_knows_the_server(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, ScriptedEditor(), host=HOST) as d:
        mod = {**d.origin("mod"), "source": RequestSource(server=LEFT), "is_moderator": True}
        await d.workflow.handle(ModActionRequested(**mod, action=ModAction.BLOCK, subject="paper:cem"))
        await d.store.ageing.server_left(LEFT)
        await tidy(d, 20)
        await d.store.ageing.servers_present("paper", [LEFT])
        await tidy(d, 20)
        assert (await d.store.servers.settings(LEFT)).blocked == ("paper:cem",)
