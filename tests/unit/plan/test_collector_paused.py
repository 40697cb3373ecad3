"""Reading a plan pauses the garbage collector and puts it back as it was, also after an error."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from capacity.errors import SpecError
from capacity.plan.document import collector_paused, read_document


def test_paused_inside_and_on_again_after() -> None:
    assert gc.isenabled()
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            pass
        assert not gc.isenabled()  # it was off: it stays off
    assert gc.isenabled()


def test_on_again_after_an_error(tmp_path: Path) -> None:
    bad = tmp_path / "plan.yaml"
    bad.write_text("a: 1\na: 2\n")
    with pytest.raises(SpecError, match="duplicate key 'a'"):
        read_document(bad)
    assert gc.isenabled()


def test_what_was_made_meanwhile_is_not_scanned_as_young() -> None:
    with collector_paused():
        made = [[i] for i in range(1000)]
    young = {id(o) for o in gc.get_objects(generation=0)}
    assert not any(id(o) in young for o in made)


def test_what_the_caller_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with collector_paused():
            pass
        assert gc.get_freeze_count() > frozen // 2  # some are no longer referenced
    finally:
        gc.unfreeze()
