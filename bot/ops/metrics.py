"""Metrics for Prometheus. One registry per bot; no user appears in a label."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

ACK_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 3.0)
STAGE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
WAIT_BUCKETS = (0.1, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)


class Metrics:
    """Every figure of the bot; chats count into `ack_seconds`, `discord_http` and the gateway's own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.jobs = Counter(
            "mgie_jobs", "Edits by how they ended and what they were", ["state", "kind"], registry=registry
        )
        self.edits_dropped = Counter(
            "mgie_edits_dropped", "Requests not taken, by reason", ["reason"], registry=registry
        )
        self.filtered = Counter(
            "mgie_filtered",
            "Pictures refused as like a removed one, by stage",
            ["stage"],
            registry=registry,
        )
        self.moves = Counter(
            "mgie_moves",
            "Undo, redo and other moves; with jobs this gives the undo rate",
            ["move"],
            registry=registry,
        )
        self.queue_depth = Gauge("mgie_queue_depth", "Edits waiting in the queue", registry=registry)
        self.running = Gauge("mgie_running", "Edits being made", registry=registry)
        self.busy_ratio = Gauge(
            "mgie_gpu_busy_ratio", "Share of the engine's slots in use", registry=registry
        )
        self.stored_bytes = Gauge("mgie_stored_bytes", "Bytes of all stored pictures", registry=registry)
        self.free_bytes = Gauge("mgie_disk_free_bytes", "Free bytes on their disk", registry=registry)
        self.queue_wait_seconds = Histogram(
            "mgie_queue_wait_seconds", "From asked to begun", buckets=WAIT_BUCKETS, registry=registry
        )
        self.stage_seconds = Histogram(
            "mgie_stage_seconds",
            "Time per stage of an edit",
            ["stage"],
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self.ack_seconds = Histogram(
            "mgie_ack_seconds", "From a gesture to its first answer", buckets=ACK_BUCKETS, registry=registry
        )
        self.discord_http = Counter(
            "mgie_discord_http", "Requests to Discord", ["route", "status"], registry=registry
        )
        self.rate_limited_seconds = Counter(
            "mgie_rate_limited_seconds", "Time spent waiting for Discord's limits", registry=registry
        )
        self.gateway_reconnects = Counter(
            "mgie_gateway_reconnects", "Times the gateway connection was made again", registry=registry
        )

    def watch(
        self, waiting: Callable[[], float], running: Callable[[], float], slots: Callable[[], int]
    ) -> None:
        """Read the gauges from these whenever the page is fetched."""
        self.queue_depth.set_function(waiting)
        self.running.set_function(running)
        self.busy_ratio.set_function(lambda: running() / max(1, slots()))

    def watch_disk(self, stored: Callable[[], float], free: Callable[[], float]) -> None:
        """Read these gauges, too, whenever the page is fetched."""
        self.stored_bytes.set_function(stored)
        self.free_bytes.set_function(free)
