"""Typed settings: `configs/badge.toml`, then `--config FILE`, then the environment `BADGE_<SECTION>__<KEY>`.

`load_settings` is called once, in a command's `main()`. Whatever is wrong ends in one `ConfigError` whose line
names the file or variable, the key, the line where known, and what would be right. Secrets come from the
environment or `.env` only, and never show in `repr`.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_origin

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from configs.data_dir import default_data_dir
from configs.errors import ConfigError
from configs.names import misspelt, unknown_name
from configs.sections import Section
from configs.sections.bot import BotSettings
from configs.sections.presets import PresetSettings
from configs.sections.ray import RaySettings
from configs.sections.render import BannerSettings, GeneratorSettings, LocalSettings, PromptSettings
from configs.sections.replicate import ReplicateSettings
from configs.sections.themes import ThemeColors, ThemeSettings
from configs.sections.training import TrainingSettings
from configs.sections.translation import TranslationSettings
from configs.tokens import Secrets

DEFAULTS = Path(__file__).with_name("badge.toml")
PREFIX = "BADGE_"


class Settings(BaseSettings):
    """All settings. Each part of the program is handed only its own section."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    data_dir: Path
    prompt: PromptSettings
    translation: TranslationSettings
    banner: BannerSettings
    generator: GeneratorSettings
    local: LocalSettings
    replicate: ReplicateSettings
    ray: RaySettings
    training: TrainingSettings
    bot: BotSettings
    themes: dict[str, ThemeSettings] = Field(default_factory=dict)
    presets: dict[str, PresetSettings] = Field(default_factory=dict)
    secrets: Secrets

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (EnvSettingsSource(settings_cls), init_settings)


def load_settings(config: Path | None = None) -> Settings:
    """The settings in force. `config` is the file of `--config`, whose keys override the defaults.

    Raises ConfigError, whose message is one line, for anything that cannot be used.
    """
    _refuse_unknown_variables(os.environ)
    files = [DEFAULTS] if config is None else [DEFAULTS, config]
    merged: dict[str, Any] = {}
    for file in files:
        _merge(merged, _anchored(_read_toml(file), file))
        if "secrets" in merged:
            raise ConfigError(f"{file}: tokens do not belong in a config file: put them into the environment or .env")
    if not (os.environ.get(f"{PREFIX}DATA_DIR") or merged["data_dir"]):
        merged["data_dir"] = default_data_dir()
    if os.environ.get("RAY_ADDRESS"):  # Ray's own variable; BADGE_RAY__ADDRESS overrides it
        _merge(merged, {"ray": {"address": os.environ["RAY_ADDRESS"]}})
    try:
        settings = Settings(**merged, secrets=Secrets())
        settings.training.remember_given(_given("training", config))
        return settings
    except ValidationError as error:
        raise ConfigError(_explain(error, files)) from error
    except SettingsError as error:
        raise ConfigError(_unreadable(os.environ)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(".env is not UTF-8 text: save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"cannot read .env: {error.strerror}") from error


def _given(section: str, config: Path | None) -> frozenset[str]:
    """Keys of `section` that the user's file or the environment sets."""
    values = _read_toml(config).get(section, {}) if config else {}
    start = f"{PREFIX}{section.upper()}__"
    names = [name.upper().removeprefix(start).lower() for name in os.environ if name.upper().startswith(start)]
    return frozenset(values) | frozenset(name.partition("__")[0] for name in names)


@cache
def default_settings() -> Settings:
    """`configs/badge.toml` alone: no file of the user's, no environment, no secrets. For scripts and tests."""
    values = _read_toml(DEFAULTS)
    sections: dict[str, Any] = {
        "data_dir": Path(values.pop("data_dir") or "data"),
        "secrets": Secrets.model_construct(),
    }
    for name, value in values.items():
        section = Settings.model_fields[name].annotation
        if not value:  # a table of tables that the user names: there are none here
            continue
        assert isinstance(section, type)
        assert issubclass(section, Section)
        sections[name] = section.model_validate(value)
    return Settings.model_construct(**sections)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"no such config file: {path}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"cannot read config file {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _anchored(values: dict[str, Any], file: Path) -> dict[str, Any]:
    """`values` of `file` with the files that themes, presets and the bot's greeting name looked for beside it."""
    bot = values.get("bot")
    welcome = bot.get("welcome") if isinstance(bot, dict) else None
    examples = welcome.get("examples") if isinstance(welcome, dict) else None
    if isinstance(welcome, dict) and isinstance(examples, list):
        welcome["examples"] = [
            str(file.resolve().parent / each) if isinstance(each, str) else each for each in examples
        ]
    lists = bot.get("blocked_words") if isinstance(bot, dict) else None
    if isinstance(lists, dict):
        for language, name in lists.items():
            if isinstance(name, str) and name.strip():
                lists[language] = str(file.resolve().parent / name.strip())
    themes = values.get("themes")
    for theme in themes.values() if isinstance(themes, dict) else ():
        for key in ("font", "logo"):
            if isinstance(theme, dict) and isinstance(theme.get(key), str) and theme[key].strip():
                theme[key] = str(file.resolve().parent / theme[key].strip())
    presets = values.get("presets")
    for preset in presets.values() if isinstance(presets, dict) else ():
        lora = preset.get("lora") if isinstance(preset, dict) else None
        # A name like owner/repository is the Hub's, unless there is such a file.
        if isinstance(lora, str) and lora.strip() and (beside := file.resolve().parent / lora.strip()).exists():
            preset["lora"] = str(beside)
    return values


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _known_keys() -> dict[str, list[str]]:
    """Section name to its keys; the top-level values stand under ""."""
    known: dict[str, list[str]] = {"": []}
    for name, field in Settings.model_fields.items():
        if name == "secrets":
            continue
        nested = getattr(field.annotation, "model_fields", None)
        if nested is None:
            known[""].append(name)
        else:
            known[name] = list(nested)
    return known


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    known = _known_keys()
    valid = [PREFIX + key.upper() for key in known[""]]
    valid += [f"{PREFIX}{section.upper()}__{key.upper()}" for section, keys in known.items() if section for key in keys]
    for name in environ:
        if name.upper().startswith(PREFIX) and name.upper() not in valid:
            raise ConfigError(f"{misspelt('environment variable', name, valid)} (all settings: configs/badge.toml)")


def _unreadable(environ: Mapping[str, str]) -> str:
    """Which variable is neither the list nor the table that its setting wants."""
    for name, value in environ.items():
        section, _, key = name.upper().removeprefix(PREFIX).lower().partition("__")
        nested = getattr(getattr(Settings.model_fields.get(section), "annotation", None), "model_fields", {})
        if key in nested and get_origin(nested[key].annotation) in (dict, tuple, list):
            try:
                json.loads(value)
            except ValueError:
                return f'environment variable {name} = {value!r}: write JSON, such as [1, 2] or {{"name": 1}}'
    return f"an environment variable {PREFIX}... cannot be read: lists and tables are written as JSON"


def _explain(error: ValidationError, files: list[Path]) -> str:
    """Every setting that cannot be used, in the order of the sections, so that all can be corrected at once."""
    problems = [_problem(each, files) for each in error.errors()]
    return problems[0] if len(problems) == 1 else f"{len(problems)} settings cannot be used: " + "; ".join(problems)


def _problem(error: ErrorDetails, files: list[Path]) -> str:
    path = [str(part) for part in error["loc"]]
    key = ".".join(path)
    where = _origin(path, files)
    if error["type"] == "extra_forbidden":
        valid = _keys_beside(path)
        return f"{where}: {unknown_name('key', key if len(path) == 1 else path[-1], valid)}"
    problem = error["msg"].removeprefix("Value error, ")
    return f"{where}: {key} = {error['input']!r}: {problem[0].lower()}{problem[1:]}"


def _keys_beside(path: list[str]) -> list[str]:
    """The keys that may stand where the last one of `path` does."""
    if len(path) == 1:
        return _known_keys()[""] + [key for key in _known_keys() if key]
    if path[0] == "themes":
        return list((ThemeColors if "colors" in path[2:-1] else ThemeSettings).model_fields)
    if path[0] == "presets":
        return list(PresetSettings.model_fields)
    return _known_keys().get(path[0], [])


def _origin(path: list[str], files: list[Path]) -> str:
    """Where the value at `path` came from: a variable, or the last file that has it, with its line."""
    variable = PREFIX + "__".join(path).upper()
    if path[0] in Secrets.model_fields:
        return f"environment variable {path[0].upper()}"
    if any(name.upper() == variable for name in os.environ):
        return f"environment variable {variable}"
    for file in reversed(files):
        line = _line_of(file.read_text(encoding="utf-8"), path)
        if line:
            return f"{file}, line {line}"
    return str(files[-1])


def _line_of(text: str, path: list[str]) -> int:
    """The 1-based line of `section.key` or `key` in TOML text, 0 where it is not found."""
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[([^\]]+)\]", line)
        if header:
            section = header[1].strip()
            if [section] == path:
                return number
            continue
        key = re.match(r"\s*([\w.\-\"]+)\s*=", line)
        if key and [*section.split("."), *key[1].split(".")][-len(path) :] == path:
            return number
    return 0
