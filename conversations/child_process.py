"""What every child process of this product is given: a small environment, and no way to more rights."""

import contextlib
import os
import sys
from pathlib import Path

_NAMES = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "TZ",
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
)
_NAMES_ON_WINDOWS = (
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "PATHEXT",
    "COMSPEC",
    "TEMP",
    "TMP",
    "USERPROFILE",
)
_PREFIXES = ("LC_", "PYTHON", "MALLOC_", "GLIBC_")
_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "API_KEY", "PRIVATE_KEY")

_PR_SET_NO_NEW_PRIVS = 38
_OOM_SCORE = Path("/proc/self/oom_score_adj")  # up to 1000; anybody may raise their own


def small_environment(*prefixes: str) -> dict[str, str]:
    """What a Python needs to start, and the variables that begin with one of `prefixes`, without secrets.

    A list of what is kept, not of what is removed: an operator's environment holds secrets that this product
    does not know.
    """
    wanted = (*_PREFIXES, *prefixes)
    return {
        name: value
        for name, value in os.environ.items()
        if (name.upper() in _NAMES + _NAMES_ON_WINDOWS or name.startswith(wanted)) and not _is_secret(name)
    }


def give_up_rights() -> None:
    """Gain no rights from the programs this process starts, and leave no memory on disk when it crashes."""
    if sys.platform == "win32":  # has no such bounds
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def be_ended_first() -> None:
    """When the machine runs out of memory, end this process rather than the one that started it."""
    with contextlib.suppress(OSError):
        _OOM_SCORE.write_text("500", "ascii")


def _is_secret(name: str) -> bool:
    return any(word in name.upper() for word in _SECRET_WORDS)
