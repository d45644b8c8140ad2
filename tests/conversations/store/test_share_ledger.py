"""The ledger of shares: counted in the transaction of a turn, and not undone by deleting."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from conversations.messages import Message
from conversations.request_source import RequestSource
from conversations.session import EditSession
from conversations.store.session_store import SessionStore
from conversations.store.share_ledger import Charge, ShareLimit, ShareUse, ShareUsedUp
from conversations.turn import TurnState
from tests.support.stored_sessions import Clock

HOUR, DAY = 3600.0, 24 * 3600.0
ANN, BEN = "paper:ann", "paper:ben"
SERVER, OTHER = "paper:s1", "paper:s2"
OF_ANN = ShareLimit("user", DAY, 3, ANN)


async def opened(store: SessionStore, user: str = ANN) -> EditSession:
    return await store.open_session("paper:c1", user, image="image")


async def asked(
    store: SessionStore, session: EditSession, cost: float, *limits: ShareLimit, server: str | None = None
):
    """A turn of the session's owner that costs so much."""
    draft = session.ask(session.owner, "darker", source=RequestSource(server=server))
    return await store.add_turn(draft, cost=Charge(cost, limits))


async def used(store: SessionStore, limit: ShareLimit = OF_ANN) -> float:
    (use,) = await store.shares.uses([limit])
    return use.used


async def test_what_has_no_room_is_not_saved(store: SessionStore, clock: Clock) -> None:
    session = await opened(store)
    await asked(store, session, 1, OF_ANN)
    clock.now += HOUR
    await asked(store, session, 1.5, OF_ANN)
    clock.now += HOUR
    with pytest.raises(ShareUsedUp) as refused:
        await asked(store, session, 1, OF_ANN)
    assert refused.value.use.used == 2.5
    assert refused.value.use.more_in_s == pytest.approx(DAY - 2 * HOUR)
    assert len((await store.session(session.id)).turns) == 3
    await asked(store, session, 0.5, OF_ANN)
    clock.now += DAY - 2 * HOUR + 1
    await asked(store, session, 1, OF_ANN)


async def test_more_than_the_whole_share_never_fits(store: SessionStore) -> None:
    with pytest.raises(ShareUsedUp) as refused:
        await asked(store, await opened(store), 9, OF_ANN)
    assert refused.value.use.more_in_s is None


async def test_edits_at_once_do_not_both_take_the_last_of_a_share(store: SessionStore) -> None:
    session = await opened(store)
    both = [asked(store, session, 2, OF_ANN) for _ in range(5)]
    results = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(result, ShareUsedUp) for result in results) == 4


async def test_limits_count_a_user_a_server_and_everybody(store: SessionStore) -> None:
    ann, ben = await opened(store), await opened(store, BEN)
    await asked(store, ann, 1, server=SERVER)
    await asked(store, ann, 2, server=OTHER)
    await asked(store, ann, 4)
    await asked(store, ben, 8, server=SERVER)
    limits = [
        (ShareLimit("user", DAY, 99, ANN), 7),
        (ShareLimit("member", DAY, 99, ANN, SERVER), 1),
        (ShareLimit("server", DAY, 99, None, SERVER), 9),
        (ShareLimit("all", DAY, 99), 15),
    ]
    assert [await used(store, limit) for limit, _ in limits] == [expected for _, expected in limits]


async def test_failures_and_what_never_began_cost_nothing(store: SessionStore) -> None:
    session = await opened(store)
    failed = await asked(store, session, 1)
    await store.begin_attempt(failed.id)
    await store.set_state(failed.id, TurnState.DELIVERING, error=Message("failed"))
    stopped = await asked(store, session, 1)
    await store.set_state(stopped.id, TurnState.DELIVERING)
    assert await used(store) == 0


async def test_what_was_begun_or_done_is_not_given_back(store: SessionStore) -> None:
    session = await opened(store)
    stopped = await asked(store, session, 1)
    await store.begin_attempt(stopped.id)
    await store.set_state(stopped.id, TurnState.DELIVERING)
    done = await asked(store, session, 1)
    await store.begin_attempt(done.id)
    await store.set_state(done.id, TurnState.DELIVERING, image="picture")
    await store.delete_turn(done.id)
    assert await used(store) == 2
    await store.delete_session(session.id)
    assert await used(store) == 2


async def test_a_result_that_the_chat_refuses_costs_nothing(store: SessionStore) -> None:
    turn = await asked(store, await opened(store), 1)
    await store.begin_attempt(turn.id)
    await store.set_state(turn.id, TurnState.DELIVERING, image="picture")
    await store.set_state(turn.id, TurnState.FAILED, image=None, error=Message("discord_refused"))
    assert await used(store) == 0


async def test_an_erased_user_keeps_their_use_under_a_hash_for_a_day(
    store: SessionStore, clock: Clock
) -> None:
    session = await opened(store)
    turn = await asked(store, session, 2, server=SERVER)
    exported = (await store.export_user(ANN))["charges"]
    assert exported == [{"turn": turn.id, "server": SERVER, "cost": 2, "at": clock.now}]
    await store.delete_user(ANN)
    assert await used(store) == 2
    names = await store._do(lambda db: [row["who"] for row in db["charges"].rows])
    assert len(names) == 1
    assert ANN not in names[0]
    clock.now += DAY
    await asked(store, await opened(store, BEN), 1)
    assert (await store.export_user(ANN))["charges"] == []


async def test_the_clock_may_be_set_back(store: SessionStore, clock: Clock) -> None:
    session = await opened(store)
    await asked(store, session, 3, OF_ANN)
    clock.now -= DAY
    await asked(store, session, 3, OF_ANN)


async def test_stores_hash_a_user_with_keys_of_their_own(tmp_path: Path) -> None:
    names = set()
    for file in ("one.db", "other.db"):
        async with SessionStore.open(tmp_path / file) as store:
            await asked(store, await opened(store), 1)
            names |= set(await store._do(lambda db: [row["who"] for row in db["charges"].rows]))
    assert len(names) == 2


def test_a_use_has_nothing_below_zero_left() -> None:
    assert ShareUse(replace(OF_ANN, most=1), 3, 1.0).left == 0
