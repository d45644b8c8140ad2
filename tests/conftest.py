"""What every test may rely on: the same examples each time, no clocks, one thread, fast folders."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.discord_server.published_api import PublishedApi

# Read when torch is first imported. Three processes share two cores: more threads wait for one another, and
# those that wait sleep. The tests of the README and the wheel run with as many threads as users have.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Databases and picture stores make every change durable, and would wait for the disk most of the time.
MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 8 * 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# Left out by `make quick`: the loopback Discord, the browser, other processes, training, large pictures,
# and the store against a machine of random moves.
SLOW = (
    "bot/discord_chat/",
    "bot/ops/test_data_folder.py",
    "bot/test_cli.py",
    "bot/test_faults.py",
    "bot/test_trace.py",
    "bot/web_chat/",
    "bot/workflow/test_kill.py",
    "bot/workflow/test_masked_bytes.py",
    "conversations/images/",
    "conversations/store/test_store_agreement.py",
    "conversations/store/test_store_crash.py",
    "mgie_engine/cluster/test_link.py",
    "mgie_engine/cluster/test_local_serve.py",
    "mgie_engine/cluster/test_two_replicas.py",
    "mgie_engine/install/",
    "mgie_engine/lab/",
    "mgie_engine/memory/",
    "mgie_engine/parity/",
    "mgie_engine/python_api/",
    "mgie_engine/restore/test_moved_objects.py",
    "mgie_engine/restore/test_restore.py",
    "mgie_engine/restore/test_sharpening.py",
    "mgie_engine/restore/test_weather.py",
    "mgie_engine/serving/test_company.py",
    "mgie_engine/serving/test_fast_path.py",
    "mgie_engine/serving/test_framing.py",
    "mgie_engine/serving/test_masks.py",
    "mgie_engine/serving/test_pool.py",
    "mgie_engine/serving/test_process.py",
    "mgie_engine/test_bundled.py",
    "mgie_engine/terminal/",
    "mgie_engine/test_cli.py",
    "support/",
    "test_base_install.py",
    "test_hostile_corpus.py",
    "test_imports.py",
    "test_readme.py",
)
# Long, and mostly in processes of their own: at the end they would leave one of two cores without work.
LONGEST = (
    "mgie_engine/lab/training/test_benchmark.py",
    "mgie_engine/lab/variants/test_variant_worker.py",
    "mgie_engine/lab/training/test_full.py",
    "mgie_engine/terminal/test_command_line_page.py",
    "mgie_engine/install/test_full_size.py",
    "bot/workflow/test_masked_bytes.py",
    "test_base_install.py",
    "test_readme.py",
)
TESTS = Path(__file__).parent


def _begins(path: Path, names: tuple[str, ...]) -> bool:
    return path.relative_to(TESTS).as_posix().startswith(names)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import slow modules that `make quick` would drop afterwards."""
    quick = config.getoption("markexpr") == "not slow"
    return True if quick and collection_path.suffix == ".py" and _begins(collection_path, SLOW) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests, and order the files as processes shall take them: the longest, then by tests."""
    counts = Counter(item.path for item in items)
    items.sort(key=lambda item: (not _begins(item.path, LONGEST), -counts[item.path]))
    for item in items:
        if _begins(item.path, SLOW):
            item.add_marker(pytest.mark.slow)


def pytest_report_header() -> str:
    """Whether the loopback Discord validates what it is sent by the published API description."""
    return PublishedApi.gap() or "loopback Discord: every request is validated by the published description"
