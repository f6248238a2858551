"""Where everything that must survive a restart is kept when `data_dir` is not set.

An existing `./data` wins. A checkout keeps `./data`, so that a clone holds all of its state. Anywhere else, where an
installed package would leave a folder `data` wherever it was started, it is the user's data folder.
"""

import logging
from pathlib import Path

from platformdirs import user_data_path

_PACKAGE = "samurai-badges"
_ROOT = Path(__file__).resolve().parent.parent


def default_data_dir() -> Path:
    """The folder for `data_dir = ""`. The user's data folder is made with mode 0700, and named when it is new."""
    here = Path("data")
    if here.is_dir() or (_ROOT / "pyproject.toml").is_file():
        return here
    folder = user_data_path(_PACKAGE, appauthor=False)
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True)
        logging.getLogger(__name__).warning("state is kept in %s (the setting data_dir, or BADGE_DATA_DIR)", folder)
    return folder
