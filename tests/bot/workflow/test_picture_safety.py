"""Pictures that look sexual: on the way in and out, by kind of channel, and when the classifier fails."""

import asyncio
import threading
from dataclasses import replace

import pytest

from bot.chat.events import ButtonAction, GridAsked, HelpAsked
from bot.chat.moderation_events import AppealAsked
from bot.chat.replies import Accepted, CardState, ForModerators, Note
from bot.policy.picture_safety import SafetyAction, SafetyPolicy
from conversations.request_source import RequestSource
from mgie_engine.edits import EditRequest, EditResult, Progress, Report, Stage
from tests.support.fakes import EchoEditor, ScriptedEditor, a_busy_picture, a_picture, echo
from tests.support.picture_safety import broken, magenta, watched
from tests.support.workflow_room import PaperChat, workflow_room

SERVER = RequestSource(server="paper:s")
ADULTS = replace(SERVER, is_age_restricted=True)
SPOILER = SafetyPolicy(SafetyAction.SPOILER, SafetyAction.ALLOW)


class MagentaEditor(EchoEditor):
    """Paints everything magenta."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        return replace(echo(request), image=a_picture(colour="magenta"))


def verdicts(d, stage):
    counted = d.workflow.metrics.safety_verdicts.collect()[0].samples
    return {
        sample.labels["verdict"]: sample.value
        for sample in counted
        if sample.name.endswith("_total") and sample.labels["stage"] == stage
    }


async def test_ordinary_pictures_pass_and_their_time_is_measured(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), limits=watched()) as d:
        for seed in range(4):
            await d.accepted("darker", channel=f"c{seed}", picture=a_busy_picture(seed))
            await d.idle()
        assert verdicts(d, "input") == verdicts(d, "output") == {"pass": 4.0}
        assert (
            d.workflow.metrics.registry.get_sample_value("mgie_safety_seconds_count", {"stage": "input"}) == 4
        )


async def test_an_upload_is_refused_with_an_appeal_and_is_not_stored(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), limits=watched()) as d:
        asked = d.asked("darker", picture=a_picture(colour="magenta"), source=SERVER)
        refused = await d.workflow.handle(asked)
        assert isinstance(refused, Note)
        assert refused.text.code == "unsafe_upload"
        assert [button.act for button in refused.buttons] == [ButtonAction.APPEAL]
        assert d.images.total_bytes() == 0
        assert verdicts(d, "input") == {"block": 1.0}
        appeal = AppealAsked(**d.origin() | {"source": SERVER}, about=refused.about)
        assert (await d.workflow.handle(appeal)).text.code == "no_unsafe_appeals_here"
        await d.store.servers.change("paper:s", lambda now: replace(now, reports="paper:mods"))
        appealed = await d.workflow.handle(replace(appeal, event_id="paper:2"))
        assert isinstance(appealed, ForModerators)
        assert (appealed.to, appealed.summary.code) == ("paper:mods", "unsafe_appeal_text")
        again = await d.workflow.handle(replace(appeal, event_id="paper:3"))
        assert isinstance(again, Note)


async def test_a_result_is_refused_with_an_appeal_and_is_not_stored(tmp_path):
    async with workflow_room(tmp_path, MagentaEditor(), limits=watched()) as d:
        await d.store.servers.change("paper:s", lambda now: replace(now, reports="paper:mods"))
        accepted = await d.accepted("darker", picture=a_picture(), source=SERVER)
        await d.idle()
        card = d.chat.finals(accepted.card.turn_id)[-1]
        assert (card.state, card.status.code, card.after) == (CardState.FAILED, "unsafe_result", None)
        assert ButtonAction.APPEAL in [button.act for button in card.buttons]
        assert verdicts(d, "output") == {"block": 1.0}
        appeal = AppealAsked(**d.origin() | {"source": SERVER}, about=card.turn_id)
        assert (await d.workflow.handle(appeal)).words == "darker"


async def test_a_cell_of_a_grid_is_checked(tmp_path):
    async with workflow_room(tmp_path, MagentaEditor(), limits=watched()) as d:
        await d.workflow.handle(d.asked("", picture=a_picture()))
        grid = await d.workflow.handle(GridAsked(**d.origin(), text="darker"))
        assert isinstance(grid, Accepted)
        await d.idle()
        assert d.chat.finals(grid.card.turn_id)[-1].status.code == "unsafe_result"


async def test_previews_are_not_shown_before_the_result_is_checked(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor, limits=watched()) as d:
        await d.workflow.handle(d.asked("darker", picture=a_picture()))
        edit = await editor.started()
        edit.report(Progress(Stage.PAINTING, 1, 4, preview=b"webp"))
        await d.chat.saw(lambda card: card.fraction > 0)
        assert not [card for card in d.chat.shown if card.preview]
        edit.finish()
        await d.idle()


class PaperDiscord(PaperChat):
    """A chat with spoilers."""

    name = "discord"


async def test_spoilers_and_age_restricted_channels(tmp_path):
    chat = PaperDiscord()
    async with workflow_room(tmp_path, MagentaEditor(), chat, limits=watched(SPOILER)) as d:
        for source, channel, is_hidden in ((SERVER, "discord:c1", True), (ADULTS, "discord:c2", False)):
            asked = d.asked("darker", channel=channel, picture=a_picture(), source=source)
            asked = replace(asked, user="discord:1")
            turn_id = (await d.workflow.handle(asked)).card.turn_id
            await d.idle()
            card = chat.finals(turn_id)[-1]
            assert (card.state, card.is_hidden) == (CardState.DONE, is_hidden)
            stored = await d.store.turn(turn_id)
            assert (stored.is_hidden, stored.source.is_age_restricted) == (is_hidden, source is ADULTS)
        hidden = d.asked("", picture=a_picture(colour="magenta"), channel="discord:c3", source=SERVER)
        shown = await d.workflow.handle(replace(hidden, user="discord:1"))
        assert shown.card.is_hidden


async def test_where_a_chat_has_no_spoilers_they_are_blocked(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), limits=watched(SPOILER)) as d:
        refused = await d.workflow.handle(d.asked("darker", picture=a_picture(colour="magenta")))
        assert refused.text.code == "unsafe_upload"


@pytest.mark.parametrize("score", [broken, lambda png: float("nan"), lambda png: 7.0])
async def test_a_broken_classifier_closes_or_as_the_operator_says_opens(tmp_path, score):
    async with workflow_room(tmp_path / "closed", EchoEditor(), limits=watched(score=score)) as d:
        refused = await d.workflow.handle(d.asked("darker", picture=a_picture()))
        assert refused.text.code == "safety_broken"
        assert verdicts(d, "input") == {"broken": 1.0}
    opened = watched(SafetyPolicy(is_open_broken=True), score)
    async with workflow_room(tmp_path / "open", EchoEditor(), limits=opened) as d:
        await d.accepted("darker", picture=a_picture())
        await d.idle()
        assert verdicts(d, "output") == {"broken": 1.0}


async def test_the_bot_answers_while_a_picture_is_looked_at(tmp_path):
    may_end = threading.Event()

    def slow(png: bytes) -> float:
        assert may_end.wait(60)
        return magenta(png)

    async with workflow_room(tmp_path, EchoEditor(), limits=watched(score=slow)) as d:
        looking = asyncio.create_task(d.workflow.handle(d.asked("darker", picture=a_picture())))
        assert await d.workflow.handle(HelpAsked(**d.origin("ben"))) is not None
        may_end.set()
        assert isinstance(await looking, Accepted)
        await d.idle()
