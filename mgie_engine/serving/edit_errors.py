"""What an exception means for the edit it ended."""

import logging

import torch

from conversations.errors import SettingsRefused
from conversations.messages import Message
from mgie_engine.checkpoints.failures import is_out_of_memory
from mgie_engine.errors import EngineError, RequestRefused

_log = logging.getLogger(__name__)


def is_fatal(error: Exception) -> bool:
    """Whether the device's state is lost with it, so that only a new process helps."""
    return isinstance(error, torch.AcceleratorError)


def as_engine_error(error: Exception) -> EngineError:
    if isinstance(error, EngineError):
        return error
    if isinstance(error, SettingsRefused):
        return RequestRefused(str(error), error.message)
    if is_out_of_memory(error):
        return RequestRefused("there was not enough memory for this edit", Message("no_memory"))
    _log.error("An edit failed.", exc_info=error)
    return EngineError(f"The edit failed unexpectedly: {type(error).__name__}: {error}")
