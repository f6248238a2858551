"""A bot that draws with Replicate alone is small: no model library is loaded, so a machine of 512 MB serves it."""

import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.bot.running import ROOT, RunningBot
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.telegram_api import TelegramServer

_MOST = 200 * 2**20
_SIDE = 1024
"""What FLUX gives there, and the default size of a badge."""


class ReplicateBot(RunningBot):
    """A bot with a Replicate account."""

    fake: FakeReplicate

    def environment(self) -> dict[str, str]:
        replicate = {"REPLICATE_API_TOKEN": self.fake.state.token, "REPLICATE_BASE_URL": self.fake.url}
        return super().environment() | replicate

    def resident(self) -> int:
        """Bytes of main memory that the process holds."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))

    def libraries(self) -> set[str]:
        """The packages that it has mapped shared libraries of."""
        assert self.process is not None
        maps = Path(f"/proc/{self.process.pid}/maps").read_text()
        return {part.partition("/")[0] for part in maps.split("/site-packages/")[1:]}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_its_memory_after_badges(server: TelegramServer, folder: Path) -> None:
    out = io.BytesIO()
    with Image.open(ROOT / "docs" / "telescope.webp") as badge:
        badge.convert("RGB").resize((_SIDE, _SIDE)).save(out, "PNG")
    with FakeReplicate() as fake:
        fake.state.plan.outputs = ("drawn.png",)
        fake.state.contents["drawn.png"] = out.getvalue()
        bot = ReplicateBot(
            server, folder, module="bot", replicate__model="owner/samurai", banner__size=str(_SIDE),
            generator__kind="replicate", bot__messages_per_second="1000",
        )  # fmt: skip
        bot.fake = fake
        with bot:
            anna = server.person(1)
            for number, thing in enumerate(("telescope", "большая кружка кофе"), start=1):
                anna.say(f"/badge {thing} | UX {number}")
                anna.waits_for("бейдж готов", number=number, seconds=60)
            assert fake.state.paid() == 2
            assert bot.libraries().isdisjoint({"torch", "tokenizers", "sentencepiece"})
            assert bot.resident() <= _MOST
