"""Messages between machines are plain, and whatever arrives is checked."""

import pickle
from dataclasses import fields, replace

import pytest

from conversations.messages import Message, joined
from mgie_engine.cluster import cluster_messages as cm
from mgie_engine.edits import EditResult, Exchange, Progress, Stage
from mgie_engine.errors import DataError, EngineDied, EngineError, NoRoom, RequestRefused
from tests.support.fakes import a_request, echo

ORDER = cm.ReplicaOrder(
    "bot", 7, "k1", "w", replace(a_request(), history=(Exchange("a", "b"),), reading="It is red.")
)
NOTE = joined(" ", Message("parent_failed", parent="v2", nearest="v1"), Message("text", text="ok"))
RESULT = replace(echo(a_request()), notes=(NOTE,), seconds={"painting": 1.5}, changed=0.25)
STATUS = cm.ReplicaStatus("r1", "w", ready=True, slots=8, running=3, mine=["k1", "k2"], deaths=1)


def is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(type(key) is str and is_plain(part) for key, part in value.items())
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return type(value) in (str, int, float, bool, bytes, type(None))


def test_orders_signs_and_statuses_arrive_as_they_were():
    sign = cm.SignOfLife("bot", 7, 1, ["k1"])
    assert cm.read_edit(cm.edit_message(ORDER)) == ORDER
    assert cm.read_sign(cm.sign_message(sign)) == sign
    assert cm.read_status(cm.status_message(STATUS)) == STATUS


@pytest.mark.parametrize(
    "event",
    [cm.Held(), Progress(Stage.PAINTING, 3, 20, "It is red.", b"webp"), RESULT],
    ids=["held", "progress", "result"],
)
def test_events_arrive_as_they_were(event: cm.Held | Progress | EditResult):
    assert cm.read_event(cm.event_message(event)) == event


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RequestRefused("no", NOTE), RequestRefused),
        (EngineDied("gone"), EngineDied),
        (NoRoom("full"), NoRoom),
        (cm.Unheard("silence"), cm.Unheard),
        (DataError("of a kind that does not travel"), EngineError),
    ],
)
def test_errors_arrive_as_what_they_are_a_kind_of(error: EngineError, kind: type[EngineError]):
    arrived = cm.read_event(cm.event_message(error))
    assert type(arrived) is kind
    assert (str(arrived), arrived.message) == (str(error), error.message)


def test_no_class_of_ours_travels():
    for event in (Progress(Stage.PAINTING), RESULT, RequestRefused("no", NOTE)):
        assert is_plain(cm.event_message(event))
    assert is_plain(cm.edit_message(ORDER))
    assert is_plain(cm.status_message(STATUS))
    assert b"mgie_engine" not in pickle.dumps(cm.event_message(Progress(Stage.PAINTING)))


def test_a_result_travels_with_all_its_fields():
    assert {field.name for field in fields(cm._Result)} == {field.name for field in fields(EditResult)}


def bent(**changes: object) -> dict:
    message = cm.edit_message(ORDER)
    return message | changes


SETTINGS = cm.edit_message(ORDER)["body"]["request"]["settings"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (None, "No message"),
        ("edit", "No message"),
        ({}, "No message"),
        (bent(version=2), "version 2; this side speaks 3"),
        (bent(kind="sign"), "No message of the kind edit"),
        (bent(body=[]), "No message"),
        (bent(body={}), "bot: "),
        (bent(body=bent()["body"] | {"request": {"image": "x"}}), "request.instruction"),
        (
            bent(
                body=bent()["body"]
                | {"request": bent()["body"]["request"] | {"settings": SETTINGS | {"steps": 10**9}}}
            ),
            "steps must be between",
        ),
    ],
)
def test_what_is_no_order_is_refused_with_the_reason(message: object, reason: str):
    with pytest.raises(cm.BadMessage, match=reason):
        cm.read_edit(message)


def test_an_event_that_cannot_be_read_is_refused():
    broken = cm.event_message(RequestRefused("no"))
    broken["body"]["message"] = {"code": 3}
    with pytest.raises(cm.BadMessage, match="cannot be read"):
        cm.read_event(broken)
