"""One portrait from a pipeline that is ready: the call itself, and pipelines for several calls at once.

diffusers' pipelines keep the present step in their scheduler, so no two threads may share one
(https://github.com/huggingface/diffusers/issues/1606). Weights are only read: copies of a pipeline share them.
"""

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from inference.errors import BlankPicture
from inference.models.profiles import Profile
from inference.types import StepCallback

if TYPE_CHECKING:
    from PIL import Image


_NOT_FINITE = (
    "{what} with {title} gave values that are no numbers (NaN): most likely they overflowed in low precision; "
    "choose --tier exact, another profile or another card"
)


class CallbackRaised(Exception):
    """Carries what a step callback raised past the translation of the model's own errors."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


def draw(
    pipe: Any,
    profile: Profile,
    texts: "Mapping[str, Any]",
    seed: int,
    steps: int,
    guidance: float,
    on_step: StepCallback | None,
) -> "Image.Image":
    """The portrait, mode RGB, `profile.width` x `profile.height`. Raises CallbackRaised, BlankPicture,
    and what torch raises.
    """
    import numpy as np
    import torch

    def after_step(_pipe: Any, step: int, _time: Any, values: dict[str, Any]) -> dict[str, Any]:
        # Looked at once, since it waits for the card: what is no number stays none in all later steps.
        if step + 1 == steps and not torch.isfinite(values["latents"]).all():
            raise CallbackRaised(BlankPicture(_NOT_FINITE.format(what="denoising", title=profile.title)))
        if on_step:
            try:
                on_step(step + 1, steps)
            except BaseException as error:
                raise CallbackRaised(error) from error
        return values

    if getattr(pipe.transformer, "is_cache_enabled", False):
        # A drawing that was stopped half-way leaves its last step in there.
        pipe.transformer._reset_stateful_cache()
    result = pipe(
        **texts,
        width=profile.width,
        height=profile.height,
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=torch.Generator("cpu").manual_seed(seed),
        max_sequence_length=profile.max_sequence_length,
        callback_on_step_end=after_step,
        output_type="np",
    )
    if not np.isfinite(result.images).all():
        raise BlankPicture(_NOT_FINITE.format(what="decoding", title=profile.title))
    image: Image.Image = pipe.image_processor.numpy_to_pil(result.images)[0]
    return image


class Pipes:
    """As many pipelines over the same weights as may draw at once."""

    def __init__(self, pipe: Any, count: int) -> None:
        self._count = count
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._alone = threading.Lock()
        self._free.put(pipe)
        for _ in range(count - 1):
            self._free.put(_copy(pipe))

    @contextmanager
    def one(self) -> Iterator[Any]:
        """A pipeline for one drawing; waits for one."""
        pipe = self._free.get()
        try:
            yield pipe
        finally:
            self._free.put(pipe)

    @contextmanager
    def none_drawing(self) -> Iterator[None]:
        """While this lasts nothing is drawn: the weights may be changed."""
        with self._alone:
            held = [self._free.get() for _ in range(self._count)]
            try:
                yield
            finally:
                for pipe in held:
                    self._free.put(pipe)


def _copy(pipe: Any) -> Any:
    scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
    parts = {name: part for name, part in pipe.components.items() if part is not None}
    every = dict.fromkeys(pipe.components) | parts | {"scheduler": scheduler}
    more = {"is_distilled": pipe.config.is_distilled} if "is_distilled" in pipe.config else {}
    copy = type(pipe)(**every, **more)
    copy.set_progress_bar_config(disable=True)
    return copy
