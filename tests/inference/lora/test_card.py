"""A LoRA's header: written, read, stamped on another file without touching its tensors."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.errors import RenderFailed
from inference.lora.card import LoraCard, card_from, read_card, stamp
from inference.lora.file import LoraError

CARD = LoraCard(
    trigger="aidbox_samurai_style", base_model="black-forest-labs/FLUX.1-dev", base_revision="3de623f", family="flux1",
    rank=16, alpha=16, steps=1000, data_sha256="ab" * 32, trainer="replicate", recipe={"steps": 1000, "lr": 4e-4},
)  # fmt: skip


def test_stamping_keeps_the_tensors_and_other_metadata(tmp_path: Path) -> None:
    tensors = {"a.lora_A.weight": torch.randn(4, 8), "a.lora_B.weight": torch.randn(8, 4).half()}
    save_file(tensors, tmp_path / "in.safetensors", {"theirs": "kept"})
    stamp(tmp_path / "in.safetensors", tmp_path / "out.safetensors", CARD)
    assert read_card(tmp_path / "out.safetensors") == CARD
    found = load_file(tmp_path / "out.safetensors")
    assert all(found[name].equal(tensor) for name, tensor in tensors.items())
    from inference.lora.file import read_header

    metadata = read_header(tmp_path / "out.safetensors").metadata
    assert metadata["theirs"] == "kept"
    assert metadata["modelspec.trigger_phrase"] == "aidbox_samurai_style"
    assert read_card(tmp_path / "in.safetensors") is None


def test_what_is_no_lora_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pickle.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(LoraError, match="pickle"):
        stamp(tmp_path / "pickle.safetensors", tmp_path / "out.safetensors", CARD)
    save_file({"x": torch.zeros(1)}, tmp_path / "in.safetensors")
    with pytest.raises(RenderFailed, match="cannot write"):
        stamp(tmp_path / "in.safetensors", tmp_path / "missing" / "out.safetensors", CARD)
    assert {p.name for p in tmp_path.iterdir()} == {"pickle.safetensors", "in.safetensors"}


def test_a_damaged_card_reads_as_none() -> None:
    assert card_from({"badge.trigger": "x"}) is None
    assert card_from({**CARD.metadata(), "badge.rank": "{"}) is None
    assert card_from({"other": "x"}) is None
