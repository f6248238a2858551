"""The text encoders of a pipeline: loaded at the first prompt that nobody has encoded yet, and kept off the card."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.local.plan import Plan
from inference.local.stages import StageCallback, Stages
from inference.lora.merge import LoraSlot, shapes_of
from inference.lora.names import Shapes
from inference.lora.parts import LoraPart
from inference.models.choice import family_of
from inference.models.family import Text
from inference.models.profiles import Profile

if TYPE_CHECKING:
    import torch


class Encoders:
    """Encodes prompts for one profile; the encoders are loaded at the first one."""

    def __init__(self, profile: Profile, folder: Path, plan: Plan, on_stage: StageCallback | None = None) -> None:
        self._profile = profile
        self._family = family_of(profile)
        self._folder = folder
        self._plan = plan
        self._on_stage = on_stage
        self._pipe: Any = None
        self._slots: dict[str, LoraSlot] = {}
        self._parts: tuple[LoraPart, ...] = ()
        self._scale = 1.0

    def shapes(self) -> Shapes:
        """The encoders' linear layers, for a LoRA that changes them. Loads them."""
        return shapes_of(self._components(self._loaded()))

    def put(self, parts: "tuple[LoraPart, ...]", scale: float) -> None:
        """Use this LoRA from now on; it is put on at once where the encoders are loaded."""
        self._parts, self._scale = parts, scale
        for name, slot in self._slots.items():
            slot.put([part for part in parts if part.component == name], scale)

    def encode(self, prompt: str) -> Text:
        """`prompt` as the transformer takes it, on the card."""
        return self._family.encode(self._loaded(), prompt, self._profile.max_sequence_length, self._plan.device)

    def _loaded(self) -> Any:
        if self._pipe is None:
            with Stages(1, self._on_stage) as say:
                say(f"loading the text encoders of {self._profile.title}")
                self._pipe = self._load()
        if not self._slots:
            self._slots = {name: LoraSlot(part) for name, part in self._components(self._pipe).items()}
            if self._parts:
                self.put(self._parts, self._scale)
        return self._pipe

    def _load(self) -> Any:
        import diffusers
        import torch

        pipeline = getattr(diffusers, self._profile.pipeline)
        pipe = pipeline.from_pretrained(
            self._folder, transformer=None, vae=None, use_safetensors=True, dtype=getattr(torch, self._plan.dtype)
        )
        self._family.trim(pipe)
        for part in self._components(pipe).values():
            place_encoder(part, self._plan)
        return pipe

    @staticmethod
    def _components(pipe: Any) -> dict[str, Any]:
        found = {name: getattr(pipe, name, None) for name in ("text_encoder", "text_encoder_2")}
        return {name: part for name, part in found.items() if part is not None}


def place_encoder(encoder: Any, plan: Plan) -> None:
    """Onto the card for good, or so that layer after layer passes through it and little room is needed there."""
    import torch

    if plan.encoders == "resident":
        encoder.to(plan.device)
    elif plan.encoders == "mapped":
        pass_through(encoder, torch.device(plan.device), compute_dtype(plan))
    else:
        from diffusers.hooks.group_offloading import apply_group_offloading

        apply_group_offloading(
            encoder,
            onload_device=torch.device(plan.device),
            offload_device=torch.device("cpu"),
            offload_type="leaf_level",
            use_stream=plan.device.startswith("cuda"),
        )


def compute_dtype(plan: Plan) -> "torch.dtype | None":
    """float32 for bf16 weights on a processor without bf16 units, where it is five times as fast; else None."""
    import torch

    if plan.device != "cpu" or plan.dtype != "bfloat16":
        return None
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return None if native else torch.float32


def pass_through(model: Any, device: "torch.device", dtype: "torch.dtype | None" = None) -> None:
    """Let each layer's weights visit `device` for the time of its own forward pass, there in `dtype`.

    What stays behind is the file's own pages, so main memory holds nothing; group offloading instead would copy
    everything into pinned memory, which is faster where there is room for it.
    """
    import torch
    from torch.utils._pytree import tree_map_only

    def bring(_module: Any, args: Any, kwargs: Any) -> Any:
        return tree_map_only(torch.Tensor, there, (args, kwargs))

    def there(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(device, dtype if _is_floating(tensor) else None)

    model.register_forward_pre_hook(bring, with_kwargs=True)
    for module in model.modules():
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = buffer.to(device)
        weights = list(module._parameters.values())
        if any(weight is not None for weight in weights):
            visit = _Visit([weight for weight in weights if weight is not None], device, dtype)
            module.register_forward_pre_hook(visit.come)
            module.register_forward_hook(visit.go, always_call=True)


class _Visit:
    """The weights of one layer, here for one call."""

    def __init__(
        self, weights: "list[torch.nn.Parameter]", device: "torch.device", dtype: "torch.dtype | None"
    ) -> None:
        self._weights = weights
        self._device, self._dtype = device, dtype
        self._home: list[torch.Tensor] = []

    def come(self, _module: Any, args: Any) -> Any:
        self._home = [weight.data for weight in self._weights]
        for weight in self._weights:
            weight.data = weight.data.to(self._device, self._dtype)
        if self._dtype is None:
            return args
        # T5 looks at the dtype of a weight that is at home, and rounds what it hands on.
        return tuple(each.to(self._dtype) if _is_floating(each) else each for each in args)

    def go(self, _module: Any, _args: Any, _output: Any) -> None:
        for weight, home in zip(self._weights, self._home, strict=True):
            weight.data = home


def _is_floating(value: Any) -> bool:
    return bool(getattr(getattr(value, "dtype", None), "is_floating_point", False))
