"""Real Ray actors on this machine: killed in mid-portrait, gone for good, canceled; and always the same pixels."""

import os
import shutil
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inference.errors import BackendUnavailable, Canceled, RenderFailed
from inference.local.generator import LocalGenerator
from inference.models.profiles import Profile
from inference.ray import cluster
from inference.ray.cluster import join_ray, leave_ray
from inference.ray.generator import RayGenerator
from inference.types import Portrait, PortraitRequest
from tests.inference.ray.parts import (
    STEPS,
    all_idle,
    kill_one_drawing,
    local_settings,
    needs_ray,
    ray_settings,
    running_below,
    tiny_profile,
)

pytestmark = [
    needs_ray,
    # Ray does not wait for the processes that it has ended.
    pytest.mark.filterwarnings(r"ignore:subprocess \d+ is still running:ResourceWarning"),
]


@pytest.fixture(scope="module")
def profile(tiny_flux: Path) -> Profile:
    return tiny_profile(tiny_flux)


@pytest.fixture(scope="module")
def generator(profile: Profile) -> Iterator[RayGenerator]:
    """Two actors, in a Ray with room for the two more that some tests want beside them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in SECRET_NAMES:
            patch.setenv(name, PLANTED)
        join_ray(ray_settings(actors=4), threads=1, cards=False)
        assert os.environ[SECRET_NAMES[0]] == PLANTED
    with RayGenerator(profile, local_settings(), ray_settings()) as opened:
        yield opened
    leave_ray()


SECRET_NAMES = ("TELEGRAM_BOT_TOKEN", "REPLICATE_API_TOKEN", "HF_TOKEN", "MY_OWN_API_KEY")
PLANTED = "4242:never-in-a-process-of-ray"


def request(seed: int) -> PortraitRequest:
    return PortraitRequest("samurai warrior badge, character holding telescope", seed)


def pixels(portrait: Portrait) -> bytes:
    return portrait.image.tobytes()


def draw_all(generator: RayGenerator, seeds: range) -> list[Portrait]:
    with ThreadPoolExecutor(generator.parallel) as threads:
        return list(threads.map(lambda seed: generator.generate(request(seed)), seeds))


def test_no_process_of_ray_has_a_token_and_nobody_else_enters_its_folder(generator: RayGenerator) -> None:
    generator.generate(request(1))
    running = list(running_below())
    assert any("raylet" in command[0] for _, command, _ in running if command)
    for _, command, environment in running:
        assert PLANTED not in str(environment), command
    (folder,) = cluster._folders
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.glob("ray/session_*/sockets/*"))
    assert not [command for _, command, _ in running if "--temp-dir=/tmp/ray" in command]


def test_many_actors_draw_what_one_process_draws(generator: RayGenerator, profile: Profile) -> None:
    with LocalGenerator(profile, local_settings()) as alone:
        expected = [alone.generate(request(seed)) for seed in range(4)]
        assert generator.key(request(1)) == alone.key(request(1))
        assert (generator.parallel, generator.model) == (2, alone.model)
    drawn = draw_all(generator, range(4))
    assert [pixels(portrait) for portrait in drawn] == [pixels(portrait) for portrait in expected]
    assert [(p.seed, p.steps, p.model) for p in drawn] == [(p.seed, p.steps, p.model) for p in expected]
    assert len({pixels(portrait) for portrait in drawn}) == 4


def test_a_portrait_whose_actor_is_killed_is_drawn_again(generator: RayGenerator) -> None:
    expected = pixels(generator.generate(request(7)))
    killed: list[int] = []
    seen: list[int] = []

    def on_step(done: int, total: int) -> None:
        seen.append(done)
        if done == 2:
            killed.append(kill_one_drawing())

    assert pixels(generator.generate(request(7), on_step)) == expected
    assert len(killed) == 1
    assert seen == list(range(1, STEPS + 1)), "no step is told twice"
    assert generator.parallel == 2, "Ray has started the actor again"


def test_canceling_passes_through_and_frees_the_actor(generator: RayGenerator) -> None:
    def stop(done: int, total: int) -> None:
        raise Canceled("enough")

    with pytest.raises(Canceled, match="enough"):
        generator.generate(request(1), stop)
    assert len(draw_all(generator, range(4))) == 4
    assert all_idle()


@pytest.mark.slow
def test_a_drawing_that_kills_its_process_at_each_try_fails_alone(profile: Profile, generator: RayGenerator) -> None:
    with RayGenerator(profile, local_settings(), ray_settings(actors=1, retries=0)) as fragile:
        with pytest.raises(RenderFailed, match="died on every attempt"):
            fragile.generate(request(1), lambda done, total: kill_when(done == 2))
        assert pixels(fragile.generate(request(1))) == pixels(generator.generate(request(1)))


def test_actors_that_are_gone_for_good_end_in_backend_unavailable(profile: Profile, generator: RayGenerator) -> None:
    assert generator.parallel == 2
    with RayGenerator(profile, local_settings(), ray_settings(restarts=0)) as mortal:
        with pytest.raises(BackendUnavailable, match=r"all Ray actors are gone: .*no restart is left"):
            mortal.generate(request(1), lambda done, total: kill_when(done == 2))
        with pytest.raises(BackendUnavailable):
            mortal.generate(request(1))
        with pytest.raises(BackendUnavailable):
            _ = mortal.model
        assert mortal.parallel == 1, "a batch still asks, and is told"


def test_what_an_actor_raises_arrives_as_it_is(profile: Profile, generator: RayGenerator, tmp_path: Path) -> None:
    assert generator.parallel == 2
    broken = Path(shutil.copytree(profile.source, tmp_path / "broken"))
    (broken / "transformer" / "diffusion_pytorch_model.safetensors").write_bytes(b"no safetensors")
    wrong = profile.model_copy(update={"folder": str(broken)})
    with pytest.raises(BackendUnavailable, match="the tiny FLUX") as alone:
        LocalGenerator(wrong, local_settings()).generate(request(1))
    with RayGenerator(wrong, local_settings(), ray_settings(actors=1)) as opened:
        with pytest.raises(BackendUnavailable) as caught:
            opened.generate(request(1))
        assert str(caught.value) == str(alone.value)


def kill_when(it_is_time: bool) -> None:
    if it_is_time:
        kill_one_drawing()
