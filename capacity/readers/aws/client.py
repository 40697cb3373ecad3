"""Live calls to AWS: read-only, page by page, with back-off, and a clear message if a call is refused.

boto3 is the optional extra ``[aws]`` and is imported here alone. Every call this module can make is in
``docs/reference/iam-policy.json``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from capacity.errors import CapacityError, SpecError
from capacity.extras import named_extras
from capacity.readers.values import Item

MOST_ATTEMPTS = 6  # of one call, the first included; botocore's standard mode waits 1, 2, 4 … s at most between two
CONNECT_S, READ_S = 5, 20  # before an attempt counts as failed; a page of 1,000 objects takes EC2 some 2 s
MOST_UNANSWERED = 2  # calls without an answer before AWS counts as unreachable: the others would each wait as long
PAGE = 1000  # the page size limit of EC2's describe calls

DENIED = frozenset(
    ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException", "AuthorizationError")
)
NO_LOGIN = frozenset(
    (
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "AuthFailure",
        "SignatureDoesNotMatch",
        "RequestExpired",
        "InvalidToken",
        "MissingAuthenticationToken",
    )
)
THROTTLED = frozenset(("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"))
UNREADABLE, SILENT = "unreadable response", "no response"


class Refused(Exception):
    """A call that AWS answered with an error, with nothing that can be read, or not at all.

    ``reason`` is one phrase for a gap, with the name of the call.
    """

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(reason)


def open_session(profile: str | None = None, region: str | None = None) -> Any:
    """A boto3 session with the user's own credentials.

    Raises
    ------
    MissingExtra
        boto3 is not installed.
    SpecError
        No such profile, or no region is set.
    """
    with named_extras():
        import boto3
        from botocore.exceptions import BotoCoreError
    try:
        # boto3 reads only AWS_DEFAULT_REGION; in the AWS CLI, AWS_REGION takes precedence over it and over the profile
        region = region or os.environ.get("AWS_REGION") or None
        session = boto3.session.Session(profile_name=profile, region_name=region)
        has_region = session.region_name
    except BotoCoreError as error:
        raise SpecError(f"AWS: {_one_line(error)}") from error
    if not has_region:
        raise SpecError("AWS: no region is set (--region, AWS_REGION, or the profile's region)")
    return session


class Caller:
    """Make read-only calls with one session; clients are created when first needed."""

    def __init__(self, session: Any) -> None:
        from botocore.config import Config

        self.session = session
        self.region: str = session.region_name
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": MOST_ATTEMPTS},
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
        )
        self._clients: dict[str, Any] = {}
        self._unanswered = 0

    def client(self, service: str, region: str | None = None) -> Any:
        key = f"{service}@{region}"
        if key not in self._clients:
            from botocore.exceptions import BotoCoreError

            try:
                self._clients[key] = self.session.client(service, region_name=region, config=self._config)
            except (BotoCoreError, ValueError) as error:
                raise SpecError(f"AWS: {_one_line(error)}") from error
        return self._clients[key]

    def one(self, service: str, operation: str, /, region: str | None = None, *, key: str, **arguments: Any) -> Item:
        """Make one call; ``key`` is a key that its answer always has.

        Raises
        ------
        Refused
            AWS answered with an error, or with nothing that can be read: a reader may live with it.
        CapacityError
            No credentials, or AWS cannot be reached.
        """
        client = self.client(service, region)
        return next(self._asked(client, operation, key, lambda: iter([getattr(client, operation)(**arguments)])))

    def pages(
        self, service: str, operation: str, /, region: str | None = None, *, key: str, **arguments: Any
    ) -> Iterator[Item]:
        """All pages of a call, with the errors of :meth:`one`."""
        client = self.client(service, region)
        return self._asked(client, operation, key, lambda: client.get_paginator(operation).paginate(**arguments))

    def _asked(self, client: Any, operation: str, key: str, call: Callable[[], Iterable[Item]]) -> Iterator[Item]:
        from botocore import exceptions as bce

        name: str = client.meta.method_to_api_mapping[operation]
        try:
            for answer in call():
                answer.pop("ResponseMetadata", None)
                if key not in answer:  # a page in HTML, or a cut-off document, parses as an empty answer
                    raise Refused(UNREADABLE, f"the response to {name} has no {key}")
                yield answer
        except bce.ClientError as error:
            raise self._refused(error) from error
        except (bce.HTTPClientError, bce.ConnectionError, bce.ResponseStreamingError) as error:
            raise self._silent(name, error) from error
        except (
            bce.NoCredentialsError,
            bce.PartialCredentialsError,
            bce.CredentialRetrievalError,
            bce.TokenRetrievalError,
            bce.SSOError,
        ) as error:
            raise CapacityError(
                f"no usable AWS credentials: {_one_line(error)} "
                "(aws configure, aws sso login, or --from FOLDER with saved output)"
            ) from error
        except bce.BotoCoreError as error:
            raise CapacityError(f"AWS cannot be reached: {_one_line(error)}") from error
        except _unparsable() as error:  # the text of the error can contain the whole answer
            raise Refused(UNREADABLE, f"the response to {name} is not from AWS") from error

    def _silent(self, name: str, error: Exception) -> Exception:
        """Error for a call without a complete answer: a gap, or after some such calls the end."""
        self._unanswered += 1
        what = f"{name} got no response ({type(error).__name__.removesuffix('Error')}: {_one_line(error)})"
        if self._unanswered >= MOST_UNANSWERED:
            return CapacityError(f"AWS cannot be reached: {what}, after {self._unanswered - 1} calls before it")
        return Refused(SILENT, what)

    def _refused(self, error: Any) -> Exception:
        problem = error.response.get("Error") or {}
        code, operation = str(problem.get("Code") or "unknown error"), error.operation_name
        if code in NO_LOGIN:
            return CapacityError(f"AWS does not accept the credentials ({code}): log in again, or choose --profile")
        if code in DENIED:
            return Refused(code, f"{operation} was denied ({code})")
        if code in THROTTLED:
            return Refused(code, f"{operation} was throttled {MOST_ATTEMPTS} times ({code}): try again later")
        return Refused(code, f"{operation} failed ({code})")


def _unparsable() -> tuple[type[Exception], ...]:
    """What botocore raises for an answer that it cannot parse: its parsers let plain errors of Python through."""
    from botocore.parsers import ResponseParserError

    return (ResponseParserError, LookupError, ValueError, AttributeError, TypeError)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
