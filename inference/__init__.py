"""Making badges: requests in, portraits by FLUX, banners over them. Importing this loads no model library."""

from typing import TYPE_CHECKING

from configs.faces import lazily

if TYPE_CHECKING:
    from inference.badge import ReadyRequest, finish_badge, make_badge, ready
    from inference.choice import open_generator
    from inference.errors import BackendUnavailable, Canceled, InvalidRequest, NotUnderstood, RenderError, RenderFailed
    from inference.generator import Generator
    from inference.models.profiles import Profile, load_profile, profile_names
    from inference.translation.understand import UnderstoodObject, understand
    from inference.types import Badge, BadgeRequest, LoraInfo, ModelInfo, Portrait, PortraitRequest
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "inference.badge": ["ReadyRequest", "finish_badge", "make_badge", "ready"],
            "inference.choice": ["open_generator"],
            "inference.errors": [
                "BackendUnavailable",
                "Canceled",
                "InvalidRequest",
                "NotUnderstood",
                "RenderError",
                "RenderFailed",
            ],
            "inference.generator": ["Generator"],
            "inference.models.profiles": ["Profile", "load_profile", "profile_names"],
            "inference.translation.understand": ["UnderstoodObject", "understand"],
            "inference.types": ["Badge", "BadgeRequest", "LoraInfo", "ModelInfo", "Portrait", "PortraitRequest"],
        },
    )

__all__ = [
    "BackendUnavailable",
    "Badge",
    "BadgeRequest",
    "Canceled",
    "Generator",
    "InvalidRequest",
    "LoraInfo",
    "ModelInfo",
    "NotUnderstood",
    "Portrait",
    "PortraitRequest",
    "Profile",
    "ReadyRequest",
    "RenderError",
    "RenderFailed",
    "UnderstoodObject",
    "finish_badge",
    "load_profile",
    "make_badge",
    "open_generator",
    "profile_names",
    "ready",
    "understand",
]
