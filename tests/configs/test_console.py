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
importlib.import_module(sys.argv[2] + ".utils.logging").get_logger(sys.argv[2] + ".any").warning("once more")
"""


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("how", ["quiet", "debug"])
def test_warnings_of_libraries_are_heard_with_debug_only(library: str, how: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_VERBOSITY")}
    command = [sys.executable, "-c", NOISE, how, library]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ("once more" in done.stderr) == (how == "debug")
    assert done.stdout == ""
