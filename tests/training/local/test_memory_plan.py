"""The parts that are plain arithmetic: memory plans by card, sizes, what a step trains on, rates, the choice."""

import shutil
import subprocess
import sys

import pytest

from tests.training.pictures import job_for
from training.errors import TrainerUnavailable
from training.local.judge import Score, choose
from training.local.loop import learning_rate
from training.local.material.buckets import bucket, cover_box, usable_sizes
from training.local.memory_plan import FLUX1, FLUX2_KLEIN_4B, GIB, RESERVE, BaseShape, make_plan
from training.local.sampler import Sampler

MIXED = (512, 768, 1024)


@pytest.mark.parametrize(
    ("model", "gigabytes", "resolutions", "kind"),
    [
        (FLUX1, 80, MIXED, "bf16"),
        (FLUX1, 48, (512,), "bf16"),
        (FLUX1, 48, MIXED, "checkpointing"),
        (FLUX1, 40, MIXED, "checkpointing"),
        (FLUX1, 24, MIXED, "int8"),
        (FLUX1, 24, (512,), "int8"),
        (FLUX1, 16, (512,), "int8"),
        (FLUX1, 16, MIXED, "nf4"),
        (FLUX1, 12, MIXED, "nf4"),
        (FLUX1, 12, (512,), "nf4"),
        (FLUX2_KLEIN_4B, 80, MIXED, "bf16"),
        (FLUX2_KLEIN_4B, 24, MIXED, "bf16"),
        (FLUX2_KLEIN_4B, 12, MIXED, "checkpointing"),
        (FLUX2_KLEIN_4B, 8, MIXED, "int8"),
    ],
)
def test_each_card_gets_the_fastest_plan_that_fits(
    model: BaseShape, gigabytes: int, resolutions: tuple[int, ...], kind: str
) -> None:
    memory = round(gigabytes * 0.95 * GIB)
    plan = make_plan(model, memory, resolutions=resolutions, batch=1, rank=16, compiled=True)
    assert plan.kind == kind
    assert plan.peak <= memory
    assert plan.checkpointing == (kind != "bf16")


def test_a_card_that_is_too_small_is_told_the_ways_out() -> None:
    with pytest.raises(TrainerUnavailable, match=r"a 6 GB card has 6.0 GB.*--resolution 512.*klein.*replicate"):
        make_plan(FLUX1, 6 * GIB, resolutions=MIXED, batch=1, rank=16, name="a 6 GB card")


@pytest.mark.parametrize(("size", "allocated"), [(512, 12_988_757_504), (768, 16_861_748_736), (1024, 22_369_605_120)])
def test_klein_on_an_h100_took_what_is_predicted(size: int, allocated: int) -> None:
    """Peaks of compiled steps, measured by `benchmarks.gpu` (benchmarks/README.md)."""
    plan = make_plan(FLUX2_KLEIN_4B, 0, resolutions=(size,), batch=1, rank=16, wanted="bf16", compiled=True)
    assert 1.0 <= (plan.peak - RESERVE) / allocated <= 1.03


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="the pretended card is built with g++")
def test_predictions_are_what_a_step_takes_on_a_pretended_card() -> None:
    """Slow: traces FLUX.1 and klein in full width, and builds the pretended device once."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", "--training", "--sizes", "512"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| FLUX")]
    assert len(rows) == 8
    for row in rows:
        assert 1.0 <= float(row[-1]) <= 1.03, row


def test_the_line_for_people() -> None:
    plans = [make_plan(FLUX1, 80 * GIB, resolutions=(512,), batch=1, rank=16, compiled=on) for on in (False, True)]
    assert plans[0].line().startswith("plan: bf16 base, no checkpointing; predicted peak 3")
    assert plans[0].line().endswith(" GB")
    assert plans[1].line().endswith(" GB (an estimate, for compiled blocks)")
    assert plans[1].peak < plans[0].peak


def test_buckets_keep_shapes_and_grain() -> None:
    assert bucket(1024, 1024, 512, 16) == (512, 512)
    wide = bucket(1600, 900, 768, 32)
    assert wide[0] % 32 == wide[1] % 32 == 0
    assert wide[0] / wide[1] == pytest.approx(1600 / 900, rel=0.06)
    assert bucket(5000, 1000, 512, 16) == bucket(2000, 1000, 512, 16)
    assert usable_sizes(1024, 1024, MIXED, 16) == [(512, 512), (768, 768), (1024, 1024)]
    assert usable_sizes(600, 600, MIXED, 16) == [(512, 512)]
    assert usable_sizes(100, 100, MIXED, 16) == [(512, 512)]
    assert cover_box(200, 100, (64, 64)) == (50, 0, 150, 100)
    assert cover_box(100, 200, (64, 64)) == (0, 50, 100, 150)


def test_steps_are_a_function_of_their_number_and_epochs_are_whole() -> None:
    sampler = Sampler(sizes=(2, 2, 1), batch=2, seed=7, caption_dropout=0.3, preserve=0.4, priors=3, flip=True)
    assert [sampler.step(n) for n in range(20)] == [sampler.step(n) for n in range(20)]
    items = [item for step in range(50) for item in sampler.step(step)]
    for epoch in range(20):
        seen = {(item.picture, item.size) for item in items[epoch * 5 : epoch * 5 + 5]}
        assert len(seen) == 5
    assert len({item.noise_seed for item in items}) == 100
    assert 0.2 < sum(item.prior >= 0 for item in items) / 100 < 0.6
    assert 0.1 < sum(item.dropped for item in items) / 100 < 0.5
    assert {item.flip for item in items} == {True, False}
    assert not any(item.flip for step in range(30) for item in Sampler((1,), 1, 0).step(step))


def test_sigmas_are_logit_normal_and_spread_within_a_batch() -> None:
    sampler = Sampler(sizes=(1,), batch=8, seed=0)
    sigmas = sorted(item.sigma for step in range(200) for item in sampler.step(step))
    count = len(sigmas)
    assert sigmas[count // 2] == pytest.approx(0.5, abs=0.01)
    assert sigmas[round(count * 0.8413)] == pytest.approx(0.731, abs=0.01)  # sigmoid(1)
    one = sorted(item.sigma for item in sampler.step(3))
    assert one[0] < 0.35
    assert one[-1] > 0.65


def test_rates_warm_up_and_decay() -> None:
    job = job_for(data=".", out=".", steps=100, warmup=9, learning_rate=1e-3, decay=0.5)
    assert learning_rate(0, job) == pytest.approx(1e-4)
    assert learning_rate(9, job) == learning_rate(50, job) == 1e-3
    assert learning_rate(75, job) == pytest.approx(5e-4)
    assert learning_rate(99, job) < 1e-5
    flat = job_for(data=".", out=".", steps=100, warmup=0, learning_rate=1e-3, decay=0.0)
    assert learning_rate(99, flat) == 1e-3


def test_the_choice_prefers_less_drift_among_equals_and_says_why() -> None:
    scores = [Score(100, 0.50, 0.52, 0.01), Score(200, 0.42, 0.404, 0.02), Score(300, 0.41, 0.402, 0.025)]
    best, reasons = choose([*scores, Score(400, 0.47, 0.46, 0.2)], base_loss=0.6)
    assert best.step == 200
    assert best.averaged
    assert "33% below the base's 0.6000" in reasons[0]
    assert any("step 300 had the lowest loss" in reason for reason in reasons)
    assert any("learned by heart" in reason for reason in reasons)


def test_the_choice_takes_what_leaves_others_alone_and_says_where_nothing_does() -> None:
    scores = [Score(100, 0.50, 0.49, 0.02), Score(200, 0.42, 0.40, 0.05)]
    best, reasons = choose(scores, base_loss=0.6)
    assert best.step == 100
    assert any("step 200 had a lower loss (0.4000), but changes others too" in reason for reason in reasons)
    best, reasons = choose(scores[1:], base_loss=0.6)
    assert best.step == 200
    assert any("what helps: fewer steps, a lower scale" in reason for reason in reasons)
    # What has learned nothing is no way out.
    assert choose([Score(50, 0.61, 0.61, 0.001), scores[1]], base_loss=0.6)[0].step == 200
