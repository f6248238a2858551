"""Single HTTP requests to Replicate: through its own client, with deadlines, a size limit and typed errors.

`replicate` 1.0.7 retries some statuses by itself without a limit, loses headers and bodies of errors, and lets httpx's
exceptions through. So the transport below returns only successful responses and raises everything else as `ApiError`;
`client.py` retries. Redirects are not followed: the token is sent to one host only.
"""

import email.utils
import json
import re
import ssl
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from configs.proxies import ProxyError, proxy_for
from inference.replicate.errors import (
    ApiConflict,
    ApiError,
    ApiForbidden,
    ApiNoCredit,
    ApiNotFound,
    ApiRefused,
    ApiThrottled,
    ApiUnauthorized,
    ApiUnreachable,
    mask,
)

_MAX_ANSWER = 16 * 2**20  # bytes, chosen by hand: bounds the memory; a list of jobs contains their logs
_ACCOUNT = re.compile(r"suspend|disabled|deactivat|banned|locked|on hold|billing|payment|verif|terms", re.IGNORECASE)
"""Words in a 403 that is about the account, so that a new token would not help."""


@dataclass(frozen=True)
class Timeouts:
    """Seconds to connect and to wait for the next byte."""

    connect: float
    read: float


@cache
def tls() -> ssl.SSLContext:
    """httpx's TLS context, created once, since reading the certificates takes longer than most requests."""
    return httpx.create_ssl_context()


class ProxiedTransport(httpx.BaseTransport):
    """Sends each request through the proxy that the environment has for its host, or directly."""

    def __init__(self) -> None:
        self._ways: dict[str, httpx.HTTPTransport] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """As in httpx. Also raises ProxyError."""
        proxy = proxy_for(str(request.url))
        with self._lock:
            if proxy not in self._ways:
                self._ways[proxy] = httpx.HTTPTransport(verify=tls(), proxy=proxy or None)
            way = self._ways[proxy]
        return way.handle_request(request)

    def close(self) -> None:
        """Close all connections. Repeatable."""
        with self._lock:
            for way in self._ways.values():
                way.close()


class _Transport(httpx.BaseTransport):
    """Reads each response completely, within `whole_s` and `_MAX_ANSWER`, and raises unless it is a success."""

    def __init__(self, token: str) -> None:
        self._inner = ProxiedTransport()
        self._token = token
        self.server_ahead = 0.0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        where = f"{request.method} {request.url.path}"
        deadline = time.monotonic() + float(request.extensions.get("whole_s", 120.0))
        try:
            response = self._inner.handle_request(request)
            body = self._read(response, deadline, where)
        except ProxyError as error:
            raise ApiRefused(str(error)) from error
        except httpx.TimeoutException as error:
            sent = not isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout)
            raise ApiUnreachable(f"Replicate did not answer in time ({where})", sent=sent, timed_out=sent) from error
        except httpx.TransportError as error:
            sent = not isinstance(error, httpx.ConnectError)
            reason = mask(str(error), self._token)
            raise ApiUnreachable(f"no connection to Replicate ({where}: {reason})", sent=sent) from error
        self._note_clock(response.headers)
        if not 200 <= response.status_code < 300:
            raise self._error(response.status_code, response.headers, body, where)
        return httpx.Response(response.status_code, headers=_plain(response.headers), content=body, request=request)

    def close(self) -> None:
        self._inner.close()

    def _read(self, response: httpx.Response, deadline: float, where: str) -> bytes:
        pieces, size = [], 0
        try:
            for piece in response.iter_bytes():
                pieces.append(piece)
                size += len(piece)
                if size > _MAX_ANSWER:
                    said = f"Replicate's response is larger than {_MAX_ANSWER} bytes ({where})"
                    raise ApiUnreachable(said, sent=True)
                if time.monotonic() > deadline:
                    raise ApiUnreachable(f"Replicate's response takes too long ({where})", sent=True, timed_out=True)
        except httpx.DecodingError as error:
            raise ApiUnreachable(f"Replicate's response cannot be decoded ({where})", sent=True) from error
        finally:
            response.close()
        return b"".join(pieces)

    def _note_clock(self, headers: httpx.Headers) -> None:
        try:
            said = email.utils.parsedate_to_datetime(headers["Date"]).timestamp()
        except (KeyError, ValueError, TypeError):
            return
        self.server_ahead = said - time.time()

    def _error(self, status: int, headers: httpx.Headers, body: bytes, where: str) -> ApiError:
        try:
            problem = json.loads(body)
        except ValueError:
            problem = {}
        if not isinstance(problem, dict):
            problem = {}
        said = mask(str(problem.get("detail") or problem.get("title") or f"status {status}")[:300], self._token)
        if status == 403:
            way = "see replicate.com/account and its billing page"
            if not _ACCOUNT.search(said):
                way += "; if the account is in order, make a token at replicate.com/account/api-tokens and set "
                way += "REPLICATE_API_TOKEN"
            return ApiForbidden(f"Replicate forbids this to the account ({said}): {way}")
        if status == 401:
            return ApiUnauthorized(
                f"Replicate refuses the token ({said}): make one at replicate.com/account/api-tokens and set "
                "REPLICATE_API_TOKEN"
            )
        if status == 402:
            return ApiNoCredit(
                f"the Replicate account is out of credit ({said}): add some at replicate.com/account/billing"
            )
        if status == 404:
            return ApiNotFound(f"Replicate does not know {request_path(where)} ({said})")
        if status == 409:
            return ApiConflict(f"Replicate: {said}")
        if status == 429:
            return ApiThrottled(f"Replicate rejects further requests for now ({said})", _retry_after(headers, problem))
        if 400 <= status < 500:
            return ApiRefused(f"Replicate refused {request_path(where)}: {said}", _fields(problem, self._token))
        return ApiUnreachable(f"Replicate answered {status} ({where})", sent=True)


def request_path(where: str) -> str:
    """The path in "METHOD path", for messages."""
    return where.split(" ", 1)[-1]


def _plain(headers: httpx.Headers) -> list[tuple[str, str]]:
    """The headers without those about the content encoding, which is already decoded."""
    undone = ("content-encoding", "content-length", "transfer-encoding")
    return [(name, value) for name, value in headers.items() if name.lower() not in undone]


def _retry_after(headers: httpx.Headers, problem: dict[str, Any]) -> float | None:
    """Seconds from the header (a number or an HTTP date, RFC 9110 10.2.3) or from the body's `retry_after`."""
    for value in (headers.get("Retry-After"), problem.get("retry_after")):
        if value is None:
            continue
        try:
            return max(0.0, float(value))
        except (TypeError, ValueError):
            pass
        try:
            return max(0.0, email.utils.parsedate_to_datetime(str(value)).timestamp() - time.time())
        except (TypeError, ValueError):
            pass
    return None


def _fields(problem: dict[str, Any], token: str) -> tuple[tuple[str, str], ...]:
    found = []
    fields = problem.get("invalid_fields")
    for field in fields if isinstance(fields, list) else []:
        if isinstance(field, dict):
            name = str(field.get("field") or field.get("name") or field.get("type") or "").removeprefix("input.")
            words = str(field.get("description") or field.get("message") or field.get("detail") or "")
            found.append((name, mask(words[:200], token)))
    return tuple(found)


class ReplicateHttp:
    """Sends single requests with the token. Safe to share between threads."""

    def __init__(self, token: str, base_url: str, timeouts: Timeouts) -> None:
        """`base_url` without `/v1`. Imports `replicate`."""
        try:
            from replicate.client import Client
        except ValueError as error:  # `replicate` reads REPLICATE_POLL_INTERVAL at its import
            raise ApiRefused("REPLICATE_POLL_INTERVAL is not a number: unset it") from error

        self._timeouts = timeouts
        self._transport = _Transport(token)
        self._vendor = Client(
            api_token=token,
            base_url=base_url or "https://api.replicate.com",
            timeout=self._limits(timeouts.read),
            transport=self._transport,
        )
        self._client: httpx.Client = self._vendor._client  # created here, since its lazy creation is not thread-safe

    def send(
        self, method: str, path: str, *, read_s: float | None = None, whole_s: float = 120.0, **content: Any
    ) -> dict[str, Any]:
        """Send one request to `/v1` + `path`; returns the JSON object of the response, `{}` if it is empty.

        `read_s` and `whole_s` limit the wait for the next byte and for the whole response; `content` goes to httpx
        (`json`, `headers`, `params`, `files`, `data`). Raises ApiError.
        """
        read = read_s or self._timeouts.read
        response = self._vendor._request(
            method,
            "/v1" + path,
            timeout=self._limits(read),
            extensions={"whole_s": max(whole_s, read)},
            **content,
        )
        if not response.content:
            return {}
        try:
            answer = response.json()
        except ValueError as error:
            raise ApiUnreachable(f"Replicate's response is not JSON ({method} {path})", sent=True) from error
        if not isinstance(answer, dict):
            raise ApiUnreachable(f"Replicate's response is not a JSON object ({method} {path})", sent=True)
        return answer

    @property
    def server_ahead(self) -> float:
        """Seconds by which the server's clock is ahead of ours, from the `Date` of its last response."""
        return self._transport.server_ahead

    def close(self) -> None:
        """Close the connections. Repeatable."""
        self._client.close()

    def _limits(self, read: float) -> httpx.Timeout:
        connect = self._timeouts.connect
        return httpx.Timeout(connect=connect, read=read, write=self._timeouts.read, pool=connect)
