"""Which family of base models a LoRA's header says that it was made for."""

import re
from collections.abc import Mapping

from configs.printable import printable
from inference.lora.file import LoraError

_FAMILIES = {
    "flux1": r"flux[-_. ]?1(?!\d)|^flux$|flux[-_ ]?dev|flux[-_ ]?schnell",
    "flux2": r"flux[-_. ]?2(?!\d)",
    "z-image": r"z[-_ ]?image",
}
"""What headers call the families. Words such as "krea" and "klein" name models of several families, so they say
nothing; what else a file is made for its tensors' names and shapes show."""
TITLES = {"flux1": "FLUX.1", "flux2": "FLUX.2", "z-image": "Z-Image"}


def check_family(path: str, metadata: Mapping[str, str], family: str) -> None:
    """Raises LoraError where the header of the file at `path` says that it was made for another family."""
    fields = ("modelspec.architecture", "ss_base_model_version", "family", "base_model")
    said = [metadata.get(key, "").strip().lower() for key in fields]
    if any(re.search(_FAMILIES.get(family, r"(?!)"), each) for each in said):
        return
    for other, pattern in _FAMILIES.items():
        if other != family and any(re.search(pattern, each) for each in said):
            raise LoraError(
                f"the LoRA {path} was made for {TITLES.get(other, other)} "
                f"({printable(' '.join(filter(None, said)))[:80]}) and does not fit this model: choose another "
                "--profile or another LoRA"
            )
