"""The choice of generator: which one draws with these settings, on this machine."""

from configs.settings import Settings
from inference.badge import in_english
from inference.generator import Generator
from inference.local.generator import LocalGenerator
from inference.local.stages import StageCallback
from inference.models.base_weights import require_fits
from inference.models.hardware import cuda_available
from inference.models.profiles import load_profile
from inference.wrappers.cache import CachedGenerator, PortraitCache
from inference.wrappers.fallback import FallbackGenerator

_DEMO_DRAWS = (
    "No CUDA card and no Replicate model here: the demo FLUX draws. See docs/models.md for the full-size models."
)


def open_generator(settings: Settings, on_stage: StageCallback | None = None) -> Generator:
    """The generator that `settings` choose; `auto` takes the first that this machine can serve.

    `auto`: a CUDA card, else Replicate where a token and a model are set, else the demo FLUX. Cheap: weights are loaded
    at the first drawing, and `on_stage` is told of it. Portraits drawn before come from the cache under `data_dir`.
    Raises InvalidRequest for a wrong profile or LoRA, BackendUnavailable for a generator that is not available here.
    """
    generator = _open_bare(settings, on_stage)
    limit = settings.generator.portrait_cache_mb * 1_000_000
    return CachedGenerator(generator, PortraitCache(settings.data_dir / "portraits", limit)) if limit else generator


def kind_here(settings: Settings) -> str:
    """`generator.kind`, where `auto` has become what this machine can serve: local, replicate or demo."""
    if settings.generator.kind != "auto":
        return settings.generator.kind
    if cuda_available():
        return "local"
    return "replicate" if _replicate_is_set(settings) else "demo"


def profile_here(settings: Settings) -> str:
    """The profile that draws with these settings on this machine; "" for a model on Replicate, which has none."""
    kind = kind_here(settings)
    return {"demo": "demo", "replicate": ""}.get(kind, settings.generator.profile)


def require_fits_here(settings: Settings) -> None:
    """Raises OperatorNeeded where the weights that draw here are not here and cannot fit on the disk."""
    if kind_here(settings) == "local":
        require_fits(load_profile(settings.generator.profile), settings.secrets.hf_token.get_secret_value())


def _replicate_is_set(settings: Settings) -> bool:
    return bool(settings.secrets.replicate_api_token.get_secret_value() and settings.replicate.model)


def _open_bare(settings: Settings, on_stage: StageCallback | None) -> Generator:
    kind = kind_here(settings)
    if kind == "demo":
        return _open_local("demo", settings, on_stage, _DEMO_DRAWS if settings.generator.kind == "auto" else "")
    if kind == "replicate":
        return _open_replicate(settings)
    own: Generator
    own = _open_ray(settings) if kind == "ray" else _open_local(settings.generator.profile, settings, on_stage)
    if _replicate_is_set(settings) and settings.generator.fallback_to_replicate:
        return FallbackGenerator(
            own, _open_replicate(settings), "Replicate", lambda request: in_english(request, settings.translation)
        )
    return own


def _open_local(profile: str, settings: Settings, on_stage: StageCallback | None, notice: str = "") -> LocalGenerator:
    token = settings.secrets.hf_token.get_secret_value()
    return LocalGenerator(
        load_profile(profile), settings.local, data_dir=settings.data_dir, token=token, on_stage=on_stage, notice=notice
    )


def _open_replicate(settings: Settings) -> Generator:
    from inference.replicate.generator import ReplicateGenerator

    secrets = settings.secrets
    token = secrets.replicate_api_token.get_secret_value()
    return ReplicateGenerator(settings.replicate, token, secrets.replicate_base_url, settings.data_dir)


def _open_ray(settings: Settings) -> Generator:
    from inference.ray.generator import RayGenerator

    profile, token = load_profile(settings.generator.profile), settings.secrets.hf_token.get_secret_value()
    return RayGenerator(profile, settings.local, settings.ray, data_dir=settings.data_dir, token=token)
