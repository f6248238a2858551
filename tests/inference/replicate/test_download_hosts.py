"""Where a download may come from: what the check lets pass, the client that downloads understands as the same host."""

import random

import httpx
import pytest

from configs import default_settings
from inference.replicate.download import Downloader
from inference.replicate.errors import BadOutput

PARTS = (
    "https://", "http://", "//", "\\\\", "replicate.delivery", "evil.example", "@", ":", "443", "/", "?", "#", ".",
    "%2e",
    "%40", "\t", "\n", " ", "\u3002", "\uff0e", "x", "[::1]", "127.0.0.1", "0x7f.1", "user:pass", "%00", "\x00", "é",
    "REPLICATE.DELIVERY", "-", "replicate.delivery.evil.example", "pbxt.", ";", ",",
)  # fmt: skip


def test_no_spelling_of_an_address_leads_elsewhere() -> None:
    rng = random.Random(3)
    downloader = Downloader(default_settings().replicate)
    allowed = default_settings().replicate.hosts
    passed = 0
    for number in range(20_000):
        address = "".join(rng.choices(PARTS, k=rng.randint(1, 7)))
        if number % 2:
            address = "https://" + rng.choice(("", "user@", "x.")) + "replicate.delivery" + address
        try:
            downloader._require_allowed(address)
        except BadOutput:
            continue
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL:
            continue  # the client refuses it too
        if not url.host:
            continue  # the same
        passed += 1
        host = url.host.lower().rstrip(".")
        assert any(host == each or host.endswith("." + each) for each in allowed), address
        assert url.scheme == "https", address
    assert passed > 100


@pytest.mark.parametrize("address", ["https://replicate.delivery/x.png", "https://pbxt.replicate.delivery/a/b.webp"])
def test_its_own_hosts_are_allowed(address: str) -> None:
    Downloader(default_settings().replicate)._require_allowed(address)
