"""Files, pages and Python objects that the repository names in prose, comments, data and docstrings do exist."""

from __future__ import annotations

import ast
import importlib
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.docs.markdown import REPO, anchors

FOLDERS = ("docs", "data", "examples", "notebooks", "benchmarks", "tools", "tests", "requirements")
PATH = re.compile(  # `my/docs/page`, `$HOME/docs` and the like are no paths of ours
    rf"(?<![\w/.$}}~<>*-])(?P<path>(?:{'|'.join(FOLDERS)})/[\w./-]*\w/?)(?P<fragment>#[\w-]+)?(?P<glob>[*{{<]?)"
)
OURS = tuple(f"docs/{folder.name}/" for folder in (REPO / "docs").iterdir() if folder.is_dir())
# Before it in its paragraph: another repository (`owner/repo docs/page.md`) or its short name, which is cited
CITED = re.compile(r"[\w.-]+/[\w.-]+(?:@[0-9a-f]{7,}\b.*|:? )$|\bCNI $")
ROLE = re.compile(r":(?:mod|func|class|data|meth|attr):`~?([\w.]+)`")
TEXT = (".py", ".md", ".toml", ".csv", ".yaml", ".yml", ".txt", ".in", ".ipynb", "Makefile")


def tracked() -> list[Path]:
    """Files of text that git knows or would add; what is made for the tests is theirs."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    ours = (n for n in sorted(set(listed)) if n.endswith(TEXT) and not n.startswith(("tests/fixtures", "tests/golden")))
    return [path for name in ours if (path := REPO / name).is_file()]


def told(path: Path) -> str:
    """What a file tells its readers: of a test only comments and docstrings, as its strings are of made-up places."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py" or path.relative_to(REPO).parts[0] != "tests":
        return text
    comments = [t.string for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.COMMENT]
    return "\n".join([*comments, *docstrings(text)])


def docstrings(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def dead_paths(text: str) -> list[str]:
    """Paths of this repository in a text that lead nowhere, page headings included."""
    dead = []
    for found in PATH.finditer(text):
        name, fragment = found["path"].rstrip("."), (found["fragment"] or "").removeprefix("#")
        place = REPO / name
        before = text[text.rfind("\n\n", 0, found.start()) + 1 : found.start()].replace("\n", " ")
        if (found["glob"] and place.parent.is_dir()) or (not name.startswith(OURS) and CITED.search(before)):
            continue
        if not place.exists() or (fragment and place.suffix == ".md" and fragment not in anchors(place)):
            dead.append(found[0])
    return dead


def test_the_search_finds_what_it_should() -> None:
    text = (
        "see docs/explanation/model.md and docs/no/such.md#x, docs/explanation/model.md#no-such-heading; "
        "data/*.csv; my/docs/page.md; data/none.csv.\n\n"
        "aws/amazon-vpc-cni-k8s docs/a.md\nCNI docs/b.md\n\n"
        "aws/amazon-vpc-cni-k8s@b5218838 pkg/c.go L1, docs/d.md; docs/e.md L3\n"
        "aws/amazon-vpc-cni-k8s@b5218838 pkg/c.go; docs/explanation/pool.md: k addresses"
    )
    wanted = ["docs/no/such.md#x", "docs/explanation/model.md#no-such-heading", "data/none.csv"]
    assert dead_paths(text) == [*wanted, "docs/explanation/pool.md"]


def test_files_and_pages_that_are_named_exist() -> None:
    dead = [f"{path.relative_to(REPO)}: {name}" for path in tracked() for name in dead_paths(told(path))]
    assert dead == []


def test_objects_that_docstrings_name_exist() -> None:
    dead = []
    for path in (REPO / "capacity").rglob("*.py"):
        for text in docstrings(path.read_text(encoding="utf-8")):
            dead += [f"{path.relative_to(REPO)}: {name}" for name in ROLE.findall(text) if not resolves(name, path)]
    assert dead == []


def resolves(name: str, path: Path) -> bool:
    """Whether a role's target is an object of the named module, else of the docstring's own module or its classes."""
    if name.startswith("capacity."):
        return found_from(name)
    module = importlib.import_module(".".join(path.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__"))
    classes = [c for c in vars(module).values() if isinstance(c, type)]
    return any(reaches(start, name.split(".")) for start in (module, *classes))


def found_from(name: str) -> bool:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        return reaches(module, parts[cut:])
    return False


def reaches(start: object, steps: list[str]) -> bool:
    for step in steps:
        annotated = getattr(start, "__annotations__", {})
        if not hasattr(start, step) and step not in annotated:
            return False
        start = getattr(start, step, None)
    return True
