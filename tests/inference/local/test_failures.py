"""What fails in the local generator: memory, a broken card, a device or weights that are not there."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from inference.errors import BackendUnavailable, InvalidRequest, RenderFailed
from inference.local.generator import LocalGenerator
from inference.models.profiles import Profile, load_profile
from tests.inference.local.parts import SWORD, TELESCOPE, broken, settings, tiny


def test_too_little_memory_takes_the_next_smaller_way_and_remembers(
    profile: Profile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with LocalGenerator(profile, settings(), data_dir=tmp_path) as generator:
        broken(generator, [torch.OutOfMemoryError("no room")])
        portrait = generator.generate(TELESCOPE)
        assert portrait.model.tier == "exact+tiles"
        assert "not enough memory" in caplog.text
        assert generator.plan.tiled_vae
        caplog.clear()
        generator.generate(SWORD)
        assert "memory" not in caplog.text
    assert list(json.loads((tmp_path / "plans.json").read_text()).values()) == [1]
    with LocalGenerator(profile, settings(), data_dir=tmp_path) as generator:
        assert generator.plan.tiled_vae
        broken(generator, [torch.OutOfMemoryError("no room")])
        with pytest.raises(BackendUnavailable, match=r"not enough memory on cpu .* --generator replicate"):
            generator.generate(TELESCOPE)


def test_main_memory_counts_as_memory(profile: Profile) -> None:
    with LocalGenerator(profile, settings()) as generator:
        broken(generator, [RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")])
        assert generator.generate(TELESCOPE).model.tier == "exact+tiles"


def test_any_other_failure_is_told_and_passes(profile: Profile) -> None:
    with LocalGenerator(profile, settings()) as generator:
        broken(generator, [RuntimeError("a strange thing\nwith details")])
        with pytest.raises(RenderFailed, match=r"failed while drawing: a strange thing$"):
            generator.generate(TELESCOPE)
        assert generator.generate(TELESCOPE).model.tier == "exact"


def test_a_card_that_is_broken_for_good_ends_the_process(tiny_flux: Path) -> None:
    code = f"""
        import threading, torch
        from pathlib import Path
        from inference.types import PortraitRequest
        from tests.inference.local.parts import LocalGenerator, broken, settings, tiny
        generator = LocalGenerator(tiny(Path({str(tiny_flux)!r})), settings())
        broken(generator, [torch.AcceleratorError("CUDA error: an illegal memory access was encountered")])
        worker = threading.Thread(target=generator.generate, args=(PortraitRequest("a", 1),))
        worker.start()
        worker.join()
        print("still serving")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "still serving" not in done.stdout
    assert "the card cpu is unusable in this process" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("device", "problem"), [("cuda:7", "no device cuda:7"), ("nonsense", "nonsense")])
def test_a_device_that_is_not_there(profile: Profile, device: str, problem: str) -> None:
    if device.startswith("cuda") and torch.cuda.device_count() > 7:
        pytest.skip("there are more than seven cards here")
    with pytest.raises(InvalidRequest, match=problem):
        LocalGenerator(profile, settings(device=device)).generate(TELESCOPE)


def test_weights_that_are_not_there(profile: Profile, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"holds no .safetensors file"):
        LocalGenerator(tiny(tmp_path), settings()).prepare()


def test_a_gated_model_without_network_says_the_way_in(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BackendUnavailable, match="HF_TOKEN, or choose --profile flux2-klein-4b"):
        LocalGenerator(load_profile("flux-dev"), settings()).prepare()
    assert caplog.text.count("Non-Commercial") <= 1  # once a process


def test_a_tier_that_needs_a_card_is_said_to_draw_exactly(profile: Profile, caplog: pytest.LogCaptureFixture) -> None:
    with LocalGenerator(profile, settings(tier="turbo")) as generator:
        assert generator.model.tier == "exact"
    assert "turbo" in caplog.text
