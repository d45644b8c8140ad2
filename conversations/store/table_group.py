"""The base of the store's parts: each offers async methods over a few tables."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlite_utils import Database

P = ParamSpec("P")
T = TypeVar("T")


class RunsOnDatabase(Protocol):
    """Runs `work(db, *args)` on the database thread and returns its result once its writes are durable."""

    async def __call__(
        self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T: ...


class TableGroup:
    """Async methods over a group of tables. Each runs in one transaction; `clock` gives Unix seconds."""

    def __init__(self, do: RunsOnDatabase, clock: Callable[[], float]) -> None:
        self._do = do
        self._clock = clock
