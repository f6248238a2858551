"""Settings of every part, read once in `main()` and handed on section by section."""

from configs.settings import ConfigError, Settings, default_settings, load_settings
from configs.tokens import Secrets

__all__ = ["ConfigError", "Secrets", "Settings", "default_settings", "load_settings"]
