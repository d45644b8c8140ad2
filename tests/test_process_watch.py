"""What the benchmarks count as the memory of a process and its children."""

import subprocess
import sys

import pytest

from benchmarks.process_watch import taken

LARGE_MIB = 100
# Forks a child, which runs its own program only after a line on stdin; says when it has done either.
FORKS = f"""
import os, sys
held = b"x" * {LARGE_MIB} * 2**20
ready, begin = os.pipe(), os.pipe()
if not os.fork():
    os.write(ready[1], b"!")
    os.read(begin[0], 1)
    program = "import sys; print('runs', flush=True); sys.stdin.read()"
    os.execv(sys.executable, [sys.executable, "-S", "-c", program])
os.read(ready[0], 1)
print("forked", flush=True)
sys.stdin.readline()
os.write(begin[1], b"!")
os.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_child_counts_once_it_runs_its_own_program():
    command = [sys.executable, "-c", FORKS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "forked\n"
        before = taken(process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "runs\n"
        after = taken(process.pid)
        process.stdin.close()
    assert before.own_mib > LARGE_MIB
    assert before.children_mib == ()
    (child_mib,) = after.children_mib
    assert 0 < child_mib < LARGE_MIB
