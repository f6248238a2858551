"""The shipped demo model and its scorer: they load, fit their sizes, and agree about what is in a picture."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from configs.settings import default_settings
from inference.local.generator import LocalGenerator
from inference.models.profiles import PACKAGE, load_profile
from inference.prompt import build_prompt
from inference.types import PortraitRequest
from training.demo import classifier
from training.demo.drawing import aidbox
from training.demo.drawing.illustrator import draw

FOLDER = PACKAGE / "inference" / "demo"


@pytest.fixture(scope="module")
def scorer() -> classifier.Classifier:
    return classifier.load()


def test_the_weights_fit_into_the_package() -> None:
    assert sum(f.stat().st_size for f in FOLDER.rglob("*") if f.is_file()) <= 27_000_000
    assert classifier.WEIGHTS.stat().st_size <= 1_000_000
    assert {f.suffix for f in FOLDER.rglob("*") if f.is_file()} <= {".json", ".safetensors", ".tsv"}


def test_the_folder_is_a_real_flux() -> None:
    from diffusers import FluxPipeline

    pipeline = FluxPipeline.from_pretrained(FOLDER, local_files_only=True, dtype=torch.float32)
    assert type(pipeline.transformer).__name__ == "FluxTransformer2DModel"
    assert pipeline.transformer.config.guidance_embeds
    assert type(pipeline.vae).__name__ == "AutoencoderKL"
    assert type(pipeline.text_encoder).__name__ == "CLIPTextModel"
    assert type(pipeline.text_encoder_2).__name__ == "T5EncoderModel"
    prompt = build_prompt("telescope", default_settings().prompt)
    ids = pipeline.tokenizer_2(prompt).input_ids
    assert len(ids) <= load_profile("demo").max_sequence_length
    assert pipeline.tokenizer_2.unk_token_id not in ids
    strange = pipeline.tokenizer_2("käse 日本 🐟").input_ids  # must not crash
    assert strange[-1] == pipeline.tokenizer_2.eos_token_id


def test_the_scorer_knows_fresh_drawings(scorer: classifier.Classifier) -> None:
    drawings = [draw(80_000_000 + i, supersample=2) for i in range(80)]
    verdicts = scorer.classify([d.image for d in drawings])
    assert sum(v.character == d.character for v, d in zip(verdicts, drawings, strict=True)) >= 78
    assert sum(v.object == d.thing for v, d in zip(verdicts, drawings, strict=True)) >= 75


def test_the_scorer_tells_the_aidbox_samurai_from_the_plain_one(scorer: classifier.Classifier) -> None:
    folder = Path(aidbox.__file__).parents[1] / "heldout_images"
    images = [Image.open(p).convert("RGB") for p in sorted(folder.glob("*.png"))]
    assert min(scorer.character_probability(images, classifier.AIDBOX)) > 0.5
    plain = [draw(i, "samurai warrior").image for i in range(15)]
    assert max(scorer.character_probability(plain, classifier.AIDBOX)) < 0.5


def test_features_are_near_for_what_looks_alike(scorer: classifier.Classifier) -> None:
    same, also, other = scorer.features([draw(s, c, "key").image for s, c in ((1, "chef"), (2, "chef"), (3, "robot"))])
    assert same.norm().item() == pytest.approx(1, abs=1e-4)
    assert same @ also > same @ other


def test_the_shipped_model_draws_what_the_front_page_shows(scorer: classifier.Classifier) -> None:
    settings = default_settings()
    generator = LocalGenerator(load_profile("demo"), settings.local.model_copy(update={"lora": "none"}))
    images = [
        generator.generate(PortraitRequest(build_prompt(thing, settings.prompt), 7)).image
        for thing in ("telescope", "fish")
    ]
    verdicts = scorer.classify(images)
    assert [v.object for v in verdicts] == ["telescope", "fish"]
    assert {v.character for v in verdicts} == {"samurai warrior"}


def test_capital_letters_change_nothing() -> None:
    settings = default_settings().local.model_copy(update={"steps": 2})
    with LocalGenerator(load_profile("demo"), settings) as generator:
        small, large = (
            generator.generate(PortraitRequest(f"samurai warrior badge, character holding {thing}", seed=3)).image
            for thing in ("magnifying glass", "Magnifying Glass")
        )
    assert small.tobytes() == large.tobytes()
