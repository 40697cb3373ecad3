"""Makes the krew plugin: the archive with its script, and the manifest with the archive's checksum.

python tools/build_krew.py [--archive FOLDER]
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import sys
import tarfile
from pathlib import Path

import yaml

REPO = Path(__file__).parents[1]
FOLDER = REPO / "integrations" / "krew"
MANIFEST = FOLDER / "podips.yaml"
ARCHIVE = "kubectl-podips.tar.gz"
RELEASES = "https://github.com/OWNER/capacity/releases/download"  # OWNER: who publishes the release


def archive(version: str) -> bytes:
    """The archive of a version: the script that runs it, and the license. The same bytes on every machine."""
    script = (FOLDER / "kubectl-podips").read_text(encoding="utf-8").replace("@VERSION@", version)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data, mode in (
            ("LICENSE", (REPO / "LICENSE").read_bytes(), 0o644),
            ("kubectl-podips", script.encode(), 0o755),
        ):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))
    # Stored, not compressed: zlib's output differs between its builds, and with it the checksum.
    return gzip.compress(packed.getvalue(), compresslevel=0, mtime=0)


def manifest(version: str) -> str:
    """The manifest of a version."""
    document = {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": "podips"},
        "spec": {
            "version": f"v{version}",
            "shortDescription": "Show how many more pods fit, and the addresses left",
            "description": (
                "Reads nodes and pods of an Amazon EKS cluster and shows how many more pods fit on its nodes,\n"
                "whether max pods or the addresses of ENIs stop them first, and with the output of\n"
                "aws ec2 describe-subnets the free addresses of each subnet. Read-only.\n"
            ),
            "caveats": "Needs uv or pipx, which install the Python package eks-pod-capacity on first use.\n",
            "platforms": [
                {
                    "selector": {"matchExpressions": [{"key": "os", "operator": "In", "values": ["darwin", "linux"]}]},
                    "uri": f"{RELEASES}/v{version}/{ARCHIVE}",
                    "sha256": hashlib.sha256(archive(version)).hexdigest(),
                    "bin": "kubectl-podips",
                    "files": [{"from": name, "to": "."} for name in ("kubectl-podips", "LICENSE")],
                }
            ],
        },
    }
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120)
    return f"# Made by tools/build_krew.py.\n{text}"


class _Dumper(yaml.SafeDumper):
    """Text of several lines as a block."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def main(arguments: list[str]) -> None:
    sys.path.insert(0, str(REPO))
    from capacity import __version__

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--archive", type=Path, metavar="FOLDER", help="write the archive into this folder too")
    given = parser.parse_args(arguments)
    MANIFEST.write_text(manifest(__version__), encoding="utf-8")
    if given.archive:
        given.archive.mkdir(parents=True, exist_ok=True)
        (given.archive / ARCHIVE).write_bytes(archive(__version__))


if __name__ == "__main__":
    main(sys.argv[1:])
