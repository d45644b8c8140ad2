"""Which cluster a bot sends its edits to, and whether it can. A value; ray is imported by `build` only."""

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgie_engine.errors import EngineError
from mgie_engine.serving.pool import EnginePool
from mgie_engine.serving.process import EngineProcess, Timeouts

if TYPE_CHECKING:
    from mgie_engine.cluster.cluster_client import Replicas

LOCAL = "local"  # the cluster that the Ray of this machine is part of
MISSING = "MGIE_CLUSTER is set, and Ray is not installed here: pip install 'mgie[cluster]'."
LINK = "mgie_engine.cluster.link"
FOR_EVER_S = 1e9


@dataclass(frozen=True, slots=True)
class RayCluster:
    """A Ray cluster by address, for the link process; `bot`: the asking bot's name, the same for ever."""

    address: str  # LOCAL, or HOST:PORT of the cluster's head
    bot: str

    def files_version(self) -> object:
        """Nothing is read from files."""
        return None

    def build(self) -> "Replicas":
        """What reaches the replicas; EngineError if Ray is missing."""
        if not has_ray():
            raise EngineError(MISSING)
        from mgie_engine.cluster.ray_replicas import RayReplicas

        return RayReplicas("auto" if self.address == LOCAL else self.address, self.bot)


def has_ray() -> bool:
    """Whether the extra is installed; imports nothing."""
    return importlib.util.find_spec("ray") is not None


def cluster_editor(cluster: RayCluster) -> EnginePool:
    """The cluster as an EditRunner: one link process, which reports the slots of all replicas."""
    timeouts = Timeouts(load_s=FOR_EVER_S)  # it waits for the cluster by itself
    return EnginePool([EngineProcess(cluster, None, timeouts, "cluster", module=LINK)])
