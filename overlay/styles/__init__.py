"""The banner styles, one small file each; a file put here that defines `STYLE` is a style.

`STYLES` maps names to styles in alphabetical order; the default is "ribbon".
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import MappingProxyType

from overlay.style import BannerStyle


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
