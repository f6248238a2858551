"""Settings of every part, read once in `main()` and handed on section by section."""

from typing import TYPE_CHECKING

from configs.faces import lazily

if TYPE_CHECKING:
    from configs.errors import ConfigError
    from configs.settings import Settings, default_settings, load_settings
    from configs.tokens import Secrets
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "configs.errors": ["ConfigError"],
            "configs.settings": ["Settings", "default_settings", "load_settings"],
            "configs.tokens": ["Secrets"],
        },
    )

__all__ = ["ConfigError", "Secrets", "Settings", "default_settings", "load_settings"]
