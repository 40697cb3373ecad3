"""The reference pages of quotas, tenants and VPC blocks are those of the data."""

from __future__ import annotations

import pytest

from capacity.cni.api_rates import node_start_calls
from tools.build_network_reference import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_data_make(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name]()


def test_the_table_of_calls_is_what_the_code_counts() -> None:
    page = (FOLDER / "quotas.md").read_text(encoding="utf-8")
    lines = page[page.index("| API |") :].split("\n\n")[0].splitlines()[2:]
    start, custom, ipv6 = (
        node_start_calls(1, 9),
        node_start_calls(1, 9, custom_networking=True),
        node_start_calls(1, 0, ipv6=True),
    )
    more, custom_more = node_start_calls(2, 18), node_start_calls(2, 9, custom_networking=True)
    for line in lines[:-1]:
        name, *numbers = (part.strip() for part in line.strip("|").split("|"))
        api = name.split(" ")[0]
        expected = (start[api], more[api] - start[api], custom[api], custom_more[api] - custom[api], ipv6[api])
        assert tuple(map(int, numbers)) == expected, api
    sums = [int(part.strip(" *")) for part in lines[-1].strip("|").split("|")[1:]]
    columns = [[int(line.strip("|").split("|")[i]) for line in lines[:-1]] for i in range(1, 6)]
    assert sums == [sum(column) for column in columns]
