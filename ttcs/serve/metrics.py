"""What the service counts, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from ttcs.serve.counts import BOUNDS, Counts
from ttcs.serve.refusals import RefusedError


def page(counts: Counts, searches: int, queued: int) -> tuple[bytes, str]:
    """The text and its type. searches: under way. queued: of these, not begun.

    RefusedError where prometheus-client is not installed.
    """
    try:
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    except ModuleNotFoundError as error:
        raise RefusedError(501, f"there is no {error.name}: pip install 'ttcs[serve]'") from error
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(counts, searches, queued))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Families:
    def __init__(self, counts: Counts, searches: int, queued: int) -> None:
        self._counts, self._searches, self._queued = counts, searches, queued

    def collect(self) -> Iterable[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        counts, cost = self._counts, self._counts.ledger
        requests = CounterMetricFamily("ttcs_requests", "Requests for a search, by status.", labels=["status"])
        for status, number in sorted(counts.statuses.items()):
            requests.add_metric([str(status)], number)
        ends = accumulate(counts.within)
        buckets = [(f"{bound}".replace("inf", "+Inf"), end) for bound, end in zip(BOUNDS, ends, strict=True)]
        yield requests
        yield HistogramMetricFamily("ttcs_request_seconds", "How long they took.", buckets, counts.seconds)
        yield GaugeMetricFamily("ttcs_searches", "Searches under way.", self._searches)
        yield GaugeMetricFamily("ttcs_queued", "Those of them that have not begun.", self._queued)
        yield CounterMetricFamily("ttcs_prompt_tokens", "Read by the policy.", cost.prompt_tokens)
        yield CounterMetricFamily("ttcs_prompt_cached_tokens", "Of these, cached.", cost.cached_tokens)
        yield CounterMetricFamily("ttcs_decoded_tokens", "Sampled by the policy.", cost.decoded_tokens)
        yield CounterMetricFamily("ttcs_prm_tokens", "Read by the PRM.", cost.prm_tokens)
        yield CounterMetricFamily("ttcs_prm_cached_tokens", "Cached, on top of these.", cost.prm_cached_tokens)
