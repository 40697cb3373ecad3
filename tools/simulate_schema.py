"""The schema of what `capacity simulate -o json` answers: `results`."""

from __future__ import annotations

from tools.schema_parts import COUNT, NUMBER, TEXT, Schema, list_of, open_object, or_null

SECONDS: Schema = {"type": "number", "minimum": 0}
COUNTS: Schema = {"type": "object", "additionalProperties": COUNT}


def simulate_results() -> Schema:
    """The timeline is that of the first seed; `intervals` is null with a single one."""
    results = open_object(timeline={"type": "array", "items": _sample(), "minItems": 1}, summary=_summary())
    decision = open_object(t=NUMBER, text=TEXT)
    results["properties"]["decisions"] = list_of(decision)
    return results


def _sample() -> Schema:
    return open_object(
        t=SECONDS,
        event=TEXT,
        nodes=COUNT,
        enis=COUNT,
        assigned=COUNT,
        cooling=COUNT,
        available=COUNT,
        total=COUNT,
        waiting=COUNT,
        unschedulable=COUNT,
        subnet_free=COUNT,
        ec2_calls=COUNT,
        free=COUNTS,
        free_prefixes=COUNTS,
    )


def _summary() -> Schema:
    delay = open_object(p50=or_null(SECONDS), p90=or_null(SECONDS), p99=or_null(SECONDS), max=or_null(SECONDS))
    interval = open_object(mean=NUMBER, low=or_null(NUMBER), high=or_null(NUMBER), min=NUMBER, max=NUMBER)
    subnet = open_object(
        name=TEXT,
        zone=or_null(TEXT),
        usable=COUNT,
        lowest_free=COUNT,
        lowest_free_prefixes=COUNT,
        exhausted_at=or_null(SECONDS),
        exhausted_share={"type": "number", "minimum": 0, "maximum": 1},
    )
    return open_object(
        sentence=TEXT,
        scenario=TEXT,
        rule=TEXT,
        seconds=SECONDS,
        complete={"type": "boolean"},
        seeds={"type": "array", "items": COUNT, "minItems": 1},
        pods_started=COUNT,
        pods_waited=COUNT,
        pods_never_started=COUNT,
        pods_unschedulable=COUNT,
        delay_s=delay,
        ec2_calls=COUNT,
        ec2_calls_per_hour=SECONDS,
        ec2_calls_by_kind=COUNTS,
        throttled_by_kind=COUNTS,
        throttled_s=COUNT,
        launch_failures=COUNT,
        subnets={"type": "array", "items": subnet, "minItems": 1},
        intervals=or_null({"type": "object", "additionalProperties": interval}),
    )
