"""Sessions of a store as its tests need them, and the clock by which it writes."""

from conversations.request_source import RequestSource
from conversations.session import EditSession
from conversations.settings import EditSettings
from conversations.store.session_store import SessionStore
from conversations.turn import Turn, TurnState

ANN, BOB, ROOM = "ann", "bob", "room"
PICTURE, RESULT = "a" * 64, "b" * 64
SOURCE = RequestSource(
    language="de",
    server="chat:77",
    channel="chat:501",
    parent_channel="chat:500",
    message="chat:501:12345678901234567890",
    file_limit=2**40,
    token="secret",
    token_expires_at=1.0e12,
)
USED = EditSettings(text_cfg=7.5, image_cfg=1.5, steps=50, seed=7, sampler="dpmpp_2m", keep="strict")


class Clock:
    """Time that passes only when told to, but for a hair at every look, so that order shows."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


async def begin(store: SessionStore, owner: str = ANN, channel: str = ROOM) -> EditSession:
    return await store.open_session(channel, owner, image=PICTURE)


async def ask(store: SessionStore, session: EditSession, person: str, parent: str | None = None) -> Turn:
    now = await store.session(session.id)
    return await store.add_turn(now.ask(person, f"{person} asks", parent=parent))


async def finish(store: SessionStore, turn: Turn, image: str = RESULT) -> Turn:
    await store.set_state(turn.id, TurnState.RUNNING)
    await store.set_state(turn.id, TurnState.DELIVERING, image=image, expressive="as understood")
    return await store.set_state(turn.id, TurnState.DONE)
