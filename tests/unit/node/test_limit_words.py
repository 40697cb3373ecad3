"""One table has a word for every limit, whichever room names it."""

from __future__ import annotations

from capacity.charts.nodes import HATCHES
from capacity.cluster.unplaced import REASONS, Unplaced
from capacity.node.limit_words import LIMITS, limit_words
from capacity.node.offer import BINDING_ORDER


def test_every_limit_has_a_word() -> None:
    assert {*BINDING_ORDER, *REASONS, *HATCHES} <= set(LIMITS)
    assert len(set(LIMITS.values())) == len(LIMITS)


def test_what_pods_lack_is_said_with_that_word() -> None:
    assert [Unplaced("web", 1, reason).lack for reason in REASONS] == [limit_words(reason) for reason in REASONS]
    assert Unplaced("web", 1, "branch_enis").lack == "branch ENIs"
