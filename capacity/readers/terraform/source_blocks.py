"""Read the blocks of a Terraform module from its files: .tf text, .tf.json, and the values of its variables.

Which files Terraform loads by itself: developer.hashicorp.com/terraform/language/files and
/language/values/variables "Variable Definitions (.tfvars) Files" (read 2026-11-30). JSON syntax: /language/syntax/json.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from capacity.errors import SpecError, did_you_mean
from capacity.extras import named_extras
from capacity.files import read_bytes
from capacity.readers.decode import decode, file_name, json_message
from capacity.readers.draft import SourceNotes
from capacity.readers.terraform.value import unquoted
from capacity.readers.values import items, mapping

OWN_VALUES = ("terraform.tfvars", "terraform.tfvars.json")
TERRAGRUNT = frozenset(("inputs", "include", "dependency", "dependencies"))  # blocks and attributes of Terragrunt
MOST_FILES = 2000  # of one folder


@dataclass(frozen=True)
class Inputs:
    """What a user adds to the files, as ``terraform plan`` has it.

    Attributes
    ----------
    variables : tuple of str
        ``name=value``.
    var_files : tuple of str
        Files of values, later ones override.
    vpc : str or None
        ID, name or address of the VPC, if there are several.
    """

    variables: tuple[str, ...] = ()
    var_files: tuple[str, ...] = ()
    vpc: str | None = None


class TemplateText(str):
    """A string of JSON syntax: a template without quotes and escapes."""

    __slots__ = ()


@dataclass
class SourceBlocks:
    """Blocks of one module, not evaluated.

    ``variables`` are the declarations; ``values`` the values from files, ``given`` those of the command line as text.
    """

    folder: Path | None = None
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    locals: dict[str, Any] = field(default_factory=dict)
    resources: dict[tuple[str, str], Any] = field(default_factory=dict)
    data: dict[tuple[str, str], Any] = field(default_factory=dict)
    calls: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    providers: list[tuple[str, Any]] = field(default_factory=list)

    def take(self, parsed: dict[str, Any]) -> None:
        """Add the blocks of a file."""
        for name, body in _labelled(parsed.get("variable")):
            self.variables[name] = body if isinstance(body, dict) else {}
        for block in _blocks(parsed.get("locals")):
            self.locals |= {unquoted(k): v for k, v in block.items() if not is_mark(k)}
        for section, found in (("resource", self.resources), ("data", self.data)):
            for kind, named in _labelled(parsed.get(section)):
                for name, body in _labelled(named):
                    found[kind, name] = body
        self.calls |= {n: b for n, b in _labelled(parsed.get("module")) if isinstance(b, dict)}
        self.outputs |= {n: mapping(b).get("value") for n, b in _labelled(parsed.get("output"))}
        self.providers += [(n, b) for n, b in _labelled(parsed.get("provider"))]


def is_mark(key: object) -> bool:
    """Whether a key is a mark of the parser, not of the file."""
    return isinstance(key, str) and key.startswith("__") and key.endswith("__")


def _blocks(value: object) -> list[dict[str, Any]]:
    """Blocks of a kind: a list in .tf text, a mapping or a list in JSON."""
    return [b for b in (value if isinstance(value, list) else [value]) if isinstance(b, dict)]


def _labelled(value: object) -> list[tuple[str, Any]]:
    """Labels and bodies of blocks; a label can have several bodies in JSON."""
    found = []
    for block in _blocks(value):
        for label, body in block.items():
            if is_mark(label):
                continue
            bodies = body if isinstance(body, list) and all(isinstance(b, dict) for b in body) else [body]
            found += [(unquoted(label), b) for b in bodies]
    return found


# --- files ------------------------------------------------------------------------------------


def read_blocks(paths: Sequence[str], inputs: Inputs, said: SourceNotes) -> SourceBlocks:
    """Read the files and folders of one module, with the values of its variables.

    Raises
    ------
    MissingExtra
        python-hcl2 is not installed.
    SpecError
        A file cannot be read or parsed, or a variable is not declared.
    """
    folders = [Path(p) for p in paths if Path(p).is_dir()]
    blocks = SourceBlocks(folder=folders[0] if folders else None)
    values: list[str] = []
    for path in paths:
        code, own = _folder_files(Path(path), said) if Path(path).is_dir() else ([path], [])
        for file in code:
            if _holds_values(file):
                values.append(file)
            else:
                parsed = parsed_file(file)
                if parsed.keys() & TERRAGRUNT:
                    said.leave_out(file_name(file), "is Terragrunt's: its inputs and its module are not evaluated")
                blocks.take(parsed)
        values[:0] = own
    for file in (*values, *inputs.var_files):
        blocks.values |= {unquoted(k): v for k, v in parsed_file(file).items() if not is_mark(k)}
    for text in inputs.variables:
        name, sign, value = text.partition("=")
        if not sign:
            raise SpecError(f"--var {text!r}: expected NAME=VALUE")
        if name.strip() not in blocks.variables:
            hint = did_you_mean(name.strip(), blocks.variables)
            raise SpecError(f"--var {name.strip()!r}: no variable of this name is declared{hint}")
        blocks.given[name.strip()] = value
    return blocks


def _holds_values(path: str) -> bool:
    return path.endswith((".tfvars", ".tfvars.json"))


def _folder_files(folder: Path, said: SourceNotes) -> tuple[list[str], list[str]]:
    """Code of a folder, and the files of values that Terraform loads by itself, in its order."""
    names = sorted(p.name for p in folder.iterdir() if p.is_file())[:MOST_FILES]
    code = [n for n in names if n.endswith((".tf", ".tf.json"))]
    code.sort(
        key=lambda n: n in ("override.tf", "override.tf.json") or n.endswith(("_override.tf", "_override.tf.json"))
    )
    if not code:
        raise SpecError(f"{folder}: has no .tf or .tf.json file")
    automatic = [n for n in names if n.endswith((".auto.tfvars", ".auto.tfvars.json"))]
    own = [*(n for n in OWN_VALUES if n in names), *automatic]
    others = [n for n in names if _holds_values(n) and n not in own]
    if others:
        said.say("", f"not read: {', '.join(others)}: Terraform reads them only with -var-file (--var-file FILE)")
    return [str(folder / n) for n in code], [str(folder / n) for n in own]


def parsed_file(path: str) -> dict[str, Any]:
    """Content of a .tf, .tf.json, .tfvars or .tfvars.json file; empty for an empty file."""
    name = file_name(path)
    text = decode(read_bytes(path), name)
    if not text.strip():
        return {}
    return _parsed_json(text, name) if path.endswith(".json") else parsed_text(text, name)


def parsed_text(text: str, name: str) -> dict[str, Any]:
    """Content of .tf text, in the form of python-hcl2."""
    with named_extras():
        import hcl2
    try:
        parsed: dict[str, Any] = hcl2.loads(text + "\n")
    except RecursionError:
        raise SpecError(f"{name}: nested too deeply") from None
    except Exception as error:  # the errors of lark are not part of the interface of hcl2
        line = getattr(error, "line", None)
        place = f"{name}:{line}" if isinstance(line, int) and line > 0 else name
        raise SpecError(f"{place}: is not valid HCL") from None
    return parsed


def _parsed_json(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise SpecError(json_message(error, name, len(text))) from None
    except RecursionError:
        raise SpecError(f"{name}: nested too deeply") from None
    if not isinstance(value, dict):
        raise SpecError(f"{name}: is not Terraform's JSON syntax (expected an object)")
    return {k: of_json_syntax(v) for k, v in value.items()}


def of_json_syntax(value: Any) -> Any:
    """Blocks of JSON syntax, with their strings marked as templates."""
    if isinstance(value, dict):
        return {k: of_json_syntax(v) for k, v in value.items()}
    if isinstance(value, list):
        return [of_json_syntax(v) for v in value]
    return TemplateText(value) if isinstance(value, str) else value


_BLOCK_KEYS = frozenset(("resource", "module", "data", "locals", "variable", "output", "provider", "terraform"))


def is_json_syntax(value: object) -> bool:
    """Whether a document is Terraform's JSON syntax, as CDKTF and Terragrunt write it."""
    if not isinstance(value, dict) or not value.keys() & {"resource", "module", "data", "locals"}:
        return False
    return all(k in _BLOCK_KEYS or k == "//" for k in value)


_HEREDOC = re.compile(r"<<(?P<indented>-?)(?P<mark>[\w-]+)[ \t]*\r?\n")


def heredoc(raw: str) -> str | None:
    """Template of a heredoc in the form of python-hcl2; None if it is none."""
    body = raw[1:-1] if raw[:1] == raw[-1:] == '"' else raw
    head = _HEREDOC.match(body)
    if head is None:
        return None
    lines = body[head.end() :].splitlines(keepends=True)
    if lines and lines[-1].strip() == head["mark"]:
        lines.pop()
    if head["indented"]:
        widths = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
        lines = [line[min(widths, default=0) :] if line.strip() else line.lstrip(" \t") for line in lines]
    return "".join(lines)


def blocks_of(value: object) -> list[Any]:
    """A nested block as a list: .tf text has lists, JSON syntax also single objects."""
    return [value] if isinstance(value, dict) else items(value)
