"""Training at full size: the token tables, the edit head and the U-Net are trained, the rest is frozen.

Runs in one process or in several, one per device, with the networks replicated or sharded.
"""

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
import torch.distributed as dist
from accelerate import PartialState
from filelock import FileLock, Timeout
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from conversations.atomic_write import replacing
from mgie_engine.checkpoints.native import Networks
from mgie_engine.checkpoints.tensors import StoredModel
from mgie_engine.config import Behaviour, ModelConfig
from mgie_engine.errors import ModelError
from mgie_engine.lab.data import shards
from mgie_engine.lab.training import initial_weights as starting
from mgie_engine.lab.training.batch_loader import BatchLoader, ExampleEncoder, TrainingBatch
from mgie_engine.lab.training.initial_weights import InitialWeights
from mgie_engine.lab.training.objective import LatentBatch, Losses, training_loss
from mgie_engine.lab.training.recipe import Recipe
from mgie_engine.lab.training.sample_grids import SampleGrids
from mgie_engine.lab.training.trainer import Trainer
from mgie_engine.model.diffusion import alphas_cumprod, condition_latents, target_latents
from mgie_engine.text.prompting import Prompter

log = logging.getLogger(__name__)
WEIGHTS = "model-00001.safetensors"  # the trained weights, under published names


@dataclass(frozen=True, slots=True)
class Options:
    """The [options] of a recipe of the stage "full"."""

    micro_batch: int = 4  # items per device and pass; the rest of a batch is accumulated
    side: int = 256  # pixels of the generated pictures
    max_length: int = 512  # tokens
    history_turns: int = 0  # earlier turns of a conversation in a text
    texts: str = "serving"  # or "release": as its code makes them, oddities included
    checkpointing: bool = True  # compute activations twice, for memory
    channels_last: bool = True  # for the convolutions, where the networks are held whole
    sample_every: int = 0  # steps between sample grids; 0: none
    samples: int = 4  # rows of a grid
    sample_steps: int = 20

    @classmethod
    def of(cls, recipe: Recipe) -> "Options":
        """ModelError names an option that does not exist."""
        if unknown := recipe.options.keys() - set(cls.__slots__):
            raise ModelError(f"The recipe has the unknown option {min(unknown)!r}.")
        return cls(**recipe.options)


class TrainingTask(nn.Module):
    """All networks with both losses in one forward pass, as sharding needs it."""

    def __init__(self, config: ModelConfig, networks: Networks) -> None:
        super().__init__()
        self.config = config
        self.mllm, self.edit_head = networks.mllm, networks.edit_head
        self.unet, self.vae = networks.unet, networks.vae
        self.register_buffer("alphas", alphas_cumprod(config.noise), persistent=False)

    @property
    def networks(self) -> Networks:
        return Networks(self.mllm, self.edit_head, self.unet, self.vae)

    def forward(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """The losses by name."""
        found = self.losses(batch)
        return {"total": found.total, "instruction": found.instruction, "edit": found.edit}

    def losses(self, batch: TrainingBatch, behaviour: Behaviour = Behaviour.SERVING) -> Losses:
        """The losses of a batch on the networks' device."""
        alphas = cast(Tensor, self.alphas)
        noise, paintings = self.config.noise, self.paintings(batch)
        learners = self.mllm, self.edit_head, self.unet
        return training_loss(*learners, batch.texts, paintings, noise, alphas, behaviour)

    @torch.no_grad()
    def paintings(self, batch: TrainingBatch) -> LatentBatch:
        """The pictures of a batch as latents."""
        noise_sample = batch.noise_sample
        goal = target_latents(self.vae, batch.after, noise_sample.sample).float()
        condition = condition_latents(self.vae, batch.before).float()
        return LatentBatch(goal, condition, noise_sample.noise, noise_sample.timesteps, noise_sample.drop)


def build_task(
    first: InitialWeights,
    options: Options,
    device: torch.device,
    *,
    compiled: bool = False,
    shared: bool = False,
) -> TrainingTask:
    """The networks in training mode; `shared`: sharded over all processes, block by block."""
    task = TrainingTask(first.config, first.networks).to(device)
    if options.checkpointing:
        language = task.mllm.model  # renamed in transformers 5.2x
        enable = getattr(language, "activation_checkpointing_enable", language.gradient_checkpointing_enable)
        enable()
        task.unet.enable_gradient_checkpointing()
    if options.channels_last and not shared and device.type == "cuda":
        task.unet.to(memory_format=torch.channels_last)
        task.vae.to(memory_format=torch.channels_last)
    for block in _blocks(task) if compiled else ():
        block.compile()
    if shared:
        mesh = init_device_mesh(device.type, (dist.get_world_size(),))
        for block in _blocks(task):
            fully_shard(block, mesh=mesh)
        fully_shard(task, mesh=mesh)
    return task.train()


def _blocks(task: TrainingTask) -> list[nn.Module]:
    unet = task.unet
    return [*task.mllm.model.layers, *unet.down_blocks, unet.mid_block, *unet.up_blocks]


@dataclass(frozen=True, slots=True)
class FullTrainingConfig:
    """One training run."""

    recipe: Recipe
    data: Path
    folder: Path  # where it writes
    shared: bool = False


def resolve_recipe(plan: FullTrainingConfig, processes: int) -> Recipe:
    """The recipe with its steps computed and its batch divided. ModelError if it does not divide."""
    recipe, options = plan.recipe, Options.of(plan.recipe)
    at_once = options.micro_batch * processes
    if recipe.batch_size % at_once:
        raise ModelError(
            f"A batch of {recipe.batch_size} cannot be shared by {processes} processes "
            f"that take {options.micro_batch} at once."
        )
    rows = sum(group.rows for group in shards.row_groups(plan.data))
    steps = recipe.steps or math.ceil(recipe.epochs * rows / recipe.batch_size)
    if steps < 1:
        raise ModelError("The recipe says neither how many steps nor how many epochs.")
    return replace(recipe, steps=steps, accumulate=recipe.batch_size // at_once)


def train(plan: FullTrainingConfig, source: StoredModel, state: PartialState) -> dict[str, float]:
    """Train, or resume a stopped run; returns the last logged means.

    Afterwards the folder holds the trained weights, as `mgie extract` reads them. ModelError while another
    run, such as the workers of a killed launcher, still writes there.
    """
    with _alone(plan.folder) if state.is_main_process else nullcontext():
        return _train(plan, source, state)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", blocking=False):
            yield
    except Timeout as error:
        raise ModelError(f"Another run is at work in {folder}: wait until it is over, or end it.") from error


def _train(plan: FullTrainingConfig, source: StoredModel, state: PartialState) -> dict[str, float]:
    recipe, options = resolve_recipe(plan, state.num_processes), Options.of(plan.recipe)
    torch.manual_seed(recipe.seed)
    half = torch.bfloat16 if recipe.precision == "bf16" else torch.float32
    first = starting.load(source, state.device, half)
    task = build_task(first, options, state.device, compiled=recipe.compile, shared=plan.shared)
    modules = nn.ModuleDict(first.networks.parts())
    cpu = state.device.type == "cpu"
    trainer = Trainer(recipe, modules, plan.folder, cpu=cpu, saves=plan.folder)
    if trainer.resume():
        log.info("going on after step %d", trainer.clock.step)
    samples = SampleGrids(
        plan.data,
        trainer,
        task,
        first.networks,
        first.config,
        first.tokenizer,
        options.side,
        options.samples,
        options.sample_steps,
    )

    def loss(_: nn.ModuleDict, batch: TrainingBatch) -> Mapping[str, Tensor]:
        return cast(dict[str, Tensor], task(batch.to(state.device)))

    def after_step(step: int) -> None:
        if options.sample_every and step % options.sample_every == 0:
            samples.draw(step)
        if recipe.save_every and step % recipe.save_every == 0:
            save_trained(trainer, first.networks, plan.folder / f"checkpoint-{step}")

    loader = make_loader(plan, first, recipe, state)
    with closing(loader.batches(skip=trainer.clock.step * recipe.accumulate)) as batches:
        last = trainer.fit(batches, loss, after_step)
    save_trained(trainer, first.networks, plan.folder)
    return last


def make_loader(
    plan: FullTrainingConfig, first: InitialWeights, recipe: Recipe, state: PartialState
) -> BatchLoader:
    """The batches of this process."""
    options, config = Options.of(recipe), first.config
    tokens, behaviour = config.vision.tokens, Behaviour(options.texts)
    prompter = Prompter(first.tokenizer, tokens, options.history_turns, behaviour)
    return BatchLoader(
        plan.data,
        ExampleEncoder(prompter, config.vision, options.side, options.max_length),
        replace(config, picture_size=options.side).latent_shape,
        config.noise.train_timesteps,
        options.micro_batch,
        recipe.seed,
        state.process_index,
        state.num_processes,
    )


def save_trained(trainer: Trainer, networks: Networks, folder: Path) -> None:
    """Write the trained weights in fp16 under published names. All processes call it."""
    names = starting.published_names(networks)
    learned: dict[str, Any] = {}
    for name, tensor in trainer.learned():
        if trainer.state.is_main_process:
            learned[names[name]] = tensor.to("cpu", torch.float16).contiguous()
    if learned:
        with replacing(folder / WEIGHTS) as part:
            save_file(learned, part, metadata={"format": "pt"})
