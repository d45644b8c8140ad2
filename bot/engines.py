"""What makes the edits: the cluster that is set, else an engine process for each device."""

import hashlib
import socket
from pathlib import Path

from bot.errors import CannotStart
from bot.settings import Settings
from mgie_engine.cluster.ray_cluster import MISSING, RayCluster, cluster_editor, has_ray
from mgie_engine.serving.device_plan import plan_devices, visible_gpus
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.pool import EnginePool, engine_pool


def check_cluster(settings: Settings) -> None:
    """CannotStart where a cluster is set, and Ray is not installed."""
    if settings.mgie_cluster and not has_ray():
        raise CannotStart(MISSING)


async def engine_of(settings: Settings) -> EnginePool:
    """What the settings name, not started."""
    if settings.mgie_cluster:
        return cluster_editor(RayCluster(settings.mgie_cluster, _bot_name(settings.data_dir)))
    choice = ModelChoice(
        settings.mgie_model,
        settings.mgie_home,
        settings.mgie_device,
        settings.mgie_threads,
        settings.mgie_memory,
        settings.mgie_level,
        settings.mgie_framing,
    )
    gpus = [] if settings.mgie_device == "cpu" else await visible_gpus()
    return engine_pool(choice, plan_devices(settings.mgie_device, gpus), settings.mgie_slots)


def _bot_name(data_dir: Path) -> str:
    """What replicas call the bot of this folder, also after a restart."""
    return hashlib.sha256(f"{socket.gethostname()}:{data_dir.resolve()}".encode()).hexdigest()[:12]
