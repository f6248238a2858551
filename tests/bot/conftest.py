"""A Bot API server a test, or one for a whole module together with one bot that draws at once."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Person, TelegramServer

_people = itertools.count(1)


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    """A Bot API server of this test's own."""
    with TelegramServer() as server:
        yield server


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBot]:
    """One bot for a module's tests, who keep apart by being different people."""
    folder = tmp_path_factory.mktemp("bot")
    env = {"bot__edit_seconds": "0.2", "bot__edit_seconds_group": "0.6"}
    env |= {"bot__messages_per_second": "1000", "bot__waiting_per_person": "10"}
    with TelegramServer() as server, RunningBot(server, folder, "--parallel", "3", **env) as bot:
        yield bot


@pytest.fixture
def somebody(shared: RunningBot) -> Callable[..., Person]:
    """Make a person whom the shared bot has not met."""

    def make(language: str = "ru", chat_id: int = 0, thread: int = 0) -> Person:
        return shared.server.person(next(_people), language, chat_id, thread)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a test's own bot keeps its state."""
    return tmp_path / "bot"
