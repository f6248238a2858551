"""Drawing on many cards or many boxes: Ray actors that hold a LocalGenerator each.

Placement, restarts and retries are Ray's. A call goes to the actor that has the fewest; when its process dies, Ray
starts another and begins the drawing again; an actor that is gone for good is left out, and its call goes to the
next. The model says of itself what LocalGenerator says, since a portrait's pixels do not depend on where it was drawn:
a batch that one card began is finished by eight, and one process and many give the same bytes.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from configs.sections.ray import RaySettings
from configs.sections.render import LocalSettings
from inference.errors import BackendUnavailable, Canceled, InvalidRequest, RenderFailed
from inference.generator import Generator
from inference.local.generator import LocalGenerator
from inference.models.profiles import Profile
from inference.ray.cluster import join_ray, leave_ray, require_ray
from inference.ray.errors import ActorAway, ActorGone, translated
from inference.ray.lora import pack_lora
from inference.types import ModelInfo, Portrait, PortraitRequest, StepCallback

if TYPE_CHECKING:
    from inference.ray.actor import ActorPortrait

log = logging.getLogger(__name__)
T = TypeVar("T")

_DEVICES = {"auto": None, "cpu": False, "cuda": True}


@dataclass(eq=False)
class _Actor:
    """A handle, how many calls it has in flight, and the process that last drew for it."""

    handle: Any
    calls: int = 0
    process: str = ""


class RayGenerator(Generator):
    """Draws with `profile` on as many actors as `settings` say. Ray starts, or is joined, at the first use."""

    def __init__(
        self,
        profile: Profile,
        local: LocalSettings,
        settings: RaySettings,
        *,
        data_dir: Path | None = None,
        token: str = "",
    ) -> None:
        """`data_dir` and `token` as in LocalGenerator; both stay on this machine, a joined cluster is not sent them.

        Raises BackendUnavailable where Ray is not installed, InvalidRequest for a wrong LoRA or device.
        """
        require_ray()
        if local.device not in _DEVICES:
            raise InvalidRequest(
                f"[local] device = {local.device!r}: with Ray choose auto, cpu or cuda; Ray assigns the cards"
            )
        LocalGenerator(profile, local, token=token)  # says at once what is wrong with the LoRA
        self._profile = profile
        self._local = local
        self._settings = settings
        self._data_dir = data_dir.resolve() if data_dir and not settings.address else None
        self._token = "" if settings.address else token
        self._lock = threading.RLock()
        self._actors: list[_Actor] | None = None
        self._lost = ""
        self._started_ray = False

    @property
    def parallel(self) -> int:
        """One a living actor."""
        return max(1, len(self._living()))

    @property
    def model(self) -> ModelInfo:
        model: ModelInfo = self._with_actor(lambda actor: self._get(actor.handle.model.remote()))
        return model

    def model_for(self, request: PortraitRequest) -> ModelInfo:
        model: ModelInfo = self._with_actor(lambda actor: self._get(actor.handle.model_for.remote(request)))
        return model

    def key(self, request: PortraitRequest) -> str:
        return self._with_actor(lambda actor: str(self._get(actor.handle.key.remote(request))))

    def prepare(self, prompts: Sequence[str] = ()) -> None:
        """Every actor loads; this returns when the first has, and calls to the others wait for theirs."""
        self._first_of(lambda actor: actor.prepare.remote(list(prompts)))

    def warm(self) -> None:
        """Every actor warms up; this returns when all have."""
        self._all_of(lambda actor: actor.warm.remote())

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        return self._with_actor(lambda actor: self._draw(actor, request, on_step))

    def close(self) -> None:
        with self._lock:
            actors, self._actors = self._actors, None
            if actors is None:
                return
            import ray

            for actor in actors:
                ray.kill(actor.handle)
            if self._started_ray:
                leave_ray()

    def _living(self) -> list[_Actor]:
        """The actors that are not gone for good; the first call joins Ray and asks it for them."""
        with self._lock:
            if self._actors is None:
                self._actors = self._seat()
                self._lost = ""
            return self._actors

    def _seat(self) -> list[_Actor]:
        parcel = pack_lora(self._local.lora)
        threads = max(1, self._local.threads)
        cards = _DEVICES[self._local.device]
        seats, self._started_ray = join_ray(self._settings, threads, cards, parcel.size if parcel else 0)
        from inference.ray.actor import DrawingActor, SentLora

        local = self._local.model_copy(
            update={"device": "cuda" if seats.gpus else "cpu", "threads": self._local.threads or seats.cpus}
        )
        lora = SentLora.send(parcel) if parcel else None
        kind: Any = DrawingActor
        kind = kind.options(
            num_cpus=seats.cpus,
            num_gpus=seats.gpus,
            max_restarts=self._settings.restarts,
            max_task_retries=self._settings.retries,
        )
        log.info("Ray: %d actors, %s each", seats.count, "a card" if seats.gpus else f"{seats.cpus} CPU cores")
        return [
            _Actor(kind.remote(self._profile, local, lora, self._data_dir, self._token)) for _ in range(seats.count)
        ]

    def _take(self) -> _Actor:
        with self._lock:
            living = self._living()
            if not living:
                raise BackendUnavailable(f"all Ray actors are gone: {self._lost}")
            actor = min(living, key=lambda each: each.calls)
            actor.calls += 1
            return actor

    def _leave_out(self, actor: _Actor, gone: ActorGone) -> None:
        import ray

        with self._lock:
            if self._actors is None:
                raise Canceled("the generator was closed") from gone
            if actor not in self._actors:
                return
            self._actors.remove(actor)
            self._lost = str(gone)
            log.warning("lost a Ray actor, %d remain: %s", len(self._actors), gone)
        ray.kill(actor.handle)

    def _draw(self, actor: _Actor, request: PortraitRequest, on_step: StepCallback | None) -> Portrait:
        import ray

        stream = actor.handle.draw.remote(request, on_step is not None)
        for item in self._items(stream):
            if not isinstance(item, tuple):
                if actor.process not in ("", item.process):
                    log.warning("a Ray actor died and was started again")
                actor.process = item.process
                portrait: Portrait = item.portrait
                return portrait
            if on_step:
                try:
                    on_step(*item)
                except BaseException:
                    ray.cancel(stream)
                    raise
        raise RenderFailed("the drawing ended without a portrait")

    def _items(self, stream: Any) -> Iterator["tuple[int, int] | ActorPortrait"]:
        """The items of a drawing as they come. Ray's errors are translated; ActorGone ends it."""
        while True:
            self._wait(stream)
            with translated():
                try:
                    reference = next(stream)
                except StopIteration:
                    return
            yield self._get(reference)

    def _with_actor(self, work: Callable[[_Actor], T]) -> T:
        """Do `work` with the actor that has the fewest calls, and with the next one where that is gone for good.

        When a box is lost, Ray's retries are used up before Ray knows of it. So an actor that is away is waited for,
        and the work begun again; but only a few times, since it may be this work that kills it.
        """
        away = 0
        while True:
            actor = self._take()
            try:
                try:
                    return work(actor)
                except ActorAway:
                    away += 1
                    if away > self._settings.retries:
                        raise
                    self._get(actor.handle.model.options(max_task_retries=-1).remote())
            except ActorGone as gone:
                self._leave_out(actor, gone)
            finally:
                with self._lock:
                    actor.calls -= 1

    def _first_of(self, call: Callable[[Any], Any]) -> None:
        """Ask all living actors for something; wait for the first, or for its error."""
        import ray

        asked = {call(actor.handle): actor for actor in list(self._living())}
        while asked:
            done, _ = ray.wait(list(asked), timeout=self._settings.patience_s)
            if not done:
                break
            actor = asked.pop(done[0])
            try:
                self._get(done[0])
                return
            except ActorGone as gone:
                self._leave_out(actor, gone)
        raise BackendUnavailable(f"no Ray actor could be prepared: {self._lost or self._silence()}")

    def _all_of(self, call: Callable[[Any], Any]) -> None:
        """Ask all living actors for something and wait for all; those that are gone are left out."""
        for actor, reference in [(actor, call(actor.handle)) for actor in self._living()]:
            try:
                self._get(reference)
            except ActorGone as gone:
                self._leave_out(actor, gone)
        if not self._living():
            raise BackendUnavailable(f"all Ray actors are gone: {self._lost}")

    def _get(self, reference: Any) -> Any:
        import ray

        self._wait(reference)
        with translated():
            return ray.get(reference)

    def _wait(self, what: Any) -> None:
        import ray

        with translated():
            ready, _ = ray.wait([what], timeout=self._settings.patience_s)
        if not ready:
            raise ActorGone(self._silence())

    def _silence(self) -> str:
        return f"no sign of life for {self._settings.patience_s:g} s (see what `ray status` says of room and nodes)"
