"""What can be wrong with the settings.

ConfigError          unreadable, malformed, unknown key, value out of range
"""


class ConfigError(Exception):
    """The settings cannot be used; the message is one line that says where and what to do."""
