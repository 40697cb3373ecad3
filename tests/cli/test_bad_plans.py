"""Plans that are wrong: one line that says where and what, exit code 2, nothing on stdout."""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from capacity.errors import SpecError
from capacity.plan.document import YAML_LIMIT_BYTES
from capacity.plan.parse import read_plan
from tests.cli.entry import Done, capacity
from tests.fixtures.plans import FULL, FULL_CILIUM, SMALL

WRONG = tomllib.loads((Path(__file__).parents[1] / "fixtures" / "wrong_plans.toml").read_text())["wrong"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusals(done: Done) -> list[str]:
    """The lines of a refusal, one for each error."""
    assert (done.code, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines
    assert all(line.startswith("error: ") for line in lines)
    return [line.removeprefix("error: ") for line in lines]


def refused(done: Done) -> str:
    """The one line of a refusal."""
    (line,) = refusals(done)
    return line


def check(text: str | bytes, name: str = "plan.yaml") -> Done:
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return capacity("check", name, "-q")


@pytest.mark.parametrize("wrong", WRONG, ids=[w["message"][:60] for w in WRONG])
def test_one_line_names_place_and_cure(wrong: dict[str, str], folder: Path) -> None:
    text = SMALL.replace(wrong["old"], wrong["new"], 1)
    assert text != SMALL
    if "xen" in wrong["message"]:
        text = text.replace("m5.large", "t2.small")
    expected = f"plan.yaml{wrong['message']}"
    message = refused(check(text))
    assert message == expected or (expected.endswith("…") and message.startswith(expected[:-1]))
    assert os.listdir(folder) == ["plan.yaml"]


# --- every field with every wrong kind of value ---------------------------------------------


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Paths of everything in a document but the document itself."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items:
        yield (*path, key)
        yield from leaves(inner, (*path, key))


PATHS = list(leaves(yaml.load(FULL, Loader=yaml.BaseLoader)))
CILIUM_PATHS = [path for path in leaves(yaml.load(FULL_CILIUM, Loader=yaml.BaseLoader)) if path[0] == "cni"]


def with_value(path: tuple[str | int, ...], value: object, plan: str = FULL) -> str:
    """FULL in block style, one value exchanged."""
    document = yaml.load(plan, Loader=yaml.BaseLoader)
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return yaml.dump(document, sort_keys=False, Dumper=yaml.SafeDumper, width=10_000)


def line_of(text: str, path: tuple[str | int, ...]) -> int:
    """The line on which the key or item at ``path`` starts."""
    node: Any = yaml.compose(text)
    line = 0
    for key in path:
        if isinstance(key, int):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            pair = next(p for p in node.value if p[0].value == key)
            node, line = pair[1], pair[0].start_mark.line + 1
    return line


def spelt(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def is_free_text(path: tuple[str | int, ...]) -> bool:
    """Names and tags take any text; an environment variable any value, as the CNI replaces what it cannot read."""
    return (
        path[-1] in ("name", "id", "account", "namespace", "region", "zone", "version", "maxPodsExpression", "add")
        or "env" in path
        or "tags" in path
        or path[0] == "metadata"
    )


@pytest.mark.parametrize(
    ("plan", "path"),
    [*((FULL, path) for path in PATHS), *((FULL_CILIUM, path) for path in CILIUM_PATHS)],
    ids=lambda part: spelt(part) if isinstance(part, tuple) else str(part == FULL_CILIUM),
)
def test_a_wrong_kind_of_value_is_refused_at_its_line(plan: str, path: tuple[str | int, ...]) -> None:
    for value in (["§"], {"§": "§"}, "§§", "-1", "1e400", "0x1F", "\u202e"):
        text = with_value(path, value, plan)
        done = check(text)
        if done.code == 0:
            assert is_free_text(path)
            continue
        messages = refusals(done)
        for message in messages:
            found = re.match(r"plan\.yaml:([0-9]+) ([^:]+): ", message)
            assert found, message
            assert "\u202e" not in message
            # text may be found missing where others refer to it; a provisioner decides which keys its group needs
            if not isinstance(value, str) and path[-1] != "provisioner":
                assert found[2].startswith(spelt(path)), message
                assert int(found[1]) in range(line_of(text, path), line_of(text, path) + 2), message
        # what depends on the value is not judged
        assert not isinstance(value, list) or len(messages) == 1 or path[-1] == "provisioner", messages


def test_the_full_plan_itself_is_right() -> None:
    assert check(FULL).code == 0
    assert check(FULL_CILIUM).code == 0
    assert check(json.dumps(yaml.load(FULL, Loader=yaml.BaseLoader)), "plan.json").code == 0


# --- files ----------------------------------------------------------------------------------


def bomb() -> str:
    """Nine levels of ten aliases each: a few hundred bytes that stand for a thousand million nodes."""
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    for upper, lower in zip("bcdefghij", "abcdefghi", strict=True):
        lines.append(f"{upper}: &{upper} [{','.join([f'*{lower}'] * 10)}]")
    return "\n".join(lines)


DAMAGED: list[tuple[str, str | bytes, str]] = [
    ("empty", "", ": is empty (expected a plan that starts with 'apiVersion: capacity/v1')"),
    ("only a comment", "# a\n", ": is empty (expected a plan that starts with 'apiVersion: capacity/v1')"),
    ("a list", "- a\n", ":1: expected a mapping with apiVersion, vpc and nodeGroups, found a list"),
    ("plain text", "hello\n", ":1: expected a mapping with apiVersion, vpc and nodeGroups, found 'hello'"),
    ("UTF-16", SMALL.encode("utf-16"), ":1: is not UTF-8 text (byte 0xff)"),
    ("Latin-1", SMALL.replace("web", "caf\xe9").encode("latin-1"), ":21: is not UTF-8 text (byte 0xe9)"),
    ("a NUL byte", SMALL.replace("web", "w\0b"), ":21: contains the control character 0x00, which YAML forbids"),
    ("an escape byte", SMALL.replace("web", "w\x1bb"), ":21: contains the control character 0x1b, which YAML forbids"),
    ("a YAML bomb", bomb(), ": aliases multiply the document 398247710 times (at most 10)"),
    ("an alias in itself", "a: &a [*a]\n", ":1: an alias inside its own anchor"),
    ("nested 5000 deep", "[" * 5000, ": nested more than 100 deep"),
    ("nested 200 deep", "a: " + "{a: " * 200 + "1" + "}" * 200, ":1: nested more than 100 deep"),
    ("a tag", "a: !!binary aGk=\n", ":1: the tag '!!binary' is not allowed (a plan contains plain values only)"),
    ("a list as a key", "? [a]\n: 2\n", ":1: a key must be a plain scalar"),
    ("an open quote", 'a: "abc\n', ":2: not valid YAML: found unexpected end of stream"),
    (
        "17 MB of YAML",
        SMALL + "#" + "x" * YAML_LIMIT_BYTES,
        ": larger than 16 MB (a larger plan must be JSON, up to 128 MB)",
    ),
]

DAMAGED_JSON: list[tuple[str, str, str]] = [
    ("empty", "", ":1: not valid JSON: Expecting value"),
    ("a list", "[1]", ":1: expected a mapping with apiVersion, vpc and nodeGroups, found a list"),
    ("cut off", '{"apiVersion": "capacity/v1",\n "vpc": }', ":2: not valid JSON: Expecting value"),
    ("a key twice", '{"a": 1,\n "b": 2,\n "a": 3}', ":3: duplicate key 'a' (first on line 1)"),
    ("NaN", '{"apiVersion": NaN}', ": NaN is not a number"),
    ("nested 100,000 deep", '{"a":' + "[" * 100_000 + "]" * 100_000 + "}", ": nested more than 100 deep"),
]


@pytest.mark.parametrize(("text", "message"), [d[1:] for d in DAMAGED], ids=[d[0] for d in DAMAGED])
def test_a_damaged_yaml_file(text: str | bytes, message: str) -> None:
    assert refused(check(text)) == f"plan.yaml{message}"


@pytest.mark.parametrize(("text", "message"), [d[1:] for d in DAMAGED_JSON], ids=[d[0] for d in DAMAGED_JSON])
def test_a_damaged_json_file(text: str, message: str) -> None:
    assert refused(check(text, "plan.json")) == f"plan.json{message}"


def test_a_wrong_field_of_a_json_plan_has_its_line() -> None:
    text = json.dumps(yaml.load(SMALL, Loader=yaml.BaseLoader), indent=1).replace("m5.large", "m5.lrage")
    line = next(i for i, row in enumerate(text.splitlines(), 1) if "lrage" in row)
    assert refused(check(text, "plan.json")).startswith(
        f"plan.json:{line} nodeGroups[0].instanceTypes[0]: 'm5.lrage' is not a known instance type"
    )


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + SMALL,  # a byte order mark
        SMALL.replace("\n", "\r\n"),
        SMALL.replace("\n", "\r"),
        SMALL + "...\n",
        "---\n" + SMALL,
        "# note\n" + SMALL,
        yaml.dump(yaml.load(SMALL, Loader=yaml.BaseLoader), default_flow_style=True),  # starts like JSON
    ],
    ids=["BOM", "CRLF", "CR", "end mark", "start mark", "comment", "flow style"],
)
def test_harmless_differences_change_nothing(text: str) -> None:
    assert check(text) == check(SMALL)


def test_a_json_plan_larger_than_16_mb_is_read() -> None:
    document = yaml.load(SMALL, Loader=yaml.BaseLoader)
    document["metadata"]["labels"] = {"long": "x" * YAML_LIMIT_BYTES}
    assert check(json.dumps(document), "plan.json").code == 0


def test_a_folder_nothing_and_a_device(folder: Path) -> None:
    assert refused(capacity("check", str(folder))) == f"{folder}: is a directory (expected a file)"
    assert refused(capacity("check", "none.yaml")) == "none.yaml: no such file"
    assert refused(capacity("check", os.devnull)).startswith("/dev/null: is empty")
    assert refused(capacity("check", "x" * 300)) == f"{'x' * 300}: File name too long"
    Path("file").touch()
    assert refused(capacity("check", "file/plan.yaml")) == "file/plan.yaml: Not a directory"
    with pytest.raises(SpecError, match="cannot name a file"):
        read_plan("a\0b")


def test_a_file_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "plan.yaml"
    path.write_text(SMALL)
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything: let the system say no all the same

        def deny(*_: Any, **__: Any) -> Any:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", deny)
    assert refused(capacity("check", "plan.yaml")) == "plan.yaml: Permission denied"


def test_standard_input() -> None:
    done = capacity("check", "-", "-q", stdin=SMALL.encode())
    assert (done.code, done.stdout) == (0, check(SMALL).stdout)
    assert refused(capacity("check", "-", stdin=b"")).startswith("<stdin>: is empty")
    wrong = SMALL.replace("m5.large", "m5.lrage").encode()
    assert refused(capacity("check", "-", stdin=wrong)).startswith("<stdin>:16 nodeGroups[0].instanceTypes[0]: ")
    assert json.loads(capacity("check", "-", "-o", "json", stdin=SMALL.encode()).stdout)["inputs"]["plan"] == "<stdin>"


def test_no_plan_looks_upward(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    message = refused(capacity("check"))
    assert (
        message
        == f"no plan was given, and there is no capacity.yaml in {inner} or a folder above it (capacity check PLAN)"
    )
    (folder / "capacity.yaml").write_text(SMALL)
    done = capacity("check", "-o", "json")
    assert json.loads(done.stdout)["inputs"]["plan"] == str(folder / "capacity.yaml")
    (inner / "capacity.yaml").write_text(SMALL.replace("name: base", "name: nearer"))
    assert json.loads(capacity("check", "-o", "json").stdout)["inputs"]["name"] == "nearer"


def test_a_refused_plan_leaves_the_old_answer_alone() -> None:
    Path("answer.txt").write_text("old")
    Path("plan.yaml").write_text(SMALL.replace("m5.large", "m5.lrage"))
    assert capacity("check", "plan.yaml", "--out-file", "answer.txt").code == 2
    assert Path("answer.txt").read_text() == "old"


def test_an_answer_replaces_a_file_whole_and_keeps_its_mode(folder: Path) -> None:
    Path("plan.yaml").write_text(SMALL)
    Path("answer.txt").write_text("old")
    os.chmod("answer.txt", 0o600)
    done = capacity("check", "plan.yaml", "-q", "--out-file", "answer.txt")
    assert (done.code, done.stdout, done.stderr) == (0, "", "")
    assert Path("answer.txt").read_text() == check(SMALL).stdout
    assert stat.S_IMODE(os.stat("answer.txt").st_mode) == 0o600
    assert sorted(os.listdir(folder)) == ["answer.txt", "plan.yaml"]
    for place, why in (("no/such/answer", "No such file or directory"), (str(folder), "Is a directory")):
        done = capacity("check", "plan.yaml", "-q", "--out-file", place)
        assert (done.code, done.stdout, done.stderr) == (2, "", f"error: --out-file {place!r}: {why}\n")
    assert sorted(os.listdir(folder)) == ["answer.txt", "plan.yaml"]
