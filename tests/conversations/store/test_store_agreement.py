"""A machine of random moves: the store, reopened now and then, always agrees with plain dicts."""

import asyncio
import shutil
import tempfile
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from conversations.errors import SessionError, TurnStateConflict
from conversations.session import EditSession, Head
from conversations.settings import NO_OVERRIDE, SettingsOverride
from conversations.store.session_store import SessionStore
from conversations.turn import NEXT_STATES, Turn, TurnState

people = st.sampled_from(["ann", "bob", "cid"])
channels = st.sampled_from(["room", "hall"])
states = st.sampled_from(list(TurnState))
moves = st.sampled_from(["undo", "redo", "reset"])
overrides = st.builds(
    SettingsOverride, seed=st.none() | st.integers(0, 9), steps=st.none() | st.integers(1, 9)
)


def without_times(session: EditSession) -> EditSession:
    """The session with heads stripped of when they moved, which only the store knows."""
    return replace(
        session, heads={person: replace(head, moved_at=0.0) for person, head in session.heads.items()}
    )


class StoreAgreement(RuleBasedStateMachine):
    """`model` holds every session as a value that only pure moves have changed."""

    sessions: Bundle[str] = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="mgie-store-"))
        self.runner = asyncio.Runner()
        self.model: dict[str, EditSession] = {}
        self.overrides: dict[tuple[str, str], SettingsOverride] = {}
        self.messages: dict[str, str] = {}
        self.events: set[str] = set()
        self.now = 0.0
        self.opening: AbstractAsyncContextManager[SessionStore]

    def clock(self) -> float:
        self.now += 1.0
        return self.now

    def do(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        self.opening = SessionStore.open(self.folder / "talk.db", clock=self.clock)
        self.store = self.do(self.opening.__aenter__())

    @rule()
    def reopen(self) -> None:
        self.do(self.opening.__aexit__(None, None, None))
        self.open()

    @rule(target=sessions, owner=people, channel=channels)
    def open_session(self, owner: str, channel: str) -> str:
        session: EditSession = self.do(
            self.store.open_session(channel, owner, image=f"{len(self.model):064}")
        )
        upload = session.root
        self.model[session.id] = EditSession(
            session.id,
            channel,
            owner,
            {upload.id: upload},
            {owner: Head(upload.id)},
            created_at=session.created_at,
        )
        return session.id

    @rule(session_id=sessions, person=people, pick=st.none() | st.integers(0, 99))
    def ask(self, session_id: str, person: str, pick: int | None) -> None:
        session = self.model[session_id]
        parent = None if pick is None else list(session.turns)[pick % len(session.turns)]
        try:
            draft = session.ask(person, f"instruction {self.now}", parent=parent)
        except SessionError:
            return
        turn = self.do(self.store.add_turn(draft))
        assert (turn.number, turn.parent_id) == (len(session.turns), draft.parent_id)
        self.model[session_id] = session.add(turn)

    @rule(session_id=sessions, pick=st.integers(0, 99), state=states, painted=st.booleans())
    def set_state(self, session_id: str, pick: int, state: TurnState, painted: bool) -> None:
        turn = self.some_turn(session_id, pick)
        key, image = f"{turn.id}-{state}", "f" * 64 if painted else turn.image
        try:
            now = self.do(self.store.set_state(turn.id, state, delivered=key, image=image))
        except TurnStateConflict:
            assert state not in NEXT_STATES[turn.state]
            return
        assert state in NEXT_STATES[turn.state]
        finished = None if state in (TurnState.WAITING, TurnState.RUNNING) else now.finished_at
        assert now == replace(turn, state=state, delivered=key, image=image, finished_at=finished)
        self.messages[key] = turn.id
        self.model[session_id] = self.model[session_id].update(now)

    @rule(session_id=sessions, person=people, move=moves)
    def move(self, session_id: str, person: str, move: str) -> None:
        try:
            moved: EditSession = getattr(self.model[session_id], move)(person)
        except SessionError:
            return
        self.do(self.store.set_head(session_id, person, moved.heads[person]))
        self.model[session_id] = moved

    @rule(session_id=sessions, person=people, pick=st.integers(0, 99))
    def go_to(self, session_id: str, person: str, pick: int) -> None:
        try:
            moved = self.model[session_id].go_to(person, self.some_turn(session_id, pick))
        except SessionError:
            return
        self.do(self.store.set_head(session_id, person, moved.heads[person]))
        self.model[session_id] = moved

    @rule(session_id=sessions, override=overrides)
    def override_of_a_session(self, session_id: str, override: SettingsOverride) -> None:
        self.do(self.store.set_override("session", session_id, override))
        self.model[session_id] = replace(self.model[session_id], override=override)

    @rule(person=people, override=overrides)
    def override_of_a_user(self, person: str, override: SettingsOverride) -> None:
        self.do(self.store.set_override("user", person, override))
        self.overrides["user", person] = override
        assert self.do(self.store.override("user", person)) == override

    @rule(event=st.sampled_from("abcde"))
    def see(self, event: str) -> None:
        assert self.do(self.store.seen(event)) is (event in self.events)
        self.events.add(event)

    @rule(session_id=consumes(sessions), person=people)
    def only_look(self, session_id: str, person: str) -> None:
        found = self.do(self.store.session_for_channel(self.model[session_id].channel, person))
        assert found is not None
        assert found.channel == self.model[session_id].channel

    @invariant()
    def sessions_agree(self) -> None:
        for session_id, session in self.model.items():
            assert without_times(self.do(self.store.session(session_id))) == without_times(session)

    @invariant()
    def the_queue_agrees(self) -> None:
        for state in TurnState:
            queued = self.do(self.store.turns_in(state)) if hasattr(self, "store") else ()
            assert {turn.id for turn in queued} == {
                turn.id for turn in self.all_turns() if turn.state is state
            }

    @invariant()
    def messages_agree(self) -> None:
        for key, turn_id in self.messages.items():
            assert self.do(self.store.find_by_message(key)).id == turn_id

    @invariant()
    def heads_are_alive_and_redo_leads_down(self) -> None:
        for session in self.model.values():
            for person, head in session.heads.items():
                assert not session.head_of(person).is_lost
                below = [session.turn(turn_id) for turn_id in head.redo]
                assert all(session.turn(head.turn_id) in session.path_to(turn)[:-1] for turn in below)

    def teardown(self) -> None:
        for (scope, key), override in self.overrides.items():
            assert self.do(self.store.override(scope, key)) == override or override == NO_OVERRIDE
        self.do(self.opening.__aexit__(None, None, None))
        self.runner.close()
        shutil.rmtree(self.folder)

    def some_turn(self, session_id: str, pick: int) -> Turn:
        turns = list(self.model[session_id].turns.values())
        return turns[pick % len(turns)]

    def all_turns(self) -> list[Turn]:
        return [turn for session in self.model.values() for turn in session.turns.values()]


StoreAgreement.TestCase.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, derandomize=True, database=None
)
test_the_store_agrees_with_dicts = StoreAgreement.TestCase
