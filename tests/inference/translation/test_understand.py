"""What people name in Russian: forms, phrases, what is refused and how, and the whole way to the prompt."""

import pickle

import pytest

from configs import default_settings
from configs.sections.translation import TranslationSettings
from inference import InvalidRequest, ModelInfo, NotUnderstood, UnderstoodObject, understand
from inference.models.profiles import load_profile, profile_names
from inference.translation.understand import EXAMPLES

GLOSSARY = default_settings().translation.model_copy(update={"marian": ""})


def english(thing: str, settings: TranslationSettings = GLOSSARY) -> str:
    return understand(thing, settings).english


@pytest.mark.parametrize(
    "said",
    """катана|катану|с катаной|КАТАНА|«Катана»!|пусть держит катану|держит катану в руках|
    хочу катану, пожалуйста|самурай с катаной|
    в руке катана|с катаной в правой руке|свою катану|одну катану|катана 🔥""".replace("\n", "").split("|"),
)
def test_one_thing_however_it_is_said(said: str) -> None:
    assert understand(said.strip(), GLOSSARY) == UnderstoodObject(said.strip(), "katana", "glossary")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("красный зонт", "red umbrella"),
        ("с красным зонтом", "red umbrella"),
        ("зонт красный", "red umbrella"),
        ("большая кружка кофе", "big mug of coffee"),
        ("с большими кружками горячего кофе", "big mugs of hot coffee"),
        ("букет красных роз", "bouquet of red roses"),
        ("деревянный меч самурая", "wooden sword of samurai"),
        ("очень маленького чёрного кота", "very small black cat"),
        ("кот в сапогах", "cat in boots"),
        ("мороженое с вишней", "ice cream with cherry"),
        ("меч, щит и копьё", "sword, shield and spear"),
        ("кот-самурай", "samurai cat"),
        ("щенка корги", "corgi puppy"),
        ("пистолет игрушка", "toy pistol"),
        ("игрушечную машинку", "toy car"),
        ("паяльную лампу", "blowtorch"),
        ("летучих мышей", "bats"),
        ("с песочными часами", "hourglass"),
        ("10 000 рублей", "10000 rubles"),
        ("айфон 15", "iPhone 15"),
        ("красный MacBook", "red MacBook"),
        ("C++ книга", "C++ book"),
        ("VR-шлем", "vr headset"),
        ("ежика", "hedgehog"),
        ("ёжика", "hedgehog"),
    ],
)
def test_phrases(said: str, meant: str) -> None:
    assert english(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("кружки", "mugs"),
        ("с кружкой", "mug"),
        ("красные кружки", "red mugs"),
        ("красной кружки", "red mug"),
        ("чашка из красной кружки", "cup of red mug"),
        ("два меча", "two swords"),
        ("5 яблок", "5 apples"),
        ("ножницы", "scissors"),
        ("часы", "watch"),
        ("с ножами", "knives"),
        ("связкой ключей", "bunch of keys"),
        ("большие кенгуру", "big kangaroos"),
        ("сюрикены", "shuriken"),
        ("горячего чая", "hot tea"),
    ],
)
def test_number_comes_from_the_form_and_its_neighbours(said: str, meant: str) -> None:
    assert english(said) == meant


@pytest.mark.parametrize("said", ["раменом", "с макбуком", "нунчаками", "токеном", "с лабубу", "геймпадами"])
def test_words_that_no_dictionary_has_are_understood_in_every_form(said: str) -> None:
    assert english(said) in {"ramen", "MacBook", "nunchaku", "token", "labubu toy", "gamepads"}


def test_other_meanings_are_offered() -> None:
    lock = understand("с большим замком", GLOSSARY)
    assert (lock.english, lock.alternatives) == ("big lock", ("big castle",))
    assert understand("катана", GLOSSARY).alternatives == ()


@pytest.mark.parametrize("thing", ["telescope", "a red umbrella, open", "C++", "épée", "PS5", "Katana of Doom!", "42"])
def test_english_passes_through_untouched(thing: str) -> None:
    assert understand(thing, GLOSSARY) == UnderstoodObject(thing, thing, "as is")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("🔭", "telescope"),
        ("❤️", "heart"),
        ("🗡️🛡️", "dagger knife and shield"),
        ("🇯🇵", "flag of JP"),
        ("👍🏽", "thumbs up"),
    ],
)
def test_emoji_become_their_names(said: str, meant: str) -> None:
    assert understand(said, GLOSSARY) == UnderstoodObject(said, meant, "emoji")


def test_emoji_beside_words_are_left_out() -> None:
    assert english("katana 🔥") == "katana"


@pytest.mark.parametrize(("said", "meant"), [("кoт", "cat"), ("сat", "cat"), ("ｋａｔａｎａ", "katana")])
def test_letters_that_look_alike(said: str, meant: str) -> None:
    assert english(said) == meant


@pytest.mark.parametrize(
    "noise", ["привет", "ывапролд", "не знаю", "???", "с", "и и", "красный", "с красным", "...", "летит над городом"]
)
def test_noise_is_asked_again_with_examples(noise: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        understand(noise, GLOSSARY)
    assert isinstance(refused.value, InvalidRequest)
    assert all(example in str(refused.value) for example in EXAMPLES)
    assert "\n" not in str(refused.value)


def test_examples_are_understood() -> None:
    assert [english(example) for example in EXAMPLES] == ["telescope", "katana", "red umbrella", "mug of coffee"]


def test_one_unknown_word_fails_the_whole_wish_and_is_named() -> None:
    with pytest.raises(NotUnderstood, match="'бубубный' is not known here") as refused:
        understand("большой бубубный меч", GLOSSARY)
    assert refused.value.unknown == ("бубубный",)
    assert refused.value.thing == "большой бубубный меч"


def test_a_slip_of_the_finger_gets_the_near_word() -> None:
    with pytest.raises(NotUnderstood, match="did you mean катана") as refused:
        understand("катанна", GLOSSARY)
    assert "катана" in refused.value.near


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("парасолька з їжаком", "Ukrainian"),
        ("қылыш", "Kazakh"),
        ("паляўнічы", "Belarusian"),
        ("刀", "Chinese"),
        ("さくらの木", "Japanese"),
        ("검", "Korean"),
        ("سيف", "Arabic"),
        ("ξίφος", "Greek"),
        ("ⴰⵣⵓⵍ", "a language that is not known here"),
    ],
)
def test_other_languages_are_named(said: str, language: str) -> None:
    with pytest.raises(NotUnderstood, match="only English and Russian are understood") as refused:
        understand(said, GLOSSARY)
    assert refused.value.language == language


def test_the_refusal_survives_a_process_border() -> None:
    with pytest.raises(NotUnderstood) as refused:
        understand("катанна", GLOSSARY)
    again = pickle.loads(pickle.dumps(refused.value))  # noqa: S301 - our own bytes, as a pool of processes sends them
    assert (str(again), again.near, again.unknown) == (str(refused.value), refused.value.near, refused.value.unknown)


def test_profiles_that_read_russian_get_the_persons_words() -> None:
    multilingual = [name for name in profile_names() if load_profile(name).multilingual]
    assert multilingual
    for name in multilingual:
        model = ModelInfo("local", name)
        assert understand("с қылыш 刀", GLOSSARY, model) == UnderstoodObject("с қылыш 刀", "с қылыш 刀", "as is")
    for name in ("demo", "flux-dev", "somebody/their-fine-tune"):
        assert understand("с катаной", GLOSSARY, ModelInfo("replicate", name)).english == "katana"
