"""What the bot counts, on a registry of its own so that several bots live in one process (the demo, the tests)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

QUEUES = ("inbox", "outbox")

# Seconds. A card is promised within one; a callback may come back from a queue after days.
_LAG = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600, 86_400)
_REMOVAL = (60, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 259_200, 604_800)


class QueueSize(NamedTuple):
    """How many rows of one queue (`inbox`, `outbox`) stand in one lane and state; `oldest`: the first one's age, s."""

    queue: str
    lane: str
    state: str
    depth: int
    oldest: float


class Metrics:
    """One method per thing that is worth a graph. Labels are words of ours or of the platform, never ids or names."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # processor time, memory, open files
        self._accepted = Counter("steward_callbacks_accepted", "Callbacks written down", registry=registry)
        self._refused = Counter("steward_callbacks_refused", "Callbacks refused", ["cause"], registry=registry)
        self._messages = Counter("steward_messages", "Messages from the message source", ["result"], registry=registry)
        self._ingest = Counter("steward_ingest_refused", "Batches refused as a whole", ["cause"], registry=registry)
        what = ["source", "kind", "result"]
        self._events = Counter(
            "steward_events", "Events worked on; source=callback: callbacks", what, registry=registry
        )
        self._lag = Histogram(
            "steward_event_lag_seconds", "From receipt to effect", ["source"], buckets=_LAG, registry=registry
        )
        place = ["queue", "lane", "state"]
        self._depth = Gauge("steward_queue_depth", "Rows in a queue", place, registry=registry)
        self._oldest = Gauge("steward_queue_oldest_seconds", "Age of the oldest row", place, registry=registry)
        self._dead = Gauge("steward_dead_letters", "Rows that were given up", ["queue"], registry=registry)
        self._actions = Counter("steward_actions", "Actions carried out", ["kind", "result"], registry=registry)
        self._calls = Counter("steward_api_calls", "Calls to WeCom", ["endpoint", "errcode"], registry=registry)
        self._config = Gauge("steward_config_refused", "A newer config is refused: 1", registry=registry)
        self._redis = Gauge("steward_redis_up", "0: REDIS_URL is set, and Redis does not answer", registry=registry)
        self._redis.set(1)
        self._cases = Gauge("steward_open_cases", "Removal cases not closed yet", registry=registry)
        self._payouts = Gauge(
            "steward_payouts_unknown", "Payouts of which nobody knows whether the money went", registry=registry
        )
        self._paused = Gauge("steward_payouts_paused", "Nothing is paid out: 1", registry=registry)
        self._groups = Gauge("steward_groups", "Customer groups by what is known of them", ["state"], registry=registry)
        self._read = Gauge(
            "steward_groups_oldest_read_seconds", "Age of the oldest last read of a group in sight", registry=registry
        )
        self._removal = Histogram(
            "steward_removal_seconds", "From first sight to gone", buckets=_REMOVAL, registry=registry
        )

    def callback_accepted(self) -> None:
        """A callback is committed and acknowledged."""
        self._accepted.inc()

    def callback_refused(self, cause: str) -> None:
        """A callback was answered with anything but 200."""
        self._refused.labels(cause).inc()

    def messages(self, *, accepted: int, doubled: int, refused: int) -> None:
        """A batch of messages was answered 200: so many are new, were known already, cannot be read."""
        for result, number in (("accepted", accepted), ("doubled", doubled), ("refused", refused)):
            self._messages.labels(result).inc(number)

    def ingest_refused(self, cause: str) -> None:
        """A batch was answered with anything but 200."""
        self._ingest.labels(cause).inc()

    def event(self, source: str, kind: str, result: str) -> None:
        """An inbox row was worked on; `source`: callback, timer …; `result`: done, ignored, retried, dead …"""
        self._events.labels(source, kind, result).inc()

    def event_lag(self, source: str, seconds: float) -> None:
        """An event's effect is committed, this long after the event was received."""
        self._lag.labels(source).observe(seconds)

    def queues(self, sizes: Iterable[QueueSize]) -> None:
        """All queues as they stand now. What is not named is empty and disappears; dead letters are always shown."""
        self._depth.clear()
        self._oldest.clear()
        dead = dict.fromkeys(QUEUES, 0)
        for size in sizes:
            place = (size.queue, size.lane, size.state)
            self._depth.labels(*place).set(size.depth)
            self._oldest.labels(*place).set(size.oldest)
            if size.state == "dead":
                dead[size.queue] += size.depth
        for queue, rows in dead.items():
            self._dead.labels(queue).set(rows)

    def action(self, kind: str, result: str) -> None:
        """An outbox row was carried out; `result`: done, retried, failed, observed …"""
        self._actions.labels(kind, result).inc()

    def api_call(self, endpoint: str, errcode: int | str) -> None:
        """WeCom answered (`errcode`), or did not (a word: timeout, network)."""
        self._calls.labels(endpoint, str(errcode)).inc()

    def groups(self, by_state: Mapping[str, int], oldest_read: float) -> None:
        """So many groups are in each state now (each in one); the one read longest ago was read so long ago, s."""
        for state, count in by_state.items():
            self._groups.labels(state).set(count)
        self._read.set(oldest_read)

    def open_cases(self, count: int) -> None:
        """This many removal cases are open now."""
        self._cases.set(count)

    def payouts(self, unknown: int, *, paused: bool) -> None:
        """Of so many payouts nobody knows whether the money went; and whether anything is paid out at all."""
        self._payouts.set(unknown)
        self._paused.set(paused)

    def removed_after(self, seconds: float) -> None:
        """Somebody is gone, this long after the case was opened."""
        self._removal.observe(seconds)

    def config_refused(self, *, refused: bool) -> None:
        """Whether there is a newer configuration that cannot be used, so that the last good one goes on."""
        self._config.set(refused)

    def redis(self, *, up: bool) -> None:
        """Whether Redis answers; where none is used, it counts as up."""
        self._redis.set(up)

    def text(self) -> bytes:
        """Everything in Prometheus' text format (`CONTENT_TYPE`)."""
        return generate_latest(self._registry)
