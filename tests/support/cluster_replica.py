"""A replica in a real Ray cluster that needs no model. Importing this imports ray."""

from mgie_engine.cluster.cluster_messages import Plain
from mgie_engine.cluster.deployment import MGIEReplica
from mgie_engine.edits import EditRunner
from mgie_engine.serving.process import EngineProcess
from tests.support.fake_engine import Fake


class FakeReplica(MGIEReplica):
    """Serves edits with the fake engine in a true engine process."""

    def build(self, plan: Plain) -> tuple[EditRunner, str]:
        """The fake engine; the plan names its weights."""
        return EngineProcess(Fake(), plan["slots"], name="fake"), plan["weights"]
