"""Sees every accepted turn through to its end: line, engine, picture on disk, card shown once.

The truth is the turn's row; what is here can be lost at any moment and is rebuilt by `resume`. One task owns
each unfinished turn, so a turn's row has one writer.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from bot.chat.events import house_of
from bot.chat.replies import Say
from bot.i18n.catalog import speaking
from bot.ops.metrics import Metrics
from bot.policy.server_settings import Houses
from bot.workflow.active_turn import Run
from bot.workflow.auto_guidance import settle
from bot.workflow.delivery import Showing
from bot.workflow.grid import SheetHandle
from conversations.errors import NoSuchVersion, PictureMissing, TurnStateConflict
from conversations.images.image_store import ImageStore
from conversations.session import EditSession, Turn, TurnState
from conversations.store.serialization import TurnFields
from conversations.store.session_store import SessionStore
from mgie_engine.edits import EditRequest, Exchange
from mgie_engine.errors import EditCancelled, EngineError, ModelError, RequestRefused, ServiceClosed
from mgie_engine.serving.service import EditService
from mgie_engine.strengths import Table

log = logging.getLogger(__name__)

EVENT = "event"  # in the source of a turn: the id of the chat event that asked for it
LAST_WORD_S = 5.0  # for what a drain has given back to be written down


class LeftOnDisk(Exception):
    """A turn goes no further in this process; the next resume takes it up."""


class TurnRunner:
    """Runs turns. Use as `async with`; leaving ends every task, and what was unfinished stays on disk."""

    def __init__(
        self,
        store: SessionStore,
        images: ImageStore,
        service: EditService,
        metrics: Metrics,
        *,
        strengths: Table | None = None,
        clock: Callable[[], float] = time.time,
        pauses_s: Sequence[float] = (1, 5, 20, 60),
        places_every_s: float = 10.0,
        resume_every_s: float = 300.0,
    ) -> None:
        """`strengths`: what auto knows of the model; `pauses_s`: waits before a result is shown again.

        `places_every_s`: how often places are told; `resume_every_s`: how often turns that could not go on
        are taken up again.
        """
        self._store = store
        self._images = images
        self._service = service
        self._metrics = metrics
        self._houses = Houses(store)
        self._strengths = strengths
        self._clock = clock
        self._places_every_s = places_every_s
        self._resume_every_s = resume_every_s
        self.showing = Showing(store, metrics, pauses_s)
        self._runs: dict[str, Run] = {}  # by turn id
        self._resuming = asyncio.Lock()
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._owners: set[asyncio.Task[None]] = set()  # those of them that each own a turn
        self.is_draining = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._spawn(self._tell_places())
        self._spawn(self._resume_now_and_then())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_draining = True
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)

    # -- from outside -------------------------------------------------------------------------------------

    def begin(self, turn: Turn, session: EditSession) -> Run:
        """Take up a turn that is on disk; nothing happens if it was taken up before."""
        if turn.id in self._runs:
            return self._runs[turn.id]
        run = self._runs[turn.id] = Run(turn, session)
        if turn.state is TurnState.DELIVERING:
            run.may_be_shown = True
            run.known.set()
        elif session.is_ready(turn):
            with suppress(ServiceClosed):
                self._enter_line(run)
        with speaking(run.language):  # and so all that follows from it
            owner = self._spawn(self._see_through(run))
        self._owners.add(owner)
        owner.add_done_callback(self._owners.discard)
        return run

    async def resume(self, chat: str) -> int:
        """Take up that chat's unfinished turns nobody here works on, in the order they were asked."""
        async with self._resuming:
            return 0 if self.is_draining else await self._take_up(chat)

    async def _take_up(self, chat: str) -> int:
        taken = 0
        for listed in await self._store.turns_in(TurnState.WAITING, TurnState.RUNNING, TurnState.DELIVERING):
            if listed.user.partition(":")[0] != chat or listed.id in self._runs:
                continue
            session = await self._store.session(listed.session_id)
            turn = session.turns.get(listed.id)
            if turn is None or turn.state.is_final or turn.id in self._runs:
                continue
            if turn.state is TurnState.RUNNING:  # its process ended; nothing of it was kept
                turn = await self._store.set_state(turn.id, TurnState.WAITING)
                session = session.update(turn)
            self.begin(turn, session)
            taken += 1
        return taken

    async def cancel(self, turn_id: str) -> bool:
        """End a turn that waits or runs; whether it was still possible. On disk when this returns."""
        run = self._runs.get(turn_id)
        if run is None or run.known.is_set():
            return False
        run.is_cancelled = True
        run.stop()
        await run.known.wait()
        return run.turn.is_lost and run.turn.error is None

    def drop(self, turn_id: str) -> None:
        """Forget a turn that was deleted from the store; what waits for it looks again."""
        if run := self._runs.get(turn_id):
            run.is_cancelled = True
            run.stop()

    def asked_by(self, event_id: str) -> Run | None:
        """The unfinished turn that this chat event asked for."""
        return next((run for run in self._runs.values() if run.turn.source.get(EVENT) == event_id), None)

    async def reword(self, run: Run, instruction: str) -> bool:
        """Change the instruction of a turn that waits; whether it was still possible."""
        try:
            run.turn = await self._store.reword(run.turn.id, instruction)
        except TurnStateConflict:
            return False
        await self.showing.courtesy(run)
        return True

    def runs_of(self, person: str) -> list[Run]:
        """The person's turns whose end is not known yet, oldest first."""
        return [run for run in self._runs.values() if run.turn.user == person and not run.known.is_set()]

    def runs_in(self, house: str) -> list[Run]:
        """The turns asked for in a server whose end is not known yet, oldest first."""
        unfinished = (run for run in self._runs.values() if not run.known.is_set())
        return [run for run in unfinished if house_of(run.turn.user, run.turn.source) == house]

    def waiting(self, person: str | None = None) -> int:
        """How many turns wait: of a person, or in all."""
        return sum(run.is_waiting for run in self._runs.values() if person in (None, run.turn.user))

    async def drain(self, within_s: float) -> None:
        """Take nothing new, give waiting turns back to the disk, let begun ones end for so many seconds."""
        self.is_draining = True
        for run in list(self._runs.values()):
            if run.is_waiting:
                self._release(run)
        await self.idle(within_s)
        for run in list(self._runs.values()):
            if not run.known.is_set():
                self._release(run)
        await self.idle(LAST_WORD_S)

    async def idle(self, within_s: float = math.inf) -> None:
        """Wait until no turn is on its way, at most so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None if within_s == math.inf else within_s):
                while self._owners:
                    await asyncio.wait(self._owners)

    # -- one turn -----------------------------------------------------------------------------------------

    async def _see_through(self, run: Run) -> None:
        try:
            if not run.known.is_set():
                await self._bring_to_its_end(run)
            await self.showing.deliver(run)
        except LeftOnDisk:
            if run.turn.state is TurnState.RUNNING:
                await self._store.set_state(run.turn.id, TurnState.WAITING)
        except NoSuchVersion:
            log.info("turn %s was deleted while it was on its way", run.turn.id)
            await self.showing.take_back(run)
        except Exception:
            log.exception("turn %s cannot go on now; it stays on disk for the next resume", run.turn.id)
        finally:
            del self._runs[run.turn.id]
            self._announce(run)

    async def _bring_to_its_end(self, run: Run) -> None:
        """Wait for the parent, the line and the engine; leaves how it ended on disk."""
        self._spawn(self._keep_informed(run))
        fields = await self._outcome(run)
        run.turn = await self._store.set_state(run.turn.id, TurnState.DELIVERING, **fields)
        self._announce(run)

    async def _outcome(self, run: Run) -> TurnFields:
        """How the turn ends, as fields of its row: a picture, an error, or neither (cancelled)."""
        try:
            if run.handle is None:
                await self._wait_for_parent(run)
            return await self._result(run)
        except EditCancelled:
            if run.is_released:
                raise LeftOnDisk from None
            return {}
        except ServiceClosed:
            raise LeftOnDisk from None
        except RequestRefused as error:
            return {"error": str(error)}
        except ModelError:
            return {"error": Say.NO_MODEL()}
        except EngineError as error:
            log.warning("turn %s failed: %s", run.turn.id, error)
            return {"error": Say.FAILED()}
        except OSError:
            log.exception("the picture of turn %s could not be stored", run.turn.id)
            return {"error": Say.UNEXPECTED()}

    async def _result(self, run: Run) -> TurnFields:
        assert run.handle is not None
        result = await run.handle.result()
        if mark := await self._houses.barred_mark(house_of(run.turn.user, run.turn.source), result.image):
            self._metrics.filtered.labels("output").inc()
            raise RequestRefused(Say.RESULT_FILTERED(mark=mark))
        self._metrics.observe_stages(result.seconds)
        return {
            "image": await asyncio.to_thread(self._images.put, result.image),
            "expressive": result.expressive,
            "settings": result.settings,
            "seconds": result.seconds,
            "changed": result.changed,
            "notes": (*run.advice, *result.notes),
        }

    async def _wait_for_parent(self, run: Run) -> None:
        """Enter the line once the parent has its picture; RequestRefused when it will never have one."""
        while True:
            run.look.clear()
            await self._look_up(run)
            parent = run.session.parent_of(run.turn)
            assert parent is not None
            if run.is_cancelled or run.is_released:
                raise EditCancelled("The edit was cancelled.")
            if parent.image is not None:
                return self._enter_line(run)
            if parent.is_lost:
                nearest = run.session.nearest_alive(parent)
                raise RequestRefused(Say.PARENT_FAILED(parent=parent.label, nearest=nearest.label))
            if parent.id not in self._runs:
                raise LeftOnDisk
            await run.look.wait()

    async def _look_up(self, run: Run) -> None:
        """The turn and its session as they now are; NoSuchVersion when it was deleted."""
        run.session = await self._store.session(run.turn.session_id)
        run.turn = run.session.turn(run.turn.id)

    def _enter_line(self, run: Run) -> None:
        # Bounds were checked before the turn was saved; a turn on disk is never turned away.
        turn = run.turn
        run.handle = (
            self._service.submit_nowait(turn.id, turn.user, lambda: self._request(run), again=True)
            if turn.grid is None
            else SheetHandle(self._service, turn.id, turn.user, turn.grid, lambda: self._request(run))
        )
        run.place = run.handle.place()
        run.in_line.set()

    async def _request(self, run: Run) -> EditRequest:
        """What the engine is asked, made when its turn has come; marks the turn as running."""
        if not run.has_begun:
            if self.is_draining:
                raise ServiceClosed
            run.has_begun = True
            self._metrics.queue_wait_seconds.observe(max(0.0, self._clock() - run.turn.created_at))
            run.turn = await self._store.set_state(run.turn.id, TurnState.RUNNING)
            if not self.is_draining:  # by now there may be nobody left to show it
                self._spawn(self.showing.courtesy(run))
        await self._look_up(run)
        turn, parent = run.turn, run.session.parent_of(run.turn)
        assert parent is not None
        assert parent.image is not None
        assert turn.settings is not None
        try:
            image = await asyncio.to_thread(self._images.get, parent.image)
        except PictureMissing:
            with speaking(run.language):  # this is called in a task of the service's
                raise RequestRefused(Say.PICTURE_GONE(parent=parent.label)) from None
        history = tuple(Exchange(*said) for said in run.session.exchanges_before(turn))
        settled = await settle(turn, turn.settings, image, self._strengths)
        run.advice = settled.reason
        return EditRequest(image, turn.instruction, settled.settings, history, turn.reading)

    # -- showing ------------------------------------------------------------------------------------------

    async def _keep_informed(self, run: Run) -> None:
        """The queued card, then progress as it comes."""
        await self.showing.courtesy(run)
        await run.in_line.wait()
        if run.handle is not None:
            async for progress in run.handle.events():
                run.progress = progress
                await self.showing.courtesy(run)

    async def _tell_places(self) -> None:
        """Now and then tell waiting people that they moved up; a place shown never grows."""
        while True:
            await asyncio.sleep(self._places_every_s)
            for run in list(self._runs.values()):
                if not run.is_waiting or run.handle is None or run.place is None:
                    continue
                place = run.handle.place()
                if 0 < place.position < run.place.position:
                    run.place = replace(place, of=max(place.position, place.of))
                    self._spawn(self.showing.courtesy(run))

    async def _resume_now_and_then(self) -> None:
        """Take up what a full disk or a long outage of a chat has left behind."""
        while True:
            await asyncio.sleep(self._resume_every_s)
            for chat in self.showing.chats:
                try:
                    await self.resume(chat)
                except Exception:
                    log.exception("unfinished turns of %s could not be taken up", chat)

    # -- small things -------------------------------------------------------------------------------------

    def _announce(self, run: Run) -> None:
        """How `run` ended is known: wake those who wait for that."""
        run.known.set()
        run.in_line.set()
        for other in self._runs.values():
            if other.turn.parent_id == run.turn.id:
                other.look.set()

    def _release(self, run: Run) -> None:
        run.is_released = True
        run.stop()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
