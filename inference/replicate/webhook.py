"""A small HTTP server that receives Replicate's webhooks and wakes the thread that waits for the job.

A webhook only means "poll job X now": signature (HMAC-SHA256 over id, timestamp and raw body, see
https://replicate.com/docs/topics/webhooks/verify-webhook) and timestamp are checked, duplicates are ignored, and the
job's state comes from a GET. So repeated, late or reordered events do no harm.
"""

import base64
import binascii
import hashlib
import hmac
import json
import logging
import threading
import time
from collections import OrderedDict

from tornado.httputil import HTTPHeaders

from inference.listener import Bounds, ThreadedListener, posts
from inference.replicate.errors import ApiRefused

log = logging.getLogger(__name__)

_TOLERANCE_S = 300  # age of a webhook's timestamp, chosen by hand: allows for clocks that differ, limits replays
_MAX_BODY = 4 * 2**20  # bytes, chosen by hand: a webhook contains the whole job with its logs
_CONNECTIONS = 16  # at once, chosen by hand: only Replicate connects, for `_PARALLEL` jobs of a process
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_REMEMBERED = 4096  # event and job ids, chosen by hand: far more than in the minute for which Replicate retries


def signature_holds(secret: str, event: str, stamp: str, body: bytes, signatures: str, now: float) -> bool:
    """Whether one of the space-separated `signatures` is valid for this event, and `stamp` within `_TOLERANCE_S`."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        fresh = abs(now - int(stamp)) <= _TOLERANCE_S
    except (binascii.Error, ValueError):
        return False
    if not (key and fresh and event):
        return False
    right = base64.b64encode(hmac.new(key, f"{event}.{stamp}.".encode() + body, hashlib.sha256).digest())
    given = [each.partition(",")[2].encode() for each in signatures.split() if each.startswith("v1,")]
    return any(hmac.compare_digest(each, right) for each in given)


class WebhookServer:
    """Listens on `listen` ("host:port", port 0 for any free one) until closed."""

    def __init__(self, listen: str, secret: str) -> None:
        """Raises OSError if the address is in use, ApiRefused if there is no signing secret."""
        if not secret:
            raise ApiRefused("Replicate has no webhook signing secret for this account")
        self._secret = secret
        self._heard: OrderedDict[str, None] = OrderedDict()
        self._early: OrderedDict[str, None] = OrderedDict()
        self._rings: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        host, _, port = listen.rpartition(":")
        self._listener = ThreadedListener(
            host.strip("[]"), int(port), posts(r"/.*", _signed, self._answer), Bounds(_MAX_BODY, _CONNECTIONS)
        )

    @property
    def port(self) -> int:
        """The port in use."""
        return self._listener.port

    def wait(self, job: str, seconds: float) -> bool:
        """Wait for an event about `job`; True if there was one, also before this call."""
        with self._lock:
            ring = self._rings.setdefault(job, threading.Event())
            if job in self._early:
                del self._early[job]
                return True
        rang = ring.wait(seconds)
        ring.clear()
        return rang

    def done_with(self, job: str) -> None:
        """Forget `job`, for which nobody waits any more."""
        with self._lock:
            self._rings.pop(job, None)

    def hear(self, event: str, stamp: str, signatures: str, body: bytes) -> int:
        """Handle one request; returns the HTTP status of the response."""
        if not signature_holds(self._secret, event, stamp, body, signatures, time.time()):
            log.warning("refused a webhook with an invalid or expired signature")
            return 401
        with self._lock:
            if event in self._heard:
                return 200
            _remember(self._heard, event)
        try:
            job = str(json.loads(body)["id"])
        except (ValueError, TypeError, KeyError):
            return 400
        with self._lock:
            if job in self._rings:
                self._rings[job].set()
            else:
                _remember(self._early, job)
        return 200

    async def _answer(self, headers: HTTPHeaders, body: bytes) -> int:
        event, stamp, signatures = (headers.get(name, "") for name in _HEADERS)
        return self.hear(event, stamp, signatures, body)

    def close(self) -> None:
        """Stop listening. Repeatable."""
        self._listener.close()


def _signed(headers: HTTPHeaders) -> int:
    """Refuse a request without signature before its body is read."""
    return 0 if all(headers.get(name) for name in _HEADERS) else 401


def _remember(names: OrderedDict[str, None], name: str) -> None:
    names[name] = None
    while len(names) > _REMEMBERED:
        names.popitem(last=False)
