"""What edits cost, which limits hold for them, and what is said where one has no room."""

import pytest

from bot.policy.share_texts import refused_share, share_line
from conversations.messages import Message, joined
from conversations.settings import EditSettings, Grid
from conversations.shares import DAY_S, HOUR_S, ShareRules, edit_cost, share_limits
from conversations.store.share_ledger import ShareLimit, ShareUse, ShareUsedUp
from mgie_engine.config import Defaults

USUAL = Defaults(text_cfg=7.5, image_cfg=1.5, steps=100)
DAY = Message("share_window.day")


def settings(*, steps: int = 100, image_cfg: float = 1.5) -> EditSettings:
    return EditSettings(7.5, image_cfg, steps, 1, "dpmpp_2m")


def test_cost_is_steps_times_branches_times_pictures_in_usual_edits() -> None:
    assert edit_cost(settings(), USUAL, None, is_auto=False) == 1
    assert edit_cost(settings(steps=200), USUAL, None, is_auto=False) == 2
    assert edit_cost(settings(image_cfg=1), USUAL, None, is_auto=False) == pytest.approx(2 / 3)
    assert edit_cost(settings(image_cfg=1), USUAL, None, is_auto=True) == 1  # it may need three
    assert edit_cost(settings(), USUAL, Grid((2, 4, 7), (1.2, 1.5, 2)), is_auto=False) == 9
    assert edit_cost(settings(), USUAL, Grid((7,), (1.0, 1.5, 2)), is_auto=False) == pytest.approx(8 / 3)


def test_the_highest_role_counts_and_no_role_takes_away() -> None:
    rules = ShareRules(user_day=10, roles={"helper": 50, "friend": 20, "new": 2})
    assert rules.of_user(()) == 10
    assert rules.of_user(("new",)) == 10
    assert rules.of_user(("friend", "helper")) == 50
    assert ShareRules(roles={"helper": 50}).of_user(("helper",)) is None


def test_a_direct_message_has_the_limits_of_the_user_and_of_all() -> None:
    rules = ShareRules(1, 2, 3, 4, 5, 6)
    in_server = share_limits(rules, 7, "ann", "server", ())
    direct = share_limits(rules, 7, "ann", None, ())
    assert direct == (
        ShareLimit("user", HOUR_S, 1, "ann"),
        ShareLimit("user", DAY_S, 2, "ann"),
        ShareLimit("all", HOUR_S, 5),
        ShareLimit("all", DAY_S, 6),
    )
    assert in_server[4:] == (
        ShareLimit("member", DAY_S, 7, "ann", "server"),
        ShareLimit("server", HOUR_S, 3, None, "server"),
        ShareLimit("server", DAY_S, 4, None, "server"),
    )
    assert share_limits(ShareRules(), None, "ann", "server", ()) == ()


def test_a_refusal_says_what_is_left_and_when_there_is_room() -> None:
    limit, whose, wait = (
        ShareLimit("user", DAY_S, 10, "ann"),
        Message("share.user"),
        Message("minutes", count=10),
    )
    used_up = ShareUsedUp(ShareUse(limit, 10, 600), 0.0)
    assert refused_share(used_up) == Message("share_used_up", whose=whose, most=10, window=DAY, wait=wait)
    too_little = ShareUsedUp(ShareUse(limit, 7.5, 600), 9)
    assert refused_share(too_little) == Message(
        "share_too_little", whose=whose, most=10, window=DAY, wait=wait, left=2.5, cost=9
    )
    too_large = ShareUsedUp(ShareUse(limit, 0, None), 18)
    assert refused_share(too_large) == Message("share_too_large", cost=18, most=10, window=DAY)


def test_what_is_left_is_said_with_when_more_comes() -> None:
    limit = ShareLimit("member", DAY_S, 10, "ann", "server")
    line = Message("share_left", whose=Message("share.member"), left=10, most=10, window=DAY)
    assert share_line(ShareUse(limit, 0, None)) == line
    used = Message("share_left", whose=Message("share.member"), left=9.5, most=10, window=DAY)
    more = Message("share_more", wait=Message("hours", count=24))
    assert share_line(ShareUse(limit, 0.5, DAY_S)) == joined(" ", used, more)
