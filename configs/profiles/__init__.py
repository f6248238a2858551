"""One base model a file; `inference/models/profiles.py` reads them."""

from pathlib import Path

PROFILES = Path(__file__).resolve().parent


def names_in(folder: Path = PROFILES) -> list[str]:
    """The names of the profiles in `folder`, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))
