"""alpha / rank of each layer, from whatever carries it: the file's tensors, its header, the configuration beside it.

Trainers put alpha into one of: a tensor `<layer>.alpha` (kohya, LyCORIS); `lora_adapter_metadata` in the header, a
PEFT configuration for each component under its name (diffusers); `adapter_config.json` beside the file or in the same
archive (PEFT); `rank` and `alpha` in the header. Where none has it the scale is 1.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import regex
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from configs.printable import printable
from inference.lora.file import LoraError

_COMPONENTS = ("transformer", "text_encoder_2", "text_encoder")
_PATIENCE_S = 1.0
"""Patterns are regular expressions from an untrusted file; no trainer writes one that takes longer."""
_Rank = Annotated[int, Field(ge=1, le=65_536)]
_Alpha = Annotated[float, Field(allow_inf_nan=False)]
_EMPTY_IF_NULL = BeforeValidator(lambda value: {} if value is None else value)


class AdapterConfig(BaseModel):
    """The values of PEFT's LoraConfig that matter for merging."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    r: _Rank | None = None
    lora_alpha: _Alpha | None = None
    rank_pattern: Annotated[dict[str, _Rank], _EMPTY_IF_NULL] = {}
    alpha_pattern: Annotated[dict[str, _Alpha], _EMPTY_IF_NULL] = {}
    use_rslora: bool | None = False
    use_dora: bool | None = False
    peft_type: str | None = "LORA"


class Alphas:
    """The scales of one file's layers. Raises LoraError where a carrier is unreadable or of another kind."""

    def __init__(self, path: str, metadata: Mapping[str, str], beside: str) -> None:
        """`path` is for messages; `beside` is the text of `adapter_config.json`, "" where there is none."""
        self._path = path
        self._configs: dict[str, list[AdapterConfig]] = {component: [] for component in _COMPONENTS}
        if beside:
            self._add(self._json(beside, "adapter_config.json"), _COMPONENTS)
        if "lora_adapter_metadata" in metadata:
            self._add_components(self._json(metadata["lora_adapter_metadata"], "lora_adapter_metadata"))
        if not any(self._configs.values()) and "rank" in metadata and "alpha" in metadata:
            self._add({"r": metadata["rank"], "lora_alpha": metadata["alpha"]}, ("transformer",))

    def scale(self, name: str, component: str, layer: str, rank: int, alpha: float | None) -> float:
        """What up @ down of this layer is multiplied with; `alpha` is the file's own for it.

        Raises LoraError where the metadata contradicts itself.
        """
        if alpha is not None:
            return alpha / rank
        for config in self._configs.get(component, ()):
            stated = self._by_pattern(config.rank_pattern, layer, config.r)
            if stated is not None and stated != rank:
                raise LoraError(
                    f"the LoRA {self._path} contradicts itself: its metadata says rank {stated}, {name} has {rank}"
                )
            value = self._by_pattern(config.alpha_pattern, layer, config.lora_alpha)
            if value is not None:
                return float(value) / (rank**0.5 if config.use_rslora else rank)
        return 1.0

    def _json(self, text: str, where: str) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._unreadable(f"{where} is not JSON") from error
        if not isinstance(value, dict):
            raise self._unreadable(f"{where} is not a JSON object")
        return value

    def _add_components(self, flat: dict[str, Any]) -> None:
        """Values under `transformer.r`, `text_encoder.r` ...; those without a component are the transformer's."""
        split: dict[str, dict[str, Any]] = {}
        for key, value in flat.items():
            component = next((each for each in _COMPONENTS if key.startswith(each + ".")), "")
            split.setdefault(component or "transformer", {})[key.removeprefix(component + ".")] = value
        for component, values in split.items():
            self._add(values, (component,))

    def _add(self, values: Mapping[str, Any], components: tuple[str, ...]) -> None:
        try:
            config = AdapterConfig.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise self._unreadable(
                f"{printable(where)} = {printable(repr(first['input']))[:40]}: {first['msg']}"
            ) from error
        if config.use_dora:
            raise LoraError(f"the LoRA {self._path} is DoRA, which is not supported: train a plain LoRA")
        if config.peft_type not in (None, "LORA"):
            raise LoraError(f"the LoRA {self._path} is {printable(str(config.peft_type))[:40]}, which is not supported")
        for component in components:
            self._configs[component].append(config)

    def _by_pattern(self, patterns: Mapping[str, Any], layer: str, default: Any) -> Any:
        """PEFT's per-layer values: a pattern counts where the layer's name ends with it, after a dot or whole."""
        for pattern, value in patterns.items():
            try:
                if regex.search(rf"(^|\.)({pattern})$", layer, timeout=_PATIENCE_S):
                    return value
            except (regex.error, TimeoutError, RecursionError) as error:
                raise self._unreadable(f"the pattern {printable(pattern)[:40]!r} cannot be used") from error
        return default

    def _unreadable(self, why: str) -> LoraError:
        return LoraError(f"the LoRA {self._path} has unreadable metadata: {why}")
