"""Every command of the README and of docs/ runs, in the order of its page, in a folder of its own.

Real command lines, with the demo FLUX (one step) as every FLUX.1 and a tiny FLUX.2 as klein, trainings of two steps,
and servers on loopback in the place of Telegram and Replicate. What cannot run in a test is in `CANNOT_RUN` with the
reason; of those at least what they name is checked.
"""

import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import inference.models.profiles
from inference.models.profiles import FOLDER, PACKAGE
from tests.bot.running import RunningBot
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_jobs import FINE_TUNE_INPUTS, Model, Plan
from tests.fakes.telegram_api import TOKEN, TelegramServer
from tests.pages import ROOT, Command, page, pages
from tests.training.pictures import fill_folder
from tests.training.replicate.parts import GOOD, RUN, lora_bytes, tarred

MODULES = (
    "inference.render",
    "inference.sheet",
    "inference.fetch",
    "training.run",
    "training.evaluate",
    "training.dataset",
)
PLAIN = ("echo", "chmod", "cp", "mkdir")
SLOW = ("docs/training.md", "docs/scaling.md")
QUICK = {
    "BADGE_BANNER__SIZE": "256",
    "BADGE_LOCAL__STEPS": "1",
    "BADGE_LOCAL__THREADS": "1",
    "BADGE_TRANSLATION__MARIAN": "",
    "BADGE_TRAINING__STEPS": "2",
    "BADGE_TRAINING__RESOLUTIONS": "[64]",
    "BADGE_TRAINING__LEARNING_RATE": "0.002",
    "BADGE_TRAINING__WARMUP": "0",
    "BADGE_TRAINING__RANK": "2",
    "BADGE_TRAINING__SAVE_EVERY": "2",
    "BADGE_TRAINING__SAMPLE_EVERY": "0",
    "BADGE_TRAINING__THREADS": "1",
    "BADGE_TRAINING__STRANGERS": '["robot badge, character holding {object}"]',
    "BADGE_TRAINING__TEST_OBJECTS": '["pizza"]',
    "BADGE_TRAINING__TEST_SEEDS": "1",
    "BADGE_TRAINING__TEST_SCALES": "[1.0]",
    "BADGE_TRAINING__SCORER": "demo",
    "BADGE_RAY__ACTORS": "1",
    "BADGE_REPLICATE__POLL_MIN_S": "0.01",
    "BADGE_REPLICATE__RETRY_MIN_S": "0.01",
    "BADGE_REPLICATE__TRAINING_POLL_S": "0.02",
    "BADGE_REPLICATE__WAIT_S": "0",
}
SHRUNK = {"--steps": "2", "--rank": "2", "--resolution": "64", "--profile": "demo"}
"""Values of options that make a training long, or need weights, and what the test puts in their place."""


class Reader:
    """Somebody who follows one page in an empty folder that has what the page supposes to be there."""

    def __init__(self, folder: Path, replicate: FakeReplicate, telegram: TelegramServer, flux2: Path) -> None:
        self.folder, self.replicate, self.telegram = folder, replicate, telegram
        self._profiles = _profiles(folder / ".profiles", flux2)
        self._people = 0

    def does(self, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        """Run one command; raises AssertionError where it does not end well."""
        words = [self._real(word) for word in command.words]
        for name, value in command.variables.items():
            monkeypatch.setenv(name, self._real(value))
        program = words[0]
        if program == "export":
            name, _, value = words[1].partition("=")
            monkeypatch.setenv(name, value)
        elif program in CANNOT_RUN:
            CANNOT_RUN[program][1](command)
        elif program in PLAIN:
            line = self._real(command.line)
            subprocess.run(["bash", "-c", line], cwd=self.folder, check=True)
        elif command.module == "bot":
            self._bot([self._real(word) for word in command.arguments])
        elif command.module == "training.dataset" and command.arguments[0] == "name":
            self._names(command.arguments)
        else:
            assert program == "python", command
            assert command.module in MODULES, command
            self._python(command.module, [self._real(word) for word in command.arguments], monkeypatch)

    def _real(self, word: str) -> str:
        """Tokens of the page as the servers on loopback know them."""
        return word.replace("r8_your_token", self.replicate.state.token).replace("123:abc", TOKEN)

    def _python(self, module: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        if "ray" in arguments:
            pytest.importorskip("ray", reason="needs Ray: pip install .[ray]")
        hosted = "replicate" in arguments
        monkeypatch.setattr(inference.models.profiles, "FOLDER", FOLDER if hosted else self._profiles)
        inference.models.profiles.load_profile.cache_clear()
        trained = ("trained.tar",) if module == "training.run" else None
        self.replicate.state.plan = Plan(RUN, outputs=trained) if trained else Plan()
        if module == "training.run":
            for option in SHRUNK.keys() & set(arguments):
                arguments[arguments.index(option) + 1] = SHRUNK[option]
        name = f"{module}.__main__" if module == "training.dataset" else module
        code = importlib.import_module(name).main(arguments)
        assert code == 0, f"{module} {arguments} ended with {code}"

    def _names(self, arguments: list[str]) -> None:
        """Serve the naming page as a process of its own until it says where, then press Ctrl-C."""
        command = [sys.executable, "-m", "training.dataset", *arguments]
        with subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, text=True) as page:
            assert page.stdout
            assert page.stdout.readline().startswith("open http://127.0.0.1:")
            page.send_signal(signal.SIGINT)
            assert page.wait(60) == 0

    def _bot(self, arguments: list[str]) -> None:
        """Run the bot as a process of its own; where it serves, somebody asks it for help, and it is told to stop."""
        token = os.environ.get("TELEGRAM_BOT_TOKEN") or TOKEN
        environment = RunningBot(self.telegram, self.folder, token=token).environment()
        log = self.folder / f"bot-{self._people}.log"
        with log.open("wb") as said:
            command = [sys.executable, "-m", "bot", *arguments]
            bot = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=said, stderr=said)
        try:
            if not {"--check", "--backup", "--restore"} & set(arguments):
                self._people += 1
                person = self.telegram.person(self._people, "en")
                person.say("/help")
                self.telegram.wait(lambda: person.sees() or bot.poll() is not None, 180, "an answer")
                assert "I make samurai badges" in str(person.sees()), log.read_text(encoding="utf-8")
                bot.terminate()
            assert bot.wait(60) == 0, log.read_text(encoding="utf-8")
        finally:
            bot.kill()
            bot.wait()


def _profiles(folder: Path, flux2: Path) -> Path:
    """The profiles by their own names, over weights that are on this disk: the demo FLUX, and a tiny FLUX.2."""
    folder.mkdir()
    for path in FOLDER.glob("*.toml"):
        is_flux2 = tomllib.loads(path.read_text(encoding="utf-8"))["family"] == "flux2"
        source = path if is_flux2 else FOLDER / "demo.toml"
        lines = re.sub(r"^repo = .*$", f'folder = "{flux2}"', source.read_text(encoding="utf-8"), flags=re.MULTILINE)
        lines = re.sub(r"^size = .*\n", "", lines, flags=re.MULTILINE)  # a folder says its size itself
        lines = re.sub(r"^steps = .*$", "steps = 2", lines, flags=re.MULTILINE)
        if is_flux2:
            lines = re.sub(r"^(width|height) = .*$", r"\1 = 64", lines, flags=re.MULTILINE)
            lines = re.sub(r"^max_sequence_length = .*$", "max_sequence_length = 32", lines, flags=re.MULTILINE)
        (folder / path.name).write_text(lines, encoding="utf-8")
    return folder


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_flux2: Path) -> Iterator[Reader]:
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BADGE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    fill_folder(tmp_path / "training_images", count=6)
    fill_folder(tmp_path / "photos", count=6)
    shutil.make_archive(str(tmp_path / "export"), "zip", tmp_path / "photos")
    (tmp_path / "names.txt").write_text("Anna\nBob\n", encoding="utf-8")
    (tmp_path / "badges.csv").write_text("object,text,seed\ntelescope,UX SCOUT,7\nlamp,NIGHT OPS,8\n", encoding="utf-8")
    with FakeReplicate() as replicate, TelegramServer() as telegram:
        monkeypatch.setenv("REPLICATE_BASE_URL", replicate.url)
        replicate.state.contents["trained.tar"] = tarred({GOOD: lora_bytes()})
        name = "owner/samurai-badge-lora"
        replicate.state.models[name] = Model(name, {"v1": FINE_TUNE_INPUTS})
        yield Reader(tmp_path, replicate, telegram, tiny_flux2)
    inference.models.profiles.load_profile.cache_clear()


PAGES = [
    pytest.param(each.name, marks=pytest.mark.slow if each.name in SLOW else ())
    for each in pages()
    if each.commands and not each.name.endswith(".ru.md")  # its commands are the English page's: see test_docs.py
]


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_the_page_runs(name: str, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "docs/replicate.md":
        monkeypatch.setenv("BADGE_REPLICATE__MODEL", "owner/samurai-badge-lora")
    settings = [block for block in page(name).blocks("toml") if "lora" in block or "[generator]" in block]
    if settings:
        (reader.folder / "my.toml").write_text(settings[0], encoding="utf-8")
    if name == "docs/bot.md":
        layer = "transformer.transformer_blocks.0.attn.to_q"
        halves = {f"{layer}.lora_{half}.weight": np.full((4, 4), 0.1, np.float16) for half in "AB"}
        (reader.folder / "loras/aidbox").mkdir(parents=True)
        save_file(halves, reader.folder / "loras/aidbox/lora.safetensors")
    for command in page(name).commands:
        reader.does(command, monkeypatch)
    if name == "README.md":
        assert (reader.folder / "again.png").read_bytes() == (reader.folder / "lamp-1.png").read_bytes()


def _make(command: Command) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(command.words[1:]) <= set(targets), command


def _pip(command: Command) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = re.findall(r"\.\[(\w+)\]", command.line)
    assert set(extras) <= set(project["optional-dependencies"]), command


def _accelerate(command: Command) -> None:
    importlib.import_module(command.module).build_parser().parse_args(command.arguments)


def _files(command: Command) -> None:
    """Files of this repository that the command names are there."""
    named = [word for word in command.words[1:] if re.fullmatch(r"(\./)?[\w./-]+\.(ya?ml|service|cuda|sh|json)", word)]
    for word in named:
        assert list(ROOT.rglob(Path(word).name)), command


CANNOT_RUN: dict[str, tuple[str, Callable[[Command], None]]] = {
    "make": ("sets up an environment from a package index", _make),
    "pip": ("needs a package index", _pip),
    "accelerate": ("needs several processes and ports: tests/training/local/test_ranks.py runs it", _accelerate),
    "docker": ("needs a container engine", _files),
    "sudo": ("changes the system", _files),
    "systemctl": ("changes the system", _files),
    "journalctl": ("needs systemd", _files),
    "apt-get": ("changes the system", _files),
    "ray": ("starts a cluster: tests/inference/ray/test_generator.py does it", _files),
    "curl": ("needs a server that another command of the page started", _files),
    "git": ("needs the network", _files),
}


def test_what_cannot_run_is_in_the_documentation_and_gives_a_reason() -> None:
    used = {command.words[0] for each in pages() for command in each.commands}
    known = {*PLAIN, *CANNOT_RUN, "python", "export"}
    assert used <= known
    assert all(reason for reason, _ in CANNOT_RUN.values())
    assert shutil.which("bash")
    assert PACKAGE == ROOT
