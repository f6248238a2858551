"""The LoRA test: what it draws, what it writes, and what its numbers mean, on a tiny FLUX and on drawn pictures."""

import asyncio
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from inference.models.profiles import PACKAGE
from tests.chromium import dom_of, needs_chromium, screenshot, tab
from tests.tiny_flux import make_tiny_clip
from tests.training.pictures import THINGS, draw_picture, job_for
from training.commands.evaluate import names_of
from training.errors import InvalidJob
from training.evaluate import main
from training.evaluation.page import evaluation_page
from training.evaluation.scorers import DemoScorer, PixelScorer, open_scorer
from training.evaluation.scores import score
from training.evaluation.trial import Case, Trial, cases

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture(scope="module")
def lora(profiles: Path, six_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import inference.models.profiles
    from configs import default_settings
    from training.local.trainer import LocalTrainer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inference.models.profiles, "FOLDER", profiles)
        inference.models.profiles.load_profile.cache_clear()
        job = job_for(data=six_pictures, out=tmp_path_factory.mktemp("lora") / "out", steps=4)
        return LocalTrainer(default_settings()).train(job).path


@pytest.fixture(scope="module")
def results(lora: Path, profiles: Path, six_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import inference.models.profiles

    out = tmp_path_factory.mktemp("results") / "test_results"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inference.models.profiles, "FOLDER", profiles)
        inference.models.profiles.load_profile.cache_clear()
        arguments = ["--lora", str(lora), "--out", str(out), "--data", str(six_pictures), "--scorer", "pixels"]
        assert main([*arguments, "--objects", "sword,<rocket>", "--seeds", "2", "--scales", "1.0"]) == 0
    return out


def test_it_writes_images_a_page_and_scores(results: Path) -> None:
    scores = json.loads((results / "scores.json").read_text())
    assert scores["scorer"].startswith("pixels")
    assert scores["profile"] == "tiny"
    assert [row["scale"] for row in scores["scales"]] == [0.0, 1.0]
    assert [row["portraits"] for row in scores["scales"]] == [4, 4]
    assert scores["scales"][0]["object_right"] is None
    assert scores["moved"][0]["by"] > 0
    images = sorted(path.name for path in (results / "images").iterdir())
    assert len(images) == 2 * 2 * 2 + 3 * 2 * 2
    with_lora, without = (results / "images" / f"sword-seed-0-{how}.png" for how in ("scale-1", "without"))
    assert with_lora.read_bytes() != without.read_bytes()
    page = (results / "index.html").read_text()
    for name in images:
        assert f'src="images/{name}"' in page
    assert "&lt;rocket&gt;" in page
    assert "<rocket>" not in page
    assert "http" not in page


@needs_chromium
def test_two_loras_stand_side_by_side(
    results: Path, lora: Path, six_pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each has its own folder with what it would have alone, and the page shows the same portraits of both."""
    weights = {name: value * 3 for name, value in load_file(lora).items()}
    with safe_open(lora, "np") as file:
        save_file(weights, tmp_path / "<strong>.safetensors", file.metadata())
    out = tmp_path / "both"
    arguments = ["--lora", str(lora), "--lora", str(tmp_path / "<strong>.safetensors"), "--out", str(out)]
    arguments += ["--data", str(six_pictures), "--scorer", "pixels"]
    assert main([*arguments, "--objects", "sword,<rocket>", "--seeds", "2", "--scales", "1.0"]) == 0
    first = lora.parent.name
    told = capsys.readouterr().err
    assert f"{first}: The style was" in told
    assert "<strong>: The style was" in told
    for name in (first, "<strong>"):
        images = sorted(path.name for path in (out / name / "images").iterdir())
        assert images == sorted(path.name for path in (results / "images").iterdir())
        assert (out / name / "index.html").is_file()
        same = [(out / name / "images" / i).read_bytes() == (results / "images" / i).read_bytes() for i in images]
        # What the first trial drew without a LoRA is the second's too; with it the second differs everywhere.
        assert same == [name == first or i.endswith("-without.png") for i in images]
    assert json.loads((out / first / "scores.json").read_text()) == json.loads((results / "scores.json").read_text())
    text = (out / "index.html").read_text(encoding="utf-8")
    assert "<strong>" not in text

    async def look() -> None:
        async with tab((out / "index.html").as_uri(), tmp_path / "profile", width=390) as page:
            assert await page.value("document.images.length") == (2 + 3) * 2 * 3
            await page.value("for (const image of document.images) image.loading = 'eager'")
            await page.until("[...document.images].every(image => image.complete && image.naturalWidth)")
            assert await page.value("document.documentElement.scrollWidth <= innerWidth")

    asyncio.run(look())


def test_every_lora_has_a_name_of_its_own() -> None:
    paths = [
        Path("a/lora.safetensors"),
        Path("b/lora.safetensors"),
        Path("c/A.safetensors"),
        Path("images.safetensors"),
    ]
    assert names_of(paths) == ["a", "b", "A-2", "images-2"]


@pytest.mark.slow
@needs_chromium
def test_a_browser_shows_every_portrait(results: Path, tmp_path: Path) -> None:
    """All images are there when the page has loaded, none from elsewhere, and a person sees more than a blank page."""
    probe = results / "probe.html"
    count = "[document.images.length, [...document.images].filter(i => i.naturalWidth > 0).length]"
    script = f"<script>addEventListener('load', () => {{ document.title = 'found ' + {count}; }});</script>"
    page = (results / "index.html").read_text(encoding="utf-8")
    probe.write_text(page + script, encoding="utf-8")
    dom = dom_of(probe, tmp_path / "profile")
    probe.unlink()
    found = re.search(r"<title>found (\d+),(\d+)</title>", dom)
    assert found is not None
    assert found[1] == found[2] == str(page.count("<img"))
    shot = screenshot(results / "index.html", tmp_path / "profile", tmp_path / "page.png")
    with Image.open(shot) as image:
        assert np.asarray(image.convert("L")).std() > 10


def test_bad_input(lora: Path, six_pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "out"), "--data", str(six_pictures)]
    for arguments, said in (
        (["--lora", str(tmp_path / "none.safetensors"), *out], "no such LoRA file"),
        (["--lora", str(lora), "--scales", "big", *out], "--scales 'big'"),
        (["--lora", str(lora), "--scales", "9", *out], "at most 4"),
        (["--lora", str(lora), "--out", str(tmp_path / "out"), "--data", str(tmp_path / "no")], "no such folder"),
        (["--lora", str(lora), "--scorer", "oracle", *out], "no such scorer: 'oracle'; choose auto, demo, "),
    ):
        assert main(arguments) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def drawn(thing: str, picture: Image.Image, scale: float, seed: int = 0, stranger: str = "") -> Trial:
    return Trial(Case(thing, seed, scale, thing in THINGS[:3], stranger), picture, Path())


def test_scores_tell_learned_from_not_and_find_copies() -> None:
    training = [draw_picture(number) for number in range(6)]
    other = Image.new("RGB", (64, 64), (10, 60, 10))
    half = Image.blend(training[0].resize((64, 64)), training[1].resize((64, 64)), 0.5)
    whole = [
        drawn("kite", other, 0.0),
        drawn("kite", other, 0.0, 1),
        drawn("kite", half, 1.0),
        drawn("kite", half, 1.0, 1),
    ]
    whole += [
        drawn("cup", other, 0.0, stranger="wizard {object}"),
        drawn("cup", other, 1.0, stranger="wizard {object}"),
    ]
    scores = score(whole, training, PixelScorer(), "x", "tiny", ["kite"])
    before, after = scores.scales
    assert after.style > before.style + 0.2
    assert scores.verdict()[0].startswith("The style was learned")
    assert scores.moved[0].by == pytest.approx(0, abs=1e-6)
    assert any("stay as they were" in line for line in scores.verdict())
    assert after.diversity == pytest.approx(0, abs=1e-6)
    assert after.near_copies == ()
    copied = score([*whole[:2], drawn("kite", training[3], 1.0)], training, PixelScorer(), "x", "tiny", ["kite"])
    assert len(copied.scales[1].near_copies) == 1
    assert any("nearly a training picture" in line for line in copied.verdict())
    unlearned = score([*whole[:2], drawn("kite", other, 1.0)], training, PixelScorer(), "x", "tiny", ["kite"])
    assert unlearned.verdict()[0].startswith("The style was not learned")


def test_one_changed_stranger_is_enough_to_say_that_others_change() -> None:
    training = [draw_picture(number) for number in range(6)]
    robots = [draw_picture(number + 10) for number in range(8)]
    whole = [drawn("kite", training[0], 0.0), drawn("kite", training[1], 1.0)]
    for number, robot in enumerate(robots):
        whole += [drawn("cup", robot, scale, number, f"robot {number} {{object}}") for scale in (0.0, 1.0)]
    assert score(whole, training, PixelScorer(), "x", "tiny", ["kite"]).others_unaffected
    whole[-1] = drawn("cup", training[2], 1.0, 7, "robot 7 {object}")
    scores = score(whole, training, PixelScorer(), "x", "tiny", ["kite"])
    assert not scores.others_unaffected
    (said,) = [line for line in scores.verdict() if line.startswith("Others")]
    assert said.startswith("Others change too, 1 of 8: ")
    assert "fewer steps, a lower scale" in said
    assert "robot-7" in scores.moved[0].file
    page = evaluation_page(scores, whole, [], None)
    assert page.index("The worst of it") < page.index(scores.moved[0].file) < page.index("Numbers")


def test_a_torn_portrait_holds_nothing_and_is_told() -> None:
    folder = PACKAGE / "training" / "demo" / "training_images"
    training = [Image.open(path).convert("RGB").resize((256, 256)) for path in sorted(folder.glob("*.png"))[:8]]
    thing = sorted(folder.glob("*.png"))[0].stem.removeprefix("samurai_with_").replace("_", " ")
    smudged = training[0].copy()
    ImageDraw.Draw(smudged).ellipse((20, 8, 90, 50), fill=(150, 215, 215))  # a blob without outline
    plain = [drawn(thing, training[0], 0.0), drawn(thing, training[0], 1.0)]
    assert score(plain, training, DemoScorer(), "x", "demo", [thing]).scales[1].torn == 0
    hurt = score([plain[0], drawn(thing, smudged, 1.0)], training, DemoScorer(), "x", "demo", [thing])
    assert (hurt.scales[1].torn, hurt.scales[1].object_right) == (1, 0)
    assert any("100% of the portraits are torn where" in line for line in hurt.verdict())
    assert any("Too seldom is the object right" in line for line in hurt.verdict())


def test_cases_keep_scales_together_and_names_apart() -> None:
    wanted = cases([("sword", True), ("kite", False)], ["wizard badge, {object}"], 2, [0.5, 1.0])
    scales = [case.scale for case in wanted]
    assert scales == sorted(scales)
    assert len({case.file for case in wanted}) == len(wanted) == 3 * 4 + 2 * 2


def test_the_demo_classifier_knows_the_look() -> None:
    """On the illustrator's own pictures: the aidbox samurai and the objects it holds."""
    held_out = sorted((PACKAGE / "training" / "demo" / "heldout_images").glob("*.png"))
    images = [Image.open(path).convert("RGB") for path in held_out]
    things = [path.stem.removeprefix("samurai_with_").replace("_", " ") for path in held_out]
    scorer = DemoScorer()
    look, right = scorer.has_look(images), scorer.holds(images, things, things)
    assert look is not None
    assert right is not None
    assert sum(look) >= 14
    assert sum(right) >= 14
    assert scorer.has_look([draw_picture(1)]) == [False]
    assert scorer.holds(images[:1], ["quokka"], []) is None


def test_a_clip_from_a_folder_judges_objects_by_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A random CLIP of real classes: that it runs, names itself, and gives unit features."""
    folder = make_tiny_clip(tmp_path / "small-clip")
    scorer = open_scorer(str(folder), "flux-dev")
    assert scorer.name == "small-clip"
    images = [draw_picture(0), draw_picture(1)]
    features = scorer.features(images)
    assert features.shape == (2, 8)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-5)
    answers = scorer.holds(images, ["sword", "kite"], ["sword", "kite", "cup"])
    assert answers is not None
    assert len(answers) == 2
    # The same in the Hub's cache, with the Hub out of reach; and half of it.
    repository, commit = tmp_path / "hub" / "models--someone--small-clip", "0" * 40
    shutil.copytree(folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    cached = open_scorer("someone/small-clip", "flux-dev")
    assert cached.name == "someone/small-clip"
    np.testing.assert_array_equal(cached.features(images), features)
    (repository / "snapshots" / commit / "preprocessor_config.json").unlink()
    with pytest.raises(InvalidJob, match="the Hub cannot be reached"):
        open_scorer("someone/small-clip", "flux-dev")


def test_a_scorer_that_is_not_to_be_had_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InvalidJob, match=r"^no such scorer: 'nothing'; choose auto, demo, .*, or a model's folder$"):
        open_scorer("nothing", "flux-dev")
    with pytest.raises(InvalidJob, match=r"^the scorer '.*' is not available: .*config.json.*; choose auto, demo, "):
        open_scorer(str(tmp_path), "flux-dev")
    gone = (
        r"^the scorer 'dino' is not available: it is not on this disk and the Hub cannot be reached; "
        r"choose auto, demo, "
    )
    with pytest.raises(InvalidJob, match=gone):
        open_scorer("dino", "flux-dev")
    assert open_scorer("auto", "flux-dev").name.startswith("pixels")
