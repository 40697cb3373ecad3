"""Rule sets of kube-proxy's structure, loaded into a network namespace: counts against the formulas, and load times.

    python -m benchmarks.kube_proxy [MIXES]      # as root, with Debian's packages iptables and nftables

Each of MIXES (40) random mixes of Services is written as iptables-restore and nft scripts with the chains and rules
that kube-proxy would write for it, loaded into a new network namespace (the host is not touched), and counted there.
Then ClusterIP Services of two endpoints are loaded in growing numbers, whole and with one changed Service, for the
growth exponents: CPU time of the tools. Nothing here is a test.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from math import log
from pathlib import Path

from capacity.plan.service import KubeProxy, ServiceShape
from capacity.services.rule_sets import rule_sets
from capacity.services.traffic import traffic

PROXY = KubeProxy(nfacct=False, conntrack_liberal=True, localhost_node_ports=False)  # no special kernel modules
SIZES = (1000, 2000, 5000, 10_000)
SLOW = ("iptables, nft-backed", 5000)  # minutes above
RUNS, FEW = 3, 5000  # runs of each; one from that many Services on
TOOLS = {
    "iptables-legacy": ("iptables-legacy-restore", "--noflush"),
    "iptables, nft-backed": ("iptables-nft-restore", "--noflush"),
    "nftables": ("nft", "-f", "-"),
}
Mix = list[tuple[ServiceShape, int]]


def address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def random_mix(rng: random.Random) -> Mix:
    """Some Services of several kinds."""
    mix: Mix = []
    for _ in range(rng.randint(1, 6)):
        endpoints = rng.choice([0, 1, 2, 3, 5, 20])
        shape = ServiceShape(
            ports=rng.choice([1, 1, 2]),
            endpoints=endpoints,
            local=rng.randint(0, endpoints),
            external_ips=rng.choice([0, 0, 1]),
            lb_ips=rng.choice([0, 0, 1]),
            node_port=rng.random() < 0.4,
            source_ranges=rng.choice([0, 0, 2]),
            external_local=rng.random() < 0.3,
            internal_local=rng.random() < 0.1,
        )
        mix.append((shape, rng.randint(1, 40)))
    return mix


def service_ports(mix: Mix) -> Iterator[tuple[str, int, ServiceShape]]:
    """A name, a number and the shape of each port of each Service."""
    number = 0
    for shape, count in mix:
        for _ in range(count * shape.ports):
            number += 1
            yield f"{number:08d}", number, shape


def iptables_text(mix: Mix) -> str:
    """The tables nat and filter of kube-proxy's structure."""
    chains = ["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ"]
    nat = [
        "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
        "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0",
        "-A KUBE-POSTROUTING -j MASQUERADE",
        "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
        "-A KUBE-SERVICES -j KUBE-NODEPORTS",
    ]
    filters = ["-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT", "-A KUBE-FORWARD -j ACCEPT"]
    for name, number, shape in service_ports(mix):
        _iptables_port(name, number, shape, chains, nat, filters)
    names = ("KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-FORWARD", "KUBE-NODEPORTS", "KUBE-PROXY-FIREWALL")
    head = "".join(f":{chain} - [0:0]\n" for chain in (*names, "KUBE-FIREWALL"))
    tables = f"*filter\n{head}" + "\n".join(filters) + "\nCOMMIT\n*nat\n"
    return tables + "".join(f":{chain} - [0:0]\n" for chain in chains) + "\n".join(nat) + "\nCOMMIT\n"


def _iptables_port(
    name: str, number: int, shape: ServiceShape, chains: list[str], nat: list[str], filters: list[str]
) -> None:
    used, where = traffic(shape), f"-d {address(number)}/32 -p tcp -m tcp --dport 80"
    svc, svl, ext, fw = (f"KUBE-{kind}-{name}" for kind in ("SVC", "SVL", "EXT", "FW"))
    inner = svl if shape.internal_local else svc
    firewall = used.any_endpoints and shape.lb_ips > 0 and shape.source_ranges > 0
    outer = [where] * shape.external_ips
    if used.internal:
        nat.append(f"-A KUBE-SERVICES {where} -j {inner}")
        nat.append(f"-A {inner} ! -s 10.0.0.0/8 {where} -j KUBE-MARK-MASQ")
    else:
        filters.append(f"-A KUBE-SERVICES {where} -j DROP")
    if used.any_endpoints:
        nat += [f"-A KUBE-SERVICES {match} -j {ext}" for match in outer]
        nat += [f"-A KUBE-SERVICES {where} -j {fw if firewall else ext}"] * shape.lb_ips
        nat += [f"-A KUBE-NODEPORTS -p tcp -m tcp --dport {number % 2768 + 30000} -j {ext}"] * shape.node_port
    if not used.external:
        refused = shape.external_ips + shape.lb_ips + shape.node_port
        filters += [f"-A KUBE-EXTERNAL-SERVICES {where} -j DROP"] * refused
    if firewall:
        chains.append(fw)
        nat += [f"-A {fw} -s 192.0.2.0/24 -j {ext}"] * shape.source_ranges + [f"-A {fw}"]
        filters += [f"-A KUBE-PROXY-FIREWALL {where} -j DROP"] * shape.lb_ips
    if used.any_endpoints and used.accessible:
        chains.append(ext)
        if shape.external_local:
            nat += [f"-A {ext} -s 10.0.0.0/8 -j {svc}", f"-A {ext} -j KUBE-MARK-MASQ", f"-A {ext} -j {svc}"]
        else:
            nat.append(f"-A {ext} -j KUBE-MARK-MASQ")
        if used.external:
            nat.append(f"-A {ext} -j {svl if shape.external_local else svc}")
    for chain, count in ((svc, used.cluster), (svl, used.local)):
        if count:
            chains.append(chain)
            nat += [f"-A {chain} -j KUBE-SEP-{name}{i:04d}" for i in range(count)]
    for i in range(used.reached):
        sep = f"KUBE-SEP-{name}{i:04d}"
        chains.append(sep)
        target = address(number * 31 + i)
        nat += [f"-A {sep} -s {target}/32 -j KUBE-MARK-MASQ", f"-A {sep} -p tcp -j DNAT --to-destination {target}:80"]


def nft_text(mix: Mix) -> str:
    """The table kube-proxy of kube-proxy's structure."""
    hooks = ("prerouting", "input", "forward", "output", "postrouting")
    lines = ["add table ip kube-proxy"]
    base = [f"hook-{i}" for i in range(8)] + [f"own-{i}" for i in range(8)]
    for i, chain in enumerate(base):
        hook = f" {{ type filter hook {hooks[i % 5]} priority {i}; }}" if i < 8 else ""
        lines.append(f"add chain ip kube-proxy {chain}{hook}")
    lines += [f"add rule ip kube-proxy own-{i % 8} counter" for i in range(22)]
    lines.append("add rule ip kube-proxy own-0 ip daddr { 172.20.0.0/16 } drop")
    for kind in ("service-ips", "no-endpoint-services", "firewall-ips"):
        lines.append(f"add map ip kube-proxy {kind} {{ type ipv4_addr . inet_proto . inet_service : verdict; }}")
    for kind in ("service-nodeports", "no-endpoint-nodeports"):
        lines.append(f"add map ip kube-proxy {kind} {{ type inet_proto . inet_service : verdict; }}")
    lines += [f"add set ip kube-proxy {kind} {{ type ipv4_addr; }}" for kind in ("cluster-ips", "nodeport-ips")]
    lines.append("add element ip kube-proxy nodeport-ips { 192.0.2.1 }")
    for name, number, shape in service_ports(mix):
        lines += _nft_port(name, number, shape)
    return "\n".join(lines) + "\n"


def _nft_port(name: str, number: int, shape: ServiceShape) -> Iterator[str]:
    """Chains, rules and the elements of a port (cluster-ips aside: one for each Service)."""
    used, here = traffic(shape), address(number)
    svc, svl, ext, fw = (f"{kind}-{name}" for kind in ("service", "local", "external", "firewall"))

    def rule(chain: str, text: str) -> str:
        return f"add rule ip kube-proxy {chain} {text}"

    endpoints = [f"endpoint-{name}-{i}" for i in range(used.reached)]
    made = [c for c, there in ((svc, used.cluster), (svl, used.local)) if there]
    external = used.any_endpoints and used.accessible
    firewall = shape.lb_ips > 0 and shape.source_ranges > 0
    made += [ext] * external + [fw] * firewall + endpoints
    yield from (f"add chain ip kube-proxy {chain}" for chain in made)
    inner = svl if shape.internal_local else svc
    if used.internal:
        yield rule(inner, "ip saddr != 10.0.0.0/8 counter")
    verdict = f"goto {inner}" if used.internal else "drop"
    where = "service-ips" if used.internal else "no-endpoint-services"
    yield f"add element ip kube-proxy {where} {{ {here} . tcp . 80 : {verdict} }}"
    for i in range(shape.external_ips + shape.lb_ips):
        key = f"{here} . tcp . {81 + i}"
        if used.any_endpoints:
            yield f"add element ip kube-proxy service-ips {{ {key} : goto {ext} }}"
        if not used.external:
            yield f"add element ip kube-proxy no-endpoint-services {{ {key} : drop }}"
        if firewall and i >= shape.external_ips:
            yield f"add element ip kube-proxy firewall-ips {{ {key} : goto {fw} }}"
    if shape.node_port:
        if used.any_endpoints:
            yield f"add element ip kube-proxy service-nodeports {{ tcp . {number} : goto {ext} }}"
        if not used.external:
            yield f"add element ip kube-proxy no-endpoint-nodeports {{ tcp . {number} : drop }}"
    if external:
        if shape.external_local:
            yield from (
                rule(ext, text) for text in (f"ip saddr 10.0.0.0/8 goto {svc}", "counter", f"counter goto {svc}")
            )
        else:
            yield rule(ext, "counter")
        if used.external:
            yield rule(ext, f"goto {svl if shape.external_local else svc}")
    if firewall:
        ranges = ", ".join(f"192.0.{i}.0/24" for i in range(shape.source_ranges))
        yield rule(fw, f"ip saddr != {{ {ranges} }} drop")
    for chain, count in ((svc, used.cluster), (svl, used.local)):
        if count:
            targets = ", ".join(f"{i} : goto {endpoints[i]}" for i in range(count))
            yield rule(chain, f"numgen random mod {count} vmap {{ {targets} }}")
    for i, chain in enumerate(endpoints):
        target = address(number * 31 + i)
        yield rule(chain, f"ip saddr {target} counter")
        yield rule(chain, f"ip daddr set {target}")


def in_namespace(script: str) -> str:
    """What a shell script prints in a new network namespace."""
    done = subprocess.run(["unshare", "-n", "sh", "-ec", script], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{script.splitlines()[0][:100]}: {done.stderr.strip()[-300:]}")
    return done.stdout


def cpu_seconds(command: str, *files: Path) -> list[float]:
    """CPU seconds of a command with each file as its input, one after the other in the same namespace."""
    out = in_namespace("\n".join(f"{command} < {file}\ntimes" for file in files))
    children = out.splitlines()[1::2]  # user and system
    totals = [sum(60 * int(m) + float(s) for m, s in re.findall(r"(\d+)m([\d.]+)s", line)) for line in children]
    return [now - before for now, before in zip(totals, [0.0, *totals], strict=False)]


def kernel_counts(mix: Mix, folder: Path) -> dict[str, int]:
    """Rules and chains that the kernel holds after both scripts were loaded."""
    (folder / "iptables").write_text(iptables_text(mix))
    (folder / "nft").write_text(nft_text(mix))
    save = "iptables-legacy-save -t"
    out = in_namespace(
        f"iptables-legacy-restore --noflush < {folder}/iptables\nnft -f {folder}/nft\n"
        f"for t in nat filter; do {save} $t | grep -c '^-A KUBE' || true; {save} $t | grep -c '^:KUBE'; done\n"
        "nft -j list table ip kube-proxy\n"
    )
    first, _, rest = out.partition("{")
    nat, nat_chains, filters, filter_chains = map(int, first.split())
    items = json.loads("{" + rest)["nftables"]
    kinds = [next(iter(item)) for item in items]
    named = sum(len(item["map"].get("elem", ())) for item in items if "map" in item)
    return {
        "iptables nat rules": nat,
        "iptables nat chains": nat_chains,
        "iptables filter rules": filters,
        "iptables filter chains": filter_chains,
        "nftables rules": kinds.count("rule"),
        "nftables chains": kinds.count("chain"),
        "nftables map elements": named,
    }


def formula_counts(mix: Mix) -> dict[str, int]:
    """The same by the formulas; cluster-ips and nodeport-ips are sets, not maps."""
    sets = rule_sets(mix, PROXY)
    services = sum(count for _, count in mix)
    return {
        "iptables nat rules": sets.iptables.nat_rules,
        "iptables nat chains": sets.iptables.nat_chains,
        "iptables filter rules": sets.iptables.filter_rules,
        "iptables filter chains": sets.iptables.filter_chains,
        "nftables rules": sets.nftables.rules,
        "nftables chains": sets.nftables.chains,
        "nftables map elements": sets.nftables.named - services - 1,
    }


def compare(mixes: int, folder: Path) -> None:
    """Count random mixes in the kernel and by the formulas."""
    rng = random.Random(2017)
    totals: dict[str, int] = {}
    for number in range(mixes):
        mix = random_mix(rng)
        kernel, formula = kernel_counts(mix, folder), formula_counts(mix)
        if kernel != formula:
            raise SystemExit(f"mix {number} {mix}:\nkernel  {kernel}\nformula {formula}")
        totals = {name: totals.get(name, 0) + count for name, count in kernel.items()}
    print(f"{mixes} mixes, every count in the kernel equal to the formula's:\n\n| counted | total |\n|---|---:|")
    print("\n".join(f"| {name} | {count:,} |" for name, count in totals.items()), "\n")


def changed_service(services: int) -> tuple[str, str]:
    """What a sync sends after one Service got a third endpoint: iptables and nft scripts."""
    shape = ServiceShape(endpoints=3)
    names = ["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ"]
    nat: list[str] = []
    _iptables_port("00000001", 1, shape, names, nat, [])
    match = "-p tcp -m tcp --dport 80"
    nat += [f"-A KUBE-SERVICES -d {address(n)}/32 {match} -j KUBE-SVC-{n:08d}" for n in range(2, services + 1)]
    head = "".join(f":{chain} - [0:0]\n" for chain in names)
    iptables = f"*nat\n{head}" + "\n".join([*nat, "-A KUBE-SERVICES -j KUBE-NODEPORTS"]) + "\nCOMMIT\n"
    lines = list(_nft_port("00000001", 1, shape))
    chains = [line for line in lines if line.startswith("add chain")]
    rules = [line for line in lines if line.startswith("add rule")]
    flushes = [line.replace("add", "flush", 1) for line in chains]
    return iptables, "\n".join([*chains, *flushes, *rules]) + "\n"


def load_times(folder: Path) -> None:
    """CPU seconds of a full load and of a partial sync after it, by tool and number of Services."""
    print("| Services × 2 endpoints | " + " | ".join(f"{t}: full | partial" for t in TOOLS) + " |")
    print("|---|" + "---:|" * (2 * len(TOOLS)))
    found: dict[str, list[tuple[float, ...]]] = {tool: [] for tool in TOOLS}
    for services in SIZES:
        mix = [(ServiceShape(endpoints=2), services)]
        changed = changed_service(services)
        for name, text in (("iptables", iptables_text(mix)), ("nft", nft_text(mix))):
            (folder / name).write_text(text)
            (folder / f"{name}-part").write_text(changed[name == "nft"])
        cells = []
        for tool, command in TOOLS.items():
            if tool == SLOW[0] and services > SLOW[1]:
                cells += ["–", "–"]
                continue
            name = "nft" if tool == "nftables" else "iptables"
            files = (folder / name, folder / f"{name}-part")
            runs = [cpu_seconds(" ".join(command), *files) for _ in range(1 if services >= FEW else RUNS)]
            found[tool].append(tuple(statistics.median(times) for times in zip(*runs, strict=True)))
            cells += [f"{seconds:.2f} s" for seconds in found[tool][-1]]
        print(f"| {services:,} | " + " | ".join(cells) + " |", flush=True)
    told = [f"{_exponent([t[i] for t in times]):.1f}" for times in found.values() for i in (0, 1)]
    print("| growth exponent | " + " | ".join(told) + " |")


def _exponent(times: list[float]) -> float:
    """Slope of a log-log fit."""
    xs, ys = [log(n) for n in SIZES[: len(times)]], [log(max(t, 0.01)) for t in times]
    mx, my = statistics.fmean(xs), statistics.fmean(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / sum((x - mx) ** 2 for x in xs)


def main() -> None:
    tools = ("unshare", "nft", "iptables-legacy-restore", "iptables-nft-restore")
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing or os.geteuid():
        print(f"not measured: needs root and {', '.join(missing) or 'iptables and nftables'}")
        return
    mixes = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory() as name:
        compare(mixes, Path(name))
        load_times(Path(name))


if __name__ == "__main__":
    main()
