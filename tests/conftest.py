"""What every test shares: one torch thread, no network beyond loopback, settings that the machine cannot change."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Nothing of the developer's own settings or tokens reaches a test."""
    for name in list(os.environ):
        if name.startswith("BADGE_") or name in (
            "TELEGRAM_BOT_TOKEN",
            "REPLICATE_API_TOKEN",
            "REPLICATE_BASE_URL",
            "HF_TOKEN",
        ):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """Connecting anywhere but this machine is an error."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "local"
        if self.family != socket.AF_UNIX and host not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)  # type: ignore[arg-type]

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def _no_token_is_written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """At the end of all tests: no file that any of them wrote holds a token that they used."""
    yield
    from tests.tokens import files_with_a_token

    found = files_with_a_token(tmp_path_factory.getbasetemp())
    assert not found, f"a token was written to {found}"


@pytest.fixture(scope="session")
def tiny_flux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a FLUX.1 of real classes and random weights (see tiny_flux.py). Only to be read."""
    from tests.tiny_flux import make_tiny_flux

    return make_tiny_flux(tmp_path_factory.mktemp("tiny-flux"))


@pytest.fixture(scope="session")
def tiny_flux2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for FLUX.2 klein. Only to be read."""
    from tests.tiny_flux import make_tiny_flux2

    return make_tiny_flux2(tmp_path_factory.mktemp("tiny-flux2"))


@pytest.fixture(scope="session")
def tiny_z_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for Z-Image. Only to be read."""
    from tests.tiny_flux import make_tiny_z_image

    return make_tiny_z_image(tmp_path_factory.mktemp("tiny-z-image"))
