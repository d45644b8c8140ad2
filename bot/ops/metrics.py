"""Metrics for Prometheus. One registry per bot; no user appears in a label."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mgie_engine.edits import DeviceState

ACK_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 3.0)
STAGE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
WAIT_BUCKETS = (0.1, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)


class Metrics:
    """Every figure of the bot; chats count into `ack_seconds`, `discord_http` and the gateway's own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        self.jobs = counter("mgie_jobs", "Edits by how they ended and what they were", ["state", "kind"])
        self.edits_dropped = counter("mgie_edits_dropped", "Requests not taken, by reason", ["reason"])
        self.filtered = counter(
            "mgie_filtered", "Pictures refused as like a removed one, by stage", ["stage"]
        )
        self.safety_verdicts = counter(
            "mgie_safety_verdicts",
            "Pictures looked at, by stage and what became of them",
            ["stage", "verdict"],
        )
        self.safety_seconds = histogram(
            "mgie_safety_seconds", "Time of looking at a picture", ["stage"], buckets=STAGE_BUCKETS
        )
        self.moves = counter(
            "mgie_moves", "Undo, redo and other moves; with jobs this gives the undo rate", ["move"]
        )
        self.queue_depth = gauge("mgie_queue_depth", "Edits waiting in the queue")
        self.running = gauge("mgie_running", "Edits being made")
        self.busy_ratio = gauge("mgie_gpu_busy_ratio", "Share of the engine's slots in use")
        self.stored_bytes = gauge("mgie_stored_bytes", "Bytes of all stored pictures")
        self.free_bytes = gauge("mgie_disk_free_bytes", "Free bytes on their disk")
        self.queue_wait_seconds = histogram(
            "mgie_queue_wait_seconds", "From asked to begun", buckets=WAIT_BUCKETS
        )
        self.stage_seconds = histogram(
            "mgie_stage_seconds", "Time per stage of an edit", ["stage"], buckets=STAGE_BUCKETS
        )
        self.ack_seconds = histogram(
            "mgie_ack_seconds", "From a gesture to its first answer", buckets=ACK_BUCKETS
        )
        self.discord_http = counter("mgie_discord_http", "Requests to Discord", ["route", "status"])
        self.gateway_reconnects = counter(
            "mgie_gateway_reconnects", "Times the gateway connection was made again"
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

    def watch_devices(self, devices: Callable[[], Sequence[DeviceState]]) -> None:
        """Read the figures of each device from this whenever the page is fetched."""
        self.registry.register(_DeviceCollector(devices))


class _DeviceCollector(Collector):
    """The figures of every device, as they are when asked for."""

    def __init__(self, devices: Callable[[], Sequence[DeviceState]]) -> None:
        self._devices = devices

    def collect(self) -> Iterator[Metric]:
        """One family per figure, labelled by device."""
        ready = GaugeMetricFamily("mgie_device_ready", "1 if the model is loaded there", labels=["device"])
        slots = GaugeMetricFamily("mgie_device_slots", "Edits it runs at once", labels=["device"])
        running = GaugeMetricFamily("mgie_device_running", "Edits it has now", labels=["device"])
        deaths = CounterMetricFamily(
            "mgie_device_deaths", "Times its process ended unasked", labels=["device"]
        )
        for device in self._devices():
            ready.add_metric([device.name], device.ready)
            slots.add_metric([device.name], device.slots)
            running.add_metric([device.name], device.running)
            deaths.add_metric([device.name], device.deaths)
        yield from (ready, slots, running, deaths)
