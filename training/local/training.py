"""What `trainer.py` hands on once data set and profile are right: plan, encode, train, choose, export. Loads torch.

One process or several (`accelerate launch -m training.run ...`): a step's items are dealt out by rank and the gradients
summed, so the LoRA is the same at equal `batch`; only rank 0 writes. Whatever happens between two steps, `--resume`
goes on from the last checkpoint to the very weights that an unbroken run would have had.
"""

import logging
import resource
import time
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from inference.models.broken_card import is_out_of_memory
from inference.models.family import Text, Tokens
from inference.models.profiles import Profile
from training.dataset.pictures import DataSet
from training.errors import InvalidJob, TrainerUnavailable, TrainingFailed
from training.job import TrainingJob
from training.local.artifacts.curves import open_tracker, require_tracker
from training.local.artifacts.finish import finish, finished_already
from training.local.artifacts.output import begin, belongs_to, claim
from training.local.artifacts.samples import Samples
from training.local.base import Base, free, open_base
from training.local.device import choose_device, memory_of, quantization
from training.local.judge import Judge
from training.local.loop import Loop, make_optimizer, uncast_inputs
from training.local.lora_layers import LoraLayers
from training.local.memory_plan import GIB, MemoryPlan, make_plan, next_smaller
from training.local.outline import outline
from training.local.prepare import Prepared, prepare
from training.local.prior import draw_priors
from training.local.ranks import Ranks
from training.local.sampler import Sampler
from training.local.session import Session
from training.local.speed import speed_up
from training.trainer import Status, StatusCallback, TrainedLora

if TYPE_CHECKING:
    from inference.lora.names import Shapes

log = logging.getLogger(__name__)


def train_here(
    job: TrainingJob, data: DataSet, profile: Profile, token: str, on_status: StatusCallback | None
) -> TrainedLora:
    """See `Trainer.train`; `data` and `profile` are those of `job`, and found right."""
    started = time.perf_counter()
    base = open_base(profile, token)
    device = choose_device(job.device)
    if not base.transformer_config:
        raise TrainerUnavailable(f"the weights of {profile.title} have no configuration")
    if job.threads:
        torch.set_num_threads(job.threads)
    ranks = Ranks(device)
    require_tracker(job.tracker)
    plan = _plan(job, base, ranks)
    # On a CPU only the plan bf16 does what a card does; all others are plain fp32.
    dtype = torch.bfloat16 if device.type == "cuda" or plan.kind == "bf16" else torch.float32
    # From here on something is written; all that can be known to be wrong was said before.
    mine = belongs_to(job, data, f"{base.identity}/{profile.max_sequence_length}/{dtype}")
    with claim(job, mine) if ranks.first else nullcontext():
        ranks.wait()
        lora = finished_already(job)
        if lora is None:
            if ranks.first:
                for line in outline(job, data, base, plan, memory_of(device)):
                    log.info("%s", line)
            lora = _train_as_fits(job, data, base, dtype, plan, ranks, mine, on_status or (lambda status: None))
            lora = replace(lora, seconds=time.perf_counter() - started)
        ranks.close()
    return lora


def _train_as_fits(
    job: TrainingJob,
    data: DataSet,
    base: Base,
    dtype: torch.dtype,
    plan: MemoryPlan,
    ranks: Ranks,
    mine: dict[str, Any],
    tell: StatusCallback,
) -> TrainedLora:
    """Train by `plan`, or where the memory runs out by the next smaller one, from the last checkpoint on."""
    while True:
        try:
            return _train(job, data, base, dtype, plan, ranks, mine, tell)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            smaller = _smaller(job, base, plan, ranks)
            problem = f"{ranks.device} has not enough memory for the plan {plan.kind}"
            if smaller is None or job.plan != "auto" or ranks.count > 1:
                other = f"set training.plan to {smaller.kind}" if smaller else "take a smaller --resolution or --rank"
                raise TrainingFailed(f"{problem}: {other}, or close other programs; then use --resume") from error
        # Outside of the handler, so that nothing holds what the failed plan had in memory.
        log.warning("%s: going on with %s", problem, smaller.kind)
        log.info("%s", smaller.line())
        plan = smaller
        free()


def _smaller(job: TrainingJob, base: Base, plan: MemoryPlan, ranks: Ranks) -> MemoryPlan | None:
    kind = next_smaller(plan)
    if kind is None or (kind in ("int8", "nf4") and ranks.device.type == "cpu"):
        return None
    return make_plan(
        base.size, 0, resolutions=job.resolutions, batch=ranks.share(job.batch), rank=job.rank, wanted=kind,
        compiled=plan.compiled,
    )  # fmt: skip


def _train(
    job: TrainingJob,
    data: DataSet,
    base: Base,
    dtype: torch.dtype,
    plan: MemoryPlan,
    ranks: Ranks,
    mine: dict[str, Any],
    tell: StatusCallback,
) -> TrainedLora:
    if ranks.first:
        begin(job, mine)
    tracker = open_tracker(job.tracker, job.out, job.out.name) if ranks.first else None
    encode = _Counter(tell, "encoding pictures and captions", job.steps)
    with ranks.first_before_others():
        ready = prepare(job, data, base, ranks.device, dtype, encode)
    transformer, shapes = _load(base, plan, dtype, ranks.device)
    with ranks.first_before_others():
        priors = draw_priors(
            base, transformer, ready.prior_texts, ready.texts.get("", ready.trigger), ready.prior_size,
            job.out / "cache" / "priors", job, _Counter(tell, "the base draws strangers", job.steps),
        )  # fmt: skip
    free()
    lora = LoraLayers(transformer, rank=job.rank, alpha=job.alpha, targets=job.targets or base.targets, seed=job.seed)
    lora.to(ranks.device)
    if plan.checkpointing:
        transformer.enable_gradient_checkpointing()
    speed_up(transformer, ranks.device, compiled=job.compile)
    optimizer = make_optimizer(lora, job, eight_bit=plan.eight_bit)
    loop = Loop(job, base, lora, optimizer, ready.material(priors), _sampler(job, ready, priors), ranks)
    with uncast_inputs(transformer):
        judge = Judge(lora, loop.velocity, ready.held_out, ready.strangers, job.seed)
        samples = Samples(job, base, lora, ready.texts)
        session = Session(job, mine, loop, lora, optimizer, judge, samples, ranks, tracker)
        scores = session.run(tell)
        tell(Status("writing the LoRA", job.steps, job.steps))
        result = finish(job, base, data.sha256, lora, shapes, scores, judge, loop, ranks)
    log.info("peak memory %.1f GB (predicted %.1f)", _peak(ranks.device) / GIB, plan.peak / GIB)
    return TrainedLora(result.path, result.card, 0.0, exports=result.exports, reasons=result.reasons)


def _plan(job: TrainingJob, base: Base, ranks: Ranks) -> MemoryPlan:
    memory, name = memory_of(ranks.device)
    wanted = job.plan
    if ranks.device.type == "cpu":
        if wanted in ("int8", "nf4"):
            raise InvalidJob(f"training.plan = {wanted} needs a CUDA card: choose auto")
        wanted = "fp32" if wanted == "auto" else wanted
    return make_plan(
        base.size, memory, resolutions=job.resolutions, batch=ranks.share(job.batch), rank=job.rank, wanted=wanted,
        name=name, compiled=ranks.device.type == "cuda" and job.compile,
    )  # fmt: skip


def _load(base: Base, plan: MemoryPlan, dtype: torch.dtype, device: torch.device) -> "tuple[Any, Shapes]":
    """The frozen transformer on its device, and its linears' shapes before any adapter."""
    from inference.lora.merge import shapes_of

    transformer = base.load_transformer(dtype, quantization(plan))
    if plan.base not in ("int8", "nf4"):
        transformer.to(device)
    transformer.eval()
    if plan.base in ("int8", "nf4"):
        with torch.device("meta"):
            plain = type(transformer).from_config(base.transformer_config)
        return transformer, shapes_of({"transformer": plain})
    return transformer, shapes_of({"transformer": transformer})


def _sampler(job: TrainingJob, ready: Prepared, drawn: list[tuple[Tokens, Text]]) -> Sampler:
    prior_length = drawn[0][0].rows * drawn[0][0].columns if drawn else 0
    return Sampler(
        sizes=ready.sizes,
        batch=job.batch,
        seed=job.seed,
        timesteps=job.timesteps,
        flip=job.flip,
        caption_dropout=job.caption_dropout,
        preserve=job.preserve,
        priors=len(drawn),
        lengths={(picture, size): each.rows * each.columns for (picture, size, _), each in ready.tokens.items()},
        prior_length=prior_length,
    )


class _Counter:
    """Tells of work before the first step: one call for each piece."""

    def __init__(self, tell: StatusCallback, stage: str, steps: int) -> None:
        self._tell, self._stage, self._steps, self._count = tell, stage, steps, 0

    def __call__(self) -> None:
        self._count += 1
        self._tell(Status(f"{self._stage}: {self._count}", 0, self._steps))


def _peak(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
