"""The base of the store and its parts: async methods made of functions that run on the database thread."""

import functools
import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlite_utils import Database

from conversations.errors import StoreError
from conversations.messages import Message
from conversations.store.db_worker import WriteBatcher

P = ParamSpec("P")
T = TypeVar("T")


class TableGroup:
    """Async methods over a group of tables. Each runs in one transaction; `clock` gives Unix seconds."""

    def __init__(self, batcher: WriteBatcher, clock: Callable[[], float]) -> None:
        self._batcher = batcher
        self._clock = clock

    async def _do(self, work: Callable[[Database], T], *, own_transaction: bool = False) -> T:
        """The result of `work(db)` once its writes are durable. StoreError if SQLite fails."""
        try:
            return await self._batcher.do(work, own_transaction=own_transaction)
        except sqlite3.Error as error:
            text = f"the database cannot be used now: {error}"
            raise StoreError(text, Message("database_failed")) from error


Method = Callable[Concatenate[TableGroup, P], Coroutine[Any, Any, T]]


def on_database(
    work: Callable[Concatenate[Database, P], T], *, own_transaction: bool = False
) -> Method[P, T]:
    """The method that runs `work(db, …)` on the database thread. `own_transaction`: see WriteBatcher.do."""

    @functools.wraps(work)
    async def method(self: TableGroup, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._do(lambda db: work(db, *args, **kwargs), own_transaction=own_transaction)

    return method


def on_database_now(work: Callable[Concatenate[Database, float, P], T]) -> Method[P, T]:
    """The same for `work(db, now, …)`, where `now` is the time of the call in Unix seconds."""

    @functools.wraps(work)
    async def method(self: TableGroup, /, *args: P.args, **kwargs: P.kwargs) -> T:
        now = self._clock()
        return await self._do(lambda db: work(db, now, *args, **kwargs))

    return method
