"""The bot whose generator are Ray actors, with nothing of its own changed: two people, and an actor that is killed."""

import tempfile
import threading
from pathlib import Path

import psutil
import pytest

from tests.bot.running import RunningBot
from tests.fakes.telegram_api import TelegramServer
from tests.inference.ray.parts import kill_one_drawing, needs_ray


@needs_ray
def test_an_actor_that_dies_costs_nobody_a_badge(
    server: TelegramServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", tempfile.gettempdir())  # Ray's sockets want a short path
    settings = {"generator__kind": "ray", "generator__profile": "demo", "ray__actors": "2", "local__threads": "1"}
    with RunningBot(server, folder, module="bot", local__steps="24", **settings) as bot:
        assert bot.process is not None
        people = [server.person(1), server.person(2)]
        killed: list[int] = []
        hunt = threading.Thread(target=lambda: killed.append(kill_one_drawing(bot.process.pid)))
        hunt.start()
        for person in people:
            person.say(f"/badge telescope | SCOUT {person.user_id}")
        for person in people:
            person.waits_for("бейдж готов", seconds=180)
        hunt.join()
        below = psutil.Process(bot.process.pid).children(recursive=True)
        assert len(killed) == 1
        assert [len(person.badges()) for person in people] == [1, 1]
        assert bot.stop() == 0
        _, alive = psutil.wait_procs(below, timeout=20)
        assert not alive, "Ray ends with the bot"
