"""What every command line shares: other libraries are heard with --debug only."""

import os
import subprocess
import sys

import pytest

LIBRARIES = ("transformers", "diffusers", "huggingface_hub")
NOISE = """
import sys
from configs.console import set_up_logging
set_up_logging(debug=sys.argv[1] == "debug")
import importlib
for library in sys.argv[2:]:
    importlib.import_module(library + ".utils.logging").get_logger(library + ".any").warning("from " + library)
"""


@pytest.mark.parametrize("how", ["quiet", "debug"])
def test_warnings_of_libraries_are_heard_with_debug_only(how: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_VERBOSITY")}
    command = [sys.executable, "-c", NOISE, how, *LIBRARIES]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    heard = {library for library in LIBRARIES if f"from {library}" in done.stderr}
    assert heard == (set(LIBRARIES) if how == "debug" else set())
    assert done.stdout == ""


TORCH = """
import logging, sys
from configs.console import set_up_logging
set_up_logging(debug=sys.argv[1] == "debug")
import torch
for name in ("torch.utils._pytree", "bitsandbytes.backends"):
    logging.getLogger(name).warning("once more")
"""


@pytest.mark.parametrize("how", ["quiet", "debug"])
def test_what_torch_and_bitsandbytes_say_when_they_are_imported_is_heard_with_debug_only(how: str) -> None:
    done = subprocess.run([sys.executable, "-c", TORCH, how], capture_output=True, text=True, check=True)
    assert done.stderr.count("once more") == (2 if how == "debug" else 0)


SAYS = """
import logging, sys
from configs.console import Parser, run_command, tell
def command(args):
    tell("told \\x1b]0;x\\x07\\u202e" + args.word)
    logging.getLogger("ours").warning("logged \\x1b[2J %s\\rover", args.word)
    raise ValueError("failed \\x9b1m " + args.word + "\\nerror: forged")
parser = Parser()
parser.add_argument("word")
parser.add_argument("--debug", action="store_true")
sys.exit(run_command(command, parser, None, {ValueError: 2}))
"""


def test_nothing_that_others_wrote_commands_the_terminal() -> None:
    word = b"name\x1b[31m\xff\xe2\x80\xae"
    done = subprocess.run([sys.executable, "-c", SAYS, word], capture_output=True, check=False)
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 2
    assert lines == [
        "told \\x1b]0;x\\x07\\u202ename\\x1b[31m\\xff\\u202e",
        "logged \\x1b[2J name\\x1b[31m\\xff\\u202e\\x0dover",
        "error: failed \\x9b1m name\\x1b[31m\\xff\\u202e error: forged",
    ]
    odd = subprocess.run([sys.executable, "-c", SAYS, "a", b"--x\x1b[31m"], capture_output=True, check=False)
    assert odd.stderr == b"error: unrecognized arguments: --x\\x1b[31m (see --help)\n"
