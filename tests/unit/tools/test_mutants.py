"""The small changes that `make mutants` tries, and its table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.mutants import ROOT, Mutant, Room, Table, mutants_of, mutated, read_table, run, stale

FORMULA = '''\
"""Doc."""
from __future__ import annotations
from capacity.units import smaller
LIMIT = 3
def f(a: int, most: int = 1) -> int:
    """Text."""
    if not a and most < 2:
        return smaller(a + 1, most)
    return True
'''


def found(text: str) -> list[tuple[str, str]]:
    return [(m.was, m.now) for m in mutants_of("m.py", text)]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("return a < b", ["return a <= b"]),
        ("return a == b", ["return a != b"]),
        ("return a in b", ["return a not in b"]),
        ("return a < b <= c", ["return a <= b <= c", "return a < b < c"]),
        ("return 7", ["return 8", "return 6"]),
        ("return 0", ["return 1"]),
        ("return True", ["return False"]),
        ("return a and b", ["return a or b"]),
        ("return not a", ["return a"]),
        ("return a + b", ["return a - b"]),
        ("return a // b", ["return ceil_div(a, b)"]),
        ("return ceil_div(a, b)", ["return a // b"]),
        ("return min(a)", ["return max(a)"]),
        ("return larger(a, b)", ["return smaller(a, b)"]),
        ("return ceil(a)", ["return floor(a)"]),
        ("return all(a)", ["return any(a)"]),
        ("a: Literal[1] = b", []),
        ("assert a < 1, 'so'", []),
        ("zip(a, b, strict=True)", []),
        ("'a text'", []),
    ],
)
def test_changes_of_a_statement(was: str, now: list[str]) -> None:
    assert found(was) == [(was, changed) for changed in now]


def test_only_what_runs_is_changed_and_the_rest_is_kept() -> None:
    assert found(FORMULA) == [
        ("LIMIT = 3", "LIMIT = 4"),
        ("LIMIT = 3", "LIMIT = 2"),
        ("def f(a: int, most: int=1) -> int:", "def f(a: int, most: int=2) -> int:"),
        ("def f(a: int, most: int=1) -> int:", "def f(a: int, most: int=0) -> int:"),
        ("if not a and most < 2:", "if not a or most < 2:"),
        ("if not a and most < 2:", "if a and most < 2:"),
        ("if not a and most < 2:", "if not a and most <= 2:"),
        ("if not a and most < 2:", "if not a and most < 3:"),
        ("if not a and most < 2:", "if not a and most < 1:"),
        ("return smaller(a + 1, most)", "return larger(a + 1, most)"),
        ("return smaller(a + 1, most)", "return smaller(a - 1, most)"),
        ("return smaller(a + 1, most)", "return smaller(a + 2, most)"),
        ("return smaller(a + 1, most)", "return smaller(a + 0, most)"),
        ("return True", "return False"),
    ]


def test_the_changed_module_runs() -> None:
    swapped = next(m for m in mutants_of("m.py", FORMULA) if "larger" in m.now)
    names: dict[str, object] = {}
    exec(mutated(swapped, FORMULA), names)  # larger was not imported there
    assert names["f"](0, 0) == 1  # type: ignore[operator]
    assert names["__doc__"] == "Doc."


def test_every_room_has_its_modules_and_tests() -> None:
    for room in read_table().rooms.values():
        assert room.modules
        assert room.tests
        assert [name for name in (*room.modules, *room.tests) if not (ROOT / name).is_file()] == []


def test_every_accepted_change_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in read_table().accepted.values())


def test_what_is_accepted_but_impossible_is_named() -> None:
    room = Room("r", ("m.py",), ())
    known = next(mutants_of("m.py", FORMULA))
    gone = Mutant("m.py", "f", 1, "return 1", "return 2", 0, 0)
    table = Table({"r": room}, {known.key: "why", gone.key: "why"})
    assert stale(table, room, [known]) == ["m.py f: return 2"]


@pytest.mark.parametrize(
    ("checked", "accepted", "code", "said"),
    [
        ("assert twice(2) == 4", False, 0, "2 of 2 changes tried, 2 noticed, 0 known to change no answer, 0 survived"),
        ("assert twice(1) == 1 + 1", False, 0, "2 noticed"),
        ("assert twice(0) == 0", False, 1, "survived: m.py:2 twice\n  - return a * 2\n  + return a * 3"),
        ("assert twice(0) == 0", True, 0, "known: m.py:2 twice"),
        ("assert False", False, 2, "the tests of r fail without any change"),
    ],
)
def test_what_survives_is_told(
    checked: str, accepted: bool, code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.py").write_text("def twice(a):\n    return a * 2\n")
    (tmp_path / "test_m.py").write_text(f"from m import twice\ndef test_it():\n    {checked}\n")
    monkeypatch.setattr("tools.mutants.ROOT", tmp_path)
    monkeypatch.setattr("tools.mutants.NEEDED", ("m.py", "test_m.py"))
    room = Room("r", ("m.py",), ("test_m.py",))
    every = mutants_of("m.py", (tmp_path / "m.py").read_text())
    table = Table({"r": room}, {m.key: "the test has only a 0" for m in every} if accepted else {})
    lines: list[str] = []
    assert run(room, table, 9, 1, lines.append) == code
    assert said in "\n".join(lines)
    assert run(room, table, 9, 1, lines.append, ["thrice"]) == 2
    assert lines[-1] == "r has no function thrice"
    assert (tmp_path / "m.py").read_text() == "def twice(a):\n    return a * 2\n"
