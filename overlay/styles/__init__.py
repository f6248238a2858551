"""The banner styles, one small file each; a file put here that defines `STYLE` is a style.

`STYLES` maps names to styles in alphabetical order; the default is "ribbon".
"""

import pkgutil
from importlib import import_module
from types import MappingProxyType

from overlay.errors import UnknownStyle
from overlay.style import BannerStyle
from overlay.text.clean import graphemes
from overlay.text.scripts import JOINED, scripts_of


def _load() -> dict[str, BannerStyle]:
    styles: dict[str, BannerStyle] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        style = import_module(f"{__name__}.{module}").STYLE
        if not isinstance(style, BannerStyle):
            raise TypeError(f"{module}.STYLE is no BannerStyle")
        styles[style.name] = style
    return styles


STYLES = MappingProxyType(_load())
DEFAULT_STYLE = "ribbon"
AUTO = "auto"
SHORT = 14
"""`auto` takes the arc for a text of at most so many graphemes."""


_own: dict[str, BannerStyle] = {}
"""The user's themes (overlay/themes.py), the same for the whole process."""


def set_own_styles(styles: dict[str, BannerStyle]) -> None:
    """Let these be styles as well, in place of those of an earlier call."""
    _own.clear()
    _own.update(styles)


def own_styles() -> dict[str, BannerStyle]:
    """The user's own styles, to be handed to another process."""
    return dict(_own)


def style_identity(name: str) -> str:
    """What tells a style apart from another of the same name: a built-in's name, an own one's whole content."""
    return repr(_own[name]) if name in _own else name


def style_names() -> list[str]:
    """Every style that `draw_banner` takes, "auto" and the user's own included, in alphabetical order."""
    return sorted([*STYLES, AUTO, *_own])


def choose_style(name: str, text: str) -> BannerStyle:
    """The style called `name`; for "auto" arc where `text` is short and its letters do not hang together.

    Raises UnknownStyle with the nearest names.
    """
    if name == AUTO:
        joined = any(script in JOINED for script in scripts_of(text))
        return STYLES["arc" if len(graphemes(text)) <= SHORT and not joined else DEFAULT_STYLE]
    if name in _own:
        return _own[name]
    if name not in STYLES:
        raise UnknownStyle(name, style_names())
    return STYLES[name]
