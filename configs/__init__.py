"""Settings of every part, read once in `main()` and handed on section by section."""

from configs.settings import ConfigError, Secrets, Settings, default_settings, load_settings

__all__ = ["ConfigError", "Secrets", "Settings", "default_settings", "load_settings"]
