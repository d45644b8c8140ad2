"""The GPUs that a process sees, and the variable that limits those of a child process."""

import os

import torch

CHOICE = "CUDA_VISIBLE_DEVICES"


def visible() -> list[str]:
    """The visible GPUs as CUDA_VISIBLE_DEVICES names them."""
    count = torch.cuda.device_count()
    named = os.environ.get(CHOICE)
    return named.split(",")[:count] if named else [str(number) for number in range(count)]
