"""The AWS Regions, to recognize a misspelled one: a price is looked up by the exact name."""

from __future__ import annotations

from capacity.catalog.prices import regions as priced_regions
from capacity.errors import did_you_mean

# botocore 1.44.8, partitions.json: the Regions of Amazon EC2 in every partition (read 2026-11-30).
AWS_REGIONS = frozenset((
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
    "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2", "cn-north-1", "cn-northwest-1",
    "us-gov-east-1", "us-gov-west-1", "eusc-de-east-1", "us-iso-east-1", "us-iso-west-1", "us-isob-east-1",
    "us-isob-west-1", "us-isof-east-1", "us-isof-south-1", "eu-isoe-west-1",
))  # fmt: skip


def unknown_region(region: str) -> str:
    """A sentence if a region is not known, with the nearest name; empty if AWS has it or a price is known for it.

    An unknown region is not an error: it can be newer than this release.

    >>> unknown_region("us-esat-1"), unknown_region("eu-west-1")
    ("'us-esat-1' is not a known AWS Region (did you mean 'us-east-1'?)", '')
    """
    if region in AWS_REGIONS or region in priced_regions():
        return ""
    return f"{region!r} is not a known AWS Region{did_you_mean(region, sorted(AWS_REGIONS))}"
