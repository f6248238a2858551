"""The plan as a table: for each card and tier what is done; and the sizes it reckons with, counted on real models."""

import re
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.gpu.flops import step_flops
from inference.errors import BackendUnavailable
from inference.local.plan import Plan, plan, smaller
from inference.local.tiers import TIERS, Tier
from inference.models.hardware import GB, Card
from inference.models.profiles import load_profile, profile_names
from inference.models.sizes import (
    FLUX1,
    FLUX1_CONFIG,
    FLUX2_KLEIN_4B,
    FLUX2_KLEIN_4B_CONFIG,
    FLUX2_KLEIN_9B,
    FLUX2_KLEIN_9B_CONFIG,
    Z_IMAGE,
    Z_IMAGE_CONFIG,
)

# What `nvidia-smi` calls so many GB is a little less in bytes that a process can have.
AMPERE, ADA, HOPPER, BLACKWELL = (8, 6), (8, 9), (9, 0), (10, 0)


def card(gb: float, capability: tuple[int, int] = HOPPER) -> Card:
    return Card(f"{gb} GB", "cuda", int(gb * 2**30 * 0.985), capability)


def short(made: Plan) -> str:
    """The plan in a few letters, as the table below spells it."""
    words = [made.tier, made.weights, made.modulation, made.encoders, made.placement]
    words += ["tiles"] if made.tiled_vae else []
    words += ["cache"] if made.step_cache else []
    words += ["compiled"] if made.compiled else []
    return " ".join(words)


STREAMED = "exact plain table-evicted streamed streamed tiles"
TABLE = [
    # profile, GB, capability, tier, plan
    ("flux-dev", 8, AMPERE, "exact", STREAMED),
    ("flux-dev", 12, AMPERE, "exact", STREAMED),
    ("flux-dev", 16, ADA, "exact", STREAMED),
    ("flux-dev", 24, AMPERE, "exact", "exact plain table-evicted streamed whole compiled"),
    ("flux-dev", 24, ADA, "exact", "exact plain table-evicted streamed whole compiled"),
    ("flux-dev", 40, AMPERE, "exact", "exact plain table resident whole compiled"),
    ("flux-dev", 80, HOPPER, "exact", "exact plain table resident whole compiled"),
    ("flux-dev", 8, ADA, "fast", "small nf4 table-evicted streamed whole compiled"),
    ("flux-dev", 8, AMPERE, "small", "small nf4 table-evicted streamed whole compiled"),
    ("flux-dev", 24, ADA, "small", "small nf4 table resident whole compiled"),
    ("flux-dev", 12, AMPERE, "fast", "fast int8 table-evicted streamed whole compiled"),
    ("flux-dev", 12, ADA, "fast", "fast fp8 table-evicted streamed whole compiled"),
    ("flux-dev", 16, BLACKWELL, "fast", "fast fp8 table-evicted streamed whole compiled"),
    ("flux-dev", 24, AMPERE, "fast", "fast int8 table streamed whole compiled"),
    ("flux-dev", 24, BLACKWELL, "fast", "fast fp8 table streamed whole compiled"),
    ("flux-dev", 40, AMPERE, "fast", "fast int8 table resident whole compiled"),
    ("flux-dev", 80, HOPPER, "fast", "fast fp8 table resident whole compiled"),
    ("flux-dev", 24, AMPERE, "turbo", "turbo int8 table streamed whole cache compiled"),
    ("flux-dev", 80, HOPPER, "turbo", "turbo fp8 table resident whole cache compiled"),
    ("flux-krea", 24, ADA, "exact", "exact plain table-evicted streamed whole compiled"),
    ("flux-schnell", 80, HOPPER, "turbo", "turbo fp8 table resident whole compiled"),
    ("flux2-klein-4b", 8, AMPERE, "exact", "exact plain live streamed streamed tiles"),
    ("flux2-klein-4b", 8, ADA, "fast", "fast fp8 live streamed whole compiled"),
    ("flux2-klein-4b", 12, AMPERE, "exact", "exact plain live streamed whole compiled"),
    ("flux2-klein-4b", 16, HOPPER, "fast", "fast fp8 live resident whole compiled"),
    ("flux2-klein-4b", 24, BLACKWELL, "exact", "exact plain live resident whole compiled"),
    ("flux2-klein-4b", 80, HOPPER, "turbo", "turbo fp8 live resident whole compiled"),
]


@pytest.mark.parametrize(("profile", "gb", "capability", "tier", "expected"), TABLE)
def test_table(profile: str, gb: int, capability: tuple[int, int], tier: Tier, expected: str) -> None:
    made = plan(load_profile(profile), card(gb, capability), tier)
    assert short(made) == expected
    assert made.need <= gb * 2**30
    assert made.attention == ("_native_cudnn" if capability >= HOPPER else "native")


@pytest.mark.parametrize("profile", [name for name in profile_names() if name != "demo"])
def test_every_size_has_a_plan_and_more_memory_never_a_slower_one(profile: str) -> None:
    for tier in TIERS:
        ways = [plan(load_profile(profile), card(gb), tier).way for gb in (8, 12, 16, 24, 40, 80)]
        assert ways == sorted(ways, reverse=True)


def test_the_order_of_things() -> None:
    steps = plan(load_profile("flux-dev"), card(24), "turbo").steps
    assert [step.split()[0] for step in steps] == [
        "load", "check", "fuse", "modulation", "quantize", "place", "encoders", "attention", "first-block", "compile",
        "warm",
    ]  # fmt: skip
    line = plan(load_profile("flux-dev"), card(24), "fast").line()
    assert line.startswith(
        "plan: flux-dev fast, about 18.1 GB and 13 GB of main memory: load bfloat16 > check LoRA > fuse LoRA > "
    )
    assert "\n" not in line


def test_the_way_down_ends() -> None:
    profile, big = load_profile("flux-dev"), card(80)
    made, needs = plan(profile, big, "fast"), []
    while made.placement == "whole":
        needs.append(made.need)
        made = smaller(made, profile, big)
    assert needs == sorted(needs, reverse=True)
    assert len(set(needs)) == len(needs) == 6
    with pytest.raises(BackendUnavailable, match="flux2-klein-4b"):
        smaller(made, profile, big)


def test_a_card_too_small_for_anything() -> None:
    with pytest.raises(BackendUnavailable, match=r"does not fit 2 GB \(2 GB\): choose --profile flux2-klein-4b"):
        plan(load_profile("flux-dev"), card(2))


def test_no_card_is_the_bare_pipeline() -> None:
    made = plan(load_profile("demo"), Card("cpu", "cpu", 0), "turbo")
    assert short(made) == "exact plain live resident whole"
    assert made.dtype == "float32"
    assert smaller(made, load_profile("demo"), Card("cpu", "cpu", 0)).label == "exact+tiles"


@pytest.mark.parametrize(("name", "ram"), [("flux2-klein-4b", 14), ("flux-dev", 32)])
def test_without_a_card_full_size_weights_stay_as_they_are_on_the_disk(name: str, ram: int) -> None:
    made = plan(load_profile(name), Card("cpu", "cpu", 0), "turbo")
    assert short(made) == "exact plain live mapped whole tiles"
    assert (made.dtype, made.vae_dtype, made.tiled_vae) == ("bfloat16", "float32", True)
    assert made.ram < ram * GB
    with pytest.raises(BackendUnavailable):
        smaller(made, load_profile(name), Card("cpu", "cpu", 0))


def test_old_cards_draw_in_fp16() -> None:
    made = plan(load_profile("flux2-klein-4b"), card(16, (7, 5)), "fast")
    assert (made.dtype, made.weights) == ("float16", "int8")


def test_not_compiled_when_a_setting_says_so() -> None:
    made = plan(load_profile("flux-dev"), card(80), "exact", compiled=False)
    assert "compile" not in made.steps


def count(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_sizes_are_those_of_the_real_models() -> None:
    import torch
    from diffusers import (
        AutoencoderKL,
        AutoencoderKLFlux2,
        Flux2Transformer2DModel,
        FluxTransformer2DModel,
        ZImageTransformer2DModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, Qwen3Config, Qwen3Model, T5Config, T5EncoderModel

    def block_linears(model: Any) -> int:
        return sum(
            layer.weight.numel()
            for name, layer in model.named_modules()
            if isinstance(layer, torch.nn.Linear)
            and re.search(r"_blocks\.|(layers|refiner)\.\d", name)
            and not re.search("norm|adaLN", name)
        )

    def qwen(hidden: int, intermediate: int) -> Qwen3Config:
        return Qwen3Config(
            vocab_size=151936, hidden_size=hidden, intermediate_size=intermediate, num_hidden_layers=36,
            num_attention_heads=32, num_key_value_heads=8, head_dim=128,
        )  # fmt: skip

    with torch.device("meta"):
        flux1, klein = FluxTransformer2DModel(**FLUX1_CONFIG), Flux2Transformer2DModel(**FLUX2_KLEIN_4B_CONFIG)
        klein9, z_image = Flux2Transformer2DModel(**FLUX2_KLEIN_9B_CONFIG), ZImageTransformer2DModel(**Z_IMAGE_CONFIG)
        four = {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "latent_channels": 16}
        kinds = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
        vae = AutoencoderKL(**four, **kinds, use_quant_conv=False, use_post_quant_conv=False)
        clip = CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
        t5 = T5Config(
            vocab_size=32128,
            d_model=4096,
            d_kv=64,
            d_ff=10240,
            num_layers=24,
            num_heads=64,
            feed_forward_proj="gated-gelu",
        )
        t5_encoder = T5EncoderModel(t5)
        assert (FLUX1.transformer, FLUX1.block_linears) == (count(flux1), block_linears(flux1))
        assert (FLUX1.encoders, FLUX1.vae) == (count(CLIPTextModel(clip)) + count(t5_encoder), count(vae))
        first = t5_encoder.encoder.block[0].layer[0].SelfAttention.q
        assert t5_encoder.shared.weight.numel() + first.weight.numel() == FLUX1.text_visit
        sizes = ((FLUX2_KLEIN_4B, klein, 2560, 9728), (FLUX2_KLEIN_9B, klein9, 4096, 12288))
        for size, model, hidden, intermediate in sizes:
            assert (size.transformer, size.block_linears) == (count(model), block_linears(model))
            text = Qwen3Model(qwen(hidden, intermediate))
            cut = count(text) - 9 * count(text.layers[0]) - count(text.norm)  # see Flux2.trim
            assert (size.encoders, size.vae) == (cut, count(AutoencoderKLFlux2()))
            assert size.text_width == 3 * hidden
            first = text.layers[0].self_attn.q_proj
            assert text.embed_tokens.weight.numel() + first.weight.numel() == size.text_visit
        assert (Z_IMAGE.transformer, Z_IMAGE.block_linears) == (count(z_image), block_linears(z_image))
        # Qwen3-4B's output layer is its embedding.
        assert (Z_IMAGE.encoders, Z_IMAGE.vae) == (count(Qwen3Model(qwen(2560, 9728))), count(vae))


def test_flops_of_a_step() -> None:
    """74.38 TFLOP, the published count: 4096 image and 512 text tokens."""
    dev = load_profile("flux-dev").model_copy(update={"max_sequence_length": 512})
    assert step_flops(FLUX1, dev) / 1e12 == pytest.approx(74.38, abs=0.02)


def test_exact_dev_fits_24_gb_by_the_table_alone() -> None:
    weights = 2 * (FLUX1.transformer - FLUX1.modulation)
    assert weights / GB == pytest.approx(17.3, abs=0.05)


def boxed(gb: float, ram: float, capability: tuple[int, int] = AMPERE, free: float | None = None) -> Card:
    """A card in a box with so many gigabytes of main memory, of which the system itself takes 1.5."""
    whole = card(gb, capability)
    return replace(whole, ram=int((ram - 1.5) * 2**30), free=None if free is None else int(free * 2**30))


@pytest.mark.parametrize(
    ("profile", "gb", "ram", "tier", "expected"),
    [
        ("flux-dev", 24, 64, "exact", "exact plain table-evicted streamed whole compiled"),
        ("flux-dev", 24, 32, "exact", "exact plain table-evicted streamed whole compiled"),
        ("flux-dev", 24, 16, "exact", "exact plain table-evicted mapped whole compiled"),
        ("flux-dev", 80, 16, "exact", "exact plain table resident whole compiled"),
        ("flux-dev", 12, 16, "fast", "fast int8 table-evicted mapped whole compiled"),
        ("flux-dev", 8, 16, "fast", "small nf4 table-evicted mapped whole compiled"),
        ("flux-dev", 8, 64, "exact", STREAMED),
        ("flux2-klein-4b", 8, 16, "exact", "exact plain live mapped streamed tiles"),
        ("flux2-klein-4b", 12, 16, "exact", "exact plain live streamed whole compiled"),
    ],
)
def test_main_memory_counts_too(profile: str, gb: int, ram: int, tier: Tier, expected: str) -> None:
    box = boxed(gb, ram)
    made = plan(load_profile(profile), box, tier)
    assert short(made) == expected
    assert box.ram is not None
    assert made.ram <= box.ram
    assert "of main memory" in made.line()


def test_a_box_with_too_little_main_memory_is_told_what_fits_it() -> None:
    with pytest.raises(
        BackendUnavailable, match=r"needs 27 GB of main memory on .* 16 GB are free: choose --tier small"
    ):
        plan(load_profile("flux-dev"), boxed(8, 16), "exact")


def test_what_others_hold_of_a_card_counts() -> None:
    profile = load_profile("flux-dev")
    assert plan(profile, boxed(80, 64, HOPPER, free=79)).modulation == "table"
    assert plan(profile, boxed(80, 64, HOPPER, free=20)).modulation == "table-evicted"
    with pytest.raises(BackendUnavailable, match=r"1\.1 GB of it free"):
        plan(profile, boxed(80, 64, HOPPER, free=1))


def test_fp8_is_not_planned_where_cublas_refuses_it() -> None:
    ada = card(24, ADA)
    assert plan(load_profile("flux-dev"), replace(ada, cuda="12.9"), "fast").weights == "int8"
    assert plan(load_profile("flux-dev"), replace(ada, cuda="13.0"), "fast").weights == "fp8"


def test_the_step_cache_is_for_flux1_only() -> None:
    assert not plan(load_profile("flux2-klein-base-4b"), card(80), "turbo").step_cache
    assert plan(load_profile("flux-dev"), card(80), "turbo").step_cache


def test_a_vae_never_decodes_in_fp16() -> None:
    turing = plan(load_profile("flux2-klein-4b"), card(16, (7, 5)))
    assert (turing.dtype, turing.vae_dtype) == ("float16", "float32")
    assert plan(load_profile("flux2-klein-4b"), card(16, ADA)).vae_dtype == "bfloat16"
