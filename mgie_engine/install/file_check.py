"""Checks a model's files against what loading needs, without reading a tensor's contents."""

from collections.abc import Iterator, Mapping
from itertools import islice

from torch import Tensor

from mgie_engine.checkpoints import native
from mgie_engine.checkpoints.native import VISUAL_EMBEDDINGS, Networks
from mgie_engine.checkpoints.tensors import read_headers
from mgie_engine.config import ModelLocation
from mgie_engine.errors import ModelError
from mgie_engine.install.ledger import Ledger

MOST_FAULTS = 20  # that are worth reading; a folder of another model has hundreds


def find_faults(location: ModelLocation) -> list[str]:
    """What is wrong with a model's files, at most 20 sentences; none: its tensors can be loaded.

    Checked are the size of every file in files.json, and the name, type and shape of every tensor. It takes
    seconds, also for the 7B.
    """
    return list(islice(_faults(location), MOST_FAULTS))


def _faults(location: ModelLocation) -> Iterator[str]:
    yield from _wrong_sizes(location)
    try:
        source = native.read_model(location, read_headers)
        networks = native.empty(source.config)
    except ModelError as error:
        yield str(error)
        return
    yield from _wrong_tensors(networks, source.tensors)
    known = native.places(networks).keys() | {VISUAL_EMBEDDINGS}
    if source.exact and (unknown := source.tensors.keys() - known):
        yield f"The tensor {min(unknown)} has no place in this model."


def _wrong_sizes(location: ModelLocation) -> Iterator[str]:
    """Files that are not as they were when they were verified."""
    for name, entry in Ledger.read(location.folder).files.items():
        file = location.folder / name
        if not file.is_file():
            yield f"{file} is missing."
        elif (size := file.stat().st_size) != entry.size:
            yield f"{file} has {size} bytes; when it was verified it had {entry.size}."


def _wrong_tensors(networks: Networks, tensors: Mapping[str, Tensor]) -> Iterator[str]:
    shapes = {part: network.state_dict() for part, network in networks.parts().items()}
    for name, (part, local) in native.places(networks).items():
        try:
            native.required_tensor(name, tensors, shapes[part][local].shape)
        except ModelError as error:
            yield str(error)
    if VISUAL_EMBEDDINGS in tensors:
        try:
            native.require_embeddings(tensors[VISUAL_EMBEDDINGS], networks.mllm.visual_embeddings.shape)
        except ModelError as error:
            yield str(error)
