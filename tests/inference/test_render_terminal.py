"""What a person sees where stdout and stderr are a terminal: bars, and whole lines between them."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

NO_CARD = {"CUDA_VISIBLE_DEVICES": "", "REPLICATE_API_TOKEN": "", "BADGE_REPLICATE__MODEL": ""}
QUICK = {"BADGE_LOCAL__STEPS": "3", "BADGE_BANNER__SIZE": "256", "BADGE_LOCAL__THREADS": "1"}


def on_a_terminal(folder: Path, *argv: str) -> str:
    """Everything that the command writes to a terminal of 100 columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    command = [sys.executable, "-m", "inference.render", *argv]
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **QUICK, **NO_CARD}, stdout=slave, stderr=slave)
    os.close(slave)
    said = b""
    with contextlib.suppress(OSError):  # Linux ends a terminal's stream with EIO
        while chunk := os.read(master, 4096):
            said += chunk
    os.close(master)
    assert process.wait() == 0, said.decode()
    return said.decode()


def begins_a_line(words: str, shown: str) -> bool:
    """Whether `words` stand at the left edge: behind a line's end or a bar that was cleared, moved up or not."""
    return re.search(r"(\A|[\r\n](\x1b\[A)*)" + re.escape(words), shown) is not None


def test_bars_for_steps_and_badges_with_whole_lines_between_them(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("object,text,seed\nlamp,HI,1\nlamp,HO,2\n")
    shown = on_a_terminal(tmp_path, "--batch", "rows.csv", "--out", "set", "--json")
    assert re.search("drawing: (3/3|6/6)", shown)  # one portrait after the other, or both at once
    assert "badges: 2/2" in shown
    assert "remaining" in shown
    assert begins_a_line("No CUDA card and no Replicate model here: the demo FLUX draws.", shown)
    assert begins_a_line('{"file":"set/0001-lamp.png"', shown)
    assert begins_a_line('{"file":"set/0002-lamp.png"', shown)
    assert "drawing: 0/?" not in shown


def test_what_is_loaded_is_named_from_the_first_import_on_with_a_clock_that_runs(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, "--generator", "demo", "--object", "lamp", "--text", "HI", "--out", "a.png")
    stages = re.findall(r"(importing \w+|loading the [\w ]+|placing on cpu): \d/\d \|.*?\| 00:(\d\d) elapsed", shown)
    assert stages[0] == ("importing torch", "00")
    assert len({clock for _stage, clock in stages}) > 1, "the clock stood still while diffusers was imported"
    assert {"importing diffusers", "placing on cpu"} <= {stage for stage, _clock in stages}
