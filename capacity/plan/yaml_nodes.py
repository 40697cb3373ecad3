"""Turns libyaml's node graph into values without expanding aliases, for plans and outside files."""

from __future__ import annotations

from typing import Any

from capacity.errors import SpecError
from capacity.files import DEEPEST

TAG = "tag:yaml.org,2002:"
NULL, MERGE = TAG + "null", TAG + "merge"
ALIAS_FACTOR = 10  # the most times that expanded aliases can multiply a document


class NodeBuilder:
    """Builds one document; the subclass builds scalars, mappings and sequences."""

    fewest_nodes = 1  # the minimum node count of a document when its aliases are checked

    def __init__(self, name: str) -> None:
        self.name = name
        self.done: dict[int, tuple[Any, int]] = {}
        self.nodes = 0
        self.depth = 0

    def document(self, root: Any) -> Any:
        """The value of a root node.

        Raises
        ------
        SpecError
            Nested too deeply, an alias inside its own anchor, or aliases that multiply the document.
        """
        value, size = self.build(root)
        if size > ALIAS_FACTOR * max(self.nodes, self.fewest_nodes):
            times = size // self.nodes
            raise SpecError(f"{self.name}: aliases multiply the document {times} times (at most {ALIAS_FACTOR})")
        return value

    def build(self, node: Any) -> tuple[Any, int]:
        """Value of a node, and the number of nodes it represents with aliases expanded."""
        if node.id == "scalar":
            self.nodes += 1
            return self.scalar(node), 1
        known = self.done.get(id(node))
        if known is not None:
            if known[1] < 0:
                raise self.error(node, "an alias inside its own anchor")
            return known
        self.nodes += 1
        self.done[id(node)] = (None, -1)
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(node, f"nested more than {DEEPEST} deep")
        built = self.mapping(node) if node.id == "mapping" else self.sequence(node)
        self.depth -= 1
        self.done[id(node)] = built
        return built

    def scalar(self, node: Any) -> Any:
        """The value of a scalar."""
        raise NotImplementedError

    def mapping(self, node: Any) -> tuple[Any, int]:
        """The value of a mapping, and the number of nodes it represents."""
        raise NotImplementedError

    def sequence(self, node: Any) -> tuple[Any, int]:
        """The value of a sequence, and the number of nodes it represents."""
        raise NotImplementedError

    def error(self, node: Any, problem: str) -> SpecError:
        """An error at the line of a node."""
        return SpecError(f"{self.name}:{node.start_mark.line + 1}: {problem}")
