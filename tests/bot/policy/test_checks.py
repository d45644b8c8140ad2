"""The rules that every event must pass."""

from dataclasses import replace
from typing import Any

import pytest

from bot.chat.events import (
    CancelAsked,
    DeleteAsked,
    EditAsked,
    Event,
    GridAsked,
    LockAsked,
    Move,
    MoveAsked,
    Scope,
    SettingsAsked,
    VariationAsked,
)
from bot.chat.grid_events import CellPicked
from bot.chat.moderation_events import ModAction, ModActionRequested
from bot.chat.offered_pictures import offered
from bot.policy.checks import (
    ADMISSION,
    Facts,
    first_refusal,
    objection_to_text,
    recent,
    refused_permission,
    refused_picture,
)
from bot.policy.limits import Limits
from conversations.messages import Message
from conversations.request_source import NO_SOURCE, RequestSource
from conversations.servers import DEFAULT_SERVER_SETTINGS, ServerSettings
from conversations.session import EditSession
from conversations.store.share_ledger import ShareLimit, ShareUse, ShareUsedUp
from conversations.turn import Turn
from conversations.variations import Variation

LIMITS = Limits(waiting_per_person=3, waiting=5, instruction_chars=10, requests=2, window_s=12)
ANN, BEN, PLACE = "paper:ann", "paper:ben", "paper:c1"
WHO: dict[str, Any] = {
    "user": ANN,
    "channel": PLACE,
    "event_id": "e",
    "source": RequestSource(server="paper:1", parent_channel="paper:above"),
}
EDIT = EditAsked(**WHO, text="darker")
VARY = VariationAsked(**WHO, variation=Variation.AGAIN)
GRID = GridAsked(**WHO)
USED_UP = ShareUsedUp(ShareUse(ShareLimit("user", 3600.0, 2.0), 2.0, 60.0), 0.0)
FACTS = Facts(EDIT, DEFAULT_SERVER_SETTINGS, LIMITS, now=100.0, uptime_s=100.0)


def refused(event: Event, **changes: object) -> str | None:
    """The label of the check that refuses an event."""
    found = first_refusal(replace(FACTS, event=event, **changes))  # type: ignore[arg-type]
    return found.check.reason if found else None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"settings": ServerSettings(is_paused=True)}, "paused"),
        ({"settings": ServerSettings(blocked=(ANN,))}, "blocked"),
        ({"settings": ServerSettings(closed=(PLACE,))}, "closed"),
        ({"settings": ServerSettings(closed=("paper:above",))}, "closed"),
        ({"settings": ServerSettings(closed=("paper:other",), blocked=(BEN,))}, None),
        ({"is_draining": True}, "draining"),
        ({"waiting": 2, "waiting_of_all": 4}, None),
        ({"waiting": 3}, "queue"),
        ({"waiting_of_all": 5}, "queue"),
        ({"waiting": 1, "settings": ServerSettings(waiting=1)}, "queue"),
        ({"waiting": 2, "settings": ServerSettings(waiting=50)}, None),
        ({"waiting": 3, "settings": ServerSettings(waiting=50)}, "queue"),
        ({"requests": (99.0, 99.5)}, "rate"),
        ({"requests": (1.0, 99.5)}, None),
        ({"share": USED_UP}, "quota"),
    ],
)
def test_every_kind_of_edit_passes_the_same_rules(changes: dict[str, object], reason: str | None) -> None:
    assert [refused(event, **changes) for event in (EDIT, VARY, GRID)] == [reason] * 3


def test_who_may_not_write_in_a_channel_makes_no_edits_there() -> None:
    for event in (EDIT, VARY, GRID):
        assert refused(replace(event, may_post=False)) == "may_not_post"
    assert refused(MoveAsked(**WHO, move=Move.UNDO, may_post=False)) is None


def test_what_makes_no_image_is_answered_while_edits_are_refused() -> None:
    everything = {
        "settings": ServerSettings(is_paused=True, blocked=(ANN,), closed=(PLACE,)),
        "is_draining": True,
        "waiting": 9,
    }
    for event in (MoveAsked(**WHO, move=Move.UNDO), CancelAsked(**WHO), DeleteAsked(**WHO)):
        assert refused(event, **everything) is None


def test_an_image_needs_no_words_and_words_have_a_length() -> None:
    assert refused(replace(EDIT, text="")) == "text"
    assert refused(replace(EDIT, text="", own=offered(b"image"))) is None
    assert [objection_to_text(words, LIMITS) is None for words in ("", "x", "x" * 10, "x" * 11)] == [
        *(False, True, True, False)
    ]


def test_a_server_may_allow_only_own_images() -> None:
    only_own = ServerSettings(own_only=True)
    assert refused_picture(ServerSettings(), ANN, BEN) is None
    assert refused_picture(only_own, ANN, BEN) == Message("only_own")
    assert refused_picture(only_own, ANN, ANN) is refused_picture(only_own, ANN, None) is None


def test_moderators_decide_in_servers_and_about_channels() -> None:
    pause = ModActionRequested(**WHO, action=ModAction.PAUSE)
    assert refused(pause) == "not_moderator"
    assert refused(replace(pause, is_moderator=True)) is None
    assert refused(replace(pause, is_moderator=True, source=NO_SOURCE)) == "not_in_server"
    channel = SettingsAsked(**WHO, scope=Scope.CHANNEL, reset=True)
    assert refused(channel) == "channel_settings"
    assert refused(replace(channel, reset=False)) is None
    assert refused(replace(channel, is_moderator=True)) is None


def test_a_window_of_requests_slides() -> None:
    made = (0.0, 5.0)
    refusal = first_refusal(replace(FACTS, uptime_s=6.0, requests=made))
    assert refusal is not None
    window, wait = Message("seconds", count=12), Message("seconds", count=6)
    assert refusal.message == Message("too_fast", count=2, window=window, wait=wait)
    assert first_refusal(replace(FACTS, uptime_s=12.0, requests=made)) is None
    assert recent(made, 16.9, LIMITS.window_s) == (5,)
    assert recent(made, 17, LIMITS.window_s) == ()


def test_a_version_of_another_user_stays_theirs() -> None:
    turn = Turn("k3f9", "s", 1, "p", BEN)
    session = EditSession("s", PLACE, BEN, {turn.id: turn}, {})

    def objection(event: Event, *, is_named: bool = True) -> Message | None:
        return refused_permission(event, session, turn, is_named=is_named)

    for event in (CancelAsked(**WHO), DeleteAsked(**WHO), MoveAsked(**WHO, move=Move.UNDO)):
        assert objection(event) == Message("not_yours", version="v1")
        assert objection(replace(event, user=BEN)) is None
    assert objection(DeleteAsked(**WHO, is_moderator=True)) is None
    assert objection(MoveAsked(**WHO, move=Move.UNDO), is_named=False) is None
    assert objection(MoveAsked(**WHO, move=Move.GO_TO)) is None
    assert objection(LockAsked(**WHO, is_locked=True)) == Message("not_your_session")


@pytest.mark.parametrize("event", [EDIT, VARY, GRID, CellPicked(**WHO, cell=0)])
def test_a_session_has_a_most_of_versions(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = Turn("root", "s", 0, None, ANN)
    session = EditSession("s", PLACE, ANN, {"root": upload, "t1": Turn("t1", "s", 1, "root", ANN)})
    assert refused_permission(event, session, upload, is_named=False) is None
    monkeypatch.setattr("bot.policy.checks.MOST_VERSIONS", 1)
    assert refused_permission(event, session, upload, is_named=False) == Message("too_many_versions", limit=1)
    undo = MoveAsked(**WHO, move=Move.UNDO)
    assert refused_permission(undo, session, upload, is_named=False) is None


def test_every_check_has_a_label_of_its_own() -> None:
    assert len({check.reason for check in ADMISSION}) == len(ADMISSION)


@pytest.mark.parametrize("jump_s", [-3600.0, -365 * 24 * 3600.0, 31 * 24 * 3600.0])
def test_nobody_waits_longer_because_the_clock_was_set(jump_s: float) -> None:
    made = (95.0, 96.0)
    refusal = first_refusal(replace(FACTS, now=100.0 + jump_s, requests=made))
    assert refusal is not None
    assert refusal.message.params["wait"] == Message("seconds", count=7)
