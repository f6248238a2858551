"""The pages that training writes: templates of this folder over the skeleton of all pages (configs/pages.py)."""

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from configs.pages import render_page

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, **values: Any) -> str:
    """The page that a template of training/templates makes of `values`, all of them escaped."""
    return render_page(_TEMPLATES, template, **values)


def data_url(thumbnail: "NDArray[np.uint8]") -> str:
    """A small picture, shape (height, width, 3), to stand in the page itself."""
    out = io.BytesIO()
    Image.fromarray(thumbnail).save(out, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()
