"""How many edits share CUDA graphs, and the memory that takes. Knows no torch."""

from dataclasses import dataclass

from mgie_engine.config import ModelConfig


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """How much one engine holds at once."""

    slots: int  # edits under way; those beyond `painting` read, wait for their turn, or are finished
    batches: tuple[int, ...]  # edits in one program of a denoising step
    rows: int = 8  # readings in one decode
    length: int = 512  # tokens of a reading, prompt and picture included

    @property
    def painting(self) -> int:
        """Edits that paint at once: more would only make all of them slower."""
        return max(self.batches)


SLOT_PLANS = (
    SlotPlan(slots=16, batches=(1, 2, 4, 8)),
    SlotPlan(slots=8, batches=(1, 2, 4)),
    SlotPlan(slots=4, batches=(1, 2)),
    SlotPlan(slots=2, batches=(1,)),
)


def added_bytes(config: ModelConfig, plan: SlotPlan = SLOT_PLANS[0], number: int = 2) -> int:
    """About what the level `same` adds to the memory mode: cache, slots and the pool of the graphs.

    `number`: bytes of one number in the cache.
    """
    cache = 2 * config.language.layers * (plan.rows + 1) * plan.length * config.language.hidden_size * number
    side = config.picture_size / 512
    painting = int(plan.painting * side * side * 400 * 2**20)  # pools and workspaces, measured at full size
    return cache + painting
