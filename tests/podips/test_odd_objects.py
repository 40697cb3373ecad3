"""Objects with a missing or wrong part give an answer or one clear error, never a crash."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from capacity.errors import CapacityError
from capacity.pages.podips_page import answer
from capacity.pages.written import rendered
from capacity.readers.aws.described_subnets import read_described_subnets
from capacity.readers.kubernetes.running import running
from tests.podips.clusters import EXAMPLE, listed

OBJECTS = [listed("Node")[0], listed("DaemonSet")[0], *listed("Pod")[:3]]
WRONG: tuple[Any, ...] = (None, "", -1, [], {}, "x", True, 10**30, [None], {"a": None}, 1.5)


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Each place in nested objects and lists."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*above, key)
        yield from places(inner, (*above, key))


@pytest.mark.parametrize("number", range(len(OBJECTS)))
def test_a_wrong_part_is_no_crash(number: int) -> None:
    subnets = read_described_subnets(str(EXAMPLE / "subnets.json"))
    for place in places(OBJECTS[number]):
        for wrong in WRONG:
            objects = copy.deepcopy(OBJECTS)
            inner: Any = objects[number]
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = wrong
            with suppress(CapacityError):
                found = answer([running((("", o) for o in objects), "shop", subnets)], {}, {})
                assert rendered(found, "json")
