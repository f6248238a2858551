"""The choice of generator: which one draws with these settings, on this machine."""

import logging
from pathlib import Path

from configs.settings import Settings
from inference.errors import InvalidRequest
from inference.fallback import FallbackGenerator
from inference.generator import Generator
from inference.local import LocalGenerator
from inference.profiles import load_profile

log = logging.getLogger(__name__)

_CUDA_TRACES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd", "/proc/driver/nvidia/version")


def open_generator(settings: Settings) -> Generator:
    """The generator that `settings` choose; `auto` takes the first that this machine can serve.

    `auto`: a CUDA card, else Replicate where a token and a model are set, else the demo FLUX. Cheap: weights are loaded
    at the first drawing. Raises InvalidRequest for a wrong profile or LoRA, BackendUnavailable for a generator that
    cannot be had here.
    """
    kind = settings.generator.kind
    replicate = bool(settings.secrets.replicate_api_token.get_secret_value() and settings.replicate.model)
    if kind == "auto":
        if cuda_available():
            kind = "local"
        elif replicate:
            kind = "replicate"
        else:
            kind = "demo"
            log.warning(
                "No CUDA card and no Replicate model here: the demo FLUX draws. See README.md for the full-size models."
            )
    if kind == "demo":
        return LocalGenerator(load_profile("demo"), settings.local)
    if kind == "local":
        local = LocalGenerator(load_profile(settings.generator.profile), settings.local)
        if replicate and settings.generator.fallback_to_replicate:
            return FallbackGenerator(local, _open_replicate(settings))
        return local
    if kind == "replicate":
        return _open_replicate(settings)
    return _open_ray(settings)


def _open_replicate(settings: Settings) -> Generator:
    from inference.replicate import ReplicateGenerator

    secrets = settings.secrets
    token = secrets.replicate_api_token.get_secret_value()
    return ReplicateGenerator(settings.replicate, token, secrets.replicate_base_url, settings.data_dir)


def _open_ray(settings: Settings) -> Generator:
    raise InvalidRequest("the ray generator is not part of this version: choose local or demo")


def cuda_available() -> bool:
    """Whether a CUDA card can be used. torch is asked (and imported) only where the system shows a driver."""
    if not any(Path(trace).exists() for trace in _CUDA_TRACES):
        return False
    import torch

    return torch.cuda.is_available()
