"""A store on real SQLite, and its clock."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conversations.store.session_store import SessionStore
from tests.support.stored_sessions import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[SessionStore]:
    async with SessionStore.open(tmp_path / "deep" / "talk.db", clock=clock) as store:
        yield store
