"""The training loop: any loss, with a clock, a moving average of the weights, and resuming.

The loop is independent of the networks: a stage passes modules, an iterator of batches and a loss. On several
devices every process draws its own batches. Gradients of replicated modules are averaged here; modules
sharded by torch's `fully_shard` average theirs.
"""

import math
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from accelerate import PartialState
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict, set_optimizer_state_dict
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save
from torch.distributed.tensor import DTensor
from torch.profiler import record_function

from mgie_engine.lab.training.recipe import Recipe
from mgie_engine.lab.training.training_log import TrainingLog

Batch = Any
Loss = Callable[[nn.ModuleDict, Batch], Mapping[str, Tensor]]  # must hold "total"
LOOK_AT_CLOCK = 10  # steps; on several devices a look costs a broadcast
SHARED_AT_ONCE = 2**26  # gradient values that are averaged in one go


@dataclass
class Clock:
    """The progress of a run, by steps or by minutes, whichever is further."""

    steps: int
    minutes: float
    now: Callable[[], float] = time.monotonic
    started: float = field(init=False)
    step: int = 0

    def __post_init__(self) -> None:
        self.started = self.now()

    @property
    def share_of_time(self) -> float:
        """0 at the start, 1 when the minutes are over; 1 from the start if there are none."""
        return 1.0 if self.minutes <= 0 else (self.now() - self.started) / (60 * self.minutes)

    @property
    def progress(self) -> float:
        """0 at the start, 1 at the end."""
        return max(self.step / self.steps, self.share_of_time)


def rate_at(progress: float, recipe: Recipe) -> float:
    """Factor on the learning rate: linear warm-up, then half a cosine down to `final_rate`."""
    if progress < recipe.warmup:
        return progress / recipe.warmup + 1e-3
    fall = min(1.0, (progress - recipe.warmup) / (1 - recipe.warmup))
    return recipe.final_rate + (1 - recipe.final_rate) * 0.5 * (1 + math.cos(math.pi * fall))


class Trainer:
    """Trains the parameters of a dictionary of modules that are not frozen, by one recipe."""

    def __init__(
        self,
        recipe: Recipe,
        modules: nn.ModuleDict,
        folder: Path,
        *,
        cpu: bool = False,
        saves: Path | None = None,
    ) -> None:
        """`saves` is where checkpoint-N go: by default, a folder named after the stage."""
        self.recipe, self.folder, self.saves = recipe, folder, saves or folder / recipe.stage
        self.state = PartialState(cpu=cpu)
        self.modules = modules.to(self.state.device)
        # Listed once: walking through a thousand modules takes longer than a step on a GPU.
        self._learning = {name: p for name, p in modules.named_parameters() if p.requires_grad}
        self._parameters = list(self._learning.values())
        self._average = [p.detach().clone() for p in self._parameters] if recipe.ema else []
        self.optimizer = _optimizer(recipe, modules)
        self.base_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.training_log = TrainingLog(folder, recipe.stage, shown=self.state.is_main_process)
        self.clock, self._share_of_time = Clock(recipe.steps, recipe.minutes), 0.0

    @property
    def averaged(self) -> nn.ModuleDict:
        """A frozen copy of the modules with the moving average as weights; only for unsharded modules."""
        with self.average_in_place():
            return deepcopy(self.modules).requires_grad_(False)

    @contextmanager
    def average_in_place(self) -> Iterator[None]:
        """The modules hold the moving average during the block, if the recipe keeps one."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for live, average in zip(self._parameters, self._average, strict=bool(self._average)):
            kept = live.detach().clone()
            live.copy_(average)
            average.copy_(kept)

    def autocast(self) -> torch.autocast:
        """A context with the precision of the recipe."""
        half = self.recipe.precision == "bf16"
        return torch.autocast(self.state.device.type, torch.bfloat16, enabled=half)

    def rehearse(self, batches: Iterable[Batch], loss: Loss) -> None:
        """Compute losses and gradients and discard them, to trigger compilation."""
        for batch in batches:
            self._learn([batch], loss)
            self.optimizer.zero_grad(set_to_none=True)

    def begin(self, minutes: float | None = None) -> None:
        """Start from the current weights: the average is set to them, the clock is reset.

        minutes: the time limit from now, in place of the recipe's.
        """
        if self._average:
            torch._foreach_copy_(self._average, [p.detach() for p in self._parameters])
        self.clock = Clock(self.recipe.steps, self.recipe.minutes if minutes is None else minutes)

    def fit(
        self, batches: Iterator[Batch], loss: Loss, after_step: Callable[[int], None] | None = None
    ) -> dict[str, float]:
        """Run to the end of the clock; returns the last logged means over all processes.

        A step takes `recipe.accumulate` batches; `after_step` gets the number of completed steps.
        """
        losses_so_far: list[Tensor] = []
        last: dict[str, float] = {}
        while (progress := self._look_at_clock()) < 1:
            with record_function("feed"):
                some = list(islice(batches, self.recipe.accumulate))
            if not some:
                break
            found = self._step(some, loss, progress)
            losses_so_far.append(torch.stack(list(found.values())))
            if self.clock.step % self.recipe.log_every == 0:
                last, losses_so_far = self._report(list(found), losses_so_far), []
            if self.recipe.save_every and self.clock.step % self.recipe.save_every == 0:
                self.save()
            if after_step:
                after_step(self.clock.step)
        return last

    def _look_at_clock(self) -> float:
        """Progress, the same in every process: the first one's clock is broadcast now and then."""
        if self.clock.step % LOOK_AT_CLOCK == 0 and math.isfinite(self.clock.minutes):
            self._share_of_time = self.clock.share_of_time
            if self.state.num_processes > 1:
                said = torch.tensor(self._share_of_time, device=self.state.device)
                dist.broadcast(said, 0)
                self._share_of_time = float(said)
        return max(self.clock.step / self.clock.steps, self._share_of_time)

    def _step(self, batches: list[Batch], loss: Loss, progress: float) -> dict[str, Tensor]:
        factor = rate_at(progress, self.recipe)
        for group, base in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            group["lr"] = base * factor
        with record_function("learn"):
            losses = self._learn(batches, loss)
        with record_function("clip"):
            norm = nn.utils.clip_grad_norm_(self._parameters, self.recipe.clip)
        with record_function("optimize"):
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
        self.clock.step += 1
        with record_function("average"):
            self._follow()
        return losses | {"gradient": _whole(norm)}

    def _learn(self, batches: list[Batch], loss: Loss) -> dict[str, Tensor]:
        """Mean losses of the batches; the averaged gradients stay in the parameters."""
        sums: dict[str, Tensor] = {}
        if self.recipe.graphs:  # what they gave in the last step is no longer needed
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        for batch in batches:
            with self.autocast():
                losses = loss(self.modules, batch)
            (losses["total"] / len(batches)).backward()  # type: ignore[no-untyped-call]
            for name, value in losses.items():
                part = value.detach().float() / len(batches)
                sums[name] = sums[name] + part if name in sums else part
        self._share_gradients()
        return sums

    def _share_gradients(self) -> None:
        """Average the gradients of replicated parameters over all processes."""
        if self.state.num_processes == 1:
            return
        found = [p.grad for p in self._parameters if p.grad is not None and not isinstance(p.grad, DTensor)]
        for gradients in _portions(found, SHARED_AT_ONCE):
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            dist.all_reduce(flat)
            flat /= self.state.num_processes
            parts = torch.split(flat, [gradient.numel() for gradient in gradients])
            shaped = [part.view_as(gradient) for part, gradient in zip(parts, gradients, strict=True)]
            torch._foreach_copy_(gradients, shaped)

    @torch.no_grad()
    def _follow(self) -> None:
        """Update the moving average; it follows faster in early steps."""
        if self._average:
            decay = min(self.recipe.ema, (1 + self.clock.step) / (10 + self.clock.step))
            torch._foreach_lerp_(self._average, list[Tensor](self._parameters), 1 - decay)

    def _report(self, names: list[str], losses_so_far: list[Tensor]) -> dict[str, float]:
        means = torch.stack(losses_so_far).mean(0)
        if self.state.num_processes > 1:
            dist.all_reduce(means)
            means /= self.state.num_processes
        found = dict(zip(names, means.tolist(), strict=True))
        self.training_log.scalars(self.clock.step, found | self._circumstances())
        return found

    def _circumstances(self) -> dict[str, float]:
        """Minutes since the start, the highest learning rate, and on a GPU the most memory taken, in GiB."""
        minutes = (self.clock.now() - self.clock.started) / 60
        losses_so_far = {
            "minutes": minutes,
            "rate": max(group["lr"] for group in self.optimizer.param_groups),
        }
        if self.state.device.type == "cuda":
            losses_so_far["memory_gib"] = torch.cuda.max_memory_allocated(self.state.device) / 2**30
        return losses_so_far

    def learned(self) -> Iterator[tuple[str, Tensor]]:
        """Names and full values of the trained parameters, or of their average, in every process."""
        for name, tensor in zip(self._learning, self._average or self._parameters, strict=True):
            yield name, _whole(tensor.detach())

    def save(self) -> None:
        """Write checkpoint-N with everything that resuming needs; old checkpoints are removed afterwards."""
        folder = self.saves / f"checkpoint-{self.clock.step}"
        if self.state.is_main_process:
            shutil.rmtree(folder, ignore_errors=True)  # an unfinished one of a killed run
        self.state.wait_for_everyone()
        with _alone_without_a_word():
            save(self._saved(), checkpoint_id=folder)
        if self.state.is_main_process:
            for old in checkpoints(self.saves)[self.recipe.keep :]:
                shutil.rmtree(old)

    def resume(self) -> bool:
        """Resume from the newest checkpoint, if there is one."""
        found = checkpoints(self.saves)
        if not found:
            return False
        state = self._saved()
        with _alone_without_a_word():
            load(state, checkpoint_id=found[0])
        set_optimizer_state_dict(self.modules, self.optimizer, state["optimizer"])
        self.clock.step = state["step"]
        self.training_log.forget_after(self.clock.step)
        return True

    def _saved(self) -> dict[str, Any]:
        return {
            "weights": dict(self._learning),
            "averaged": dict(zip(self._learning, self._average, strict=bool(self._average))),
            "optimizer": get_optimizer_state_dict(self.modules, self.optimizer),
            "step": self.clock.step,
        }


def checkpoints(folder: Path) -> list[Path]:
    """The finished checkpoint-N of a folder, the newest first."""
    found = (path.parent for path in folder.glob("checkpoint-*/.metadata"))
    return sorted(found, key=lambda path: int(path.name.removeprefix("checkpoint-")), reverse=True)


def read_average(folder: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The averaged weights of a checkpoint-N, read into tensors `like` those that were trained."""
    state = {"averaged": {name: torch.empty_like(tensor) for name, tensor in like.items()}}
    with _alone_without_a_word():
        load(state, checkpoint_id=folder, no_dist=True)
    return state["averaged"]


@contextmanager
def _alone_without_a_word() -> Iterator[None]:
    """Suppress torch's warning about checkpoints of a single process."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        yield


def _optimizer(recipe: Recipe, modules: nn.ModuleDict) -> torch.optim.AdamW:
    groups = []
    for name, module in modules.items():
        if learning := [p for p in module.parameters() if p.requires_grad]:
            groups.append({"params": learning, "lr": recipe.rates.get(name, recipe.learning_rate)})
    return torch.optim.AdamW(groups, betas=recipe.betas, weight_decay=recipe.weight_decay, fused=True)


def _portions(tensors: Iterable[Tensor], values: int) -> Iterator[list[Tensor]]:
    portion, filled = list[Tensor](), 0
    for tensor in tensors:
        if portion and filled + tensor.numel() > values:
            yield portion
            portion, filled = [], 0
        portion.append(tensor)
        filled += tensor.numel()
    if portion:
        yield portion


def _whole(tensor: Tensor) -> Tensor:
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
