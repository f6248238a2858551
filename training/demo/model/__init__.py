"""How the demo FLUX and its classifier are trained."""

from typing import Any, TypeAlias

# Names of diffusers' classes for annotations: the library is only half typed, so that mypy sees anything.
Vae: TypeAlias = Any  # diffusers.AutoencoderKL
Flux: TypeAlias = Any  # diffusers.FluxTransformer2DModel
Scheduler: TypeAlias = Any  # diffusers.FlowMatchEulerDiscreteScheduler
