"""A Marian model on disk, real and tiny: who goes first, what is said when it fails, that noise never reaches it."""

import logging
from pathlib import Path

import pytest

from configs import default_settings
from configs.sections.translation import TranslationSettings
from inference import NotUnderstood, UnderstoodObject, understand
from inference.translation.marian import open_marian
from tests.inference.translation.tiny_marian import PAIRS, make_tiny_marian


@pytest.fixture(scope="module")
def marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_marian(tmp_path_factory.mktemp("tiny-marian"))


def settings(marian: Path | str, first: str = "marian") -> TranslationSettings:
    return default_settings().translation.model_copy(update={"marian": str(marian), "first": first})


def test_it_translates_what_it_was_taught(marian: Path) -> None:
    for russian, english in PAIRS.items():
        assert understand(russian, settings(marian)).english == english
        assert understand(russian, settings(marian)).how == "marian"


def test_the_model_goes_first_and_the_glossary_offers_its_meanings(marian: Path) -> None:
    assert understand("лук", settings(marian)) == UnderstoodObject("лук", "onion", "marian", ("bow",))


def test_the_setting_turns_the_order_round(marian: Path) -> None:
    swapped = settings(marian, first="glossary")
    assert understand("лук", swapped) == UnderstoodObject("лук", "bow", "glossary", ("onion",))
    assert understand("вдохновение", swapped) == UnderstoodObject("вдохновение", "inspiration", "marian")


def test_words_around_the_thing_do_not_reach_it(marian: Path) -> None:
    assert understand("пусть держит катана", settings(marian)).english == "katana"


def test_noise_never_reaches_it(marian: Path) -> None:
    with pytest.raises(NotUnderstood):
        understand("ывапролд", settings(marian))


def test_without_one_the_glossary_translates_and_what_it_lacks_is_refused(tmp_path: Path) -> None:
    for missing in ("Helsinki-NLP/opus-mt-ru-en", "", "no such thing", str(tmp_path / "nowhere")):
        assert understand("с катаной", settings(missing)).how == "glossary"
        with pytest.raises(NotUnderstood):
            understand("вдохновение", settings(missing))


def test_a_damaged_model_is_told_once_and_the_glossary_goes_on(
    marian: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("config.json", "vocab.json", "tokenizer_config.json", "source.spm", "target.spm"):
        (tmp_path / name).write_bytes((marian / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes((marian / "model.safetensors").read_bytes()[:1000])
    with caplog.at_level(logging.WARNING):
        assert understand("с катаной", settings(tmp_path)).how == "glossary"
        assert understand("с зонтом", settings(tmp_path)).how == "glossary"
    assert [record.getMessage() for record in caplog.records if "glossary translates" in record.getMessage()] != []
    assert sum("glossary translates" in record.getMessage() for record in caplog.records) == 1


def test_it_is_loaded_once(marian: Path) -> None:
    assert open_marian(str(marian), False) is open_marian(str(marian), False)
