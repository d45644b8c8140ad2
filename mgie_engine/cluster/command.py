"""`mgie serve-cluster`: deploy the replicas to a Ray cluster, or replace them by others."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from mgie_engine.cli_types import Commands, WrongUsage
from mgie_engine.cluster.cluster_messages import Plain
from mgie_engine.cluster.ray_cluster import has_ray
from mgie_engine.config import models_home, resolve_model

GPU_SLOTS, CPU_SLOTS = 8, 2  # edits at once that suit a device

EXAMPLES = """examples:
  ray start --head                                    # on the first machine
  ray start --address=HOST:6379                       # on every other
  mgie serve-cluster mgie-7b                          # once, on any of them
  MGIE_CLUSTER=local MGIE_MODEL=mgie-7b mgie-bot      # on the bot's machine
"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "serve-cluster",
        run=run,
        help="serve edits on every GPU of a Ray cluster",
        description="Deploy a replica per GPU of the Ray cluster that this machine is part of, and return. "
        "With other weights or options it replaces the replicas one after the other, while edits go on.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "model", nargs="?", default="mgie-mini", help="a name or a folder, the same on every machine"
    )
    parser.add_argument("--address", default="auto", help="HOST:PORT of the cluster's head")
    parser.add_argument("--replicas", type=int, metavar="N", help="one per GPU if left out; 1 without a GPU")
    parser.add_argument(
        "--slots", type=int, metavar="N", help=f"edits at once of each; {GPU_SLOTS} on a GPU if left out"
    )
    parser.add_argument("--memory", metavar="MODE", default="auto", help="a memory mode by name")
    parser.add_argument("--level", metavar="LEVEL", default="auto", help="exact, same or fast")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Deploy, wait until every replica has loaded its model, and say so."""
    if not has_ray():
        raise WrongUsage("Ray is not installed here: pip install 'mgie[cluster]'.")
    for name in ("replicas", "slots"):
        value = getattr(arguments, name)
        if value is not None and not 1 <= value <= 1000:
            raise WrongUsage(f"--{name} must be between 1 and 1000, not {value}.")
    home = models_home(environment)
    resolve_model(arguments.model, home)  # ModelError here rather than on every machine
    import ray

    from mgie_engine.cluster.deployment import NAMESPACE, DeploymentSize, deploy

    try:
        ray.init(address=arguments.address, namespace=NAMESPACE, log_to_driver=False)
    except ConnectionError as error:
        raise WrongUsage(f"No Ray cluster at {arguments.address}; run ray start first.") from error
    gpus = int(ray.cluster_resources().get("GPU", 0))
    size = DeploymentSize(
        replicas=arguments.replicas or gpus or 1,
        slots=arguments.slots or (GPU_SLOTS if gpus else CPU_SLOTS),
        gpus=1.0 if gpus else 0.0,
    )
    deploy(_plan(arguments, home), size)
    sys.stdout.write(f"{arguments.model}: {size.replicas} replicas, {size.slots} edits at once each.\n")


def _plan(arguments: argparse.Namespace, home: Path) -> Plain:
    return {
        "model": arguments.model,
        "home": str(home),
        "memory": arguments.memory,
        "level": arguments.level,
    }
