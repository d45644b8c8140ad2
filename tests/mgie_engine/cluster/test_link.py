"""The link is a real child process of the bot; what it carries, and how it ends."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from contextlib import closing

from mgie_engine.cluster.ray_cluster import LINK
from mgie_engine.edits import EditResult
from mgie_engine.serving.pool import EnginePool
from mgie_engine.serving.process import EngineProcess, Timeouts
from mgie_engine.serving.service import EditService
from tests.support.fake_cluster import FakeClusterPlan
from tests.support.fakes import a_request

PARENT = """
import asyncio
from mgie_engine.cluster.ray_cluster import LINK
from mgie_engine.serving.process import EngineProcess
from tests.support.fakes import a_request
from tests.support.fake_cluster import FakeClusterPlan

async def main():
    link = EngineProcess(FakeClusterPlan(), module=LINK)
    await link.start()
    await link.run(a_request(), lambda _: None)
    print(link.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def a_link() -> EngineProcess:
    return EngineProcess(FakeClusterPlan(), None, Timeouts(first_pause_s=0.01), "cluster", module=LINK)


async def test_edits_go_through_the_link_and_devices_are_the_replicas():
    async with EditService(EnginePool([a_link()])) as service, asyncio.timeout(120):
        handles = [service.submit_nowait(f"t{n}", f"user{n}", a_request()) for n in range(6)]
        results = await asyncio.gather(*(handle.result() for handle in handles))
        assert all(isinstance(result, EditResult) for result in results)
        stats = service.stats()
        assert stats.slots == 4
        assert [device.name for device in stats.devices] == ["r0", "r1"]


async def test_a_killed_link_is_started_again():
    link = a_link()
    async with EditService(EnginePool([link])) as service, asyncio.timeout(120):
        await service.submit_nowait("t1", "ann", a_request()).result()
        pid = link.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert isinstance(await service.submit_nowait("t2", "ann", a_request()).result(), EditResult)
        assert link.pid != pid


def test_a_link_whose_bot_is_killed_ends_by_itself():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with closing(parent.stdout) as lines:
        child = os.pidfd_open(int(lines.readline()))
    parent.kill()
    parent.wait()
    ended, _, _ = select.select([child], [], [], 60.0)
    os.close(child)
    assert ended


def test_the_bot_and_the_link_import_no_ray():
    code = "import sys, bot.cli, mgie_engine.cli, mgie_engine.cluster.link, mgie_engine.cluster.command; "
    code += "print([name for name in sys.modules if name.split('.')[0] == 'ray'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
