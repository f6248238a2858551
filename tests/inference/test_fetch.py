"""Weights beforehand: size, licence and room said first, only what is needed downloaded, and nothing half."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inference.models.base_weights import is_on_disk
from inference.models.profiles import load_profile
from tests.fakes.hub import COMMIT, FakeHub, hub

PROFILE = load_profile("flux-dev")
INDEX = {"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"], "vae": [None, None]}


def model() -> FakeHub:
    return FakeHub(
        PROFILE.repo,
        {
            "model_index.json": json.dumps(INDEX).encode(),
            "transformer/config.json": b"{}",
            "transformer/diffusion_pytorch_model.safetensors": bytes(range(256)) * 200,
            "transformer/diffusion_pytorch_model.bin": bytes(5000),
            "vae/config.json": b"{}",
            "flux1-dev.safetensors": bytes(9000),
            "README.md": b"words",
        },
    )


def fetch(fake: FakeHub, home: Path, *options: str, profile: str = "flux-dev") -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ, "HF_ENDPOINT": fake.url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_TOKEN": "", "HF_HUB_OFFLINE": "0",
    }  # fmt: skip
    command = [sys.executable, "-m", "inference.fetch", profile, *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def kept(home: Path) -> set[str]:
    folder = home / "hub" / f"models--{PROFILE.repo.replace('/', '--')}" / "snapshots" / COMMIT
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_the_pipeline_needs_is_downloaded_and_a_second_run_asks_for_nothing(tmp_path: Path) -> None:
    with hub(model()) as fake:
        done = fetch(fake, tmp_path)
        assert done.returncode == 0, done.stderr
        assert "FLUX.1 dev: 0.0 GB in 3 files, FLUX.1 [dev] Non-Commercial License" in done.stdout
        assert kept(tmp_path) == {
            "model_index.json", "transformer/config.json", "transformer/diffusion_pytorch_model.safetensors"
        }  # fmt: skip
        before = dict(fake.sent)
        again = fetch(fake, tmp_path)
        assert again.returncode == 0, again.stderr
        assert "everything is on this disk" in again.stdout
        assert fake.sent == before


def test_weights_are_on_this_disk_once_the_last_shard_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    fake = model()
    weights = "transformer/diffusion_pytorch_model"
    shards = [f"{weights}-0000{n}-of-00002.safetensors" for n in (1, 2)]
    fake.files |= dict.fromkeys(shards, fake.files[f"{weights}.safetensors"])
    fake.files.pop(f"{weights}.safetensors")
    table = {"weight_map": {f"layer{n}.weight": Path(shard).name for n, shard in enumerate(shards)}}
    fake.files[f"{weights}.safetensors.index.json"] = json.dumps(table).encode()
    index = {**INDEX, "tokenizer": ["transformers", "CLIPTokenizer"]}
    fake.files |= {"model_index.json": json.dumps(index).encode(), "tokenizer/vocab.json": b"{}"}
    folder = tmp_path / "hub" / f"models--{PROFILE.repo.replace('/', '--')}" / "snapshots" / COMMIT
    with hub(fake):
        assert not is_on_disk(PROFILE.model_copy(update={"revision": COMMIT}))
        assert fetch(fake, tmp_path).returncode == 0
    assert is_on_disk(PROFILE.model_copy(update={"revision": COMMIT}))
    for name in ("tokenizer/vocab.json", shards[1], "model_index.json"):
        aside = tmp_path / "aside"
        (folder / name).rename(aside)
        assert not is_on_disk(PROFILE.model_copy(update={"revision": COMMIT})), name
        aside.rename(folder / name)
    assert is_on_disk(PROFILE.model_copy(update={"revision": COMMIT}))


def test_a_download_that_breaks_off_goes_on(tmp_path: Path) -> None:
    with hub(model()) as fake:
        fake.breaks = 1
        first = fetch(fake, tmp_path)
        done = first if first.returncode == 0 else fetch(fake, tmp_path)
        assert done.returncode == 0, done.stderr
        assert fake.breaks == 0
        assert len(kept(tmp_path)) == 3
    name = "transformer/diffusion_pytorch_model.safetensors"
    folder = tmp_path / "hub" / f"models--{PROFILE.repo.replace('/', '--')}" / "snapshots" / COMMIT
    assert (folder / name).read_bytes() == fake.files[name]


def test_what_cannot_fit_is_refused_before_it_begins(tmp_path: Path) -> None:
    with hub(model()) as fake:
        fake.claimed["transformer/diffusion_pytorch_model.safetensors"] = 10**16
        done = fetch(fake, tmp_path)
        assert done.returncode == 1
        assert done.stderr.startswith("error: FLUX.1 dev needs 10000000.0 GB more, and ")
        assert done.stderr.count("\n") == 1
        assert kept(tmp_path) <= {"model_index.json"}
        draw = [sys.executable, "-m", "inference.render", "--generator", "local", "--profile", "flux-dev"]
        draw += ["--object", "lamp", "--text", "A", "--out", str(tmp_path / "a.png"), "--lora", "none"]
        environment = {**os.environ, "HF_ENDPOINT": fake.url, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
        environment["BADGE_DATA_DIR"] = str(tmp_path)
        drawn = subprocess.run(draw, env=environment, capture_output=True, text=True, check=False)
        assert drawn.returncode == 1
        assert "error: FLUX.1 dev needs 10000000.0 GB more" in drawn.stderr
        assert kept(tmp_path) <= {"model_index.json"}


def test_a_gated_model_says_how_to_get_in(tmp_path: Path) -> None:
    with hub(model()) as fake:
        fake.gated = True
        done = fetch(fake, tmp_path)
    assert done.returncode == 1
    assert f"accept the licence at https://huggingface.co/{PROFILE.repo} and set HF_TOKEN" in done.stderr


@pytest.mark.parametrize(("profile", "code", "said"), [("demo", 0, "nothing to download"), ("fluxdev", 2, "flux-dev")])
def test_what_needs_no_hub(profile: str, code: int, said: str, tmp_path: Path) -> None:
    done = fetch(FakeHub("a/b", {}, url="http://127.0.0.1:9"), tmp_path, profile=profile)
    assert done.returncode == code
    assert said in done.stdout + done.stderr


def test_a_dry_run_downloads_nothing_large(tmp_path: Path) -> None:
    with hub(model()) as fake:
        done = fetch(fake, tmp_path, "--dry-run")
        assert done.returncode == 0, done.stderr
        assert "to download: 0.0 GB; free in " in done.stdout
        assert set(fake.sent) <= {"model_index.json"}
