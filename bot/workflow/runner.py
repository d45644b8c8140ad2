"""Processes every accepted turn: queue, engine, image on disk, and a card that is shown once.

The truth is the turn's row; what is here can be lost at any moment and is rebuilt by `TurnRecovery`. One task
owns each unfinished turn, so a turn's row has one writer.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass
from functools import partial
from types import TracebackType
from typing import Self

from bot.chat.cards import is_answer
from bot.ops.metrics import Metrics
from bot.workflow.active_turn import ActiveTurn, ActiveTurns, files_of
from bot.workflow.auto_guidance import resolve_auto
from bot.workflow.decline_reasons import reason_declined, without_picture
from bot.workflow.delivery import Delivery
from bot.workflow.erased_pictures import ErasedPictures
from bot.workflow.grid import GridHandle
from bot.workflow.picture_checks import PictureChecks
from bot.workflow.reading_questions import question_fields
from bot.workflow.settings_layers import asks_once
from bot.workflow.turn_recovery import TurnRecovery
from conversations.errors import NoSuchVersion, StorageFull, TurnStateConflict
from conversations.images.image_store import ImageStore
from conversations.images.picture_views import PictureViews
from conversations.session import EditSession
from conversations.shares import edit_work
from conversations.store.serialization import TurnFields
from conversations.store.session_store import SessionStore
from conversations.thread_pools import ThreadPools
from conversations.turn import Turn, TurnState
from mgie_engine.edits import EditRequest, Exchange
from mgie_engine.errors import EditCancelled, EngineError, RequestRefused, ServiceClosed
from mgie_engine.serving.service import EditService
from mgie_engine.strengths import StrengthTable

log = logging.getLogger(__name__)

PERSIST_TIMEOUT_S = 5.0  # grace period for storing the turns that a drain released


class LeftOnDisk(Exception):
    """A turn stops in this process; the next resume continues it."""


@dataclass(eq=False)
class TurnRunner:
    """Runs turns. Use as `async with`; leaving ends every task, and what was unfinished stays on disk.

    strengths       what auto knows of the model
    pauses_s        waits before a result is shown again
    places_every_s  how often places in the queue are updated
    resume_every_s  how often turns that could not go on are resumed
    """

    store: SessionStore
    images: ImageStore
    service: EditService
    metrics: Metrics
    _: KW_ONLY
    strengths: StrengthTable | None = None
    clock: Callable[[], float] = time.time
    pauses_s: Sequence[float] = (1, 5, 20, 60)
    places_every_s: float = 10.0
    resume_every_s: float = 300.0

    def __post_init__(self) -> None:
        self.threads = ThreadPools()  # of the whole workflow, as the next
        self.pictures = PictureViews(self.images, self.threads)
        self.checks = PictureChecks(self.store, self.pictures, self.threads, self.metrics)
        self.erased = ErasedPictures(self.store, self.images, self.threads)
        self.delivery = Delivery(self.store, self.metrics, self.pauses_s, self.checks.shown)
        self.active = ActiveTurns()
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._owners: set[asyncio.Task[None]] = set()  # those of them that each own a turn
        self.is_draining = False
        self.recovery = TurnRecovery(self.store, self.active, self.begin, lambda: not self.is_draining)

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._spawn(self._update_places())
        self._spawn(self.recovery.resume_forever(lambda: self.delivery.chats, self.resume_every_s))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_draining = True
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)
        self.threads.close()

    # -- from outside -------------------------------------------------------------------------------------

    def begin(self, turn: Turn, session: EditSession) -> ActiveTurn:
        """Start to process a turn that is on disk; no effect if it is active already."""
        if known := self.active.get(turn.id):
            return known
        active = ActiveTurn(turn, session)
        self.active.add(active)
        if turn.state is TurnState.DELIVERING:
            active.may_be_shown = True
            active.finished.set()
        elif session.is_ready(turn):
            with suppress(ServiceClosed):
                self._enqueue(active)
        owner = self._spawn(self._process(active))
        self._owners.add(owner)
        owner.add_done_callback(self._owners.discard)
        return active

    async def cancel(self, turn_id: str) -> bool:
        """Cancel a turn that waits or runs; whether it was still possible. On disk when this returns."""
        active = self.active.get(turn_id)
        if active is None or active.finished.is_set():
            return False
        active.is_cancelled = True
        active.stop()
        await active.finished.wait()
        return active.turn.is_lost and active.turn.error is None

    async def cancel_undone(self, undone: Iterable[Turn], user: str) -> list[Turn]:
        """Cancel those of the versions that a user undoes, newest first, which still wait or run; which.

        Those that another user asked for go on, and those that another user's edit waits for.
        """
        return [
            turn
            for turn in undone
            if turn.user == user
            and not self.active.is_awaited_by_others(turn.id, user)
            and await self.cancel(turn.id)
        ]

    def drop(self, turn_id: str) -> None:
        """Stop a turn that was deleted from the store; turns that wait for it check again."""
        if active := self.active.get(turn_id):
            active.is_cancelled = True
            active.stop()

    async def reword(self, active: ActiveTurn, instruction: str) -> bool:
        """Change the instruction of a turn that waits; whether it was still possible."""
        try:
            active.turn = await self.store.reword(active.turn.id, instruction)
        except TurnStateConflict:
            return False
        await self.delivery.update_progress(active)
        return True

    async def drain(self, within_s: float) -> None:
        """Admit nothing new, release waiting turns, and let running ones end for `within_s` seconds."""
        self.is_draining = True
        for active in self.active:
            if active.is_waiting:
                self._release(active)
        await self.idle(within_s)
        for active in self.active:
            if not active.finished.is_set():
                self._release(active)
        await self.idle(PERSIST_TIMEOUT_S)

    async def idle(self, within_s: float = math.inf) -> None:
        """Wait until no turn is active, at most `within_s` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None if within_s == math.inf else within_s):
                while self._owners:
                    await asyncio.wait(self._owners)

    # -- one turn -----------------------------------------------------------------------------------------

    async def _process(self, active: ActiveTurn) -> None:
        try:
            if not active.finished.is_set():
                await self._work(active)
            await self.delivery.deliver(active)
        except LeftOnDisk:
            if active.turn.state is TurnState.RUNNING:
                await self.store.set_state(active.turn.id, TurnState.WAITING)
        except NoSuchVersion:
            log.info("turn %s was deleted while it was on its way", active.turn.id)
            await self.delivery.retract(active)
        except Exception:
            log.exception("turn %s cannot go on now; it stays on disk for the next resume", active.turn.id)
        finally:
            self.active.remove(active)

    async def _work(self, active: ActiveTurn) -> None:
        """Wait for the parent, the queue and the engine; store the outcome."""
        self._spawn(self.delivery.follow(active))
        fields = await self._outcome(active)
        answers = is_answer(fields.get("error"))
        try:
            active.turn = await self.store.set_state(
                active.turn.id, TurnState.DELIVERING, attempt=active.attempt, is_answer=answers, **fields
            )
        except NoSuchVersion:
            await self.erased.delete([fields.get("image")])
            raise
        self.active.finish(active)

    async def _outcome(self, active: ActiveTurn) -> TurnFields:
        """How the turn ends, as fields of its row: a picture, an error, or neither (cancelled)."""
        try:
            if active.handle is None:
                await self._wait_for_parent(active)
            return await self._result(active)
        except EditCancelled:
            if active.is_released:
                raise LeftOnDisk from None
            return {}
        except ServiceClosed:
            raise LeftOnDisk from None
        except (EngineError, StorageFull) as error:
            level = logging.INFO if isinstance(error, RequestRefused) else logging.WARNING
            log.log(level, "turn %s ends without a picture: %s", active.turn.id, error)
            return {"error": error.message}

    async def _result(self, active: ActiveTurn) -> TurnFields:
        assert active.handle is not None
        result = await active.handle.result()
        if result.is_declined:
            reason = reason_declined(active.turn.instruction, result.expressive)
            raise RequestRefused("the model declined the instruction", reason)
        if result.is_question:
            return question_fields(result)
        grid = active.handle if isinstance(active.handle, GridHandle) else None  # it checked each cell
        if grid is None:
            await self.checks.check_result(active.turn, result)
        elif grid.is_single:
            active.turn = await self.store.make_single(active.turn.id)
        for stage, seconds in result.seconds.items():
            self.metrics.stage_seconds.labels(stage).observe(seconds)
        return {
            "image": await self.threads.disk(self.images.put_result, result.image),
            "expressive": result.expressive,
            "settings": result.settings,
            "seconds": result.seconds,
            "changed": result.changed,
            "is_exact": result.is_exact,
            "confidence": result.confidence,
            "notes": (*active.advice, *result.notes),
            "cells": tuple(grid.made) if grid else (),
        }

    async def _wait_for_parent(self, active: ActiveTurn) -> None:
        """Queue the turn once its parent has an image; RequestRefused when it will never have one."""
        while True:
            active.parent_changed.clear()
            await self._refresh(active)
            parent = active.session.parent_of(active.turn)
            assert parent is not None
            if active.is_cancelled or active.is_released:
                raise EditCancelled("The edit was cancelled.")
            if parent.image is not None:
                return self._enqueue(active)
            if parent.is_lost:
                raise without_picture(active.session, parent)
            if parent.id not in self.active:
                raise LeftOnDisk
            await active.parent_changed.wait()

    async def _refresh(self, active: ActiveTurn) -> None:
        """Reload the turn and its session; NoSuchVersion when it was deleted."""
        active.session = await self.store.session(active.turn.session_id)
        active.turn = active.session.turn(active.turn.id)

    def _enqueue(self, active: ActiveTurn) -> None:
        # Bounds were checked before the turn was saved; a turn on disk is never turned away.
        turn = active.turn
        queue, request = self.service, partial(self._request, active)
        if turn.grid is None:
            cost = edit_work(turn.settings)
            active.handle = queue.submit_nowait(turn.id, turn.user, request, again=True, cost=cost)
        else:
            parts = self.threads, self.checks, self.images, self.erased
            active.handle = GridHandle(queue, turn, turn.grid, request, *parts)
        active.place = active.handle.place()
        active.enqueued.set()

    async def _request(self, active: ActiveTurn) -> EditRequest:
        """What the engine is asked, made when its turn has come; marks the turn as running."""
        is_first = not active.has_begun
        if is_first and self.is_draining:
            raise ServiceClosed
        active.has_begun = True
        active.turn = await self.store.begin_attempt(active.turn.id)
        active.attempt = active.turn.attempt
        if is_first:
            self.metrics.queue_wait_seconds.observe(max(0.0, self.clock() - active.turn.created_at))
            if not self.is_draining:  # later, the chat may be closed
                self._spawn(self.delivery.update_progress(active))
        await self._refresh(active)
        turn, parent = active.turn, active.session.parent_of(active.turn)
        assert parent is not None
        assert turn.settings is not None
        if parent.image is None:  # its chat refused the picture after this turn was queued
            raise without_picture(active.session, parent)
        image, mask = await files_of(turn, parent, self.pictures)
        history = tuple(Exchange(*said) for said in active.session.exchanges_before(turn))
        settings = asks_once(turn.settings, turn, active.session)
        if turn.auto_scales and not (turn.grid and turn.grid.text_cfg):  # which brings scales of its own
            settings, active.advice = await resolve_auto(
                turn, settings, parent.image, self.strengths, self.pictures
            )
        request = EditRequest(image, turn.instruction, settings, history, turn.reading, mask)
        return await self.checks.check_request(turn, request)

    # -- showing ------------------------------------------------------------------------------------------

    async def _update_places(self) -> None:
        """Show waiting users from time to time that they moved up."""
        while True:
            await asyncio.sleep(self.places_every_s)
            for active in self.active:
                if active.moved_up():
                    self._spawn(self.delivery.update_progress(active))

    def _release(self, active: ActiveTurn) -> None:
        active.is_released = True
        active.stop()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
