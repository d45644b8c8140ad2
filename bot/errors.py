"""Every error the bot itself raises on purpose; the Discord chat has its own family.

CannotStart           the bot cannot start as it is set up
├── SettingsError     a setting cannot be read
├── FolderInUse       another bot works on the same data folder
└── ModelMissing      the model is not where the settings say

The message of each is one sentence for the operator.
"""


class CannotStart(Exception):
    """Base of what ends the program with exit code 2 before it serves anybody."""


class SettingsError(CannotStart):
    """A setting cannot be read; the message names it and never repeats its value."""


class FolderInUse(CannotStart):
    """Another bot works on the same data folder."""


class ModelMissing(CannotStart):
    """The model is not where the settings say."""
