"""Large blocks that were freed do not stay in the heaps of threads."""

import platform
import subprocess
import sys

import pytest

# Prints how many blocks the system gave singly, before and while one of LARGE_BYTES is held.
PROGRAM = """
import ctypes
from bot.ops.allocator import LARGE_BYTES, give_back_large_blocks

NAMES = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()

class Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in NAMES]

mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Mallinfo2
give_back_large_blocks()
freed = bytearray(16 * 2**20)
del freed
before = mallinfo2().hblks
held = bytearray(LARGE_BYTES)
print(mallinfo2().hblks - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_a_large_block_comes_from_the_system_after_a_larger_one_was_freed() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert said.stdout == "1\n"
