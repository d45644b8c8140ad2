"""Distributes the variants of one call over processes, one per device."""

import logging
import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from mgie_engine.lab.evaluation.results import RESULTS, TRAINING, TrialConfig, read_results
from mgie_engine.lab.evaluation.workers import exit_with_parent
from mgie_engine.lab.json_files import require_same_config
from mgie_engine.lab.training.context import StageContext
from mgie_engine.lab.training.dataset import SceneDataset
from mgie_engine.lab.training.devices import CHOICE, visible
from mgie_engine.lab.training.mini import mini_config, tiny_config
from mgie_engine.lab.training.recipe import Recipe
from mgie_engine.lab.variants.variant import variants
from mgie_engine.lab.variants.variant_worker import FOLDER, VariantJob, prepare_folder
from mgie_engine.text.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class VariantRunConfig:
    """The options of a run, picklable. The folder has a dataset and a vocabulary."""

    folder: Path
    recipe: Recipe
    trial: TrialConfig
    minutes: float | None = None  # as a job has it, like the next two
    until: float | None = None
    copies: Path | None = None
    tiny: bool = False

    def run(self) -> StageContext:
        """The run, on the first visible device."""
        dataset = SceneDataset.load(sorted((self.folder / "world").glob("train-*.npz")))
        config = (tiny_config if self.tiny else mini_config)(len(Tokenizer.read(self.folder)))
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return StageContext(config, self.recipe, dataset, self.folder, device, until=self.until)

    def job(self, run: StageContext, leads: bool = True) -> VariantJob:
        """The job of one process."""
        return VariantJob(run, Tokenizer.read(self.folder), self.trial, self.minutes, self.copies, leads)


def run_variants(
    order: VariantRunConfig, language: Recipe, chosen: Sequence[str] = (), processes: int | None = None
) -> bool:
    """Train and test the variants, or the chosen ones; returns whether all of them have a result.

    `processes`: None for one per visible GPU. Errors: those of `prepare_folder` and, with one process, of
    `VariantJob.do`; several processes log their own.
    """
    require_same_config(order.folder / "world.json", {"stories": order.recipe.stories})
    run = order.run()
    prepare_folder(run, language)
    wanted = [variant.name for variant in variants(order.recipe, chosen)]
    missing = _missing(order.folder / FOLDER / RESULTS, wanted)
    count = min(processes or max(1, torch.cuda.device_count()), len(missing))
    if count <= 1:
        return order.job(run).do(wanted)
    del run
    _work(order, [missing[rank::count] for rank in range(count)])
    return not _missing(order.folder / FOLDER / RESULTS, wanted)


def _work(order: VariantRunConfig, shares: Sequence[Sequence[str]]) -> None:
    """A process for each share; the others start only after the leader has written the number of steps."""
    context, devices = multiprocessing.get_context("spawn"), visible()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # avoid busy-waiting on other workers' cores
    leader, *others = (context.Process(target=_share, args=(order, r, shares)) for r in range(len(shares)))
    for rank, process in enumerate((leader, *others)):
        if devices:
            os.environ[CHOICE] = devices[rank % len(devices)]
        process.start()
    leader.join()
    for process in others:
        if not (order.folder / FOLDER / TRAINING).is_file():
            process.terminate()
        process.join()


def _share(order: VariantRunConfig, rank: int, shares: Sequence[Sequence[str]]) -> None:
    exit_with_parent()
    configure_process(f"[{rank}] ")
    torch.set_num_threads(max(1, torch.get_num_threads() // len(shares)))
    order.job(order.run(), leads=rank == 0).do(shares[rank])


def configure_process(who: str = "") -> None:
    """Configure logging to stderr and fast matrix multiplication."""
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {who}%(message)s", datefmt="%H:%M:%S")
    torch.set_float32_matmul_precision("high")


def _missing(file: Path, wanted: Sequence[str]) -> list[str]:
    known = read_results(file)["variants"] if file.is_file() else {}
    return [name for name in wanted if name not in known]
