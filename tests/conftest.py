"""What every test may rely on: the same examples every time, no judging by the clock, calm threads."""

import os

from hypothesis import settings

# Read when torch is first imported: threads that wait sleep, and leave the cores to those that work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
