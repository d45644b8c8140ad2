"""A message is marked before it is tried, and given up after two tries that had no end."""

from pathlib import Path

import pytest

from bot.discord_chat.inbound.attempts import Attempt, Attempts
from conversations.store.session_store import SessionStore

EVENT = "discord:m:1"


async def attempt(store: SessionStore, *, is_counted: bool = True) -> Attempt:
    """What a bot just started makes of the message, before it is killed."""
    async with Attempts(store).at(EVENT, is_counted=is_counted) as found:
        return found


async def test_the_third_try_is_given_up(tmp_path: Path) -> None:
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        found = [await attempt(store) for _ in range(4)]
    assert found == [Attempt.OPEN, Attempt.OPEN, Attempt.GIVEN_UP, Attempt.GIVEN_UP]


async def test_what_was_answered_is_over(tmp_path: Path) -> None:
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        await Attempts(store).answered(EVENT)
        assert await attempt(store) is Attempt.OVER


async def test_a_message_delivered_twice_is_tried_once_at_a_time(tmp_path: Path) -> None:
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        attempts = Attempts(store)
        async with attempts.at(EVENT, is_counted=True) as first, attempts.at(EVENT, is_counted=True) as again:
            assert (first, again) == (Attempt.OPEN, Attempt.OVER)


@pytest.mark.parametrize("is_saved", [True, False])
async def test_what_cannot_end_the_bot_is_never_given_up(tmp_path: Path, is_saved: bool) -> None:
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        if is_saved:  # its edit is on disk, so its picture is not read again
            await store.seen(EVENT)
        assert {await attempt(store, is_counted=is_saved) for _ in range(4)} == {Attempt.OPEN}
