"""The steps from the last checkpoint to the end: reading losses, saving, scoring, sampling, stopping when asked."""

import csv
import logging
import math
from typing import Any

import torch

from training.errors import TrainingFailed, TrainingInterrupted
from training.job import TrainingJob
from training.local.artifacts.checkpoint import State, load_checkpoint, newest, save_checkpoint
from training.local.artifacts.curves import LossLog, Tracker
from training.local.artifacts.finish import write_candidate
from training.local.artifacts.samples import Samples, write_page
from training.local.judge import Judge, Score
from training.local.loop import Loop, learning_rate
from training.local.lora_layers import LoraLayers
from training.local.ranks import Ranks
from training.pace import Pace
from training.trainer import Status, StatusCallback

log = logging.getLogger(__name__)
# A step's loss swings with its noise level, so it must be far off; the judge's noise is always the same.
DIVERGED, WORSE = 3.0, 1.5
_MEMORY = 0.9  # of the average loss, from one reading to the next; by hand: the last ten or so count


class Session:
    """One sitting of a training."""

    def __init__(
        self,
        job: TrainingJob,
        belongs_to: dict[str, Any],
        loop: Loop,
        lora: LoraLayers,
        optimizer: torch.optim.Optimizer,
        judge: Judge,
        samples: Samples,
        ranks: Ranks,
        tracker: Tracker | None,
    ) -> None:
        self._job, self._loop, self._lora, self._optimizer = job, loop, lora, optimizer
        self._judge, self._samples, self._ranks, self._tracker = judge, samples, ranks, tracker
        self._state = State(0, belongs_to)
        self._main = ranks.first
        self._seconds = 0.0
        every = {"checkpoints": job.save_every, "samples": job.sample_every if samples.on else 0}
        self._pace = Pace(job.steps, every, behind=ranks.device.type != "cpu")

    def run(self, tell: StatusCallback) -> list[Score]:
        """All steps that are left; returns the scores of all checkpoints, earlier sittings' too."""
        start = self._restore()
        losses = LossLog(self._job.out, start, self._tracker) if self._main else None
        if start == 0 and self._main:
            self._draw_samples(0)
        self._pace.settle()
        for step in range(start, self._job.steps):
            self._loop.step(step)
            self._pace.step()
            done = self._state.step = step + 1
            last = done == self._job.steps
            loss = None
            if done % self._job.log_every == 0 or last:
                loss = self._read(losses, done)
            if done % self._job.save_every == 0 or last:
                with self._pace.pause("checkpoints"):
                    self._score_and_save(losses)
            if self._job.sample_every and (done % self._job.sample_every == 0 or last) and self._main:
                self._draw_samples(done)
            if self._main and (news := self._pace.news(done)):
                log.info("%s", news)
            average, seconds, left = self._state.average_loss, self._seconds or None, self._pace.left(done)
            status = Status("training", done, self._job.steps, loss, average, seconds, left, self._samples.newest)
            self._stop_if_asked(tell, status)
        if losses:
            losses.close()
            if self._job.sample_every:
                write_page(self._job)
        return [_as_score(values) for values in self._state.scores]

    def _draw_samples(self, done: int) -> None:
        if self._samples.on:
            with self._pace.pause("samples"):
                self._samples.draw(done)

    def _restore(self) -> int:
        path = newest(self._job.out / "checkpoints")
        if path is None:
            return 0
        belongs_to = self._state.belongs_to
        self._state = load_checkpoint(path, self._lora, self._optimizer)
        self._state.belongs_to = belongs_to
        self._loop.continue_loss(self._state.open_loss, self._state.open_steps)
        if self._main:
            log.info("going on from step %d", self._state.step)
        return self._state.step

    def _read(self, losses: LossLog | None, done: int) -> float:
        loss = self._loop.read_loss()
        self._seconds = self._pace.settle()
        state = self._state
        state.average_loss = loss if state.average_loss is None else _MEMORY * state.average_loss + (1 - _MEMORY) * loss
        if not math.isfinite(loss):
            self._diverged(f"the loss is {loss}")
        if state.average_loss > DIVERGED * self._judge.base_loss:
            self._diverged(
                f"the average loss is {state.average_loss:.3f}, the base's alone {self._judge.base_loss:.3f}"
            )
        if losses:
            losses.add(done, loss, state.average_loss, learning_rate(done - 1, self._job), self._seconds)
        return loss

    def _score_and_save(self, losses: LossLog | None) -> None:
        if not self._lora.finite():
            self._diverged("the weights are no longer numbers")
        score = self._judge.score(self._state.step)
        if not score.best_loss < WORSE * self._judge.base_loss:
            self._diverged(f"the held-out loss is {score.best_loss:.3f}, the base's alone {self._judge.base_loss:.3f}")
        self._state.scores.append(dict(vars(score)))
        if not self._main:
            return
        write_candidate(self._job, self._lora, score)
        self._save()
        _write_scores(self._job, self._state.scores)
        if losses:
            losses.draw()

    def _save(self) -> None:
        self._state.open_loss, self._state.open_steps = self._loop.open_loss, self._loop.open_steps
        save_checkpoint(self._job.out / "checkpoints", self._state, self._lora, self._optimizer)

    def _stop_if_asked(self, tell: StatusCallback, status: Status) -> None:
        """What `tell` raises ends the run on all ranks, once the state is saved."""
        asked: BaseException | None = None
        try:
            tell(status)
        except BaseException as request:  # noqa: BLE001 (raised again below)
            asked = request
        if self._ranks.count > 1:
            flag = torch.tensor(float(asked is not None), device=self._ranks.device)
            if float(self._ranks.sum(flag)) and asked is None:
                asked = TrainingInterrupted(f"stopped by another process at step {status.step}; go on with --resume")
        if asked is None:
            return
        if self._main and status.step < self._job.steps:
            self._save()
        raise asked

    def _diverged(self, why: str) -> None:
        good = [int(score["step"]) for score in self._state.scores]
        keep = (
            f"the last good LoRA is candidates/step-{good[-1]:06d}.safetensors" if good else "no checkpoint was reached"
        )
        raise TrainingFailed(
            f"training diverged at step {self._state.step}: {why}; {keep}; start again in another --out with a lower "
            f"--lr than {self._job.learning_rate:g}"
        )


def _as_score(values: dict[str, float]) -> Score:
    return Score(int(values["step"]), values["loss"], values["average_loss"], values["drift"])


def _write_scores(job: TrainingJob, scores: list[dict[str, float]]) -> None:
    with (job.out / "scores.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["step", "loss", "average_loss", "drift"])
        writer.writeheader()
        writer.writerows(scores)
