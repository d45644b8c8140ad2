"""Runs a share of the variants: train one, save it, test it, store the result, take the next.

A restarted job continues with the first variant that has no result. A variant that is saved but not tested is
only tested. Several processes may share the variants of a folder: the leader determines the number of steps
and writes it down, the others wait for it.
"""

import json
import logging
import shutil
import time
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from mgie_engine.checkpoints.native import Networks, build
from mgie_engine.errors import ModelError
from mgie_engine.lab.evaluation.results import RESULTS, TRAINING, Results, TrialConfig
from mgie_engine.lab.evaluation.workers import worker_count, worker_pool
from mgie_engine.lab.json_files import read_json, require_same_config
from mgie_engine.lab.training import packing
from mgie_engine.lab.training.context import StageContext
from mgie_engine.lab.training.language import train_mllm
from mgie_engine.lab.training.recipe import Recipe
from mgie_engine.lab.variants.variant import PARTS, Variant, variants
from mgie_engine.lab.variants.variant_io import SHARED, VARIANT, load_variant, write_shared, write_variant
from mgie_engine.lab.variants.variant_scores import measure, trial_cases
from mgie_engine.lab.variants.variant_trainer import VariantTrainer
from mgie_engine.lab.variants.variants_report import summarise
from mgie_engine.model.mgie import MGIE
from mgie_engine.text.tokenizer import Tokenizer

log = logging.getLogger(__name__)
FOLDER = "variants"  # below a run's folder
Tried = Callable[[MGIE], dict[str, Any]]  # the scores of a model on the test edits, as JSON data


def prepare_folder(run: StageContext, language: Recipe) -> None:
    """Make sure that the run's folder has vae.safetensors and mllm.safetensors.

    What another run left as start-*.safetensors is taken as it is. A missing
    language model is trained by the recipe `language`; ModelError where the autoencoder is missing.
    """
    for part in PARTS:
        kept, start = run.folder / f"{part}.safetensors", run.folder / f"start-{part}.safetensors"
        if start.is_file() and not kept.is_file():
            shutil.copyfile(start, kept)
    if not (run.folder / "vae.safetensors").is_file():
        raise ModelError(
            f"{run.folder} has no vae.safetensors: name a model with --start, or train mini-vae."
        )
    if not (mllm := run.folder / "mllm.safetensors").is_file():
        packing.save_weights(train_mllm(replace(run, recipe=language)), mllm)


@dataclass(frozen=True)
class VariantJob:
    """Trains and tests the variants of a run's recipe."""

    run: StageContext
    tokenizer: Tokenizer
    trial: TrialConfig
    minutes: float | None = None  # for each variant, in place of the recipe's steps
    copies: Path | None = None  # a folder that gets the results, too, after each variant
    leads: bool = True  # else another process does

    def do(self, chosen: Collection[str] = ()) -> bool:
        """Train and test the variants, or the chosen ones; returns whether all of them have a result.

        A failing variant does not stop the next. DataError if the folder holds results of other
        training or of other edits.
        """
        results = self._begin()
        wanted = variants(self.run.recipe, chosen)
        with worker_pool(worker_count(self.run.device)) as pool_map:
            drawn = cache(partial(trial_cases, self.trial, self.run.config.picture_size, pool_map))
            self._go_through(wanted, results, lambda mgie: measure(mgie, drawn(), self.trial, pool_map))
        return results.read().keys() >= {variant.name for variant in wanted}

    @property
    def folder(self) -> Path:
        """Where the variants lie."""
        return self.run.folder / FOLDER

    def _begin(self) -> Results:
        """Check the training against earlier calls and other processes; returns where the results go."""
        self.folder.mkdir(exist_ok=True)
        begun = self.folder / TRAINING
        if not self.leads:
            self._await(begun)
        elif not (begun.is_file() and (self.folder / SHARED / "config.json").is_file()):
            write_shared(self._shared, self.run.config, self.tokenizer, self.folder)
        training = self._training()
        require_same_config(begun, training)
        order = [variant.name for variant in variants(self.run.recipe)]
        return Results(self.folder / RESULTS, training, self.trial, order)

    def _await(self, begun: Path) -> None:
        """Wait for the leader and build the trainer meanwhile; this process exits if the leader does."""
        while not begun.is_file():
            _ = self._trainer
            time.sleep(0.5)

    def _go_through(self, wanted: Sequence[Variant], results: Results, tried: Tried) -> None:
        longest = 0.0
        for variant in wanted:
            if variant.name in results.read():
                continue
            if self.run.until is not None and time.time() + longest > self.run.until:
                log.info("no time left for %s: start again to go on", variant.name)
                break
            began = time.time()
            try:
                self._take(variant, results, tried)
            except Exception:  # a failing variant must not abort the run
                log.exception("%s failed", variant.name)
            longest = max(longest, time.time() - began)

    def _take(self, variant: Variant, results: Results, tried: Tried) -> None:
        if not (self.folder / variant.name / VARIANT).is_file():
            trained = self._trainer.train(variant, self.folder, steps=self._steps)
            write_variant(variant, trained, self._shared, self.run.config, self.tokenizer, self.folder)
            log.info("%s is trained", variant.name)
        _, mgie = load_variant(self.folder / variant.name, self.run.device)
        lines = (self.folder / f"{variant.name}.jsonl").read_text("utf-8").splitlines()
        found = tried(mgie)
        result = asdict(variant) | found | {"log": list(map(json.loads, lines))}
        results.add(variant.name, result, self.copies)
        (summary,) = summarise({variant.name: result})
        success = {name: figure.listed() for name, figure in summary.success.items() if figure}
        log.info("%s is tried in %.0f s: success %s", variant.name, found["took_s"], json.dumps(success))

    def _training(self) -> dict[str, Any]:
        recipe, weights = self.run.recipe, [self.run.folder / f"{part}.safetensors" for part in PARTS]
        same = {name: getattr(recipe, name) for name in ("batch_size", "learning_rate", "seed")}
        edits = len(self.run.dataset.kind)
        return (
            same
            | {"steps": self._steps, "edits": edits}
            | {file.stem: f"{zlib.crc32(file.read_bytes()):08x}" for file in weights if file.is_file()}
        )

    @cached_property
    def _steps(self) -> int:
        """Steps per variant: those of an earlier start, what fits into the minutes, or the recipe's."""
        if self.minutes is None:
            return self.run.recipe.steps
        if (begun := self.folder / TRAINING).is_file():
            return int(read_json(begun)["steps"])
        seconds = self._trainer.seconds_per_step(variants(self.run.recipe)[0], self.folder)
        log.info("a step takes %.3f s", seconds)
        return max(1, int(60 * self.minutes / seconds))

    @cached_property
    def _trainer(self) -> VariantTrainer:
        return VariantTrainer(replace(self.run, until=None), self.tokenizer)

    @cached_property
    def _shared(self) -> Networks:
        networks = build(self.run.config)
        networks.vae.load_state_dict(load_file(self.run.folder / "vae.safetensors"))
        networks.mllm.load_state_dict(load_file(self.run.folder / "mllm.safetensors"))
        return networks
