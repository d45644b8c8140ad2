"""A folder of golden numbers, and the tiny model its rule makes.

MGIE_PARITY_DEVICE=cuda compares what a GPU computes; noise is drawn on the CPU all the same.
"""

import json
import os
import re
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mgie_engine.checkpoints.native import Networks, build, fill
from mgie_engine.config import LanguageSizes, ModelConfig, NoiseSchedule, VisionSizes
from mgie_engine.preprocess import vae_pixels
from mgie_engine.text.tokenizer import Tokenizer
from tests.mgie_engine.parity import rule

OWN_COPY = Path(__file__).parent / "published"
DEVICE = torch.device(os.environ.get("MGIE_PARITY_DEVICE", "cpu"))


class Golden:
    """The folder that MGIE_PARITY_DIR names, else our own copy."""

    def __init__(self, environment=os.environ):
        self.folder = Path(environment.get("MGIE_PARITY_DIR", OWN_COPY))
        beside = self.folder / "tokenizer"
        tokenizer = beside if beside.is_dir() else OWN_COPY / "tokenizer"
        self.tokenizer = Tokenizer.read(Path(environment.get("MGIE_PARITY_TOKENIZER", tokenizer)))
        inner = self.folder / "golden"
        self.files = inner if inner.is_dir() else self.folder
        self.arrays = np.load(self.files / "arrays.npz")
        self.cases = self._json("cases.json")
        self.parameters = self._json("parameters.json")

    def section(self, name):
        """The cases of one section, none if the folder has no such section."""
        return self.cases.get(name, [])

    def array(self, *path):
        return self.arrays["/".join(path)]

    def tensor(self, *path):
        return torch.from_numpy(self.array(*path)).to(DEVICE)

    @cached_property
    def config(self):
        """The tiny model's sizes."""
        sizes = self._json("configs.json")
        llama, clip, train = sizes["llama"], sizes["clip"], sizes["euler_ancestral_infer"]
        return ModelConfig(
            name="tiny",
            language=LanguageSizes(
                vocab_size=llama["vocab_size_after_resize"],
                hidden_size=llama["hidden_size"],
                intermediate_size=llama["intermediate_size"],
                layers=llama["num_hidden_layers"],
                heads=llama["num_attention_heads"],
                max_positions=llama["max_position_embeddings"],
                rms_norm_eps=llama["rms_norm_eps"],
            ),
            vision=VisionSizes(
                image_size=clip["image_size"],
                patch_size=clip["patch_size"],
                hidden_size=clip["hidden_size"],
                intermediate_size=clip["intermediate_size"],
                layers=clip["num_hidden_layers"],
                heads=clip["num_attention_heads"],
                projection_dim=clip["projection_dim"],
                select_layer=llama["mm_vision_select_layer"],
            ),
            unet=sizes["unet_after_surgery"],
            vae=sizes["vae"],
            noise=NoiseSchedule(
                train_timesteps=train["num_train_timesteps"],
                beta_start=train["beta_start"],
                beta_end=train["beta_end"],
                beta_schedule=train["beta_schedule"],
                prediction_type=train["prediction_type"],
            ),
        )

    def networks(self) -> Networks:
        """The tiny networks with the rule's weights."""
        networks = build(self.config)
        fill(networks, self.weights(), DEVICE, torch.float32)
        for network in networks.parts().values():
            network.eval().requires_grad_(False)
        return networks

    def weights(self):
        return {
            name: torch.from_numpy(rule.param(name, entry["shape"]))
            for name, entry in self.parameters.items()
        }

    def _json(self, name):
        return json.loads((self.files / name).read_text(encoding="utf-8"))


@cache
def golden():
    return Golden()


def ids(case):
    """What a test of this case is called."""
    return str(case.get("case", case.get("idx", case.get("instruction", case.get("w", "")))))[:40]


def value(text, j=0):
    """The input a case describes, such as "normal('pixel:a',(1,3,56,56))"; j is the row of a batch."""
    names = {"normal": _normal, "pattern": rule.pattern, "img2npy": _pixels, "j": j}
    return eval(text.replace("<j>", str(j)), {"__builtins__": {}}, names)


def sliced(array, text):
    """`array` thinned out as `text` says: "[:, ::4, ::4]" anywhere in it, or nothing of the kind."""
    found = re.search(r"\[[:\d, ]*\]\s*$", text)
    return eval(f"array{found[0]}", {"__builtins__": {}}, {"array": array}) if found else array


def _normal(key, shape):
    return torch.from_numpy(rule.normal(key, shape).astype(np.float32)).to(DEVICE)


def _pixels(picture):
    return vae_pixels(Image.fromarray(picture)).to(DEVICE)


def close(ours, theirs, atol, rtol=0.0):
    """Assert equality within a tolerance; NaN equals NaN."""
    ours = ours.detach().cpu().numpy() if isinstance(ours, torch.Tensor) else np.asarray(ours)
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)
