"""All variants in one go: train one, write it, try it on the test edits, write that down, take the next.

A job that was broken off and is started again goes on with the first variant that has no result. One that
is written and not yet tried is only tried.
"""

import json
import logging
import shutil
import time
import zlib
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from mgie_engine.checkpoints import Networks, build
from mgie_engine.data.layouts import read_json
from mgie_engine.data.resuming import agree
from mgie_engine.errors import ModelError
from mgie_engine.evaluation.scenes import Case
from mgie_engine.evaluation.trials import RESULTS, TRAINING, Results, Trial
from mgie_engine.evaluation.variants import measure, trial_cases
from mgie_engine.evaluation.variants_report import compare
from mgie_engine.tokenizer import Tokenizer
from mgie_engine.training import packing
from mgie_engine.training.language import train_mllm
from mgie_engine.training.recipe import Recipe
from mgie_engine.training.run import Run
from mgie_engine.training.variants.folders import is_written, load_variant, write_shared, write_variant
from mgie_engine.training.variants.studio import Studio
from mgie_engine.training.variants.variant import Variant, variants

log = logging.getLogger(__name__)
FOLDER = "variants"  # below a run's folder


def prepare(run: Run, language: Recipe) -> None:
    """See to it that the run's folder has vae.safetensors and mllm.safetensors.

    What another run left as start-vae.safetensors and start-mllm.safetensors is taken as it is. A missing
    language model is trained by the recipe `language`; ModelError where the autoencoder is missing.
    """
    for part in ("vae", "mllm"):
        kept, start = run.folder / f"{part}.safetensors", run.folder / f"start-{part}.safetensors"
        if start.is_file() and not kept.is_file():
            shutil.copyfile(start, kept)
    if not (run.folder / "vae.safetensors").is_file():
        raise ModelError(
            f"{run.folder} has no vae.safetensors: name a model with --start, or train mini-vae."
        )
    if not (mllm := run.folder / "mllm.safetensors").is_file():
        packing.keep(train_mllm(replace(run, recipe=language)), mllm)


@dataclass(frozen=True)
class Job:
    """Trains and tries the variants of a run's recipe."""

    run: Run
    tokenizer: Tokenizer
    trial: Trial
    minutes: float | None = None  # for each variant, in place of the recipe's steps
    copies: Path | None = None  # a folder that gets the results, too, after each variant

    def do(self, chosen: Collection[str] = ()) -> bool:
        """Go through the variants, or those chosen; whether all of them have a result now.

        One that fails does not keep the next from its turn. DataError if the folder holds results of other
        training or of other edits.
        """
        self.folder.mkdir(exist_ok=True)
        training = self._training()
        agree(self.folder / TRAINING, training)
        results = Results(self.folder / RESULTS, training, self.trial)
        wanted = variants(self.run.recipe, chosen)
        longest = 0.0
        for variant in wanted:
            if variant.name in results.read():
                continue
            if self.run.until is not None and time.time() + longest > self.run.until:
                log.info("no time left for %s: start again to go on", variant.name)
                break
            began = time.time()
            try:
                self._take(variant, results)
            except Exception:  # what the machine is lent for is worth more than one variant
                log.exception("%s failed", variant.name)
            longest = max(longest, time.time() - began)
        return results.read().keys() >= {variant.name for variant in wanted}

    @property
    def folder(self) -> Path:
        """Where the variants lie."""
        return self.run.folder / FOLDER

    def _take(self, variant: Variant, results: Results) -> None:
        if not is_written(self.folder, variant.name):
            trained = self._studio.train(variant, self.folder, steps=self._steps)
            write_variant(variant, trained, self._shared, self.run.config, self.tokenizer, self.folder)
            log.info("%s is trained", variant.name)
        _, mgie = load_variant(self.folder / variant.name, self.run.device)
        lines = (self.folder / f"{variant.name}.jsonl").read_text("utf-8").splitlines()
        result = (
            asdict(variant) | measure(mgie, self._cases, self.trial) | {"log": list(map(json.loads, lines))}
        )
        results.add(variant.name, result)
        (told,) = compare({variant.name: result})
        found = {name: figure.listed() for name, figure in told.success.items() if figure}
        log.info("%s is tried: success %s", variant.name, json.dumps(found))
        if self.copies:
            shutil.copy(results.file, self.copies)

    def _training(self) -> dict[str, Any]:
        recipe, weights = self.run.recipe, [self.run.folder / f"{p}.safetensors" for p in ("vae", "mllm")]
        same = {name: getattr(recipe, name) for name in ("batch_size", "learning_rate", "seed")}
        edits = len(self.run.world.kind)
        return (
            same
            | {"steps": self._steps, "edits": edits}
            | {file.stem: f"{zlib.crc32(file.read_bytes()):08x}" for file in weights}
        )

    @cached_property
    def _steps(self) -> int:
        """Of every variant: those the job was begun with, what the minutes suffice for, or the recipe's."""
        if self.minutes is None:
            return self.run.recipe.steps
        if (begun := self.folder / TRAINING).is_file():
            return int(read_json(begun)["steps"])
        seconds = self._studio.seconds_per_step(variants(self.run.recipe)[0], self.folder)
        log.info("a step takes %.3f s", seconds)
        return max(1, int(60 * self.minutes / seconds))

    @cached_property
    def _studio(self) -> Studio:
        return Studio(replace(self.run, until=None), self.tokenizer)

    @cached_property
    def _cases(self) -> dict[str, list[Case]]:
        return trial_cases(self.trial, self.run.config.picture_size)

    @cached_property
    def _shared(self) -> Networks:
        networks = build(self.run.config)
        networks.vae.load_state_dict(load_file(self.run.folder / "vae.safetensors"))
        networks.mllm.load_state_dict(load_file(self.run.folder / "mllm.safetensors"))
        write_shared(networks, self.run.config, self.tokenizer, self.folder)
        return networks
