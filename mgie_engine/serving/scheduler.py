"""What the engine's loop does next. Pure decisions over keys and seconds; no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

ALONE_S = 0.25  # how long reading goes on undisturbed while nobody paints; then the loop looks around


@dataclass(frozen=True, slots=True)
class LoopStep:
    """One round of the loop."""

    read: int | None  # the edit whose reading goes on
    read_for_s: float
    paint: tuple[int, ...]  # the edits that make one denoising step together


def next_loop_step(reading: Sequence[int], painting: Sequence[int], step_s: float) -> LoopStep:
    """Everybody who paints makes a step; whoever has waited longest reads for as long as a step takes.

    So a newcomer at most doubles the time of the others' steps while it reads, and its own reading takes at
    most twice as long for them. reading and painting: keys, the oldest first. step_s: seconds the last
    denoising step took.
    """
    return LoopStep(reading[0] if reading else None, step_s if painting else ALONE_S, tuple(painting))


def preview_steps(steps: int, shares: Sequence[float]) -> frozenset[int]:
    """After which of `steps` denoising steps a preview is made, for shares of the way between 0 and 1.

    None after the last step, when the picture itself is about to come.
    """
    return frozenset(at for share in shares if 0 < (at := round(share * steps)) < steps)
