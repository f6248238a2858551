"""`--like` on a PNG that a stranger made: every value has bounds, and nothing is paid or sent away unasked."""

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from configs import default_settings
from inference import InvalidRequest
from inference.output.like import settings_like
from inference.output.recipe import CHUNK, Recipe, read_recipe

FINE: dict[str, Any] = {
    "object": "lamp", "text": "HI", "style": "ribbon", "size": 256, "prompt": "a lamp", "seed": 7, "steps": 2,
    "guidance": 1.0, "generator": "local", "profile": "demo",
}  # fmt: skip


def png(folder: Path, text: str) -> Path:
    info = PngImagePlugin.PngInfo()
    info.add_itxt(CHUNK, text)
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "PNG", pnginfo=info)
    path = folder / "badge.png"
    path.write_bytes(out.getvalue())
    return path


def test_a_plain_recipe_is_read(tmp_path: Path) -> None:
    assert read_recipe(png(tmp_path, json.dumps(FINE))) == Recipe(**FINE)


@pytest.mark.parametrize(
    "change",
    [
        {"size": 60_000}, {"size": -5}, {"size": 0}, {"steps": 10**9}, {"steps": -1}, {"seed": -1}, {"seed": 2**32},
        {"seed": 1.5}, {"guidance": float("inf")}, {"guidance": float("nan")}, {"guidance": 1e9}, {"lora_scale": 1e9},
        {"object": "x" * 3_000}, {"prompt": "x" * 30_000}, {"prompt": "a\x1b[2J"}, {"object": "a\u202eb"}, {"text": 5},
        {"style": ["ribbon"]}, {"generator": None}, {"lora_sha256": "../x"},
        {"versions": {str(n): "1" for n in range(99)}},
        {"profile": "x" * 300}, {"device": "a\x07"},
    ],
)  # fmt: skip
def test_values_beyond_all_bounds_are_refused_by_name(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=f"is damaged: {next(iter(change))}") as caught:
        read_recipe(png(tmp_path, json.dumps(FINE | change)))
    assert len(str(caught.value)) < 400
    assert not {"\x1b", "\u202e", "\n"} & set(str(caught.value))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"seed": ' + "9" * 5_000 + "}", "[" * 50_000, '{"object": "\\ud800"}']
)
def test_what_is_no_recipe_is_refused_in_one_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest):
        read_recipe(png(tmp_path, text))


def test_any_mutation_is_read_or_refused(tmp_path: Path) -> None:
    rng = random.Random(5)
    odd = [None, -1, 0, 10**12, 1e308, "", "x", "\x00", [], {}, True, "replicate", [[]], "9" * 400]
    for _ in range(300):
        values = dict(FINE)
        for key in rng.sample(sorted(FINE), rng.randint(1, 3)):
            values[key] = rng.choice(odd)
        try:
            recipe = read_recipe(png(tmp_path, json.dumps(values)))
        except InvalidRequest:
            continue
        assert 16 <= recipe.size <= 4096
        assert recipe.steps <= 200


@pytest.mark.parametrize(
    "data", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"GIF89a", b"", b"\x89PNG\r\n\x1a\n"]
)
def test_only_a_png_is_opened(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(data)
    with pytest.raises(InvalidRequest, match="not a readable PNG"):
        read_recipe(tmp_path / "x.png")
    with pytest.raises(InvalidRequest, match="not a readable PNG"):
        read_recipe(Path("/dev/zero"))


@pytest.mark.parametrize("elsewhere", ["replicate", "ray"])
@pytest.mark.parametrize("kind", ["demo", "local", "auto"])
def test_a_png_alone_sends_nothing_away(elsewhere: str, kind: str) -> None:
    settings = default_settings()
    generator = settings.generator.model_copy(update={"kind": kind, "fallback_to_replicate": True})
    settings = settings.model_copy(update={"generator": generator})
    recipe = Recipe(**FINE | {"generator": elsewhere})
    with pytest.raises(InvalidRequest, match=f"use --generator {elsewhere}"):
        settings_like(recipe, settings, None)
    assert settings_like(recipe, settings, None, elsewhere).generator.kind == elsewhere
    here = settings_like(Recipe(**FINE), settings, None)
    assert here.generator.fallback_to_replicate is False


def test_a_generator_that_is_configured_stays_the_owners_choice() -> None:
    settings = default_settings()
    settings = settings.model_copy(update={"generator": settings.generator.model_copy(update={"kind": "replicate"})})
    assert settings_like(Recipe(**FINE | {"generator": "replicate"}), settings, None).generator.kind == "replicate"


def test_a_generator_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="'cloud'"):
        settings_like(Recipe(**FINE | {"generator": "cloud"}), default_settings(), None)


@pytest.mark.parametrize("name", ["/etc/passwd", "../../secret.safetensors", "owner/private-repo", "~/.ssh/id_rsa"])
def test_a_lora_that_a_png_names_is_never_opened(name: str, tmp_path: Path) -> None:
    recipe = Recipe(**FINE | {"lora": name, "lora_sha256": "0" * 64})
    with pytest.raises(InvalidRequest, match="name that file with --lora"):
        settings_like(recipe, default_settings(), None)
