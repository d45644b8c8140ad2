"""Whether the bot can serve now, for /readyz: each check gives a reason why not, or None."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from bot.ops.health import Check
from bot.workflow.dispatcher import EditWorkflow
from conversations.images.decode import MIB
from conversations.store.session_store import SessionStore
from mgie_engine.serving.service import EditService
from mgie_engine.serving.stats import ServiceStats

SLOW_REQUEST_S = 180.0  # a request that waits longer for its first answer hangs


def readiness_checks(
    store: SessionStore, workflow: EditWorkflow, service: EditService, folder: Path, min_free_bytes: int
) -> Mapping[str, Check]:
    """The checks by name. `folder` holds the pictures."""

    async def database_can_be_written() -> str | None:
        await store.bot.write()  # StoreError says why not
        return None

    async def disk_has_room() -> str | None:
        return disk_objection(folder, min_free_bytes)

    async def engine_can_edit() -> str | None:
        return engine_objection(service.stats())

    async def chat_is_connected() -> str | None:
        return None if workflow.is_connected else "not connected"

    async def requests_are_answered() -> str | None:
        waits_s = workflow.longest_wait_s
        if waits_s <= SLOW_REQUEST_S:
            return None
        return f"a request has waited {waits_s:.0f} s for its first answer"

    return {
        "store": database_can_be_written,
        "disk": disk_has_room,
        "engine": engine_can_edit,
        "chat": chat_is_connected,
        "intake": requests_are_answered,
    }


def disk_objection(folder: Path, min_free_bytes: int) -> str | None:
    """That the disk of `folder` has too little room, or None."""
    free = shutil.disk_usage(folder).free
    if free >= min_free_bytes:
        return None
    return f"{free // MIB} MiB are free, and no picture is stored below {min_free_bytes // MIB} MiB"


def engine_objection(stats: ServiceStats) -> str | None:
    """Why no edit can start, or None."""
    if stats.ready:
        return None
    faults = [device.fault for device in stats.devices if device.fault]
    return " ".join(dict.fromkeys(faults)) or "the model is being loaded"
