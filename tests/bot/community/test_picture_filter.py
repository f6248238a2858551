"""The picture filter, with a tiny ViT of random weights instead of a real classifier: the wiring, not its judgement."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr

from bot.operations.check_community import community
from configs.settings import default_settings
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import TelegramServer


def write_classifier(folder: Path, unwanted: float) -> Path:
    """A ViTForImageClassification that gives every picture this probability of `nsfw`."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32, patch_size=16,
        id2label={0: "normal", 1: "nsfw"}, label2id={"normal": 0, "nsfw": 1},
    )  # fmt: skip
    model = ViTForImageClassification(config)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([1 - unwanted, unwanted]).log())
    model.save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def prudish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classifier(tmp_path_factory.mktemp("prudish"), 0.8)


@pytest.mark.parametrize(("threshold", "shown"), [(0.75, False), (0.85, True)])
def test_a_portrait_above_the_threshold_is_not_shown(
    server: TelegramServer, folder: Path, prudish: Path, threshold: float, shown: bool
) -> None:
    settings = {"bot__picture_filter": str(prudish), "bot__picture_threshold": str(threshold)}
    with RunningBot(server, folder, bot__messages_per_second="1000", **settings) as bot:
        anna = server.person(1)
        anna.say("/badge telescope | UX SCOUT")
        if shown:
            anna.waits_for("бейдж готов")
            return
        told = anna.waits_for("Фильтр не пропустил")
        assert told.buttons() == {}
        assert "не одобрен" in anna.toast(anna.press(told, "", data="file:1"))
        assert anna.badges() == []
        assert "the picture filter gives this portrait 0.80, 0.75 is refused" in bot.said()


def test_a_model_that_is_missing_is_the_operators_matter(server: TelegramServer, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    settings = {"bot__picture_filter": str(tmp_path / "empty"), "bot__admins": "[700]"}
    with RunningBot(server, folder, bot__messages_per_second="1000", **settings):
        anna, boss = server.person(1), server.person(700)
        anna.say("/badge telescope | UX SCOUT")
        anna.waits_for("Пока не могу рисовать")
        assert str(tmp_path / "empty") in boss.waits_for("picture filter").text


def calibrate(pictures: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    bot = RunningBot(TelegramServer(), pictures, **env)
    command = [sys.executable, "-m", "bot", "--calibrate-filter", str(pictures)]
    with bot.server:
        return subprocess.run(command, capture_output=True, text=True, env=bot.environment(), check=False)


def test_the_threshold_is_found_from_pictures_that_are_wanted(tmp_path: Path) -> None:
    mild = write_classifier(tmp_path / "mild", 0.3)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(3):
        Image.new("RGB", (64, 64), (number * 40, 90, 20)).save(pictures / f"{number}.png")
    (pictures / "notes.txt").write_text("not a picture")
    (pictures / "broken.png").write_bytes(b"not a picture")
    done = calibrate(pictures, bot__picture_filter=str(mild))
    assert done.returncode == 0, done.stderr
    assert "3 pictures" in done.stdout
    assert "bot.picture_threshold = 0.65" in done.stdout
    assert "left out: the picture broken.png" in done.stderr
    sure = write_classifier(tmp_path / "sure", 0.95)
    assert "take another model" in calibrate(pictures, bot__picture_filter=str(sure)).stdout
    assert calibrate(pictures).returncode == 2


def test_check_says_where_the_filter_is(prudish: Path, tmp_path: Path) -> None:
    def finding(source: str) -> tuple[str, str]:
        settings = default_settings()
        bot = settings.bot.model_copy(update={"picture_filter": source})
        secrets = settings.secrets.model_copy(update={"telegram_bot_token": SecretStr("")})
        found = community(settings.model_copy(update={"bot": bot, "secrets": secrets}))
        return next((each.state, each.found) for each in found if each.what == "picture filter")

    assert finding("") == ("ok", "off (bot.picture_filter)")
    assert finding(str(prudish)) == ("ok", f"{prudish} is on this disk")
    assert finding("nobody/no-such-model")[0] == "FAILED"
