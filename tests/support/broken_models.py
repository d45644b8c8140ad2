"""Model folders as strangers, half copies and typing errors leave them: what to do to a good folder."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

Break = Callable[[Path], object]
SHARD = "model-00001.safetensors"


def setting(path: str, value: Any) -> Break:
    """Set a value of config.json, by its path with dots."""

    def change(folder: Path) -> None:
        file = folder / "config.json"
        data = json.loads(file.read_text())
        *parents, last = path.split(".")
        place = data
        for parent in parents:
            place = place[parent]
        place[last] = value
        file.write_text(json.dumps(data))

    return change


def text(name: str, written: str) -> Break:
    """Write a file whole."""
    return lambda folder: (folder / name).write_text(written)


def gone(name: str) -> Break:
    """Delete a file."""
    return lambda folder: (folder / name).unlink()


def cut(name: str, size: int) -> Break:
    """Cut a file short."""
    return lambda folder: os.truncate(folder / name, size)


def instead(name: str, make: Callable[[Path], object]) -> Break:
    """Put something else in a file's place."""

    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return change


def tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> Break:
    """Change the tensors of the shard."""

    def rewrite(folder: Path) -> None:
        found = {name: tensor.clone() for name, tensor in load_file(folder / SHARD).items()}
        change(found)
        save_file(found, folder / SHARD)

    return rewrite


def header(written: bytes, length: int | None = None) -> Break:
    """Give the shard another header, which says of itself that it is so long."""
    size = len(written) if length is None else length
    return lambda folder: (folder / SHARD).write_bytes(size.to_bytes(8, "little") + written)


def deep(opening: str, closing: str) -> str:
    """JSON nested far too deeply."""
    return opening * 100_000 + closing * 100_000


def zip_bomb(file: Path) -> None:
    """A tensor file whose pickle is 200 KB deflated and 200 MB to read."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + b"N0" * (100 * 2**20) + b"}.")
        archive.writestr("archive/version", b"3\n")


def many_opcodes(file: Path) -> None:
    """The same operations, not compressed."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + b"N0" * 2**20 + b"}.")
        archive.writestr("archive/version", b"3\n")


def old_opcodes(file: Path) -> None:
    """The same in the format before the archives."""
    file.write_bytes(b"\x80\x02" + b"N0" * (8 * 2**20) + b"}.")


def with_code(file: Path) -> None:
    """A pickle that runs a function."""

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, ("true",)

    torch.save({"w": Evil()}, file)


def huge_pickle_entry(file: Path) -> None:
    """A pickle of 5 MB with one long string."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps("x" * (5 * 2**20)))
        archive.writestr("archive/version", b"3\n")


def saved(data: object) -> bytes:
    """What torch.save writes."""
    file = io.BytesIO()
    torch.save(data, file)
    return file.getvalue()


CONFIGS: dict[str, Break] = {
    "config: not JSON": text("config.json", "{"),
    "config: empty": text("config.json", ""),
    "config: a list": text("config.json", "[]"),
    "config: nested deeply": text("config.json", deep('{"a":', "1")[:-99_999] + "}" * 100_000),
    "config: lists nested deeply": text("config.json", deep("[", "]")),
    "config: a number of 5000 digits": text(
        "config.json", '{"format": "mgie-1", "name": ' + "9" * 5000 + "}"
    ),
    "config: of another format": setting("format", "mgie-2"),
    "config: an unknown key": setting("colour", 1),
    "config: not text": instead("config.json", lambda file: file.write_bytes(b"\xff\xfe\x00{")),
    "config: 20 MB": text("config.json", " " * (20 * 2**20)),
    "config: a name with line breaks": setting("name", "tiny\nERROR all is lost\x1b[31m"),
    "language: layers are text": setting("language.layers", "2"),
    "language: layers without end": setting("language.layers", 10**7),
    "language: no heads": setting("language.heads", 0),
    "language: heads that do not divide": setting("language.heads", 5),
    "language: a fraction of a layer": setting("language.layers", 1.5),
    "language: is null": setting("language", None),
    "language: is a list": setting("language", [1, 2]),
    "language: a negative size": setting("language.hidden_size", -32),
    "language: a vocabulary of 10 billion": setting("language.vocab_size", 10**10),
    "language: an eps of NaN": setting("language.rms_norm_eps", float("nan")),
    "language: an infinite theta": setting("language.rope_theta", float("inf")),
    "vision: a patch of 0 pixels": setting("vision.patch_size", 0),
    "vision: a patch larger than the picture": setting("vision.patch_size", 64),
    "vision: an activation nobody knows": setting("vision.hidden_act", "dance"),
    "vision: a mean of two channels": setting("vision.mean", [0.5, 0.5]),
    "vision: a deviation of 0": setting("vision.std", [0.0, 0.3, 0.3]),
    "vision: a layer that is not there": setting("vision.select_layer", 100),
    "edit head: 100 million visual tokens": setting("edit_head.visual_tokens", 10**8),
    "edit head: no visual tokens": setting("edit_head.visual_tokens", 0),
    "edit head: no heads": setting("edit_head.heads", 0),
    "unet: is text": setting("unet", "UNet2DConditionModel"),
    "unet: an unknown argument": setting("unet.colour", 1),
    "unet: an unknown block": setting("unet.down_block_types", ["DownBlock9D", "DownBlock2D"]),
    "unet: blocks without widths": setting("unet.block_out_channels", []),
    "unet: a width that is text": setting("unet.block_out_channels", ["16", "32"]),
    "unet: groups of 0": setting("unet.norm_num_groups", 0),
    "unet: groups that do not divide": setting("unet.norm_num_groups", 7),
    "unet: a million layers in a block": setting("unet.layers_per_block", 10**6),
    "unet: a million blocks": setting("unet.block_out_channels", [16] * 10**6),
    "unet: heads of 0": setting("unet.attention_head_dim", 0),
    "unet: channels for another autoencoder": setting("unet.in_channels", 4),
    "unet: words of another edit head": setting("unet.cross_attention_dim", 32),
    "unet: nested arguments": setting("unet.act_fn", {"a": {"b": 1}}),
    "vae: scale 0": setting("vae.scaling_factor", 0),
    "vae: scale is text": setting("vae.scaling_factor", "0.18215"),
    "vae: no channels": setting("vae.latent_channels", 0),
    "vae: channels are null": setting("vae.block_out_channels", None),
    "noise: one timestep": setting("noise.train_timesteps", 1),
    "noise: a schedule nobody knows": setting("noise.beta_schedule", "cosine"),
    "noise: a beta above 1": setting("noise.beta_end", 7.0),
    "defaults: a million steps": setting("defaults.steps", 10**6),
    "defaults: a scale of NaN": setting("defaults.text_cfg", float("nan")),
    "a picture of 100 million pixels a side": setting("picture_size", 10**8),
    "a picture that cannot be halved": setting("picture_size", 36),
    "a preview of the wrong shape": setting("preview", [[1.0, 2.0]]),
    "a preview for other channels": setting("preview", [[1.0, 2.0, 3.0]]),
    "a million new tokens": setting("max_new_tokens", 10**6),
}
FILES: dict[str, Break] = {
    "config: gone": gone("config.json"),
    "config: a pipe": instead("config.json", os.mkfifo),
    "config: a folder": instead("config.json", Path.mkdir),
    "tokenizer: gone": gone("tokenizer.model"),
    "tokenizer: empty": cut("tokenizer.model", 0),
    "tokenizer: cut": cut("tokenizer.model", 500),
    "tokenizer: a pipe": instead("tokenizer.model", os.mkfifo),
    "tokenizer: noise": instead("tokenizer.model", lambda file: file.write_bytes(bytes(range(256)) * 40)),
    "added tokens: text for ids": text("added_tokens.json", '{"<im_patch>": "300"}'),
    "added tokens: true for an id": text("added_tokens.json", '{"<im_patch>": true}'),
    "added tokens: a negative id": text("added_tokens.json", '{"<im_patch>": -5}'),
    "added tokens: an id of 12 digits": text("added_tokens.json", '{"<im_patch>": 300000000000}'),
    "added tokens: two share an id": text("added_tokens.json", '{"<im_patch>": 310, "<im_start>": 310}'),
    "added tokens: a list": text("added_tokens.json", "[1, 2]"),
    "added tokens: a pipe": instead("added_tokens.json", os.mkfifo),
    "added tokens: nested deeply": text("added_tokens.json", deep("[", "]")),
    "special tokens: not JSON": text("special_tokens_map.json", "<s>"),
    "shard: gone": gone(SHARD),
    "shard: empty": cut(SHARD, 0),
    "shard: cut": cut(SHARD, 1000),
    "shard: cut at the end": lambda folder: os.truncate(
        folder / SHARD, (folder / SHARD).stat().st_size - 1000
    ),
    "shard: a pipe": instead(SHARD, os.mkfifo),
    "shard: a folder": instead(SHARD, Path.mkdir),
    "shard: endless zeros": instead(SHARD, lambda file: file.symlink_to("/dev/zero")),
    "shard: a header that is too long": header(b"{}", 2**40),
    "shard: a header that is not JSON": header(b"{" * 64),
    "shard: a header nested deeply": header(deep("[", "]").encode()),
    "shard: the second of two only": lambda folder: (folder / SHARD).rename(
        folder / "model-00002.safetensors"
    ),
    "shards: the same tensor, another value": lambda folder: save_file(
        {"unet.conv_in.bias": torch.ones(16)}, folder / "model-00002.safetensors"
    ),
    "tensors: one is missing": tensors(lambda found: found.pop("unet.conv_in.bias")),
    "tensors: one is misshapen": tensors(lambda found: found.update({"unet.conv_in.bias": torch.ones(3)})),
    "tensors: one is empty": tensors(lambda found: found.update({"unet.conv_in.bias": torch.ones(0)})),
    "tensors: one has no place": tensors(lambda found: found.update({"unet.more": torch.ones(3)})),
    "tensors: int8 without a scale": tensors(
        lambda found: found.update({"unet.conv_in.bias": torch.ones(16, dtype=torch.int8)})
    ),
    "tensors: embeddings of another shape": tensors(lambda found: found.update({"emb": torch.ones(3, 5)})),
    "tensors: embeddings without a shape": tensors(lambda found: found.update({"emb": torch.tensor(1.0)})),
}
PICKLES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a deflated pickle": (zip_bomb, "compressed parts"),
    "millions of operations": (many_opcodes, "operations"),
    "millions of operations, old format": (old_opcodes, "operations"),
    "a pickle of 5 MB": (huge_pickle_entry, "a pickle of"),
    "code": (with_code, "not safe to read"),
    "a pipe": (os.mkfifo, "not a regular file"),
    "a folder": (Path.mkdir, "not a regular file"),
    "a cut archive": (lambda file: file.write_bytes(saved({"w": torch.ones(9)})[:-200]), "no tensor file"),
    "a list": (lambda file: file.write_bytes(saved([torch.ones(2)])), "holds list"),
    "noise": (lambda file: file.write_bytes(bytes(range(256)) * 9), "damaged"),
    "nothing": (Path.touch, "damaged"),
}
