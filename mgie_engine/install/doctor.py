"""Checks whether a model can run here: files, libraries, disk and memory; one sentence each."""

import importlib.util
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mgie_engine.checkpoints import native
from mgie_engine.checkpoints.layout import missing
from mgie_engine.checkpoints.tensors import read_headers
from mgie_engine.config import ModelConfig, resolve_model
from mgie_engine.errors import ModelError
from mgie_engine.install.file_check import find_faults
from mgie_engine.install.full_size import FULL_SIZE
from mgie_engine.memory import modes
from mgie_engine.memory.graph_memory import added_bytes
from mgie_engine.memory.loading import count, free_bytes, has_quick_bf16
from mgie_engine.memory.modes import Mode, Parameters, in_gb
from mgie_engine.strengths import read_table


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """Facts about this machine and the model's files."""

    device: str  # "cuda", "cpu"
    device_name: str
    free: int  # bytes of memory the model may take there
    parameters: Parameters  # of the model, or of the published one if it is not installed
    has_bitsandbytes: bool
    disk_free: int | None = None  # bytes where the model belongs; None if nothing has to be downloaded
    lacks: tuple[str, ...] = ()  # sentences
    quick_bf16: bool = False  # of the CPU
    graphs: int = 0  # bytes that the level `same` adds; 0 where it is not to be had
    place: str | None = None  # which of several, "cuda:1"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model's sizes, and what is wrong with its files, in sentences."""

    config: ModelConfig  # the published one if the model is not installed or cannot be read
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, and whether it prevents the model from running."""

    sentence: str
    is_blocking: bool = False


def examine_files(model: str, home: Path) -> ModelFiles:
    """Examine every file of a model: its size, and the names, types and shapes of its tensors."""
    try:
        location = resolve_model(model, home)
    except ModelError as error:
        lacks = missing(_files(home / model)) if model == FULL_SIZE.name else [str(error)]
        return ModelFiles(FULL_SIZE, tuple(lacks))
    if location.layout == "released" and (lacks := missing(_files(location.folder))):
        return ModelFiles(FULL_SIZE, tuple(lacks))
    faults = find_faults(location)
    try:
        read_table(location.folder)
        config = native.read_model(location, read_headers).config
    except ModelError as error:
        return ModelFiles(FULL_SIZE, tuple(dict.fromkeys([*faults, str(error)])))
    return ModelFiles(config, tuple(faults))


def examine(files: ModelFiles, home: Path, device: torch.device) -> MachineFacts:
    """Examine the device, its memory and the libraries, for a model with these files."""
    config, lacks = files.config, files.lacks
    is_cuda = device.type == "cuda"
    return MachineFacts(
        device=device.type,
        device_name=torch.cuda.get_device_name(device) if is_cuda else f"{torch.get_num_threads()} threads",
        free=free_bytes(device),
        parameters=count(native.empty(config), config),
        has_bitsandbytes=importlib.util.find_spec("bitsandbytes") is not None,
        disk_free=shutil.disk_usage(_existing(home)).free if lacks else None,
        lacks=lacks,
        quick_bf16=has_quick_bf16(),
        graphs=added_bytes(config) if is_cuda else 0,
        place=str(device),
    )


def diagnose_all(devices: Sequence[MachineFacts], requested: Mode | None = None) -> list[Finding]:
    """Interpret the facts of every device that gets an engine process.

    Of a later device only what differs from the first is said. What some devices lack prevents nothing while
    another can run the model.
    """
    found = [diagnose(facts, requested) for facts in devices]
    every = [*found[0], *(finding for later in found[1:] for finding in later if finding not in found[0])]
    if any(not any(finding.is_blocking for finding in device) for device in found):
        return [replace(finding, is_blocking=False) for finding in every]
    return every


def diagnose(facts: MachineFacts, requested: Mode | None = None) -> list[Finding]:
    """Interpret the facts, for the requested memory mode or the best one."""
    device = f"{facts.place or facts.device} ({facts.device_name})"
    found = [Finding(f"Device: {device}, {in_gb(facts.free)} of memory is free.")]
    found += [Finding(sentence, is_blocking=True) for sentence in facts.lacks]
    if not facts.lacks:
        found.append(Finding("Files: all there, each tensor with the name, type and shape that is needed."))
    if facts.disk_free is not None:
        whole = modes.weight_bytes(facts.parameters, Mode.FP16, facts.device)
        short = facts.disk_free < whole
        words = f"Disk: {in_gb(facts.disk_free)} is free, and the files take about {in_gb(whole)}."
        found.append(Finding(words, is_blocking=short))
    return [*found, *_about_memory(facts, requested)]


def _about_memory(facts: MachineFacts, requested: Mode | None) -> Iterator[Finding]:
    for mode in modes.ladder(facts.parameters, facts.device):
        need = modes.needed(facts.parameters, mode, facts.device)
        fits = "fits" if need <= facts.free else "does not fit"
        yield Finding(f"Memory mode {mode}: needs {in_gb(need)}, {fits}.")
    try:
        mode = requested or modes.choose(facts.parameters, facts.device, facts.free, facts.quick_bf16)
    except ModelError as error:
        yield Finding(str(error), is_blocking=True)
        return
    need = modes.needed(facts.parameters, mode, facts.device)
    yield Finding(f"Chosen: {mode}{' (as requested)' if requested else ''}.", is_blocking=need > facts.free)
    if facts.graphs and mode not in modes.STAGED:
        fits = "fit" if need + facts.graphs <= facts.free else "do not fit, so fewer edits share the device"
        words = f"The level same adds {in_gb(facts.graphs)} for its cache and its graphs, which {fits}."
        yield Finding(words)
    if modes.QUANTISED.get(mode) == "nf4" and not facts.has_bitsandbytes:
        yield Finding(f"{mode} needs bitsandbytes: pip install 'mgie[quantised]'.", is_blocking=True)


def _files(folder: Path) -> set[str]:
    found = (*folder.glob("*/*"), *folder.glob("*/*/*"))
    return {path.relative_to(folder).as_posix() for path in found if path.is_file()}


def _existing(path: Path) -> Path:
    """The nearest folder that exists."""
    return next(place for place in (path, *path.absolute().parents) if place.is_dir())
