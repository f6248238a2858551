"""Start and end the real bot as a process of its own, against the server in `tests.fakes.telegram_api`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.fakes.telegram_api import TOKEN, TelegramServer

ROOT = Path(__file__).parents[2]


class RunningBot:
    """One bot process over one state folder; may be ended and started again."""

    def __init__(
        self,
        server: TelegramServer,
        folder: Path,
        *options: str,
        module: str = "tests.bot.plain_bot",
        token: str = TOKEN,
        **env: str,
    ) -> None:
        self.server, self.folder, self.options, self.module, self.env = server, folder, options, module, env
        self.token = token
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "stderr.txt"

    def environment(self) -> dict[str, str]:
        """What the bot is told; `env` are settings without their prefix, such as `bot__users="[1]"`."""
        foreign = ("BADGE_", "TELEGRAM_", "REPLICATE_")
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(foreign)}
        return kept | {
            "TELEGRAM_BOT_TOKEN": self.token,
            "BADGE_DATA_DIR": str(self.folder / "data"),
            "BADGE_BOT__BASE_URL": self.server.base_url,
            "BADGE_BOT__BASE_FILE_URL": self.server.base_file_url,
            "BADGE_BANNER__SIZE": "256",
            "BADGE_TRANSLATION__MARIAN": "",
            "OMP_NUM_THREADS": "1",
            "PYTHONWARNINGS": "error",
            **{f"BADGE_{name.upper()}": value for name, value in self.env.items()},
        }

    def start(self, *options: str) -> "RunningBot":
        """Start the process; it may take a moment until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", self.module, *self.options, *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment(), stdout=log, stderr=log)
        return self

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as kill -9 does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """End it as a service manager does; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(45)

    def said(self) -> str:
        """All that it wrote to stderr."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> "RunningBot":
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
