"""HTML pages that a person judges at a glance, from Jinja templates: one skeleton and one style sheet for all.

A page stands in a file of its own: no server, nothing from outside. Every value is escaped by the template engine
(autoescape); what is HTML already must be `Markup`. A room keeps its templates in a folder of its own and extends
`page.html` (blocks `lead`, `style`, `body`, `script`; the variable `title`).
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).resolve().parent / "templates"


def render_page(folder: Path, template: str, **values: Any) -> str:
    """The page that `template` of `folder` makes of `values`. A name that the values lack is an error, not a gap."""
    return _environment(folder).get_template(template).render(values)


@lru_cache(maxsize=8)
def _environment(folder: Path) -> "Environment":
    # Only a command that writes a page needs Jinja: 40 ms that `--help` does without.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def asset(name: str) -> Markup:
        """A style sheet or script of ours, to stand in the page as it is."""
        path = next(place / name for place in (folder, HERE) if (place / name).is_file())
        return Markup(path.read_text(encoding="utf-8"))

    environment = Environment(
        loader=FileSystemLoader([folder, HERE]), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.globals["asset"] = asset
    environment.filters["relative_url"] = _relative_url
    return environment


def _relative_url(name: str) -> str:
    """The URL of a file beside the page, whatever it is called: a colon is quoted, so it makes no scheme."""
    return quote(name, errors="surrogateescape")
