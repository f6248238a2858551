"""Many actors beside one process: images a second, and what handing a portrait to an actor costs.

    python -m benchmarks.ray

One Ray actor, and two, with one torch thread each, beside one process with two threads, and beside as many processes
without Ray, which is all that the cores can give; the demo FLUX at its own size and steps. The cost is the time of a
call as its caller sees it, less the drawing as the actor measured it.
"""

import multiprocessing
import multiprocessing.synchronize
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from configs.settings import default_settings
from inference.badge import finish_badge, ready
from inference.generator import Generator
from inference.local.generator import LocalGenerator
from inference.models.profiles import load_profile
from inference.output.recipe import encode_png, recipe_of
from inference.ray.cluster import cores
from inference.ray.generator import RayGenerator
from inference.types import BadgeRequest, PortraitRequest

_IMAGES, _ROUNDS = 8, 3  # by hand: the best round counts; more take longer and vary less
_STEPS = 16  # the demo's own


def main() -> None:
    """Print both tables."""
    profile, defaults = load_profile("demo"), default_settings()
    local = defaults.local.model_copy(update={"steps": _STEPS, "device": "cpu"})
    rows: list[tuple[str, float]] = []
    with LocalGenerator(profile, local.model_copy(update={"threads": cores()})) as generator:
        rows.append((f"one process, {cores()} threads", images_a_second(generator)))
    costs, ours, finishing = [0.0], 0.0, 0.0
    for actors in range(1, cores() + 1):
        settings = defaults.ray.model_copy(update={"actors": actors})
        with RayGenerator(profile, local.model_copy(update={"threads": 1}), settings) as generator:
            generator.warm()
            rows.append((f"{actors} actor{'s' * (actors > 1)}, 1 thread each", images_a_second(generator)))
            if actors == 1:
                costs, ours = dispatch_costs(generator)
                finishing = finishing_cost(generator)
    alone, together = without_ray(1), without_ray(cores())
    print(f"The demo FLUX, {profile.width} pixels, {_STEPS} steps, best of {_ROUNDS} x {_IMAGES}, {cores()} cores\n")
    print("| who draws | portraits a second | beside one actor |\n|---|---|---|")
    for name, rate in rows:
        print(f"| {name} | {rate:.3f} | {rate / rows[1][1]:.2f}x |")
    print(f"\nWithout Ray, {cores()} processes of 1 thread draw {together / alone:.2f} times what one draws", end="")
    print(f" ({alone:.3f} and {together:.3f} portraits a second)")
    middle, worst = statistics.median(costs) * 1000, max(costs) * 1000
    print(f"\nDispatch a portrait, steps told meanwhile: median {middle:.1f} ms, worst of {len(costs)} {worst:.1f} ms")
    print(f"CPU of the asking process a badge: dispatch {ours * 1000:.1f} ms, banner and PNG {finishing * 1000:.1f} ms")


def images_a_second(generator: Generator) -> float:
    """Portraits a second with as many calls in flight as the generator likes; loading is not counted.

    The best of some rounds: what else the machine does can only slow a round down.
    """
    generator.prepare(["warming"])
    with ThreadPoolExecutor(generator.parallel) as threads:
        list(threads.map(generator.generate, [PortraitRequest("warming", seed) for seed in range(generator.parallel)]))
        best = 0.0
        for _ in range(_ROUNDS):
            started = time.perf_counter()
            list(threads.map(generator.generate, [PortraitRequest("warming", seed) for seed in range(_IMAGES)]))
            best = max(best, _IMAGES / (time.perf_counter() - started))
        return best


def without_ray(processes: int) -> float:
    """Portraits a second of so many processes that know nothing of each other, in the best round."""
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(processes)
    answers = spawn.Queue()
    workers = [spawn.Process(target=_draw_alone, args=(start, answers)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    rounds = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    return max(processes * _IMAGES / max(seconds) for seconds in zip(*rounds, strict=True))


def _draw_alone(start: multiprocessing.synchronize.Barrier, answers: "multiprocessing.Queue[list[float]]") -> None:
    """One process of `without_ray`: the seconds of each round."""
    settings = default_settings().local.model_copy(update={"steps": _STEPS, "device": "cpu", "threads": 1})
    with LocalGenerator(load_profile("demo"), settings) as generator:
        generator.generate(PortraitRequest("warming", 0))
        rounds = []
        for _ in range(_ROUNDS):
            start.wait()
            started = time.perf_counter()
            for seed in range(_IMAGES):
                generator.generate(PortraitRequest("warming", seed))
            rounds.append(time.perf_counter() - started)
    answers.put(rounds)


def dispatch_costs(generator: Generator) -> tuple[list[float], float]:
    """Seconds a call beyond the drawing itself, of portraits drawn one after the other; and our CPU seconds a call."""
    costs, before = [], time.process_time()
    for seed in range(_IMAGES):
        started = time.perf_counter()
        portrait = generator.generate(PortraitRequest("warming", seed), lambda done, total: None)
        costs.append(time.perf_counter() - started - portrait.seconds)
    return costs, (time.process_time() - before) / _IMAGES


def finishing_cost(generator: Generator) -> float:
    """CPU seconds to put the banner over a portrait and to make the PNG, done where the badge was asked for."""
    settings, portrait = default_settings(), generator.generate(PortraitRequest("warming", 0))
    request = ready(BadgeRequest("cup", "UX SCOUT", 0), portrait.model, settings.banner, settings.translation)
    badge = finish_badge(request, portrait, settings.banner, time.perf_counter())
    before = time.process_time()
    for _ in range(_IMAGES):
        badge = finish_badge(request, portrait, settings.banner, time.perf_counter())
        encode_png(badge.image, recipe_of(badge))
    return (time.process_time() - before) / _IMAGES


if __name__ == "__main__":
    main()
