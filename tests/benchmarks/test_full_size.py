"""`benchmarks.full_size` with a small model: the same program as at full size."""

import pytest

from benchmarks.full_size import main


@pytest.mark.slow
def test_the_whole_way_with_a_small_model(capsys: pytest.CaptureFixture[str]) -> None:
    """Slow: loads torch and diffusers in a process of its own."""
    assert main(["--tiny"]) == 0
    said = capsys.readouterr().out
    assert "flux2-klein-4b exact+tiles and 13 GB of main memory" in said
    for row in ("load and merge", "encode", "step 2 at 64", "decode at 64", "banner", "anonymous pages"):
        assert f"| {row} |" in said
