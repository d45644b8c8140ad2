"""The training loop: accelerate around any loss, with a clock, an average of the weights, and resuming.

The loop knows nothing of what is trained: a stage gives modules, a source of batches and a loss. On several
devices every process holds the modules whole and draws batches of its own; gradients are averaged over all.
"""

import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from accelerate import Accelerator
from torch import Tensor, nn

from mgie_engine.training.recipe import Recipe

log = logging.getLogger(__name__)
Batch = Any
Loss = Callable[[nn.ModuleDict, Batch], Mapping[str, Tensor]]  # must hold "total"
LOOK_AT_CLOCK = 10  # steps; on several devices a look costs a broadcast


@dataclass
class Clock:
    """How far a run is, by steps or by minutes, whichever is further."""

    steps: int
    minutes: float
    now: Callable[[], float] = time.monotonic
    started: float = field(init=False)
    step: int = 0

    def __post_init__(self) -> None:
        self.started = self.now()

    @property
    def progress(self) -> float:
        """0 at the start, 1 at the end; at the end from the start when no minutes are left."""
        if self.minutes <= 0:
            return 1.0
        return max(self.step / self.steps, (self.now() - self.started) / (60 * self.minutes))


def rate_at(progress: float, recipe: Recipe) -> float:
    """Factor on the learning rate: linear warm-up, then half a cosine down to `final_rate`."""
    if progress < recipe.warmup:
        return progress / recipe.warmup + 1e-3
    fall = min(1.0, (progress - recipe.warmup) / (1 - recipe.warmup))
    return recipe.final_rate + (1 - recipe.final_rate) * 0.5 * (1 + math.cos(math.pi * fall))


class Trainer:
    """Trains a dictionary of modules by one recipe; `averaged` holds the moving average of the weights."""

    def __init__(self, recipe: Recipe, modules: nn.ModuleDict, folder: Path, *, cpu: bool = False) -> None:
        self.recipe, self.folder = recipe, folder
        self.accelerator = Accelerator(mixed_precision=recipe.precision, cpu=cpu)
        self.modules = modules.to(self.accelerator.device)
        self.averaged = deepcopy(self.modules).requires_grad_(False)
        groups = [
            {"params": [p for p in module.parameters() if p.requires_grad],
             "lr": recipe.rates.get(name, recipe.learning_rate)}
            for name, module in modules.items()
        ]  # fmt: skip
        fused = self.accelerator.device.type == "cuda"
        decay = recipe.weight_decay
        optimizer = torch.optim.AdamW(groups, betas=recipe.betas, weight_decay=decay, fused=fused)
        self.optimizer = self.accelerator.prepare(optimizer)
        self.base_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.clock, self.progress = Clock(recipe.steps, recipe.minutes), 0.0

    def rehearse(self, batches: Iterable[Batch], loss: Loss) -> None:
        """Compute losses and gradients and throw them away, so that what is compiled is compiled now."""
        for batch in batches:
            with self.accelerator.autocast():
                losses = loss(self.modules, batch)
            self.accelerator.backward(losses["total"])
            self._share_gradients()
            self.optimizer.zero_grad(set_to_none=True)

    def begin(self, minutes: float | None = None) -> None:
        """Take the weights as they are now for the start: the average follows them, the clock is reset.

        minutes: how long the run may take from now, if not what the recipe says.
        """
        self.averaged.load_state_dict(self.modules.state_dict())
        self.clock = Clock(self.recipe.steps, self.recipe.minutes if minutes is None else minutes)

    def fit(self, batches: Iterator[Batch], loss: Loss) -> dict[str, float]:
        """Run to the end of the clock; returns the last logged means."""
        sums: dict[str, Tensor] = {}
        last: dict[str, float] = {}
        save_every = self.recipe.save_every
        for batch in batches:
            if self._look_at_clock() >= 1:
                break
            for name, value in self._step(batch, loss).items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value
            if self.clock.step % self.recipe.log_every == 0:
                last = self._report({name: float(v) / self.recipe.log_every for name, v in sums.items()})
                sums = {}
            if save_every and self.clock.step % save_every == 0:
                self.save()
        return last

    def _look_at_clock(self) -> float:
        """Progress, the same in every process: now and then the first one's clock is asked."""
        if self.clock.step % LOOK_AT_CLOCK == 0 or self.clock.step >= self.recipe.steps:
            told = torch.tensor(self.clock.progress, device=self.accelerator.device)
            if self.accelerator.num_processes > 1:
                dist.broadcast(told, 0)
            self.progress = float(told)
        return self.progress

    def _share_gradients(self) -> None:
        """Average the gradients over all processes, in one go."""
        if self.accelerator.num_processes == 1:
            return
        gradients = [p.grad for p in self.modules.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.accelerator.num_processes
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        shaped = [part.view_as(gradient) for part, gradient in zip(parts, gradients, strict=True)]
        torch._foreach_copy_(gradients, shaped)

    def _step(self, batch: Batch, loss: Loss) -> dict[str, Tensor]:
        factor = rate_at(self.progress, self.recipe)
        for group, base in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            group["lr"] = base * factor
        with self.accelerator.autocast():
            losses = loss(self.modules, batch)
        self.accelerator.backward(losses["total"])
        self._share_gradients()
        self.accelerator.clip_grad_norm_(self.modules.parameters(), self.recipe.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.clock.step += 1
        self._average()
        return {name: value.detach().float() for name, value in losses.items()}

    @torch.no_grad()
    def _average(self) -> None:
        """Move the average towards the weights; early on it follows faster."""
        decay = min(self.recipe.ema, (1 + self.clock.step) / (10 + self.clock.step))
        live = list[Tensor](self.modules.parameters())
        torch._foreach_lerp_(list[Tensor](self.averaged.parameters()), live, 1 - decay)

    def _report(self, means: dict[str, float]) -> dict[str, float]:
        minutes = (time.monotonic() - self.clock.started) / 60
        record = {"step": self.clock.step, "minutes": round(minutes, 3)} | {
            k: round(v, 5) for k, v in means.items()
        }
        if not self.accelerator.is_main_process:
            return means
        log.info("%s %s", self.recipe.stage, json.dumps(record))
        with (self.folder / f"{self.recipe.stage}.jsonl").open("a") as lines:
            lines.write(json.dumps(record) + "\n")
        return means

    def save(self) -> None:
        """Everything a killed run needs to go on."""
        if not self.accelerator.is_main_process:
            return
        state = {
            "modules": self.modules.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.clock.step,
        }
        partial = self.folder / f"{self.recipe.stage}.partial"
        torch.save(state, partial)
        partial.replace(self.folder / f"{self.recipe.stage}.resume.pt")

    def resume(self) -> bool:
        """Go on from the last save, if there is one."""
        path = self.folder / f"{self.recipe.stage}.resume.pt"
        if not path.is_file():
            return False
        state = torch.load(path, map_location=self.accelerator.device, weights_only=True)
        self.modules.load_state_dict(state["modules"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.clock.step = state["step"]
        return True
