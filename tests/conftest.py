"""What every test may rely on: the same examples every time, no judging by the clock, calm threads."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.discord_server.published_api import PublishedApi

# Read when torch is first imported: threads that wait sleep, and leave the cores to those that work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

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
TESTS = Path(__file__).parent


def _is_slow(path: Path) -> bool:
    return path.relative_to(TESTS).as_posix().startswith(SLOW)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import slow modules that `make quick` would drop afterwards."""
    quick = config.getoption("markexpr") == "not slow"
    return True if quick and collection_path.suffix == ".py" and _is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests."""
    for item in items:
        if _is_slow(item.path):
            item.add_marker(pytest.mark.slow)


def pytest_report_header() -> str:
    """Whether the loopback Discord validates what it is sent by the published API description."""
    return PublishedApi.gap() or "loopback Discord: every request is validated by the published description"
