"""What nobody should send: only typed errors, bounded memory, and the same outcome in another process."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

from tests.overlay import hostile

MEGABYTES = 768


def test_ten_thousand_strings_and_a_hundred_pictures() -> None:
    """Anything but a typed error, or memory beyond the limit, ends the other process with a traceback."""
    digests = []
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.overlay.hostile", str(MEGABYTES)],
            cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        digests.append(done.stdout.split())
    assert digests[0] == digests[1]
    drawn = int(digests[0][1])
    assert drawn > 1500, "most of the strings were refused: the test shows nothing"


def test_the_strings_are_what_they_are_called() -> None:
    typed = hostile.strings()
    assert len(typed) == 10_000
    joined = "".join(text[:300] for text in typed)
    assert {unicodedata.category(c) for c in joined} >= {"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "So", "Lo", "Zs"}
    assert all(c in joined for c in "\u202e\u2066\u200d\u2800🥷")
    assert max(map(len, typed)) == 200_000
