"""The ribbon: a straight golden banner with swallow tails. The default."""

from overlay.style import BannerStyle

STYLE = BannerStyle(name="ribbon", summary="a straight golden ribbon with swallow tails")
