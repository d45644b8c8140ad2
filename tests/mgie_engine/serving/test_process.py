"""The engine process is really started, really killed, and always comes back."""

import asyncio
import contextlib
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from mgie_engine.edits import EditResult, Progress, Stage
from mgie_engine.errors import EngineDied, ModelError, RequestRefused, ServiceClosed
from mgie_engine.serving.process import EngineProcess, Timeouts
from mgie_engine.serving.protocol import Builder
from mgie_engine.serving.service import EditService
from tests.support.fake_engine import Broken, Chatty, Deadly, Fake, Missing, Shaky
from tests.support.fakes import a_request

HASTY = Timeouts(first_pause_s=0.01)
PARENT = """
import asyncio
from mgie_engine.serving.process import EngineProcess
from tests.support.fakes import a_request
from tests.support.fake_engine import Fake

async def main():
    engine = EngineProcess(Fake())
    await engine.start()
    await engine.run(a_request(), lambda _: None)
    print(engine.pid, flush=True)
    await engine.run(a_request("hang"), lambda _: None)

asyncio.run(main())
"""


@asynccontextmanager
async def an_engine(
    builder: Builder | None = None, timeouts: Timeouts = HASTY, slots: int | None = None
) -> AsyncIterator[EngineProcess]:
    engine = EngineProcess(builder or Fake(), slots, timeouts)
    await engine.start()
    try:
        async with asyncio.timeout(120):
            yield engine
    finally:
        await engine.close()


def ignore(_: Progress) -> None:
    pass


async def test_an_edit_goes_through_the_process():
    seen: list[Progress] = []
    async with an_engine() as engine:
        assert not engine.ready
        request = a_request()
        result = await engine.run(request, seen.append)
        assert engine.ready
        assert result.image == request.image
        assert seen == [Progress(Stage.READING)]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_the_process_has_the_settings_of_libraries_and_no_secrets(monkeypatch):
    secrets = ("DISCORD_TOKEN", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL")
    kept = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "HF_HUB_OFFLINE", "TORCH_HOME", "LC_ALL", "PATH")
    for name in (*secrets, *set(kept) - {"PATH"}):
        monkeypatch.setenv(name, "1")
    async with an_engine() as engine:
        await engine.run(a_request(), ignore)
        child = Path(f"/proc/{engine.pid}")
        names = {entry.split("=")[0] for entry in (child / "environ").read_text().split("\0")}
        status, limits = (child / "status").read_text(), (child / "limits").read_text()
        oom_score = (child / "oom_score_adj").read_text()
    assert names.isdisjoint(secrets)
    assert names.issuperset(kept)
    assert "NoNewPrivs:\t1" in status
    assert re.search(r"Max core file size +0 +0 ", limits)
    assert oom_score.strip() == "500"


async def test_what_libraries_print_does_not_disturb_the_talk():
    async with an_engine(Chatty()) as engine:
        assert isinstance(await engine.run(a_request(), ignore), EditResult)


async def test_the_device_says_how_many_slots_suit_it_unless_told():
    async with an_engine() as engine, an_engine(slots=5) as told:
        await asyncio.gather(engine.run(a_request(), ignore), told.run(a_request(), ignore))
        assert (engine.slots, told.slots) == (3, 5)


async def test_a_killed_process_fails_its_edits_and_the_next_one_works():
    async with an_engine() as engine:
        await engine.run(a_request(), ignore)
        first = engine.pid
        with pytest.raises(EngineDied, match="signal 9"):
            await engine.run(a_request("kill the process"), ignore)
        assert isinstance(await engine.run(a_request(), ignore), EditResult)
        assert engine.pid != first


async def test_the_service_tries_again_after_a_kill_from_outside(tmp_path: Path):
    engine, signpost = EngineProcess(Fake(), timeouts=HASTY), tmp_path / "go on"
    async with EditService(engine) as service, asyncio.timeout(120):
        handle = service.submit_nowait("t1", "ann", a_request(f"wait for {signpost}"))
        await anext(handle.events())
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        signpost.touch()
        assert isinstance(await handle.result(), EditResult)
        assert service.stats().retried == 1


async def test_a_hung_process_is_ended_and_replaced():
    async with an_engine(timeouts=Timeouts(hang_s=0.3, first_pause_s=0.01)) as engine:
        with pytest.raises(EngineDied, match="no sign of life"):
            await engine.run(a_request("hang"), ignore)
        assert isinstance(await engine.run(a_request(), ignore), EditResult)


async def test_a_stopped_process_is_ended_and_replaced_and_its_edit_done(tmp_path: Path):
    engine = EngineProcess(Fake(), timeouts=Timeouts(hang_s=2.0, first_pause_s=0.01))
    signpost = tmp_path / "go on"
    async with EditService(engine) as service, asyncio.timeout(120):
        handle = service.submit_nowait("t1", "ann", a_request(f"wait for {signpost}"))
        await anext(handle.events())
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGSTOP)
        signpost.touch()
        assert isinstance(await handle.result(), EditResult)
        assert service.stats().retried == 1


async def test_a_process_out_of_memory_fails_its_edit_alone():
    async with an_engine() as engine:
        with pytest.raises(EngineDied):
            await engine.run(a_request("take all memory"), ignore)
        assert isinstance(await engine.run(a_request(), ignore), EditResult)


async def test_a_process_that_never_gets_ready_is_ended():
    async with an_engine(timeouts=Timeouts(load_s=0.0, first_pause_s=0.01)) as engine:
        with pytest.raises(EngineDied, match="no sign of life"):
            await engine.run(a_request(), ignore)


async def test_a_process_that_cannot_be_started_is_started_later(monkeypatch):
    start = asyncio.create_subprocess_exec
    tries = iter([BlockingIOError("no more processes")])

    def sometimes(*command, **pipes):
        for error in tries:
            raise error
        return start(*command, **pipes)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", sometimes)
    async with an_engine() as engine:
        with pytest.raises(EngineDied, match="no more processes"):
            await engine.run(a_request(), ignore)
        assert isinstance(await engine.run(a_request(), ignore), EditResult)


async def test_a_model_that_was_loaded_once_is_tried_again(tmp_path: Path):
    async with an_engine(Shaky(tmp_path / "tally")) as engine:
        await engine.run(a_request(), ignore)
        with pytest.raises(EngineDied):
            await engine.run(a_request("kill the process"), ignore)
        with pytest.raises(EngineDied):  # the second life ends for want of memory
            await engine.run(a_request(), ignore)
        assert isinstance(await engine.run(a_request(), ignore), EditResult)
        assert engine.fault is None


async def test_a_refused_request_leaves_the_process_alone():
    async with an_engine() as engine:
        await engine.run(a_request(), ignore)
        process = engine.pid
        with pytest.raises(RequestRefused, match="rather not"):
            await engine.run(a_request("refuse"), ignore)
        await engine.run(a_request(), ignore)
        assert engine.pid == process


async def test_a_cancelled_edit_is_dropped_by_the_process_too(tmp_path: Path):
    begun = asyncio.Event()
    async with an_engine(timeouts=Timeouts(hang_s=0.3)) as engine:
        never = a_request(f"wait for {tmp_path / 'nothing'}")
        task = asyncio.create_task(engine.run(never, lambda _: begun.set()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await engine.run(a_request(), ignore), EditResult)


async def test_a_model_that_is_not_there_is_said_and_not_tried_again():
    async with an_engine(Missing()) as engine:
        for _ in range(2):
            with pytest.raises(ModelError, match="No model 'nothing'"):
                await engine.run(a_request(), ignore)
        assert isinstance(engine.fault, ModelError)
        assert not engine.ready


async def test_a_library_that_raises_at_the_files_is_a_sentence_and_not_tried_again(tmp_path: Path):
    async with an_engine(Broken(tmp_path / "tally")) as engine:
        for _ in range(2):
            with pytest.raises(ModelError, match="cannot be loaded: ZeroDivisionError: integer modulo"):
                await engine.run(a_request(), ignore)
    assert (tmp_path / "tally").read_text() == "x"


async def test_a_model_is_tried_again_once_its_files_change(tmp_path: Path):
    file = tmp_path / "model"
    async with an_engine(Missing(file), Timeouts(look_again_s=0.01)) as engine:
        with pytest.raises(ModelError):
            await engine.run(a_request(), ignore)
        file.touch()
        result = None
        while result is None:
            with contextlib.suppress(ModelError):
                result = await engine.run(a_request(), ignore)
            await asyncio.sleep(0)


async def test_a_process_that_dies_while_loading_fails_the_edits_that_wait_for_it():
    async with an_engine(Deadly()) as engine:
        with pytest.raises(EngineDied, match="code 3"):
            await engine.run(a_request(), ignore)


async def test_closing_ends_the_process_and_the_edits(tmp_path: Path):
    begun = asyncio.Event()
    engine = EngineProcess(Fake())
    await engine.start()
    never = a_request(f"wait for {tmp_path / 'nothing'}")
    running = asyncio.create_task(engine.run(never, lambda _: begun.set()))
    await begun.wait()
    process = engine.pid
    assert process is not None
    await engine.close()
    with pytest.raises(ServiceClosed):
        await running
    with pytest.raises(ServiceClosed):
        await engine.run(a_request(), ignore)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_pauses_between_restarts_grow_up_to_a_bound():
    timeouts = Timeouts(first_pause_s=0.5, longest_pause_s=60)
    assert [timeouts.pause_s(deaths) for deaths in (1, 2, 3, 99)] == [0.5, 1.0, 2.0, 60]


def test_a_hung_process_whose_parent_is_killed_ends_by_itself():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with closing(parent.stdout) as lines:
        child = os.pidfd_open(int(lines.readline()))
    parent.kill()
    parent.wait()
    ended, _, _ = select.select([child], [], [], 60.0)
    os.close(child)
    assert ended


def test_the_parents_side_imports_no_torch():
    code = (
        "import sys, mgie_engine.serving.process, mgie_engine.serving.service, mgie_engine.serving.loader; "
    )
    code += "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'diffusers')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


TRUE_PARENT = """
import asyncio, sys
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.process import EngineProcess
from tests.support.fakes import a_request

async def main():
    engine = EngineProcess(ModelChoice("mgie-mini", device="cpu"), 1)
    await engine.start()
    result = await engine.run(a_request("make it darker"), lambda _: None)
    await engine.close()
    print(result.level, "torch" in sys.modules)

asyncio.run(main())
"""


def test_the_parents_side_imports_no_torch_with_a_result_of_the_bundled_model():
    said = subprocess.run([sys.executable, "-c", TRUE_PARENT], capture_output=True, text=True, check=True)
    assert said.stdout == "exact False\n"


@dataclass(frozen=True)
class Arithmetic:
    """The true engine over a model of a few lines."""

    def files_version(self):
        return None

    def build(self):
        from mgie_engine.serving.engine import Engine
        from tests.support.fake_model import FakeModel

        return Engine(FakeModel())


async def test_the_true_engine_works_in_the_process():
    requests = [a_request("make it red"), a_request("make it red", image=b"no picture")]
    async with an_engine(Arithmetic()) as engine:
        good, bad = await asyncio.gather(
            *(engine.run(request, ignore) for request in requests), return_exceptions=True
        )
    assert isinstance(good, EditResult)
    assert isinstance(bad, RequestRefused)
