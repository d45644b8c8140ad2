"""A month of a public bot by a fake clock: does anybody exceed a share, and do abusers make others wait?

    python -m benchmarks.shares                  # a tenth of 10,000 people, 200,000 requests; ten seconds
    python -m benchmarks.shares --scale 1        # all of them; seven minutes of processor time
    python -m benchmarks.shares --abuse 0.2      # of the requests are abuse, in place of 3 %

The real ledger (SQLite in memory) and the real queue before two slots; edits take their cost in time.
Abusers send floods, grids of nine, edits with ten times the steps, and edits of alts in direct messages. What
the others ask for is run with and without them, in a process each. Ends in one line of JSON: how many limits
were exceeded, counted again from the edits that were made (0 wanted), and the 95th percentile of the others'
wait with and without abuse (at most 1.2 times wanted), of the month and of the ten minutes after an attack
began. At a smaller scale edits take longer instead, so an attack meets fewer edits, of which each waits long.
"""

import argparse
import heapq
import json
import random
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from sqlite_utils import Database

from conversations.messages import Message
from conversations.request_source import RequestSource
from conversations.shares import DAY_S, HOUR_S, ShareRules, share_limits
from conversations.store.migrations import migrations
from conversations.store.share_ledger import Charge, ShareLimit, ShareUsedUp, charge, refund_lost
from conversations.turn import Turn
from mgie_engine.serving.last_slot import LastSlot
from mgie_engine.serving.queue import FairQueue, QueueLimits

PEOPLE, SERVERS, REQUESTS, DAYS = 10_000, 40, 200_000, 30
ALTS, FLOOD, APART_S = 4, 30, 20.0  # accounts, edits and seconds between them, of an attack
WAITING = 3  # edits of one person in the queue
FAILING = 0.01
SECONDS, SLOTS = 5.0, 2  # of an edit of cost 1; edits at once
KINDS = ("flood", "grid", "steps", "alts")


@dataclass(frozen=True, slots=True)
class AskedEdit:
    """An edit that somebody asks for; `pictures` of `cost` each, one after the other."""

    at: float
    user: str
    server: str | None
    cost: float = 1.0
    pictures: int = 1
    is_abuse: bool = False


@dataclass(eq=False, slots=True)
class Cell:
    """A picture in the queue; `left`: how many follow it."""

    owner: str
    cost: float
    asked: AskedEdit
    left: int


@dataclass
class Month:
    """What happened."""

    waits: list[tuple[float, float]] = field(default_factory=list)  # of ordinary people: when, and how long
    charged: dict[ShareLimit, list[tuple[float, float]]] = field(default_factory=partial(defaultdict, list))
    refused: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Run both months and print."""
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=about)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--abuse", type=float, default=0.03)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    requests = sorted(
        requested(options.scale, options.abuse, random.Random(options.seed)), key=lambda asked: asked.at
    )
    ordinary = [asked for asked in requests if not asked.is_abuse]
    with ProcessPoolExecutor(2) as pool:
        with_abuse, without = pool.map(simulated, [requests, ordinary], [options.scale] * 2)
    during = during_attacks(requests)
    found = {
        "requests": len(requests),
        "abuse": len(requests) - len(ordinary),
        "refused": dict(with_abuse.refused),
        "exceeded": exceeded(with_abuse),
        "wait_s": compared(with_abuse.waits, without.waits),
        "wait_s_during_attacks": compared(
            *(list(filter(during, month.waits)) for month in (with_abuse, without))
        ),
    }
    print(json.dumps(found))  # noqa: T201


def compared(
    with_abuse: list[tuple[float, float]], without: list[tuple[float, float]]
) -> dict[str, float | None]:
    """The 95th percentiles of two months' waits; no ratio where nothing waited without abuse."""
    p95 = [percentile([wait for _, wait in waits]) for waits in (with_abuse, without)]
    ratio = round(p95[0] / p95[1], 3) if p95[1] else None
    return {"with": round(p95[0], 1), "without": round(p95[1], 1), "ratio": ratio}


def during_attacks(requests: list[AskedEdit]) -> Callable[[tuple[float, float]], bool]:
    """Whether a wait began within ten minutes, an attack's length, after an attack did."""
    starts = sorted(
        {asked.user.split(".")[0]: asked.at for asked in reversed(requests) if asked.is_abuse}.values()
    )

    def is_during(wait: tuple[float, float]) -> bool:
        place = bisect_right(starts, wait[0])
        return place > 0 and wait[0] - starts[place - 1] < FLOOD * APART_S

    return is_during


def requested(scale: float, abuse: float, rng: random.Random) -> Iterator[AskedEdit]:
    """The requests of a month; evenings are three times as busy as mornings."""
    people = round(PEOPLE * scale)
    attacks = round(REQUESTS * scale * abuse / FLOOD)
    servers = [f"server {number}" for number in range(SERVERS)]
    for _ in range(round(REQUESTS * scale)):
        user = f"user {int(people * rng.random() ** 2)}"  # few ask much
        yield AskedEdit(moment(rng), user, rng.choice([*servers, None]))
    for number in range(attacks):
        kind, user = KINDS[number % len(KINDS)], f"abuser {number}"
        at, server = moment(rng), rng.choice(servers)
        for nth in range(FLOOD):
            moment_of_it = at + nth * APART_S
            match kind:
                case "grid":
                    yield AskedEdit(moment_of_it, user, server, pictures=9, is_abuse=True)
                case "steps":
                    yield AskedEdit(moment_of_it, user, server, cost=10.0, is_abuse=True)
                case "alts":
                    yield AskedEdit(moment_of_it, f"{user}.{nth % ALTS}", None, is_abuse=True)
                case _:
                    yield AskedEdit(moment_of_it, user, rng.choice(servers), is_abuse=True)


def moment(rng: random.Random) -> float:
    """A moment of the month, in seconds."""
    hour = rng.choices(range(24), weights=[1] * 8 + [2] * 8 + [3] * 8)[0]
    return rng.randrange(DAYS) * DAY_S + hour * HOUR_S + rng.random() * HOUR_S


def simulated(requests: list[AskedEdit], scale: float) -> Month:
    """Run a month: each edit is asked for, charged, queued and painted."""
    rules = ShareRules(20, 60, 400 * scale, 4000 * scale, 1200 * scale, 12_000 * scale)
    machine = Machine(Month(), SECONDS / scale)
    db = Database(memory=True)
    migrations.apply(db)
    for number, asked in enumerate(requests):
        machine.finish_until(asked.at)
        if machine.waiting[asked.user] >= WAITING:
            machine.month.refused["waiting"] += 1
            continue
        cost = asked.cost * asked.pictures
        limits = share_limits(rules, None, asked.user, asked.server, ())
        turn = Turn(f"t{number}", "s", 1, "p", asked.user, source=RequestSource(server=asked.server))
        try:
            charge(db, asked.at, turn, Charge(cost, limits))
        except ShareUsedUp as used_up:
            machine.month.refused[used_up.use.limit.scope] += 1
            continue
        if number % round(1 / FAILING) == 0:
            refund_lost(db, Turn(turn.id, "s", 1, "p", asked.user, error=Message("failed")))
            continue
        for limit in limits:
            machine.month.charged[limit].append((asked.at, cost))
        machine.push(asked)
    machine.finish_until(float("inf"))
    return machine.month


@dataclass
class Machine:
    """The queue and the slots; an edit of cost 1 takes `seconds`."""

    month: Month
    seconds: float
    waiting: Counter[str] = field(default_factory=Counter)  # by user: edits that did not begin

    def __post_init__(self) -> None:
        self._queue = FairQueue[Cell](QueueLimits(100_000, 100_000))
        self._last_slot = LastSlot()
        self._running: list[tuple[float, int, Cell]] = []  # by their end
        self._begun = 0

    def push(self, asked: AskedEdit) -> None:
        """An edit is asked for."""
        self.waiting[asked.user] += 1
        self._last_slot.asked(asked.user, asked.at)
        self._queue.push(Cell(asked.user, asked.cost, asked, asked.pictures - 1))
        self._start(asked.at)

    def finish_until(self, now: float) -> None:
        """Everything that ends by then ends."""
        while self._running and self._running[0][0] <= now:
            at, _, cell = heapq.heappop(self._running)
            if cell.left:
                self._queue.push(Cell(cell.owner, cell.cost, cell.asked, cell.left - 1))
            self._start(at)

    def _start(self, now: float) -> None:
        def may_start(cell: Cell) -> bool:
            return self._last_slot.may_take(cell.owner, owners, SLOTS, now)

        while len(owners := [cell.owner for _, _, cell in self._running]) < SLOTS:
            cell = self._queue.take(may_start)
            if cell is None:
                return
            if cell.left == cell.asked.pictures - 1:
                self.waiting[cell.owner] -= 1
                if not cell.asked.is_abuse:
                    self.month.waits.append((cell.asked.at, now - cell.asked.at))
            self._begun += 1
            heapq.heappush(self._running, (now + cell.cost * self.seconds, self._begun, cell))


def exceeded(month: Month) -> int:
    """How many limits were exceeded in any window, counted from the edits that were made."""
    found = 0
    for limit, made in month.charged.items():
        times, sums = [at for at, _ in made], [0.0]
        for _, cost in made:
            sums.append(sums[-1] + cost)
        used = (
            sums[end + 1] - sums[bisect_right(times, at - limit.window_s)] for end, at in enumerate(times)
        )
        found += max(used) > limit.most + 1e-3
    return found


def percentile(values: list[float], part: float = 0.95) -> float:
    """That part of the values is at most this."""
    return sorted(values)[int(part * (len(values) - 1))]


if __name__ == "__main__":
    main()
