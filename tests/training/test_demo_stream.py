"""What feeds the demo's training: chunks of drawings, the store, token ids, packing; and the measures of a portrait."""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from transformers import CLIPTokenizer, T5Tokenizer

from inference.models.profiles import PACKAGE
from training import torn
from training.demo import measures
from training.demo.drawing.captions import unseen_pairs
from training.demo.drawing.illustrator import draw
from training.demo.drawing.things import THINGS
from training.demo.drawing.vocabulary import shipped
from training.demo.model import refine, run, stream
from training.demo.model.loop import Schedule
from training.demo.model.store import Store

FOLDER = PACKAGE / "inference" / "demo"


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped tokenizers, laid out as a work folder has them."""
    folder = tmp_path_factory.mktemp("tokenizers")
    (folder / "t5").symlink_to(FOLDER / "tokenizer_2")
    (folder / "clip").symlink_to(FOLDER / "tokenizer")
    return folder


@pytest.fixture(scope="module")
def chunk(tokenizers: Path) -> stream.Chunk:
    return stream.chunk_of(range(24), stream.trained_pairs(), stream.Words(tokenizers))


def test_ids_are_those_that_the_pipeline_gets(tokenizers: Path) -> None:
    texts = [draw(seed, size=16, supersample=1).caption for seed in range(40)] + [""]
    t5, clip = stream.Words(tokenizers).ids(texts)
    told = {"padding": "max_length", "truncation": True, "return_tensors": "np"}
    assert np.array_equal(
        t5, T5Tokenizer.from_pretrained(FOLDER / "tokenizer_2")(texts, max_length=48, **told).input_ids
    )
    assert np.array_equal(
        clip, CLIPTokenizer.from_pretrained(FOLDER / "tokenizer")(texts, max_length=77, **told).input_ids
    )


def test_every_word_of_the_vocabulary_is_one_piece() -> None:
    tokenizer = T5Tokenizer.from_pretrained(FOLDER / "tokenizer_2")
    split = [word for thing in THINGS.values() for name in (thing.name, *thing.synonyms)
             for word in name.split() if len(tokenizer.tokenize(word)) > 1]  # fmt: skip
    assert split == []


def test_a_chunk_holds_trained_pairs_and_keeps_the_aidbox_samurai_apart(chunk: stream.Chunk) -> None:
    assert chunk.pictures.shape == (24, 256, 256, 3)
    assert chunk.labels.shape == (24, stream.VARIANTS, 5)
    assert (chunk.labels >= 0).all()
    assert (chunk.labels < np.array(stream.LABELS)).all()
    pairs = {(stream.NAMES[c], stream.OBJECTS[t]) for c, t in chunk.labels[:, 0, :2]}
    assert not pairs & unseen_pairs()
    assert len(chunk.aidbox) == len(chunk.aidbox_things) < 24
    assert chunk.t5.max() < len(T5Tokenizer.from_pretrained(FOLDER / "tokenizer_2"))


def test_workers_draw_what_one_process_draws(chunk: stream.Chunk, tokenizers: Path) -> None:
    few = next(iter(stream.chunks(stream.CHUNK, 1, tokenizers)))
    assert np.array_equal(few.pictures[:24], chunk.pictures)
    assert np.array_equal(few.t5[:24], chunk.t5)


def test_a_store_is_kept_and_found_again(chunk: stream.Chunk, tmp_path: Path) -> None:
    store = Store(16, torch.device("cpu"))
    store.add(chunk)
    assert store.count == 16, "no more than there is room for"
    store.save(tmp_path / "drawings.pt")
    found = Store.load(tmp_path / "drawings.pt", torch.device("cpu"))
    assert found.count == 16
    assert torch.equal(found.pictures, store.pictures)
    index = torch.tensor([3])
    left, top, right, bottom = (int(v) for v in store.boxes[3])
    inside = store.inside(index).view(8, 8)
    assert inside[(top + bottom) // 64, (left + right) // 64] == 1
    assert inside[7].sum() == 0, "nothing is held behind the banner"


def test_what_a_timed_run_made_comes_in_parts_that_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PART", 50_000)
    (tmp_path / "weights").write_bytes(os.urandom(120_000))
    run.pack(tmp_path / "out", [tmp_path / "weights"])
    parts = sorted((tmp_path / "out").glob("demo.tar.*"))
    assert len(parts) == 3
    with tarfile.open(fileobj=io.BytesIO(b"".join(p.read_bytes() for p in parts))) as tar:
        member = tar.extractfile("weights")
        assert member is not None
        assert member.read() == (tmp_path / "weights").read_bytes()


def test_a_timed_plan_falls_with_the_time_that_passed() -> None:
    plan = Schedule(10**7, warmup=10, decay_from=0.5, seconds=100)
    assert plan.factor(5000, 40) == 1.0
    assert 0.4 < plan.factor(5000, 75) < 0.6
    assert plan.factor(5000, 99.9) < 0.02


def test_a_drawing_is_whole_and_a_torn_one_is_not() -> None:
    whole = draw(5, "samurai warrior", "guitar").image
    assert torn.torn_share(whole) < torn.TORN
    smudged = whole.copy()
    ImageDraw.Draw(smudged).ellipse((20, 8, 70, 40), fill=(150, 215, 215))  # a blob without outline
    assert torn.torn_share(smudged) > torn.TORN
    rubbed = np.array(whole)
    ground = rubbed[2, 2]
    dark = rubbed.sum(2) < 300
    dark[:, :128] = False  # the outlines of one half are rubbed out
    rubbed[dark] = ground
    assert torn.torn_share(Image.fromarray(rubbed)) > torn.TORN


@pytest.mark.parametrize(
    ("thing", "colour"), [("umbrella", "red"), ("apple", "green"), ("cup", "blue"), ("cat", "black")]
)
def test_a_colour_is_measured_on_the_thing(thing: str, colour: str) -> None:
    drawing = draw(21, "wizard", thing, colour=colour)
    other = draw(21, "wizard", thing, colour="pink")
    assert measures.colour_share(drawing.image, "wizard", thing, colour) > 0.5
    assert measures.colour_share(other.image, "wizard", thing, colour) < 0.2


def test_calm_looks_have_one_pose_and_refining_knows_the_shipped_things_alone() -> None:
    looks = [draw(seed, size=16, supersample=1, calm=True).look for seed in range(20)]
    assert {(look.mirrored, look.height) for look in looks} == {(False, 1)}
    assert max(abs(look.thing_angle) for look in looks) <= 2
    pairs = refine.pairs()
    assert {thing for _, thing in pairs} <= set(shipped())
    assert not set(pairs) & unseen_pairs()
    samurai, other = (pairs.count((who, "cat")) for who in ("samurai warrior", "chef"))
    assert samurai == 2 * other or 0 in (samurai, other)
