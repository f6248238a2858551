"""The portrait cache: what its key holds, that it stays within its limit, and that processes may share it."""

import multiprocessing
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from inference.generator import Generator
from inference.types import LoraInfo, ModelInfo, Portrait, PortraitRequest, StepCallback
from inference.wrappers.cache import CachedGenerator, PortraitCache

MODEL = ModelInfo("local", "demo", "abc", LoraInfo("style", "f" * 64, 0.8), "exact", "cpu", (("torch", "2.13.0"),))
REQUEST = PortraitRequest("samurai", 7, 2, 3.5)


def noise(seed: int, size: int = 64) -> Image.Image:
    import numpy

    values = numpy.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=numpy.uint8)
    return Image.fromarray(values)


def portrait(seed: int = 7, size: int = 64) -> Portrait:
    return Portrait(noise(seed, size), "samurai ⛩", seed, 2, 3.5, MODEL, 1.25, 0.003)


class Counting(Generator):
    """A generator that counts its drawings and may be handed over to another model."""

    def __init__(self, drawn_by: ModelInfo = MODEL) -> None:
        self.drawn: list[PortraitRequest] = []
        self._drawn_by = drawn_by

    @property
    def model(self) -> ModelInfo:
        return MODEL

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        self.drawn.append(request)
        return replace(portrait(request.seed), prompt=request.prompt, model=self._drawn_by)


def test_what_comes_back_is_what_was_put(tmp_path: Path) -> None:
    cache = PortraitCache(tmp_path / "portraits", 10**9)
    assert cache.get("a" * 64) is None
    cache.put("a" * 64, portrait())
    back = cache.get("a" * 64)
    assert back is not None
    assert back.image.tobytes() == portrait().image.tobytes()
    assert back.image.mode == "RGB"
    assert replace(back, image=portrait().image) == replace(
        portrait(), image=portrait().image, seconds=0.0, cost_usd=0.0, cached=True
    )


def test_drawn_once(tmp_path: Path) -> None:
    inner = Counting()
    cached = CachedGenerator(inner, PortraitCache(tmp_path, 10**9))
    first = cached.generate(REQUEST)
    second = cached.generate(REQUEST)
    assert (first.cached, second.cached) == (False, True)
    assert first.image.tobytes() == second.image.tobytes()
    cached.generate(replace(REQUEST, seed=8))
    cached.generate(replace(REQUEST, prompt="another"))
    assert len(inner.drawn) == 3


def test_what_somebody_else_drew_is_not_kept(tmp_path: Path) -> None:
    """A fallback's portrait must not be taken for the card's own later on."""
    inner = Counting(drawn_by=replace(MODEL, generator="replicate"))
    cached = CachedGenerator(inner, PortraitCache(tmp_path, 10**9))
    cached.generate(REQUEST)
    assert not cached.generate(REQUEST).cached


def test_a_damaged_file_is_drawn_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    inner = Counting()
    cached = CachedGenerator(inner, PortraitCache(tmp_path, 10**9))
    cached.generate(REQUEST)
    (file,) = tmp_path.iterdir()
    for damage in (b"", b"not a PNG", file.read_bytes()[:-200]):
        file.write_bytes(damage)
        assert not cached.generate(REQUEST).cached
    assert cached.generate(REQUEST).cached
    assert "drawn again" in caplog.text


def test_the_key_holds_everything_that_determines_the_pixels(tiny_flux: Path, tmp_path: Path) -> None:
    from inference.local.generator import LocalGenerator
    from tests.inference.local.parts import settings, tiny
    from tests.inference.lora.lora_files import diffusers_peft, kohya, write

    one = str(write(tmp_path / "one.safetensors", diffusers_peft()[0]))
    two = str(write(tmp_path / "two.safetensors", kohya(2.0)[0]))
    request = PortraitRequest("samurai", 7)
    profile = tiny(tiny_flux)

    def key(request: PortraitRequest = request, *, of: Any = profile, **values: Any) -> str:
        return LocalGenerator(of, settings(**values)).key(request)

    keys = [
        key(),
        key(replace(request, seed=8)),
        key(replace(request, prompt="a")),
        key(steps=3),
        key(guidance=1.0),
        key(lora=one),
        key(lora=two),
        key(lora=one, lora_scale=0.5),
        key(of=tiny(tiny_flux, width=96)),
        key(of=tiny(tiny_flux, max_sequence_length=32)),
    ]
    assert len(set(keys)) == len(keys)
    assert key(replace(request, steps=3)) == key(steps=3)
    assert key(replace(request, steps=2, guidance=profile.guidance)) == key()
    renamed = str(write(tmp_path / "renamed.safetensors", diffusers_peft()[0]))
    assert key(lora=renamed) == key(lora=one)


def test_it_stays_within_its_limit_and_the_used_stay(tmp_path: Path) -> None:
    import os

    size = 64 * 64 * 3
    cache = PortraitCache(tmp_path, 6 * size)
    for n in range(20):
        cache.put(f"{n:064}", portrait(n))
        for age, path in enumerate(sorted(tmp_path.glob("*.png"), key=lambda p: p.stat().st_mtime_ns, reverse=True)):
            os.utime(path, (1_000_000 - age, 1_000_000 - age))
        assert cache.get(f"{0:064}") is not None, "the one that is used all the time must stay"
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 6 * size
    assert cache.get(f"{1:064}") is None
    assert cache.get(f"{19:064}") is not None


def hammer(folder: str, worker: int) -> int:
    cache = PortraitCache(Path(folder), 100_000)
    for n in range(25):
        number = (n * 7 + worker) % 12
        known = cache.get(f"{number:064}")
        if known is not None and known.image.tobytes() != noise(number).tobytes():
            return 1
        cache.put(f"{number:064}", portrait(number))
    return 0


def test_processes_share_it(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.starmap(hammer, [(str(tmp_path), worker) for worker in range(2)]) == [0, 0]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 100_000
    assert all(path.suffix == ".png" for path in tmp_path.iterdir())


def test_a_disk_that_takes_nothing_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    cached = CachedGenerator(Counting(), PortraitCache(tmp_path / "file" / "portraits", 10**9))
    assert cached.generate(REQUEST).image.size == (64, 64)
    assert "not remembered" in caplog.text


def test_what_render_keeps_is_nobody_elses(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        cache = PortraitCache(tmp_path / "state" / "deep" / "portraits", 10**9)
        cache.put("key", portrait())
    finally:
        os.umask(before)
    for folder in ("state", "state/deep", "state/deep/portraits"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state/deep/portraits/key.png").stat().st_mode & 0o777 == 0o600


def test_the_sum_is_kept_between_looks_and_finds_what_others_add(tmp_path: Path) -> None:
    folder = tmp_path / "portraits"
    mine, other = PortraitCache(folder, 400_000), PortraitCache(folder, 400_000)

    def taken() -> int:
        return sum(path.stat().st_size for path in folder.glob("*.png"))

    for number in range(60):  # 12 KB each, so two caches put twice as much as fits
        mine.put(f"a{number}", portrait(number))
        other.put(f"b{number}", portrait(number))
        assert taken() <= 400_000 * 1.1  # a twentieth by each between two looks
    assert taken() >= 400_000 * 0.85
    assert mine.get("a59") is not None
    assert mine.get("a0") is None
