"""Draws one job, in a drawing thread: makes and saves its badge; for a choice several, and one picture of all."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from bot.delivery.pictures import Pictures
from bot.store.choices import offered
from bot.store.jobs import Drawn, Job, Part
from inference.badge import Look, make_badge
from inference.errors import InvalidSettings
from inference.generator import Generator
from inference.types import MAX_SEED, Badge, BadgeRequest, StepCallback
from inference.wrappers.sharing import WatchedGenerator
from overlay.drawing.numbered import numbered


class Drawer:
    """Makes badges with one generator, each by the `Look` of its preset."""

    def __init__(self, generator: Generator, pictures: Pictures, looks: Mapping[str, Look]) -> None:
        self._generator, self._pictures, self._looks = generator, pictures, looks

    def draw(self, job: Job, on_step: StepCallback, drawn: Callable[[], None]) -> Drawn:
        """Draw and save `job`; `drawn` is called after the last portrait, when the generator is free again.

        Raises InvalidSettings if the job's preset is no longer in the settings, and what `make_badge` raises.
        """
        look = self._looks.get(job.preset)
        if look is None:
            raise InvalidSettings(
                f"[presets.{job.preset}] is no longer in the settings, but a badge of it is waiting: add it again"
            )
        started, ended = time.perf_counter(), list[float]()
        many = offered(job)
        badges: list[Badge] = []
        for number in range(many or 1):

            def step(done: int, steps: int, before: int = number) -> None:
                on_step(before * steps + done, (many or 1) * steps)

            def on_portrait(_: Any, last: bool = number + 1 >= many) -> None:
                if last:
                    ended.append(time.perf_counter())
                    drawn()

            request = BadgeRequest(
                job.object, job.text, (job.seed + number) % (MAX_SEED + 1), job.style, english=job.english
            )
            watched = WatchedGenerator(self._generator, on_portrait)
            badges.append(
                make_badge(request, watched, prompt=look.prompt, banner=look.banner, lora=look.lora, on_step=step)
            )
        name = f"{job.id}-{job.fence}"
        parts: tuple[Part, ...] = ()
        if many:
            parts = tuple(self._part(f"{name}-{number}", badge) for number, badge in enumerate(badges, start=1))
            size = self._pictures.save_photo(name, numbered([badge.image for badge in badges]))
        else:
            size = self._pictures.save(name, badges[0])
        portraits = [badge.portrait for badge in badges]
        return Drawn(
            name, size, portraits[0].model.generator, ended[-1] - started, time.perf_counter() - ended[-1],
            sum(portrait.cost_usd for portrait in portraits),
            drew=not many and not portraits[0].cached, parts=parts,
        )  # fmt: skip

    def _part(self, name: str, badge: Badge) -> Part:
        portrait = badge.portrait
        size = self._pictures.save(name, badge)
        return Part(name, size, portrait.seed, portrait.model.generator, portrait.seconds, not portrait.cached)
