"""`python -m bot --check` about what draws: each thing that a first run stumbles over has its line."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bot.operations import check, check_drawing
from bot.operations.check_line import Check
from configs.settings import load_settings
from inference.errors import OperatorNeeded
from inference.local import held
from inference.models import base_weights, hardware
from inference.models.hardware import GB, Card
from inference.models.profiles import load_profile
from inference.models.room import Download
from tests.bot.operations.test_operations import command
from tests.bot.running import RunningBot
from tests.fakes.hub import FakeHub, hub
from tests.fakes.telegram_api import TelegramServer
from tests.inference.test_fetch import PROFILE, model

ADA = Card("NVIDIA RTX 4090", "cuda", 24 * GB, (8, 9), free=23 * GB, ram=60 * GB, cuda="12.8")


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Calls `drawing` with these settings, as BADGE_SECTION__KEY; its findings by name."""

    def drawn(**names: str) -> dict[str, Check]:
        monkeypatch.setenv("BADGE_DATA_DIR", str(tmp_path))
        for name, value in names.items():
            monkeypatch.setenv(f"BADGE_{name.upper()}", value)
        return {found.what: found for found in check_drawing.drawing(load_settings())}

    return drawn


def put(monkeypatch: pytest.MonkeyPatch, card: Card) -> None:
    """A machine with this card."""
    monkeypatch.setattr("inference.choice.cuda_available", lambda: True)
    monkeypatch.setattr(check_drawing, "cuda_available", lambda: True)
    monkeypatch.setattr(check_drawing, "find_card", lambda device: card)
    monkeypatch.setattr(held, "find_card", lambda device: card)


def test_a_card_with_its_driver_and_the_plan_in_its_free_memory(
    rows, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(monkeypatch, ADA)
    driver = tmp_path / "version"
    driver.write_text("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\n")
    monkeypatch.setattr(hardware, "_DRIVER", driver)
    found = rows(local__tier="small")
    assert found["card"].found == "NVIDIA RTX 4090, 23.0 of 24.0 GB free; driver 570.86.15, torch for CUDA 12.8"
    needs = re.fullmatch(
        r"flux-dev, small on NVIDIA RTX 4090: needs (.+) GB of the card \(23.8 free\) and (.+) GB of main memory "
        r"\(60.0 free\)",
        found["plan"].found,
    )
    assert needs, found["plan"]
    assert 6 < float(needs[1]) < 23.8
    assert found["plan"].state == "ok"


def test_a_plan_in_another_tier_than_asked_for_and_a_card_that_is_full(rows, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, replace(ADA, memory=10 * GB, free=10 * GB))
    assert rows(local__tier="fast")["plan"].found.startswith("flux-dev, small instead of fast on")
    put(monkeypatch, replace(ADA, free=1 * GB))
    assert rows()["plan"].state == "FAILED"
    assert "24 GB, 1.0 GB of it free" in rows()["plan"].found


def test_a_library_that_the_plan_needs_and_that_is_not_there(rows, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, ADA)
    assert "library" not in rows(local__tier="small")
    monkeypatch.setattr(check_drawing, "find_spec", lambda name: None)
    assert rows(local__tier="small")["library"].advice == "pip install .[gpu]"
    assert "bitsandbytes" in rows(local__tier="small")["library"].found
    assert "library" not in rows(local__tier="exact")


def test_a_driver_whose_card_torch_does_not_see(rows, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hardware, "_CUDA_TRACES", (str(tmp_path),))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    card = rows(generator__kind="demo")["card"]
    assert card.state == "warning"
    assert card.found == "driver unknown, but no card for torch: the installed torch is a build for the CPU alone"
    monkeypatch.setattr(torch.version, "cuda", "12.8")

    def too_old() -> None:
        raise RuntimeError("The NVIDIA driver on your system is too old (found version 11040).\nPlease update")

    monkeypatch.setattr(torch.cuda, "init", too_old)
    assert rows(generator__kind="demo")["card"].found.endswith("is too old (found version 11040).")


@pytest.mark.parametrize(
    ("script", "state", "said"),
    [
        ("exit 0", "ok", "with Python's headers"),
        ("echo 'probe.c:1: fatal error: Python.h: No such file' >&2; exit 1", "warning", "cannot compile: probe.c:1:"),
        ("exit 1", "warning", "no reason given"),
        ("", "warning", "cannot be run: FileNotFoundError"),
    ],
)
def test_a_compiler_is_tried(rows, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, state: str, said: str):
    put(monkeypatch, ADA)
    compiler = tmp_path / "cc"
    if script:
        compiler.write_text(f"#!/bin/sh\n{script}\n")
        compiler.chmod(0o700)
    monkeypatch.setenv("CC", str(compiler))
    found = rows()["compiler"]
    assert (found.state, said in found.found) == (state, True), found
    assert rows(local__compile="false")["compiler"].found == "not needed here"


def test_too_little_main_memory_without_a_card(rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "find_card", lambda device: Card("cpu", "cpu", 0, ram=8 * GB))
    plan = rows(generator__kind="local", generator__profile="flux2-klein-4b")["plan"]
    assert plan.state == "warning"
    assert re.search(r"needs 1\d\.\d GB of main memory \(8\.0 free\)", plan.found)


@pytest.mark.parametrize(
    ("names", "side", "state", "said"),
    [
        ("transformer.single_transformer_blocks.0.proj_mlp", 320, "ok", "SHA-256"),
        ("transformer.single_transformer_blocks.0.proj_mlp", 3072, "warning", "no layer of this model's width, "),
        (
            "transformer.single_transformer_blocks.0.attn.to_qkv_mlp_proj",
            320,
            "warning",
            "by its tensor names made for FLUX.2",
        ),
    ],
)
def test_a_lora_of_another_model(rows, tmp_path: Path, names: str, side: int, state: str, said: str) -> None:
    side = check_drawing._width(load_profile("demo")) if side == 320 else side
    halves = {f"{names}.lora_A.weight": torch.zeros(2, side), f"{names}.lora_B.weight": torch.zeros(side, 2)}
    save_file(halves, tmp_path / "style.safetensors")
    lora = rows(generator__kind="demo", local__lora=str(tmp_path / "style.safetensors"))["LoRA"]
    assert (lora.state, said in lora.found) == (state, True), lora


def test_every_preset_with_a_lora_of_its_own_is_looked_at(rows, tmp_path: Path) -> None:
    presets = {"plain": {"lora": "none"}, "fox": {"lora": str(tmp_path / "fox.safetensors")}, "other": {}}
    found = rows(generator__kind="demo", presets=json.dumps(presets))
    assert found["LoRA of plain"].state == "ok"
    assert found["LoRA of fox"].state == "FAILED"
    assert "presets.fox.lora" in found["LoRA of fox"].advice
    assert "LoRA of other" not in found
    hosted = rows(generator__kind="replicate", replicate__model="owner/model", presets=json.dumps(presets))
    assert "the LoRA of fox is not used" in hosted["LoRA"].found


@pytest.mark.parametrize(
    ("token", "gated", "claimed", "said"),
    [
        ("", True, 0, r"(?s)Hub token +FAILED +HF_TOKEN is not set\n +-> accept the .*weights +FAILED .*accept"),
        ("hf_wrong", False, 0, r"Hub token +FAILED +the Hub says 401\n +-> make a new one at"),
        ("hf_right", False, 0, r"(?s)Hub token +ok +the account acme.*weights +warning .*0.0 GB of 0.0 GB are"),
        ("hf_right", False, 10**16, r"weights +FAILED +FLUX.1 dev needs 10000000.0 GB more"),
    ],
    ids=["gated", "wrong token", "to download", "no room"],
)  # fmt: skip
def test_what_the_hub_says(
    server: TelegramServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    gated: bool,
    claimed: int,
    said: str,
) -> None:
    fake = model()
    fake.token, fake.gated = "hf_right", gated
    if claimed:
        fake.claimed["transformer/diffusion_pytorch_model.safetensors"] = claimed
    with hub(fake):
        _ask(fake, folder, monkeypatch, token)
        bot = RunningBot(server, folder, generator__kind="local", local__lora="none")
        done = command(bot, "--check")
    assert re.search(said, done.stdout), done.stdout + done.stderr
    assert "hf_right" not in done.stdout + done.stderr


def test_the_bot_does_not_start_where_the_weights_cannot_fit(
    server: TelegramServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = model()
    fake.claimed["transformer/diffusion_pytorch_model.safetensors"] = 10**16
    with hub(fake):
        _ask(fake, folder, monkeypatch, "")
        done = command(RunningBot(server, folder, generator__kind="local", local__lora="none"))
    assert done.returncode == 1
    assert "error: FLUX.1 dev needs 10000000.0 GB more" in done.stderr
    assert server.calls == []


def test_a_first_start_says_how_much_the_first_badge_waits_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    def planned(profile: object, token: str) -> Download:
        return Download(PROFILE.repo, "c", {"a": size}, frozenset(), tmp_path)

    monkeypatch.setattr(base_weights, "planned", planned)
    size = 10**6
    base_weights.require_fits(PROFILE)
    assert (
        "FLUX.1 dev: the first badge waits for a download of 0.0 GB; python -m inference.fetch flux-dev" in caplog.text
    )
    size = 10**16
    with pytest.raises(OperatorNeeded):
        base_weights.require_fits(PROFILE)


def test_proxies_are_named_without_their_passwords(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BADGE_DATA_DIR", str(tmp_path))
    for name in ("HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://anna:secret@proxy.example:3128")  # pragma: allowlist secret
    monkeypatch.setenv("NO_PROXY", "huggingface.co")
    found = check._proxies(load_settings())
    assert found.found == "Telegram through proxy.example:3128, Replicate through proxy.example:3128"
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy.example:1080")
    assert check._proxies(load_settings()).state == "FAILED"


def _ask(fake: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """Let processes that are started from now on ask this Hub."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {"HF_ENDPOINT": fake.url, "HF_HOME": str(folder / "hub"), "HF_HUB_OFFLINE": "0", "HF_TOKEN": token}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
