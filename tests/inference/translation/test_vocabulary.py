"""A request for a model with a closed vocabulary: drawn whole, drawn in part and told, or refused with the nearest.

Most tests have a table of their own, so that the shipped one may lose and gain things.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference import InvalidRequest, ModelInfo, NotUnderstood, load_profile, understand
from inference.errors import UnknownThing
from inference.models import profiles
from inference.translation.vocabulary import load_vocabulary, split

DEMO = ModelInfo("local", "demo")
FEW = ModelInfo("local", "few")
TABLE = """name	russian	synonyms_en	synonyms_ru	kind	emoji	pose
telescope	подзорная труба	spyglass	телескоп	tool	🔭
umbrella	зонт	parasol	зонтик	tool	☂️
cup	кружка	mug, coffee cup	чашка, кружка кофе	drink
coffee	кофе	espresso, hot drink	эспрессо	drink	☕
orange	апельсин	tangerine	мандарин	food	🍊
apple	яблоко	red apple	яблочко	food	🍎
cheese	сыр	cheese wedge		food	🧀
egg	яйцо	white egg		food	🥚
teapot	чайник	tea kettle		drink	🫖
sword	меч	katana, blade	катана	weapon		turn
shield	щит	round shield		weapon	🛡️
knife	нож	kitchen knife		weapon	🔪
saw	пила	handsaw	ножовка	tool	🪚
key	ключ	golden key	ключик	tool	🔑
wrench	гаечный ключ	spanner		tool	🔧
lock	замок	padlock	навесной замок	tool	🔒
castle	крепость	fortress		building	🏰
cat	кот	kitty, kitten	кошка, котик	animal	🐱
mouse	мышь	little mouse	мышка	animal	🐭
bat	летучая мышь	vampire bat		animal	🦇
dragon	дракон	wyvern		animal	🐉
pin	канцелярская кнопка	pushpin		tool	📌
teddy bear	плюшевый мишка	teddy		game	🧸
rugby ball	мяч для регби	american football		sport	🏈
pool ball	бильярдный шар	billiard ball		sport	🎱
t-shirt	футболка	tee		clothing	👕
"""
COLOURS = """name	russian	synonyms_en	synonyms_ru	rgb
red	красный	crimson, scarlet	алый	#dc282c
orange	оранжевый		рыжий	#f48622
yellow	жёлтый	golden, gold	золотой	#fad030
blue	синий	navy	голубой	#3470d6
black	чёрный	jet black		#3e3a46
white	белый			#f8f8f6
"""
FULL_SIZE = ModelInfo("local", "flux-schnell")


@pytest.fixture(scope="module", autouse=True)
def _few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A profile that is the demo with another vocabulary, beside the shipped ones."""
    folder = tmp_path_factory.mktemp("profiles")
    for path in profiles.FOLDER.glob("*.toml"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "vocabulary.tsv").write_text(TABLE, encoding="utf-8")
    (folder / "colours.tsv").write_text(COLOURS, encoding="utf-8")
    demo = (folder / "demo.toml").read_text(encoding="utf-8")
    few = demo.replace("inference/demo/vocabulary.tsv", str(folder / "vocabulary.tsv"))
    assert few != demo
    (folder / "few.toml").write_text(few, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(profiles, "FOLDER", folder)
        yield


@pytest.mark.parametrize(
    ("said", "english"),
    [
        ("telescope", "telescope"),
        ("The Telescope", "telescope"),
        ("telescopes", "telescope"),
        ("spyglass", "telescope"),
        ("samurai holding a telescope", "telescope"),
        ("mice", "mouse"),
        ("tea pot", "teapot"),
        ("T shirt", "t-shirt"),
        ("coffee cup", "coffee cup"),
        ("cup of coffee", "coffee cup"),
        ("телескоп", "telescope"),
        ("с телескопом", "telescope"),
        ("пусть держит катану", "sword"),
        ("кошка", "cat"),
        ("котики", "cat"),
        ("летучей мышью", "bat"),
        ("мячом для регби", "rugby ball"),
        ("чашка кофе", "coffee cup"),
        ("плюшевый медведь", "teddy bear"),
        ("🔭", "telescope"),
        ("🐱", "cat"),
        ("🐱 кот", "cat"),
        ("red umbrella", "red umbrella"),
        ("umbrella, red", "red umbrella"),
        ("a crimson umbrella", "red umbrella"),
        ("красный зонт", "red umbrella"),
        ("с красным зонтом", "red umbrella"),
        ("зонт красного цвета", "red umbrella"),
        ("чёрная кошка", "black cat"),
        ("orange", "orange"),
        ("orange cat", "orange cat"),
        ("golden key", "yellow key"),
    ],
)
def test_a_known_thing_is_drawn_whole(said: str, english: str) -> None:
    understood = understand(said, model=FEW)

    assert (understood.english, understood.partly) == (english, False)


@pytest.mark.parametrize(
    ("said", "english", "russian"),
    [
        ("a very big cup of coffee with cream", "coffee cup", "кружка"),
        ("cup of hot black coffee", "coffee cup", "кружка"),
        ("очень большая чашка кофе со сливками", "coffee cup", "кружка"),
        ("the dragon's egg", "egg", "яйцо"),
        ("piece of cheese", "cheese", "сыр"),
        ("кот в сапогах", "cat", "кот"),
        ("тёмно-синий зонт", "blue umbrella", "синий зонт"),
        ("two red apples and a knife", "red apple", "красное яблоко"),
        ("красная кошка с мечом", "red cat", "красный кот"),
    ],
)
def test_a_thing_known_in_part_says_so(said: str, english: str, russian: str) -> None:
    understood = understand(said, model=FEW)

    assert (understood.english, understood.russian, understood.partly) == (english, russian, True)


@pytest.mark.parametrize(
    ("said", "near"),
    [("telescop", "telescope"), ("зонтег", "зонт"), ("ball", "pool ball"), ("chainsaw", "saw"), ("пистолет", "щит")],
)
def test_an_unknown_thing_is_refused_with_the_nearest(said: str, near: str) -> None:
    with pytest.raises(UnknownThing) as refused:
        understand(said, model=FEW)

    assert near in refused.value.near
    assert repr(said) in str(refused.value)
    assert near in str(refused.value)
    assert "docs/models.md" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "said", ["asdfgh", "samurai", "pine", "catapult", "orange ball", "https://example.com", "!!", "🧿"]
)
def test_what_merely_looks_like_a_known_word_is_none(said: str) -> None:
    with pytest.raises(NotUnderstood):
        understand(said, model=FEW)


def test_all_that_is_near_is_known() -> None:
    for said in ("chainsaw", "пистолет", "пажалуйста", "bazooka", "орангутанг", "мяч"):
        with pytest.raises(UnknownThing) as refused:
            understand(said, model=FEW)
        for name in refused.value.near:
            assert not understand(name, model=FEW).partly, name


def test_another_language_is_named() -> None:
    with pytest.raises(NotUnderstood, match="Ukrainian"):
        understand("парасолька з їжаком", model=FEW)


def test_another_meaning_is_offered() -> None:
    assert understand("замок", model=FEW).alternatives == ("castle",)


def test_a_model_that_draws_anything_is_left_alone() -> None:
    assert understand("a very big cup of coffee with cream", model=FULL_SIZE).english == (
        "a very big cup of coffee with cream"
    )
    assert understand("lightsaber", model=FULL_SIZE).english == "lightsaber"


def test_every_name_of_the_table_leads_to_its_thing() -> None:
    """Whatever stands in the table is understood, in both languages, alone and with a colour."""
    file = load_profile("demo").vocabulary_file
    assert file is not None
    vocabulary = load_vocabulary(file)
    wrong = []
    for thing in vocabulary.things.values():
        for said in (thing.name, thing.russian, f"a {thing.name}", f"blue {thing.name}"):
            understood = understand(said, model=DEMO)
            if not set(split(thing.name)) <= set(split(understood.english)) or understood.partly:
                wrong.append((said, understood.english))
        for said in (*thing.synonyms, *thing.russian_synonyms):
            if understand(said, model=DEMO).partly:
                wrong.append((said, understand(said, model=DEMO).english))
    assert not wrong


def test_a_table_without_names_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "vocabulary.tsv"
    table.write_text("name\tkind\nlamp\thome\n", encoding="utf-8")
    with pytest.raises(InvalidRequest, match="russian"):
        load_vocabulary(table)
    (tmp_path / "other.tsv").write_text("name\trussian\nlamp\t\n", encoding="utf-8")
    with pytest.raises(InvalidRequest, match="line 2"):
        load_vocabulary(tmp_path / "other.tsv")


def test_an_english_request_loads_no_russian_dictionary() -> None:
    code = (
        "import sys; from pathlib import Path; from inference.translation.vocabulary import load_vocabulary;"
        f"known = load_vocabulary(Path({str(load_profile('demo').vocabulary_file)!r}));"
        "assert known.named(('telescope',)); print('pymorphy3' in sys.modules);"
        "assert known.named(('телескопом',)); print('pymorphy3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
