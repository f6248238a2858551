"""From Russian words to the prompt, along the one path: command line, batch, `--like`, a person's own correction."""

import json
from pathlib import Path

import pytest
from PIL import Image

from configs import default_settings
from inference import BadgeRequest, ModelInfo, NotUnderstood, Portrait, PortraitRequest, make_badge, render
from inference.badge import portrait_request, ready
from inference.generator import Generator
from inference.output.recipe import read_recipe
from inference.types import StepCallback

DEMO = ("--generator", "demo", "--text", "ДОБРО", "--seed", "7")


class Flat(Generator):
    """A generator that draws one colour and keeps what it was asked for."""

    def __init__(self, profile: str) -> None:
        self._model = ModelInfo("local", profile)
        self.asked: list[PortraitRequest] = []

    @property
    def model(self) -> ModelInfo:
        return self._model

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        self.asked.append(request)
        image = Image.new("RGB", (128, 128), "navy")
        image.paste("gold", (0, 0, 4, 4))
        return Portrait(image, request.prompt, request.seed, 1, 0.0, self.model)


@pytest.fixture(autouse=True)
def _quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"LOCAL__STEPS": "1", "BANNER__SIZE": "256", "LOCAL__THREADS": "1"}.items():
        monkeypatch.setenv(f"BADGE_{name}", value)


def test_the_badge_keeps_the_persons_words_and_the_prompt_has_english() -> None:
    generator = Flat("flux-dev")
    badge = make_badge(BadgeRequest("с большой кружкой кофе", "ДОБРО", 1), generator)
    assert (badge.request.object, badge.request.english) == ("с большой кружкой кофе", "big mug of coffee")
    assert "holding big mug of coffee" in generator.asked[0].prompt


def test_a_ready_request_has_nothing_left_open_and_is_taken_as_it_is() -> None:
    generator, settings = Flat("flux-dev"), default_settings()
    asked = ready(BadgeRequest(" с  телескопом", " UX  SCOUT"), generator.model, settings.banner, settings.translation)
    assert (asked.object, asked.english, asked.text, asked.style) == ("с телескопом", "telescope", "UX SCOUT", "ribbon")
    assert ready(asked, generator.model, settings.banner, settings.translation) == asked
    badge = make_badge(asked, generator)
    assert badge.request is asked
    assert generator.asked == [portrait_request(asked, settings.prompt)]
    assert generator.asked[0].seed == asked.seed


def test_a_correction_is_taken_as_it_is() -> None:
    generator = Flat("flux-dev")
    badge = make_badge(BadgeRequest("замок", "ДОБРО", 1, english="castle"), generator)
    assert badge.request.english == "castle"
    assert "holding castle" in generator.asked[0].prompt


def test_a_multilingual_model_gets_the_persons_words() -> None:
    generator = Flat("flux2-klein-4b")
    make_badge(BadgeRequest("с қылыш", "ДОБРО", 1), generator)
    assert "holding с қылыш" in generator.asked[0].prompt


def test_noise_is_refused_before_anything_is_drawn() -> None:
    generator = Flat("flux-dev")
    with pytest.raises(NotUnderstood):
        make_badge(BadgeRequest("ывапролд", "ДОБРО", 1), generator)
    assert generator.asked == []


def test_the_command_line_says_what_it_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main(["--object", "красный зонт", *DEMO, "--json"]) == 0
    said = capsys.readouterr()
    assert "красный зонт is drawn as: red umbrella" in said.err
    assert json.loads(said.out)["object"] == "красный зонт"
    recipe = read_recipe(Path("badge.png"))
    assert (recipe.object, recipe.english) == ("красный зонт", "red umbrella")
    assert "holding red umbrella" in recipe.prompt


def test_like_draws_the_same_again_and_another_object_in_english() -> None:
    assert render.main(["--object", "с катаной", *DEMO, "--out", "first.png"]) == 0
    assert render.main(["--like", "first.png", "--out", "again.png"]) == 0
    assert Path("first.png").read_bytes() == Path("again.png").read_bytes()
    assert render.main(["--like", "first.png", "--object", "с зонтом", "--out", "other.png"]) == 0
    assert "holding umbrella" in read_recipe(Path("other.png")).prompt


def test_a_row_that_is_not_understood_leaves_the_others_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("rows.csv").write_text("object,text,seed,name\nкатану,РАЗ,1,one\nывапролд,ДВА,2,two\n", encoding="utf-8")
    assert render.main(["--batch", "rows.csv", "--generator", "demo", "--out", "set"]) == 1
    assert "line 3: the demo FLUX cannot draw 'ывапролд'" in capsys.readouterr().err
    assert read_recipe(Path("set/one.png")).english == "sword"
    assert not Path("set/two.png").exists()


def test_the_command_line_refuses_noise_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main(["--object", "парасолька з їжаком", *DEMO]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: the object 'парасолька з їжаком' was not understood (it looks like Ukrainian")
    assert error.count("\n") == 1
    assert not Path("badge.png").exists()
