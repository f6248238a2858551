"""What a person named, in English: objects in Russian become English before they reach a model that knows no Cyrillic.

English passes through as it is, emoji become their names, Russian goes to a Marian model where there is one and else
to the shipped glossary (`[translation]` in the settings says which goes first). What is not understood is refused with
examples and near words, and never reaches a model as noise. Profiles with `multilingual = true` get the person's words.

    python -c "from inference import understand; print(understand('с большой кружкой кофе'))"
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from configs.sections.translation import TranslationSettings
from configs.settings import default_settings
from inference.errors import NotUnderstood
from inference.models.profiles import load_profile, profile_names
from inference.prompt import clean_object
from inference.translation import scripts
from inference.translation.glossary import load_glossary
from inference.translation.marian import open_marian
from inference.translation.phrase import UnknownWords, bare_phrase, cyrillic_words, is_understood_word, translate_phrase
from inference.types import ModelInfo

EXAMPLES = ("telescope", "катана", "красный зонт", "с кружкой кофе")


@dataclass(frozen=True)
class Understood:
    """`original` as the person wrote it (cleaned), `english` as it goes into the prompt, and `how` it came about.

    `alternatives` are other things that may have been meant ("замок": lock, castle), likeliest first; to take one,
    put it into `BadgeRequest.english`.
    """

    original: str
    english: str
    how: Literal["as is", "emoji", "glossary", "marian"]
    alternatives: tuple[str, ...] = ()


def understand(thing: str, settings: TranslationSettings | None = None, model: ModelInfo | None = None) -> Understood:
    """What `thing` means to the generator that is `model` (`generator.model`; None: one that knows only English).

    Raises InvalidRequest as `clean_object` does, and its kind NotUnderstood. The first Russian word loads the
    dictionary (about a second) and the Marian model, if there is one; call this in a worker thread where others wait.
    Answers are remembered.
    """
    cleaned = clean_object(thing)
    if model is not None and is_multilingual(model):
        return Understood(cleaned, cleaned, "as is")
    return to_english(cleaned, settings or default_settings().translation)


def is_multilingual(model: ModelInfo) -> bool:
    """Whether the text encoder behind `model` reads Russian itself; False for what is no profile of ours."""
    return model.profile in profile_names() and load_profile(model.profile).multilingual


@lru_cache(maxsize=4096)
def to_english(thing: str, settings: TranslationSettings) -> Understood:
    """`thing`, which has been through `clean_object`, in English. Raises NotUnderstood."""
    text = scripts.one_alphabet(thing)
    language = scripts.other_language(text)
    if language:
        raise NotUnderstood(_words_for(thing, language=language), thing, language=language)
    if not scripts.letters_of(text):
        names = scripts.emoji_names(text)
        if names:
            return Understood(thing, names, "emoji")
        if not any(c.isdigit() for c in text):
            raise NotUnderstood(_words_for(thing), thing)
        return Understood(thing, thing, "as is")
    text = scripts.without_emoji(text)
    if not scripts.has_cyrillic(text):
        return Understood(thing, text, "as is")
    return _from_russian(thing, text, settings)


def _from_russian(thing: str, text: str, settings: TranslationSettings) -> Understood:
    glossary = load_glossary()
    readings: list[str] = []
    unknown: tuple[str, ...] = ()
    try:
        readings = translate_phrase(text, glossary)
    except UnknownWords as error:
        unknown = error.words
    noise = [word for word in cyrillic_words(text) if not is_understood_word(word, glossary)]
    if not noise and (settings.first == "marian" or not readings):
        marian = open_marian(settings.marian, settings.download)
        said = marian.translate(bare_phrase(text)) if marian else ""
        if said:
            others = tuple(reading for reading in readings if reading.lower() != said.lower())
            return Understood(thing, said, "marian", others)
    if readings:
        return Understood(thing, readings[0], "glossary", tuple(readings[1:]))
    near = tuple(dict.fromkeys(word for wrong in unknown for word in glossary.near(wrong)))
    raise NotUnderstood(_words_for(thing, unknown, near), thing, unknown, near)


def _words_for(thing: str, unknown: tuple[str, ...] = (), near: tuple[str, ...] = (), language: str = "") -> str:
    """The one line that says what was not understood and what to do."""
    reasons = []
    if language:
        reasons.append(f"it looks like {language}; only English and Russian are understood here")
    elif unknown and unknown != (thing,):
        reasons.append(f"{', '.join(map(repr, unknown))} {'is' if len(unknown) == 1 else 'are'} not known here")
    if near:
        reasons.append(f"did you mean {' or '.join(near)}?")
    why = f" ({'; '.join(reasons)})" if reasons else ""
    return (
        f"the object {thing!r} was not understood{why}: say it in other words or in English, "
        f"for example: {', '.join(EXAMPLES)}"
    )
