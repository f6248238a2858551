"""Guesses of a captioning model on the naming page: a real BLIP, tiny, that was taught three pictures."""

import asyncio
from pathlib import Path

import pytest
from PIL import Image

from configs import default_settings
from tests.chromium import needs_chromium, tab
from tests.training.dataset.test_name import CAPTION, RULE, served
from training.dataset.captioner import BEGUN, Captioner, held
from training.dataset.naming import Naming

SHOWN = {"red": "a red lantern with a flame", "blue": "a sword", "green": "sword sword sword"}
"""What the model says of a picture of one colour; the last is what a model says that knows nothing."""


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BLIP with one small layer a side that says SHOWN, saved as every BLIP of the Hub is."""
    import torch
    from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipProcessor
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    folder = tmp_path_factory.mktemp("blip")
    sentences = [f"{BEGUN} {said}" for said in SHOWN.values()]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(" ".join(sentences).split())]
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {"vocab_size": len(words), "encoder_hidden_size": 32, "max_position_embeddings": 32, **small}
    ends = {"bos_token_id": 2, "pad_token_id": 0, "eos_token_id": 3, "sep_token_id": 3}
    torch.manual_seed(0)
    config = BlipConfig(text_config={**text, **ends}, vision_config={"image_size": 32, "patch_size": 16, **small})
    model = BlipForConditionalGeneration(config)
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(words)})
    processor = BlipProcessor(BlipImageProcessorPil(size={"height": 32, "width": 32}), tokenizer)
    pictures = [Image.new("RGB", (64, 64), colour) for colour in SHOWN]
    batch = processor(images=pictures, text=sentences, return_tensors="pt", padding=True)
    labels = batch["input_ids"].masked_fill(batch["input_ids"] == 0, -100)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(150):
        optimizer.zero_grad()
        model(**batch, labels=labels).loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One picture a colour, none with a name that says anything."""
    folder = tmp_path / "set"
    folder.mkdir()
    for number, colour in enumerate(SHOWN, 1):
        Image.new("RGB", (512, 512), colour).save(folder / f"IMG_{number}.png")
    return folder


def test_a_model_on_the_disk_guesses(blip: Path) -> None:
    captioner = Captioner(str(blip))
    assert captioner.ready
    guesses = [captioner.guess(Image.new("RGBA", (100, 80), colour)) for colour in SHOWN]
    assert guesses == ["red lantern", "sword", ""]


def test_what_is_no_model_guesses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert not Captioner("").ready
    assert not Captioner("owner/not-on-this-disk").ready
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    broken = Captioner(str(tmp_path))
    assert broken.ready
    assert not broken.guess(Image.new("RGB", (64, 64)))
    assert not broken.ready
    assert "cannot be used, nothing is guessed" in caplog.text


def test_only_an_object_is_taken_from_a_sentence() -> None:
    for sentence, thing in (
        ("his golden trumpet, standing on a hill", "golden trumpet"),
        ("up a cup of tea", "cup of tea"),
        ("a sword in his hand and a shield", "sword"),
        ("on", ""),
        ("", ""),
        ("a very long story of many things that nobody holds", ""),
    ):
        assert held(sentence) == thing


@needs_chromium
def test_the_page_shows_guesses_that_a_person_keeps_or_overwrites(blip: Path, folder: Path, tmp_path: Path) -> None:
    async def person(url: str) -> None:
        async with tab(url, tmp_path / "browser", width=390) as page:
            await page.until("document.querySelectorAll('input[type=text]')[1].value === 'sword'")
            values = "[...document.querySelectorAll('input[type=text]')].map(field => field.value)"
            assert await page.value(values) == ["red lantern", "sword", ""]
            assert not list(folder.glob("*.txt"))  # a guess is nobody's word
            await page.press("Enter", 13, "\r")
            await page.until("document.querySelector('.caption').textContent.includes('red lantern')")
            await page.write("drum")  # what was guessed is selected: typing takes its place
            await page.press("Enter", 13, "\r")
            await page.until("document.querySelectorAll('.caption')[1].textContent.includes('drum')")

    captioner = Captioner(str(blip))
    with served(folder, Naming(folder, RULE, default_settings().translation, captioner)) as url:
        asyncio.run(person(url))
    assert {path.name: path.read_text() for path in folder.glob("*.txt")} == {
        "IMG_1.txt": CAPTION.format("red lantern"),
        "IMG_2.txt": CAPTION.format("drum"),
    }
