"""What the engine's loop does next. Pure decisions over keys and seconds; no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

ALONE_S = 0.25  # how long reading goes on undisturbed while none paints; then the loop looks around
SHARED_STEPS = 4.0  # steps' time that shared readings get between two steps: four fifths of all
MANY = 3  # readers from which on the device may read and paint at the same time


@dataclass(frozen=True, slots=True)
class LoopStep:
    """One round of the loop."""

    read: tuple[int, ...]  # the edits whose reading goes on
    read_for_s: float
    paint: tuple[int, ...]  # the edits that make one denoising step together
    overlap: bool = False  # whether the step is made while they read, instead of after


def next_loop_step(
    reading: Sequence[int],
    painting: Sequence[int],
    step_s: float,
    rows: int = 1,
    may_overlap: bool = False,
) -> LoopStep:
    """Every edit that paints makes a step; those that have waited longest read, up to `rows` edits together.

    One that reads alone gets as long as a step takes, so a newcomer at most doubles the time of the others'
    steps, and its own reading takes at most twice as long for them. Readings that share each token get four
    times as long, so they take a quarter longer than without painters. Those wait no longer for it in all: a
    reading costs the same time whether it is done slowly or at once.

    A crowd of readers is another matter: what counts then is how much gets done. If the device can
    (`may_overlap`), it reads and paints at the same time, and the loop looks at both after every token.

    reading and painting: keys, the oldest first. step_s: seconds the last denoising step took.
    """
    overlap = may_overlap and bool(painting) and len(reading) >= MANY
    share_s = 0.0 if overlap else step_s if rows == 1 else SHARED_STEPS * step_s
    return LoopStep(tuple(reading[:rows]), share_s if painting else ALONE_S, tuple(painting), overlap)


def preview_steps(steps: int, shares: Sequence[float]) -> frozenset[int]:
    """After which of `steps` denoising steps a preview is made, for shares of the way between 0 and 1.

    None after the last step, when the picture itself is about to come.
    """
    return frozenset(at for share in shares if 0 < (at := round(share * steps)) < steps)
