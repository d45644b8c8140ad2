"""The most memory that this process has had, in MiB.

Not getrusage: its figure begins with the memory of the process that started this one, and a child's begins
with that of this one.
"""

from pathlib import Path


def peak_mib() -> float:
    """Resident at the peak, since this process runs its program."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
