"""Trainings with a card's arithmetic on the CPU: bf16 base, fp32 LoRA, autocast, compiled blocks, 8-bit moments."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import training.local.speed
from configs import default_settings
from inference.local.encoders import pass_through
from inference.models.profiles import base_profile
from tests.card.arithmetic import compiled_blocks
from tests.training.pictures import job_for
from training.errors import TrainingFailed
from training.local.artifacts.checkpoint import State, load_checkpoint, save_checkpoint
from training.local.base import open_base
from training.local.loop import make_optimizer
from training.local.material.cache import _fit
from training.local.memory_plan import FLUX1, make_plan
from training.local.speed import speed_up
from training.local.trainer import LocalTrainer
from training.trainer import Status, TrainedLora

# The compiler itself looks at gradients of what has none, and hides the warning in a way that makes it an error here.
pytestmark = [pytest.mark.usefixtures("tiny"), pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")]
FULL: dict[str, Any] = {
    "plan": "bf16", "sample_every": 8, "sample_objects": ("kite",), "preserve": 0.3, "preserve_pictures": 2,
    "export": ("comfyui",),
}  # fmt: skip


class Stop(Exception):
    """Raised by a status callback, as Ctrl-C is."""


def train(stop_at: int = 0, **values: Any) -> TrainedLora | None:
    def told(status: Status) -> None:
        if status.stage == "training" and status.step == stop_at:
            raise Stop

    try:
        return LocalTrainer(default_settings()).train(job_for(**FULL | values), told)
    except Stop:
        return None


def graphs() -> tuple[int, dict[str, int]]:
    """(compiled graphs, times that a block hit torch's limit) since the counters were cleared."""
    counters = torch._dynamo.utils.counters
    return counters["stats"]["unique_graphs"], dict(counters["recompile_limit"])


def whole(out: Path) -> None:
    """Samples of every kind were drawn, and both forms of the LoRA are there."""
    assert sorted(p.parent.name for p in out.glob("samples/*/1.png")) == [f"step-{n:06d}" for n in (0, 8, 12)]
    assert {p.name for p in out.glob("*.safetensors")} == {"lora.safetensors", "lora-comfyui.safetensors"}


def test_a_compiled_flux1_training_is_whole_and_resumes_from_a_stop(six_pictures: Path, tmp_path: Path) -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    with compiled_blocks():
        assert train(6, data=six_pictures, out=tmp_path, batch=1) is None
        stopped_at = graphs()
        done = train(data=six_pictures, out=tmp_path, batch=1, resume=True)
    assert done is not None
    assert done.path == tmp_path / "lora.safetensors"
    whole(tmp_path)
    # Two kinds of blocks, two sizes: the steps alone, since samples and scores run eagerly.
    assert stopped_at[0] <= 8
    assert graphs()[1] == {}
    state = load_file(tmp_path / "checkpoints" / "step-000012.safetensors")
    assert all(t.dtype == torch.float32 for name, t in state.items() if name.startswith("raw."))


def test_a_flux2_training_in_a_cards_arithmetic_is_whole(six_pictures: Path, tmp_path: Path) -> None:
    done = train(data=six_pictures, out=tmp_path, profile="tiny2")
    assert done is not None
    whole(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("profile", "compiled"), [("tiny", False), ("tiny", True), ("tiny2", True)])
def test_resumed_equals_unbroken(six_pictures: Path, tmp_path: Path, profile: str, compiled: bool) -> None:
    """Slow: two whole trainings each."""
    from contextlib import nullcontext

    with compiled_blocks() if compiled else nullcontext():
        train(6, data=six_pictures, out=tmp_path / "one", profile=profile)
        train(data=six_pictures, out=tmp_path / "one", profile=profile, resume=True)
        train(data=six_pictures, out=tmp_path / "two", profile=profile)
    one, two = (load_file(tmp_path / name / "lora.safetensors") for name in ("one", "two"))
    assert max(float((one[name].float() - two[name].float()).abs().max()) for name in one) == 0


class FewLayers:
    """As much of `LoraLayers` as optimizer and checkpoint see."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        # bitsandbytes keeps tensors of fewer than 4096 values in 32 bits: one of them, too.
        self.raw = [torch.nn.Parameter(torch.randn(n, generator=generator)) for n in (8192, 4096, 64)]
        self.names = [str(n) for n in range(len(self.raw))]

    def values(self, *, averaged: bool) -> dict[str, torch.Tensor]:
        return {name: p.detach().clone() for name, p in zip(self.names, self.raw, strict=True)}

    @torch.no_grad()
    def load(self, raw: dict[str, torch.Tensor], average: dict[str, torch.Tensor]) -> None:
        for name, parameter in zip(self.names, self.raw, strict=True):
            parameter.copy_(raw[name])

    def step(self, optimizer: torch.optim.Optimizer, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for parameter in self.raw:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimizer.step()


@pytest.mark.parametrize("eight_bit", [False, True])
def test_the_optimizers_state_goes_through_a_checkpoint(tmp_path: Path, eight_bit: bool) -> None:
    if eight_bit:
        pytest.importorskip("bitsandbytes")
    job, one, two = job_for(data=tmp_path, out=tmp_path), FewLayers(), FewLayers()
    first: Any = one
    optimizer = make_optimizer(first, job, eight_bit=eight_bit)
    for seed in range(3):
        one.step(optimizer, seed)
    path = save_checkpoint(tmp_path, State(3, {}), first, optimizer)
    second: Any = two
    again = make_optimizer(second, job, eight_bit=eight_bit)
    assert load_checkpoint(path, second, again).step == 3
    for seed in range(3, 6):
        one.step(optimizer, seed)
        two.step(again, seed)
    assert max(float((p - q).detach().abs().max()) for p, q in zip(one.raw, two.raw, strict=True)) == 0
    # Three steps later the state still matters: an optimizer that lost it goes elsewhere.
    fresh: Any = SimpleNamespace(raw=[torch.nn.Parameter(p.detach().clone()) for p in one.raw])
    lost = make_optimizer(fresh, job, eight_bit=eight_bit)
    one.step(optimizer, 9)
    FewLayers.step(fresh, lost, 9)
    assert max(float((p - q).detach().abs().max()) for p, q in zip(one.raw, fresh.raw, strict=True)) > 0


def test_eight_bits_are_for_bases_that_had_to_be_quantized() -> None:
    """The 8-bit optimizer makes the host wait for the card after every tensor."""
    plans = {k: make_plan(FLUX1, 0, resolutions=(512,), batch=1, rank=16, wanted=k) for k in ("bf16", "int8", "nf4")}
    assert {kind: plan.eight_bit for kind, plan in plans.items()} == {"bf16": False, "int8": True, "nf4": True}


@pytest.mark.parametrize(
    ("capability", "head", "backend"),
    [((9, 0), 128, "_native_cudnn"), ((9, 0), 64, "native"), ((8, 9), 128, "native")],
)
def test_cudnns_backward_is_for_the_heads_it_was_seen_to_work_with(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], head: int, backend: str
) -> None:
    """With heads of 64 it ended in an illegal memory access on an H100, also when torch itself chose it."""
    chosen: list[str] = []
    transformer: Any = SimpleNamespace(
        config=SimpleNamespace(attention_head_dim=head), set_attention_backend=chosen.append
    )
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: capability)
    before = torch.backends.cuda.cudnn_sdp_enabled()
    try:
        speed_up(transformer, torch.device("cuda"), compiled=False)
        assert chosen == [backend]
        assert torch.backends.cuda.cudnn_sdp_enabled() == (backend == "_native_cudnn")
    finally:
        torch.backends.cuda.enable_cudnn_sdp(before)


def test_without_a_compiler_training_goes_on_uncompiled_and_says_so_once(
    six_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_graph: object, _inputs: object) -> Any:
        raise RuntimeError("Failed to find C compiler. Please specify via CC environment variable.")

    small = {"sample_every": 0, "preserve": 0.0, "export": (), "data": six_pictures, "steps": 4}
    torch._dynamo.reset()
    with compiled_blocks():
        monkeypatch.setattr(training.local.speed, "COMPILE_OPTIONS", {"backend": broken})
        with caplog.at_level("WARNING", "training.local.loop"):
            assert train(out=tmp_path / "one", **small) is not None
    told = [record.getMessage() for record in caplog.records if "uncompiled" in record.getMessage()]
    assert len(told) == 1
    assert "gcc g++ python3-dev" in told[0]
    assert train(out=tmp_path / "two", **small) is not None
    one, two = (load_file(tmp_path / name / "lora.safetensors") for name in ("one", "two"))
    assert all(one[name].equal(two[name]) for name in one)


def test_when_memory_runs_out_the_next_smaller_plan_goes_on(
    six_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The words are cuBLAS's own: not only torch's allocator runs out."""
    from training.local import training as local
    from training.local.loop import Loop

    real_plan, real_step = local._plan, Loop.step
    tried = []

    def as_on_a_card(job: Any, base: Any, ranks: Any) -> Any:
        return real_plan(job.model_copy(update={"plan": "bf16"}), base, ranks)

    def step(loop: Loop, number: int) -> None:
        checkpointing = loop._lora.transformer.is_gradient_checkpointing
        tried.append((number, checkpointing))
        if number == 6 and not checkpointing:
            raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")
        real_step(loop, number)

    monkeypatch.setattr(local, "_plan", as_on_a_card)
    monkeypatch.setattr(Loop, "step", step)
    small = {"sample_every": 0, "preserve": 0.0, "export": (), "data": six_pictures, "steps": 8, "plan": "auto"}
    with caplog.at_level("WARNING", "training.local.training"):
        done = train(out=tmp_path / "out", **small)
    assert done is not None
    # From the checkpoint of step 4 on, with checkpointing.
    assert tried == [(n, False) for n in range(7)] + [(n, True) for n in range(4, 8)]
    assert "not enough memory for the plan bf16: going on with checkpointing" in caplog.text
    with pytest.raises(TrainingFailed, match=r"plan bf16: set training.plan to checkpointing, .* --resume"):
        train(out=tmp_path / "by hand", **small | {"plan": "bf16"})


def test_kleins_encoder_stays_on_a_card_of_24_gb_and_passes_through_one_of_8(monkeypatch: pytest.MonkeyPatch) -> None:
    qwen3 = 2 * 4_022_468_096
    for memory, stays in ((24, True), (12, True), (8, False)):
        free = round(memory * 0.95 * 2**30)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda *_, free=free: (free, free))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "a card")
        assert _fit(qwen3, torch.device("cuda")) == stays
    assert _fit(qwen3, torch.device("cpu"))


def test_passing_through_encodes_the_same(tiny: Path) -> None:
    """The same tensors, layer by layer; on a CPU all layers visit where they are."""
    base = open_base(base_profile("tiny2"))
    resident, passing = (base.load_encoders(torch.float32) for _ in range(2))
    pass_through(passing.text_encoder, torch.device("cpu"))
    assert base.encode(resident, "samurai").embeds.equal(base.encode(passing, "samurai").embeds)
