"""The section `[translation]`: how an object in Russian becomes English for models that know no Cyrillic."""

from typing import Literal

from configs.sections import Section


class TranslationSettings(Section):
    """`marian` is a folder or a Hub repository, "" for none; `download` lets it be fetched where it is not on disk."""

    first: Literal["marian", "glossary"]
    marian: str
    download: bool
