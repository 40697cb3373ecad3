"""The colors of a family differ for readers who see fewer, and from the background; no color has two meanings."""

from __future__ import annotations

from itertools import combinations

import pytest

from capacity.charts.theme import LIGHT, THEMES, Theme

# Linear RGB as seen without L, M or S cones. Machado, Oliveira and Fernandes 2009, table 1, severity 1.0.
SEEN = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
LEAST = 9.0  # CIELAB distance; 2.3 is the least that is seen at all


def linear(color: str) -> list[float]:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def contrast(one: str, other: str) -> float:
    light = [sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x), strict=True)) for x in (one, other)]
    return (max(light) + 0.05) / (min(light) + 0.05)


def lab(rgb: list[float]) -> tuple[float, float, float]:
    white = (0.9505, 1.0, 1.089)
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(a * b for a, b in zip(row, rgb, strict=True)) / w for row, w in zip(rows, white, strict=True)]
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def seen(color: str, eyes: str) -> tuple[float, float, float]:
    return lab([min(max(sum(a * b for a, b in zip(row, linear(color), strict=True)), 0), 1) for row in SEEN[eyes]])


def distance(one: str, other: str, eyes: str) -> float:
    pairs = zip(seen(one, eyes), seen(other, eyes), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


@pytest.mark.parametrize("eyes", SEEN)
@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_the_colors_of_a_family_differ(theme: Theme, eyes: str) -> None:
    for family in (theme.subnets, theme.holders, tuple(theme.limits.values())):
        assert min(distance(a, b, eyes) for a, b in combinations(family, 2)) > LEAST


def test_the_distance_sees_what_the_eyes_do_not() -> None:
    assert distance("#cc0000", "#6b6b00", "all") > 40
    assert distance("#cc0000", "#6b6b00", "protanopia") < 20


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_lines_and_bars_stand_out_from_the_background(theme: Theme) -> None:
    for color in (*theme.subnets, *theme.limits.values(), theme.full):
        assert contrast(color, theme.ground) >= 3  # WCAG 2.1, 1.4.11
    for color in (theme.text, theme.faint):
        assert contrast(color, theme.ground) >= 4.5


def test_a_color_has_one_meaning() -> None:
    roles: dict[str, list[str]] = {}
    for role, color in LIGHT.roles().items():
        roles.setdefault(color, []).append(role)
    shared = [found for found in roles.values() if len(found) > 1]
    assert shared == [["holder-0", "limit-ips"], ["holder-2", "limit-branch_enis"]]  # addresses are addresses
    assert {frozenset(t.roles()) for t in THEMES.values()} == {frozenset(LIGHT.roles())}
