"""The display order of instance types: by family, small sizes first."""

from __future__ import annotations

_WORDS = {name: rank for rank, name in enumerate(("nano", "micro", "small", "medium", "large"))}


def size_rank(size: str) -> tuple[int, int]:
    """Rank of a size in its family: nano … large, xlarge, 2xlarge … metal, metal-24xl, metal-48xl.

    >>> sorted(["metal-24xl", "2xlarge", "large", "10xlarge", "metal", "xlarge"], key=size_rank)
    ['large', 'xlarge', '2xlarge', '10xlarge', 'metal', 'metal-24xl']
    """
    if size in _WORDS:
        return (0, _WORDS[size])
    if size.endswith("xlarge") and (size == "xlarge" or size[:-6].isdigit()):
        return (1, int(size[:-6] or 1))
    if size.startswith("metal"):
        digits = "".join(c for c in size if c.isdigit())
        return (2, int(digits or 0))
    return (3, 0)


def natural_key(name: str) -> tuple[str, tuple[int, int], str]:
    """Sort key of an instance type: family, then size, then the name itself."""
    family, _, size = name.partition(".")
    return (family, size_rank(size), name)
