"""The actor: a process of its own, on some node, that holds one LocalGenerator. Imported only where Ray is used.

Ray places it, starts it again when it dies, and then begins its drawing once more; since a drawing depends on
nothing but the request, the second time gives the same pixels. Steps come back while it draws, as a stream whose
last item is the portrait.
"""

import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import ray

from configs.sections.render import LocalSettings
from inference.errors import Canceled
from inference.models.profiles import Profile
from inference.ray.lora import LoraParcel, node_folder, place_lora
from inference.types import ModelInfo, Portrait, PortraitRequest


@dataclass(frozen=True)
class SentLora:
    """A LoRA in Ray's object store. `parcel` is the reference to it, pickled.

    Ray keeps what such a reference names for as long as we are there, so an actor that is started again finds it, and
    fetches nothing for an actor whose box has the file.
    """

    name: str
    is_folder: bool
    sha256: str
    parcel: bytes

    @classmethod
    def send(cls, parcel: LoraParcel) -> "SentLora":
        """Put `parcel` into the object store, once for all nodes."""
        return cls(parcel.name, parcel.is_folder, parcel.sha256, ray.cloudpickle.dumps(ray.put(parcel)))

    def place(self) -> Path:
        """Its path on this node; fetched by the first actor that needs it."""
        return place_lora(self.name, self.is_folder, self.sha256, self._fetch)

    def _fetch(self) -> LoraParcel:
        parcel: LoraParcel = ray.get(ray.cloudpickle.loads(self.parcel))  # our own bytes, from the asking process
        return parcel


@dataclass(frozen=True)
class ActorPortrait:
    """The end of a drawing's stream: the portrait, and the process that drew it."""

    portrait: Portrait
    process: str


@ray.remote(concurrency_groups={"about": 1})
class DrawingActor:
    """One LocalGenerator. `draw` is done one at a time, `model` and `key` are answered meanwhile."""

    def __init__(
        self, profile: Profile, settings: LocalSettings, lora: SentLora | None, data_dir: Path | None, token: str
    ) -> None:
        """`data_dir` None keeps encoded prompts and compiled code in a folder of the node."""
        from inference.local.generator import LocalGenerator

        if lora:
            settings = settings.model_copy(update={"lora": str(lora.place())})
        if data_dir is None:
            data_dir = node_folder() / "cache"
            data_dir.mkdir(exist_ok=True)
        self._generator = LocalGenerator(profile, settings, data_dir=data_dir, token=token)
        # One thread for everything that touches the model: torch counts its threads by thread.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="draw")

    @ray.method(concurrency_group="about")  # type: ignore[untyped-decorator]
    def model(self) -> ModelInfo:
        """Who draws here."""
        return self._generator.model

    @ray.method(concurrency_group="about")  # type: ignore[untyped-decorator]
    def model_for(self, request: PortraitRequest) -> ModelInfo:
        """As `Generator.model_for`."""
        return self._generator.model_for(request)

    @ray.method(concurrency_group="about")  # type: ignore[untyped-decorator]
    def key(self, request: PortraitRequest) -> str:
        """As `Generator.key`."""
        return self._generator.key(request)

    def prepare(self, prompts: Sequence[str]) -> None:
        """As `Generator.prepare`."""
        self._thread.submit(self._generator.prepare, prompts).result()

    def warm(self) -> None:
        """As `Generator.warm`."""
        self._thread.submit(self._generator.warm).result()

    @ray.method(num_returns="streaming")  # type: ignore[untyped-decorator]
    def draw(self, request: PortraitRequest, tell: bool) -> Iterator[tuple[int, int] | ActorPortrait]:
        """Draw one portrait: with `tell` (steps done, steps in all) after each step, then the portrait.

        Raises what LocalGenerator raises; stops between two steps when Ray says that the call was canceled.
        """
        steps: queue.SimpleQueue[tuple[int, int] | None] = queue.SimpleQueue()
        stop = threading.Event()

        def on_step(done: int, total: int) -> None:
            steps.put((done, total))
            if stop.is_set():
                raise Canceled("the drawing was canceled")

        drawing: Future[Portrait] = self._thread.submit(self._generator.generate, request, on_step)
        drawing.add_done_callback(lambda _: steps.put(None))
        context = ray.get_runtime_context()
        while (step := steps.get()) is not None:
            if context.is_canceled():
                stop.set()
            if tell:
                yield step
        yield ActorPortrait(drawing.result(), f"{context.get_node_id()[:8]}/{context.get_worker_id()[:8]}")
