"""The line is fair, loses nothing and tells the truth about itself."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgie_engine.errors import QueueFull
from mgie_engine.serving.queue import FairQueue, QueueLimits


@dataclass(eq=False)
class Job:
    owner: str
    cost: float = 1.0


OWNERS = st.sampled_from("abcd")
ROOMY = QueueLimits(waiting=1000, waiting_per_owner=1000)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("push"), OWNERS),
        st.tuples(st.just("take"), st.none()),
        st.tuples(st.just("remove"), st.integers(0, 50)),
    ),
    max_size=60,
)


def a_line(owners: str) -> tuple[FairQueue[Job], list[Job]]:
    queue: FairQueue[Job] = FairQueue(ROOMY)
    jobs = [Job(owner) for owner in owners]
    for job in jobs:
        queue.push(job)
    return queue, jobs


def drained(queue: FairQueue[Job]) -> list[Job]:
    return list(iter(queue.take, None))


def test_a_job_that_returns_is_the_next_of_its_owner():
    queue, jobs = a_line("aab")
    first = queue.take()
    assert first is jobs[0]
    queue.push_first(first)
    assert drained(queue) == [jobs[2], jobs[0], jobs[1]]


def test_a_job_that_may_not_start_keeps_its_place_and_delays_nobody():
    queue, jobs = a_line("aab")
    assert queue.take(lambda job: job is not jobs[0]) is jobs[2]
    assert queue.take(lambda job: job is not jobs[0]) is jobs[1]
    assert queue.take(lambda job: job is not jobs[0]) is None
    assert drained(queue) == [jobs[0]]


@given(MOVES)
def test_nothing_is_lost_and_nothing_is_doubled(moves):
    queue: FairQueue[Job] = FairQueue(ROOMY)
    waiting: list[Job] = []
    for move, what in moves:
        if move == "push":
            waiting.append(Job(what))
            queue.push(waiting[-1])
        elif move == "take":
            taken = queue.take()
            assert (taken is None) == (not waiting)
            waiting = [job for job in waiting if job is not taken]
        elif waiting:
            gone = waiting.pop(what % len(waiting))
            assert queue.remove(gone)
            assert not queue.remove(gone)
        assert len(queue) == len(waiting)
    assert Counter(map(id, drained(queue))) == Counter(map(id, waiting))


@given(st.text("abcd", min_size=1, max_size=40), st.integers(0, 10))
def test_the_position_is_the_number_of_jobs_that_really_run_before(owners, taken_first):
    queue, jobs = a_line(owners)
    for _ in range(taken_first):
        queue.take()
    promised = {id(job): queue.position(job) for job in jobs}
    for ran_before, job in enumerate(drained(queue)):
        assert promised[id(job)] == ran_before


@given(MOVES, st.integers(0, 11))
def test_a_position_only_falls_while_others_run_or_leave(moves, which):
    queue, jobs = a_line("aabacaabdcda")
    mine = jobs[which]
    for move, what in moves:
        before = queue.position(mine)
        if before is None:
            return
        if move == "take":
            queue.take()
            assert queue.position(mine) == (before - 1 if before else None)
        elif move == "remove" and jobs[what % len(jobs)] is not mine:
            queue.remove(jobs[what % len(jobs)])
            assert queue.position(mine) in range(before + 1)


@given(MOVES)
def test_owners_who_wait_all_along_are_served_within_one_of_each_other(moves):
    queue, _ = a_line("x" * 70 + "y" * 70)
    served: Counter[str] = Counter()
    others: list[Job] = []
    for move, what in moves:
        if move == "push":
            others.append(Job(what))
            queue.push(others[-1])
        elif move == "take":
            job = queue.take()
            assert job is not None
            served[job.owner] += 1
        elif others:
            queue.remove(others[what % len(others)])
        assert abs(served["x"] - served["y"]) <= 1


@given(st.text("abcd", min_size=1, max_size=40), st.integers(0, 20))
def test_a_newcomer_waits_for_at_most_one_job_of_each_owner(owners, taken_first):
    queue, _ = a_line(owners)
    for _ in range(taken_first):
        queue.take()
    there = {job.owner for job in queue.order()}
    newcomer = Job("new")
    queue.push(newcomer)
    assert queue.position(newcomer) in range(len(there) + 1)


def test_a_flood_of_fifty_delays_another_user_only_by_the_job_that_runs():
    queue, _ = a_line("a" * 50)
    queue.take()
    bob = Job("b")
    queue.push(bob)
    assert queue.take() is bob


def test_a_stream_of_newcomers_starves_nobody():
    queue, _ = a_line("aa")
    queue.take()
    ran = []
    for nth in range(4):
        queue.push(Job(f"new{nth}"))
        ran.append(queue.take())
    assert "a" in [job.owner for job in ran]


def test_an_owners_jobs_keep_their_order():
    queue, jobs = a_line("abaab")
    assert [job for job in drained(queue) if job.owner == "a"] == [jobs[0], jobs[2], jobs[3]]


def test_the_line_is_bounded():
    queue: FairQueue[Job] = FairQueue(QueueLimits(waiting=2, waiting_per_owner=2))
    queue.push(Job("a"))
    queue.push(Job("b"))
    with pytest.raises(QueueFull, match="2 edits are already waiting"):
        queue.push(Job("c"))


def test_each_owners_share_is_bounded():
    queue: FairQueue[Job] = FairQueue(QueueLimits(waiting=9, waiting_per_owner=1))
    queue.push(Job("a"))
    with pytest.raises(QueueFull, match="1 edits of yours") as refusal:
        queue.push(Job("a"))
    assert refusal.value.own
    queue.push(Job("b"))


def test_what_was_admitted_before_a_restart_is_admitted_again():
    queue: FairQueue[Job] = FairQueue(QueueLimits(waiting=0, waiting_per_owner=0))
    queue.push(Job("a"), again=True)
    assert len(queue) == 1


def test_a_job_that_never_waited_has_no_position():
    queue, _ = a_line("ab")
    assert queue.position(Job("a")) is None
    assert not queue.remove(Job("z"))


def test_owners_get_equal_cost_and_not_equal_numbers():
    queue: FairQueue[Job] = FairQueue(ROOMY)
    for _ in range(12):
        queue.push(Job("dear", 4))
        queue.push(Job("cheap", 1))
    served = [queue.take() for _ in range(10)]
    assert [job.owner for job in served].count("dear") == 2


def test_leaving_and_returning_forgets_no_cost_while_others_wait():
    queue: FairQueue[Job] = FairQueue(ROOMY)
    for _ in range(9):
        queue.push(Job("cheap", 1))
    ran = []
    for _ in range(6):
        if not any(job.owner == "dear" for job in queue.order()):
            queue.push(Job("dear", 5))
        ran.append(queue.take().owner)
    assert ran.count("dear") <= 2


def test_what_was_taken_while_nobody_waited_is_forgotten():
    queue: FairQueue[Job] = FairQueue(ROOMY)
    queue.push(Job("early", 100))
    queue.take()
    queue.push(Job("late", 1))
    queue.push(Job("early", 1))
    queue.push(Job("late", 1))
    assert [job.owner for job in drained(queue)] == ["late", "early", "late"]


@given(st.lists(st.tuples(OWNERS, st.sampled_from([0.5, 1.0, 3.0, 9.0])), min_size=1, max_size=40))
def test_positions_are_true_at_any_cost(asked):
    queue: FairQueue[Job] = FairQueue(ROOMY)
    for owner, cost in asked:
        queue.push(Job(owner, cost))
    promised = list(queue.order())
    assert drained(queue) == promised


@given(st.lists(st.sampled_from([0.5, 1.0, 3.0, 9.0]), min_size=30, max_size=30))
def test_owners_who_wait_all_along_differ_by_one_job_at_most(costs):
    queue: FairQueue[Job] = FairQueue(ROOMY)
    for cost in costs:
        queue.push(Job("x", cost))
        queue.push(Job("y", 10.0 - cost))
    served = dict.fromkeys("xy", 0.0)
    for _ in range(30):
        job = queue.take()
        served[job.owner] += job.cost
        if {other.owner for other in queue.order()} < {"x", "y"}:
            return
        assert abs(served["x"] - served["y"]) <= 10
