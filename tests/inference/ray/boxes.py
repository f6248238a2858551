"""A cluster as an operator starts it, all on this machine; run as a program, it loses boxes in mid-portrait.

    python -m tests.inference.ray.boxes FOLDER-OF-THE-TINY-FLUX

A program of its own, since Ray settles once a process how it shows who it is.
"""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from inference.errors import BackendUnavailable
from inference.local.generator import LocalGenerator
from inference.ray.generator import RayGenerator
from inference.types import PortraitRequest
from tests.inference.ray.parts import local_settings, ray_settings, tiny_profile

HOST = "127.0.0.1"
REQUEST = PortraitRequest("samurai warrior badge, character holding telescope", 3)


class Boxes:
    """A head without cores, and boxes that join it: each a Ray node that `ray start` starts, all with one token."""

    def __init__(self) -> None:
        with socket.create_server((HOST, 0)) as free:
            port = free.getsockname()[1]
        self.address = f"{HOST}:{port}"
        self.environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self._boxes: list[subprocess.Popen[bytes]] = []
        self._start("--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false")
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
                return
            time.sleep(0.1)
        raise AssertionError("the head did not start")

    def add(self, cores: int) -> subprocess.Popen[bytes]:
        return self._start(f"--address={self.address}", f"--num-cpus={cores}")

    def pull_the_plug(self, box: subprocess.Popen[bytes]) -> None:
        """SIGKILL for everything that runs on that box."""
        for process in [*psutil.Process(box.pid).children(recursive=True), psutil.Process(box.pid)]:
            with contextlib.suppress(psutil.Error):
                process.kill()
        box.wait()
        self._boxes.remove(box)

    def end(self) -> None:
        for box in list(self._boxes):
            self.pull_the_plug(box)

    def _start(self, *options: str) -> subprocess.Popen[bytes]:
        quiet = ("--num-gpus=0", f"--node-ip-address={HOST}", "--block", "--disable-usage-stats")
        command = [Path(sys.executable).with_name("ray"), "start", *options, *quiet]
        null = subprocess.DEVNULL
        self._boxes.append(subprocess.Popen(command, env=self.environment, stdout=null, stderr=null))
        return self._boxes[-1]


def lose_boxes(boxes: Boxes, weights: Path) -> None:
    """Draw; lose the only box; draw on a new one; lose that in mid-portrait while another comes."""
    profile = tiny_profile(weights)
    with LocalGenerator(profile, local_settings()) as alone:
        expected = alone.generate(REQUEST).image.tobytes()
    settings = ray_settings(address=boxes.address, actors=2, patience_s=30.0)
    box = boxes.add(2)
    with RayGenerator(profile, local_settings(), settings) as generator:
        assert generator.generate(REQUEST).image.tobytes() == expected
        print("drawn on a box")
        boxes.pull_the_plug(box)
        try:
            generator.generate(REQUEST)
        except BackendUnavailable as error:
            print(error)
    box = boxes.add(2)
    with RayGenerator(profile, local_settings(), settings) as generator:
        generator.prepare()

        def move() -> None:
            boxes.pull_the_plug(box)
            boxes.add(2)

        moving = threading.Thread(target=move)

        def on_step(done: int, total: int) -> None:
            if done == 2 and moving.ident is None:
                moving.start()

        assert generator.generate(REQUEST, on_step).image.tobytes() == expected
        moving.join()
        print("drawn again on another box")


if __name__ == "__main__":
    opened = Boxes()
    os.environ.update(opened.environment)
    try:
        lose_boxes(opened, Path(sys.argv[1]))
    finally:
        opened.end()
