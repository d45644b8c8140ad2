"""Runs every edit under every pair of strengths, reading each instruction once, and scores the pictures."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import islice
from math import isnan

from torch import Tensor

from conversations.settings import EditSettings, Keep
from mgie_engine.lab.evaluation.scene_cases import score_picture
from mgie_engine.lab.evaluation.scenes_running import paint_all, pixels
from mgie_engine.lab.evaluation.workers import PoolMap, serial_map
from mgie_engine.lab.study.sweep_results import Strengths, Subject, SweepOutcome, SweepResult
from mgie_engine.lab.study.tasks import Task
from mgie_engine.model.mgie import MGIE, Reading
from mgie_engine.serving.postprocess import Painted, restored

Key = tuple[str, str, Strengths, int]


@dataclass(frozen=True, slots=True)
class SweepConfig:
    """The runs of each edit: every pair of strengths under every seed, in batches of `batch`."""

    strengths: tuple[Strengths, ...]
    seeds: tuple[int, ...]
    settings: EditSettings  # the rest of them
    batch: int

    def missing(self, task: Task, done: AbstractSet[Key]) -> list[tuple[Strengths, int]]:
        """The missing runs of an edit."""
        name = (task.subject.part, task.subject.name)
        wanted = [(strengths, seed) for seed in self.seeds for strengths in self.strengths]
        return [(strengths, seed) for strengths, seed in wanted if (*name, strengths, seed) not in done]


def sweep(
    mgie: MGIE,
    tasks: Iterable[Task],
    plan: SweepConfig,
    done: AbstractSet[Key],
    pool_map: PoolMap = serial_map,
) -> Iterator[list[SweepResult]]:
    """The missing results, a batch at a time.

    While a batch is restored and scored, the next one is sampled.
    """
    jobs, judged = _jobs(mgie, tasks, plan, done), iter(list[SweepResult]())
    while some := list(islice(jobs, plan.batch)):
        settings = [
            replace(plan.settings, text_cfg=job.strengths[0], image_cfg=job.strengths[1], seed=job.seed)
            for job in some
        ]
        painted = paint_all(mgie, [job.task.picture for job in some], [job.reading for job in some], settings)
        tries = [
            _PaintedEdit(job.task.subject, job.task.goal, job.strengths, job.seed, edit, plan.settings.keep)
            for job, edit in zip(some, painted, strict=True)
        ]
        last, judged = judged, pool_map(_judged, tries)
        if cells := list(last):
            yield cells
    if cells := list(judged):
        yield cells


@dataclass(frozen=True, slots=True)
class _SweepJob:
    task: Task
    reading: Reading
    strengths: Strengths
    seed: int


def _jobs(
    mgie: MGIE, tasks: Iterable[Task], plan: SweepConfig, done: AbstractSet[Key]
) -> Iterator[_SweepJob]:
    unfinished = ((task, missing) for task in tasks if (missing := plan.missing(task, done)))
    while some := list(islice(unfinished, plan.batch)):
        readings = mgie.read([task.picture for task, _ in some], [task.prompt for task, _ in some])
        for (task, missing), reading in zip(some, readings, strict=True):
            for strengths, seed in missing:
                yield _SweepJob(task, reading, strengths, seed)


@dataclass(frozen=True, slots=True)
class _PaintedEdit:
    """An edit to score in a worker process."""

    subject: Subject
    goal: Tensor | None
    strengths: Strengths
    seed: int
    painted: Painted
    keep: Keep


def _judged(tried: _PaintedEdit) -> SweepResult:
    before, painted = pixels(tried.painted.original), tried.painted
    shown = (painted.output, restored(painted, tried.keep).picture)
    outcomes = [_outcome(before, tried.goal, pixels(picture)) for picture in shown]
    return SweepResult(tried.subject, tried.strengths, tried.seed, *outcomes)


def _outcome(before: Tensor, goal: Tensor | None, result: Tensor) -> SweepOutcome:
    moved = round(float((result - before).abs().mean()), 5)
    if goal is None:
        return SweepOutcome(moved)
    shown = score_picture(before, goal, result)
    kept = None if isnan(shown.kept_db) else round(shown.kept_db, 3)
    return SweepOutcome(moved, shown.success, round(shown.left, 5), kept)
