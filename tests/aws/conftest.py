"""One server and one cluster for all tests here; each test finds the door in front of it as new."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from capacity.cli import data_refresh
from capacity.readers.aws import client as aws_client
from tests.aws.server import Aws
from tests.aws.world import World, build

ADDON: dict[str, Any] = {
    "addonName": "vpc-cni",
    "clusterName": "shop",
    "addonVersion": "v1.19.0-eksbuild.1",
    "status": "ACTIVE",
    "configurationValues": '{"env": {"WARM_ENI_TARGET": "1", "HTTPS_PROXY": "http://user:s3cret@proxy"}}',
}
DNS: dict[str, Any] = {"addonName": "coredns", "clusterName": "shop", "addonVersion": "v1.11.4", "status": "ACTIVE"}


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[Aws, World]]:
    patch = pytest.MonkeyPatch()
    aws = Aws()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }.items():
        patch.setenv(name, value)
    import boto3

    session = boto3.session.Session()
    yield aws, build(session.client)
    aws.stop()
    patch.undo()


@pytest.fixture(autouse=True)
def aws(server: tuple[Aws, World], monkeypatch: pytest.MonkeyPatch) -> Aws:
    server[0].door.reset()
    server[0].door.addons = {"vpc-cni": dict(ADDON), "coredns": dict(DNS)}
    for module in (aws_client, data_refresh):  # the latter keeps its own reference once it is imported
        monkeypatch.setattr(module, "open_session", _open_session)
    return server[0]


_REAL_OPEN = aws_client.open_session
_SESSION: list[Any] = []


def _open_session(profile: str | None = None, region: str | None = None) -> Any:
    """One session for all tests: botocore takes a second to load EC2's model, once per session."""
    usual = {"AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_DEFAULT_REGION"} <= os.environ.keys()
    if profile or region or not usual:
        return _REAL_OPEN(profile, region)
    if not _SESSION:
        _SESSION.append(_REAL_OPEN())
    return _SESSION[0]


@pytest.fixture
def world(server: tuple[Aws, World]) -> World:
    return server[1]


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """botocore's back-off, counted and not slept."""
    waits: list[float] = []
    import botocore.endpoint

    class Clock:
        def __getattr__(self, name: str) -> Any:
            import time

            return waits.append if name == "sleep" else getattr(time, name)

    monkeypatch.setattr(botocore.endpoint, "time", Clock())
    return waits
