"""What a person named, in English: objects in Russian become English before they reach a model that knows no Cyrillic.

English passes through as it is, emoji become their names, Russian goes to a Marian model where there is one and else
to the shipped glossary (`[translation]` in the settings says which goes first). What is not understood is refused with
examples and near words, and never reaches a model as noise. Profiles with `multilingual = true` get the person's
words; one with a `vocabulary` gets the thing of it that was named, and refuses what names none.

    python -c "from inference import understand; print(understand('с большой кружкой кофе'))"
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from configs.sections.translation import TranslationSettings
from configs.settings import default_settings
from inference.errors import NotUnderstood, UnknownThing
from inference.models.profiles import Profile, load_profile, profile_names
from inference.prompt import clean_object
from inference.translation import scripts
from inference.translation.glossary import load_glossary
from inference.translation.known import find_known, russian_words
from inference.translation.marian import open_marian
from inference.translation.phrase import UnknownWords, bare_phrase, cyrillic_words, is_understood_word, translate_phrase
from inference.translation.vocabulary import Vocabulary, load_vocabulary
from inference.types import ModelInfo

EXAMPLES = ("telescope", "катана", "красный зонт", "с кружкой кофе")


@dataclass(frozen=True)
class UnderstoodObject:
    """`original` as the person wrote it (cleaned), `english` as it goes into the prompt, and `how` it came about.

    `alternatives` are other things that may have been meant ("замок": lock, castle), likeliest first; to take one,
    put it into `BadgeRequest.english`. `partly` where the model's vocabulary has only a part of the wish; `russian` is
    what is drawn in Russian, where a vocabulary says so.
    """

    original: str
    english: str
    how: Literal["as is", "emoji", "glossary", "marian", "vocabulary"]
    alternatives: tuple[str, ...] = ()
    partly: bool = False
    russian: str = ""


def understand(
    thing: str, settings: TranslationSettings | None = None, model: ModelInfo | None = None
) -> UnderstoodObject:
    """What `thing` means to the generator that is `model` (`generator.model`; None: one that knows only English).

    Raises InvalidRequest as `clean_object` does, and its kinds NotUnderstood and UnknownThing. The first Russian word
    loads the dictionary (about a second) and the Marian model, if there is one; call this in a worker thread where
    others wait. Answers are remembered.
    """
    cleaned = clean_object(thing)
    settings = settings or default_settings().translation
    profile = _profile_of(model)
    if profile and profile.vocabulary_file:
        return _in_vocabulary(cleaned, profile, settings)
    if profile and profile.multilingual:
        return UnderstoodObject(cleaned, cleaned, "as is")
    return to_english(cleaned, settings)


def vocabulary_of(model: ModelInfo) -> Vocabulary | None:
    """The things that `model` can draw; None where it draws whatever it is asked for."""
    profile = _profile_of(model)
    return load_vocabulary(profile.vocabulary_file) if profile and profile.vocabulary_file else None


def _profile_of(model: ModelInfo | None) -> Profile | None:
    """The profile of `model`; None for what is no profile of ours, such as a model on Replicate."""
    if model is None or model.generator == "replicate" or model.profile not in profile_names():
        return None
    return load_profile(model.profile)


@lru_cache(maxsize=4096)
def _in_vocabulary(thing: str, profile: Profile, settings: TranslationSettings) -> UnderstoodObject:
    """`thing`, which has been through `clean_object`, as a thing of the profile's vocabulary. Raises UnknownThing."""
    assert profile.vocabulary_file is not None
    vocabulary = load_vocabulary(profile.vocabulary_file)
    text = scripts.one_alphabet(thing)
    pictured = vocabulary.with_emoji(text)
    if pictured:
        return UnderstoodObject(thing, pictured.name, "vocabulary", russian=pictured.russian)
    known = find_known(scripts.without_emoji(text), vocabulary)
    readings: tuple[str, ...] = ()
    if known is None or scripts.has_cyrillic(text):
        readings = _readings(thing, settings, needed=known is None)
    others = [found for words in readings if (found := find_known(words, vocabulary))]
    if known is None and not others:
        raise UnknownThing(_words_for_unknown(thing, profile, vocabulary), thing, (thing,), vocabulary.nearest(text))
    # The whole wish first: "плюшевый медведь" has a bear in it, its translation is a thing of its own.
    best = min([*([known] if known else []), *others], key=lambda each: (each.partly, not each.head))
    # "чашка кофе" names the cup, its translation, "cup of coffee", says what kind of cup.
    same = [each for each in (best, *others) if each.thing == best.thing and each.colour == best.colour]
    english = max(same, key=lambda each: len(each.english)).english
    alternatives = dict.fromkeys(other.english for other in others if other.thing != best.thing)
    return UnderstoodObject(thing, english, "vocabulary", tuple(alternatives), best.partly, russian_words(best))


def _readings(thing: str, settings: TranslationSettings, needed: bool) -> tuple[str, ...]:
    """`thing` in English, likeliest first; nothing where it is not understood. Raises NotUnderstood for another
    language where a reading is `needed`."""
    try:
        meant = to_english(thing, settings)
    except NotUnderstood as error:
        if error.language and needed:
            raise
        return ()
    return (meant.english, *meant.alternatives)


def _words_for_unknown(thing: str, profile: Profile, vocabulary: Vocabulary) -> str:
    near = vocabulary.nearest(thing)
    nearest = f"nearest: {', '.join(near)}; " if near else ""
    return (
        f"{profile.title} cannot draw {thing!r}: it knows {len(vocabulary.things)} things ({nearest}all of them: "
        f"python -m inference.render --profile {profile.name} --list-objects). The full-size models draw anything: "
        "docs/models.md"
    )


@lru_cache(maxsize=4096)
def to_english(thing: str, settings: TranslationSettings) -> UnderstoodObject:
    """`thing`, which has been through `clean_object`, in English. Raises NotUnderstood."""
    text = scripts.one_alphabet(thing)
    language = scripts.other_language(text)
    if language:
        raise NotUnderstood(_words_for(thing, language=language), thing, language=language)
    if not scripts.letters_of(text):
        names = scripts.emoji_names(text)
        if names:
            return UnderstoodObject(thing, names, "emoji")
        if not any(c.isdigit() for c in text):
            raise NotUnderstood(_words_for(thing), thing)
        return UnderstoodObject(thing, thing, "as is")
    text = scripts.without_emoji(text)
    if not scripts.has_cyrillic(text):
        return UnderstoodObject(thing, text, "as is")
    return _from_russian(thing, text, settings)


def _from_russian(thing: str, text: str, settings: TranslationSettings) -> UnderstoodObject:
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
            return UnderstoodObject(thing, said, "marian", others)
    if readings:
        return UnderstoodObject(thing, readings[0], "glossary", tuple(readings[1:]))
    near = tuple(dict.fromkeys(word for wrong in unknown for word in glossary.near(wrong) if _names_a_thing(word)))
    raise NotUnderstood(_words_for(thing, unknown, near), thing, unknown, near)


def _names_a_thing(word: str) -> bool:
    """Whether `word` would be understood by itself: an adjective alone would be refused like what it stands for."""
    try:
        return bool(translate_phrase(word, load_glossary()))
    except UnknownWords:
        return False


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
