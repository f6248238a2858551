"""Which family a profile belongs to."""

from inference.models.family import Family
from inference.models.flux1 import Flux1
from inference.models.flux2 import Flux2
from inference.models.profiles import Profile
from inference.models.z_image import ZImage

_FAMILIES: dict[str, type[Family]] = {each.name: each for each in (Flux1, Flux2, ZImage)}


def family_of(profile: Profile) -> Family:
    """The family of `profile`."""
    return _FAMILIES[profile.family]()
