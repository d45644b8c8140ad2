"""The rules of a server: what is decided, kept, and how it narrows the bot's own limits."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat.events import Act, EditAsked
from bot.chat.moderation_events import Rule, RuleAsked
from bot.chat.replies import Accepted, Note, Say, buttons
from bot.policy.limits import Limits
from bot.policy.server_settings import (
    LOG_KEPT,
    NO_RULES,
    Deed,
    HouseRules,
    Houses,
    objection_of_house,
    objection_to_quota,
    with_one,
)
from bot.workflow.moderation import ruled
from conversations.store.session_store import SessionStore
from tests.support.fakes import EchoEditor, a_picture
from tests.support.workflow_room import desk

HOUSE, ANN, PLACE = "paper:1", "paper:ann", "paper:c1"


def rule(rule: Rule, subject: str = "", **numbers: int) -> RuleAsked:
    return RuleAsked(person="paper:mod", channel=PLACE, event_id="e", rule=rule, subject=subject, **numbers)


def test_a_decision_and_its_opposite_leave_things_as_they_were() -> None:
    for on, off, subject in (
        (Rule.PAUSE, Rule.RESUME, ""),
        (Rule.CLOSE, Rule.OPEN, PLACE),
        (Rule.HIDE, Rule.OPEN, PLACE),
        (Rule.OVERHEAR, Rule.IGNORE, PLACE),
        (Rule.OWN_ONLY, Rule.BY_CONSENT, ""),
        (Rule.BLOCK, Rule.UNBLOCK, ANN),
        (Rule.BAR, Rule.LIFT, "0123456789abcdef"),
    ):
        decided = ruled(NO_RULES, rule(on, subject))
        assert decided != NO_RULES
        assert ruled(decided, rule(off, subject)) == NO_RULES


def test_a_limit_that_is_not_named_stays_and_zero_takes_it_back() -> None:
    both = ruled(NO_RULES, rule(Rule.LIMITS, waiting=2, per_day=9))
    assert (both.waiting, both.per_day) == (2, 9)
    assert ruled(both, rule(Rule.LIMITS, waiting=0)) == HouseRules(per_day=9)


@pytest.mark.parametrize(("waiting", "held_to"), [(None, 3), (1, 1), (50, 3)])
def test_a_server_can_only_narrow_the_limits_of_the_bot(waiting: int | None, held_to: int) -> None:
    assert HouseRules(waiting=waiting).merged_over(Limits(waiting_per_person=3)).waiting_per_person == held_to


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        (NO_RULES, None),
        (HouseRules(is_paused=True), Say.PAUSED),
        (HouseRules(blocked=(ANN,)), Say.BLOCKED),
        (HouseRules(closed=(PLACE,)), Say.CHANNEL_CLOSED),
        (HouseRules(closed=("paper:above",)), Say.CHANNEL_CLOSED),
        (HouseRules(closed=("paper:other",), blocked=("paper:ben",)), None),
    ],
)
def test_what_a_house_does_not_take_it_says(rules: HouseRules, sentence: Say | None) -> None:
    asked = EditAsked(person=ANN, channel=PLACE, event_id="e", source={"guild": 1, "parent": "above"})
    objection = objection_of_house(asked, rules)
    assert (objection and objection[1]) == (sentence and sentence())


def test_a_day_slides() -> None:
    hour = 3600.0
    made_at = [0.0, 2 * hour, 3 * hour]
    assert objection_to_quota(made_at, 3, 4 * hour) == Say.OUT_OF_QUOTA(limit=3, wait="20 h")
    assert objection_to_quota(made_at, 3, 24 * hour) is None


def test_a_group_holds_everybody_once() -> None:
    assert with_one(("a", "b"), "a", is_in=True) == ("b", "a")
    assert with_one(("a", "b"), "a", is_in=False) == ("b",)


def test_the_log_keeps_the_newest() -> None:
    rules = NO_RULES
    for number in range(LOG_KEPT + 1):
        rules = rules.noted(Deed(float(number), "paper:mod", "pause"))
    assert [deed.at for deed in rules.log] == [float(n) for n in range(1, LOG_KEPT + 1)]


async def test_rules_outlive_the_process_and_stay_in_their_house(tmp_path: Path) -> None:
    def blocked(rules: HouseRules) -> HouseRules:
        return replace(rules, blocked=(ANN,), per_day=3).noted(Deed(1.0, "paper:mod", "block", ANN))

    async with SessionStore.open(tmp_path / "bot.db") as store:
        decided = await Houses(store).change(HOUSE, blocked)
    async with SessionStore.open(tmp_path / "bot.db") as store:
        assert await Houses(store).rules(HOUSE) == decided
        assert await Houses(store).rules("paper:2") == await Houses(store).rules(None) == NO_RULES


async def test_two_edits_at_once_do_not_both_take_the_last_place_of_a_day(tmp_path: Path) -> None:
    async with desk(tmp_path, EchoEditor()) as d:
        await Houses(d.store).change(HOUSE, lambda rules: replace(rules, per_day=1))
        both = [
            d.asked("make it red", channel=channel, picture=a_picture(), source={"guild": 1})
            for channel in ("c1", "c2")
        ]
        one, other = await asyncio.gather(*map(d.workflow.handle, both))
    assert isinstance(one, Accepted)
    assert other == Note(Say.OUT_OF_QUOTA(limit=1, wait="24 h"), buttons=buttons(Act.MY_EDITS))


async def test_rules_of_a_later_release_are_read_as_far_as_they_are_known(tmp_path: Path) -> None:
    async with SessionStore.open(tmp_path / "bot.db") as store:
        await store.remember(f"house {HOUSE}", '{"is_paused": true, "curfew": "22:00"}')
        assert await Houses(store).rules(HOUSE) == HouseRules(is_paused=True)
