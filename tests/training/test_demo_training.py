"""The demo's training loop: killed anywhere and started again it ends with the weights of an unbroken run."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training.demo.model import loop, muon


def _net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.GELU(), nn.Linear(16, 3))


def _run(path: Path, dies_at: int | None = None, steps: int = 20) -> nn.Module:
    net = _net()

    def loss_of(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        if step == dies_at:
            raise KeyboardInterrupt
        x = torch.randn(8, 6, generator=generator)
        return {"fit": (net(x) - x[:, :3].sin()).square().mean()}

    plan = loop.Schedule(steps, warmup=3, ema=0.9, save_every=4, log_every=5)
    return loop.train(path, net, muon.optimizers_for(net, 1e-2), loss_of, plan)


def _weights(net: nn.Module) -> Tensor:
    return torch.cat([p.flatten() for p in net.parameters()])


@pytest.mark.parametrize("dies_at", [4, 7, 18])
def test_a_killed_run_goes_on_exactly(tmp_path: Path, dies_at: int) -> None:
    whole = _run(tmp_path / "whole.pt")
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "killed.pt", dies_at)
    assert torch.load(tmp_path / "killed.pt", weights_only=True)["step"] == dies_at // 4 * 4
    assert torch.equal(_weights(_run(tmp_path / "killed.pt")), _weights(whole))
    assert not torch.equal(_weights(whole), _weights(_net()))


def test_half_a_checkpoint_is_never_seen(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    loop.save_atomic({"step": 1}, path)

    class Unsavable:
        def __reduce__(self) -> str:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        loop.save_atomic({"step": 2, "bad": Unsavable()}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    net = _net()
    with pytest.raises(FloatingPointError, match="at step 0: lower the learning rate"):
        loop.train(
            tmp_path / "nan.pt",
            net,
            muon.optimizers_for(net, 1e-2),
            lambda step, generator: {"bad": net(torch.full((1, 6), float("nan"))).sum()},
            loop.Schedule(5),
        )
    assert not (tmp_path / "nan.pt").exists()


def test_the_rate_rises_and_falls_to_nearly_nothing() -> None:
    plan = loop.Schedule(100, warmup=10, decay_from=0.5)
    assert plan.factor(0) == pytest.approx(0.1)
    assert plan.factor(30) == 1.0
    assert plan.factor(99) < 0.02


def test_muon_makes_updates_orthogonal() -> None:
    torch.manual_seed(1)
    values = torch.linalg.svdvals(muon.orthogonal(torch.randn(2, 24, 10), steps=8).float())
    assert float(values.min()) > 0.5
    assert float(values.max()) < 1.4
