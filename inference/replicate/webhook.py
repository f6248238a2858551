"""A small HTTP server that receives Replicate's webhooks and wakes whoever waits for that job.

A webhook is believed only as far as "look at job X now": signature (HMAC-SHA256 over id, time and raw body, as
https://replicate.com/docs/topics/webhooks/verify-webhook says) and time are checked, an event heard before is
ignored, and the job's state comes from a GET. So an event twice, late or out of order changes nothing.
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

_TOLERANCE_S = 300
_MAX_BODY = 4 * 2**20
_CONNECTIONS = 16
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_REMEMBERED = 4096


def signature_holds(secret: str, event: str, stamp: str, body: bytes, signatures: str, now: float) -> bool:
    """Whether one of the space-separated `signatures` is `secret`'s over this event, not older than 300 seconds."""
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
        """Raises OSError where the address is taken, ApiRefused where there is no signing secret."""
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
        """Wait for an event about `job`; whether there was one. One that came before this call counts."""
        with self._lock:
            ring = self._rings.setdefault(job, threading.Event())
            if job in self._early:
                del self._early[job]
                return True
        rang = ring.wait(seconds)
        ring.clear()
        return rang

    def done_with(self, job: str) -> None:
        """Nobody waits for `job` any more."""
        with self._lock:
            self._rings.pop(job, None)

    def hear(self, event: str, stamp: str, signatures: str, body: bytes) -> int:
        """Take one request; the HTTP status that answers it."""
        if not signature_holds(self._secret, event, stamp, body, signatures, time.time()):
            log.warning("a webhook with a wrong or old signature was refused")
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
    """Refuse what has no signature at all before its body is read."""
    return 0 if all(headers.get(name) for name in _HEADERS) else 401


def _remember(names: OrderedDict[str, None], name: str) -> None:
    names[name] = None
    while len(names) > _REMEMBERED:
        names.popitem(last=False)
