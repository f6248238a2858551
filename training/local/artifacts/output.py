"""The output folder: may this job begin or go on there, and what a continuation must have in common with its start."""

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from inference.errors import RenderError
from inference.files import held, require_writable, write_atomically
from training.dataset.pictures import DataSet
from training.errors import InvalidJob, ResumeRefused, TrainingFailed
from training.job import TrainingJob

log = logging.getLogger(__name__)

_FILE, _LOCK = "job.json", ".lock"


def belongs_to(job: TrainingJob, data: DataSet, base: str) -> dict[str, Any]:
    """What determines the weights: the recipe, each picture with its caption, the base's and the cache's identity."""
    pictures = {p.name: f"{p.sha256[:16]} {data.caption(p)}" for p in data.pictures}
    return {"recipe": job.recipe(), "pictures": pictures, "base": base}


@contextmanager
def claim(job: TrainingJob, mine: dict[str, Any]) -> Iterator[None]:
    """Hold `job.out`, which is made where it is missing, for this process alone.

    Raises InvalidJob where it cannot be used or another training runs there, ResumeRefused where it belongs to
    something else. Nothing is written but the lock, and that into no folder of somebody else's.
    """
    try:
        require_writable(job.out)
    except RenderError as error:
        raise InvalidJob(str(error)) from error
    others = [path.name for path in job.out.iterdir() if path.name != _LOCK]
    if others and _FILE not in others:
        raise InvalidJob(f"{job.out} is not empty ({others[0]}, ...): name another folder with --out")
    with ExitStack() as stack:
        try:
            alone = stack.enter_context(held(job.out / _LOCK))
        except OSError as error:
            raise InvalidJob(f"cannot lock {job.out}: {error.strerror}; name another folder with --out") from error
        if not alone:
            raise InvalidJob(
                f"another training is running in {job.out}: wait for it or stop it, or name another folder with --out"
            )
        _check_continuation(job, mine)
        yield


def _check_continuation(job: TrainingJob, mine: dict[str, Any]) -> None:
    file = job.out / _FILE
    if not file.exists():
        return
    if not job.resume:
        raise InvalidJob(f"{job.out} holds a training already: go on with --resume, or name another folder with --out")
    compare(_belongings(file, job.out), mine, job.out)


def _belongings(file: Path, out: Path) -> dict[str, Any]:
    """What the training in `out` belongs to: by `job.json`, or where that is empty or damaged by a checkpoint."""
    try:
        theirs = json.loads(file.read_text(encoding="utf-8"))
        if _is_one(theirs):
            return dict(theirs)
    except (OSError, ValueError, RecursionError):
        pass
    from training.local.artifacts.checkpoint import newest, read_state

    whole = newest(out / "checkpoints")
    theirs = read_state(whole).belongs_to if whole else None
    if not _is_one(theirs):
        raise ResumeRefused(f"{file} cannot be read, nor is there a whole checkpoint: start again in another --out")
    log.warning(
        "%s is damaged: the checkpoint %s holds the same, and training continues from it",
        file,
        whole.name if whole else "",
    )
    return dict(theirs or {})


def _is_one(belongs: Any) -> bool:
    return isinstance(belongs, dict) and all(isinstance(belongs.get(key), dict) for key in ("recipe", "pictures"))


def compare(theirs: dict[str, Any], mine: dict[str, Any], out: Path) -> None:
    """Raises ResumeRefused, naming up to three differences, where two `belongs_to` differ."""
    changes = []
    now = json.loads(json.dumps(mine))
    for key in sorted(theirs.get("recipe", {}).keys() | now["recipe"].keys()):
        old, new = theirs.get("recipe", {}).get(key), now["recipe"].get(key)
        if old != new:
            changes.append(f"{key} was {old!r}, is {new!r}")
    before, after = theirs.get("pictures", {}), now["pictures"]
    changes += [f"{name} is gone" for name in sorted(before.keys() - after.keys())]
    changes += [f"{name} is new" for name in sorted(after.keys() - before.keys())]
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            what = "picture" if before[name].split(" ")[0] != after[name].split(" ")[0] else "caption"
            changes.append(f"the {what} of {name} changed")
    if theirs.get("base") != now["base"]:
        changes.append("the base model's weights changed")
    if changes:
        more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
        raise ResumeRefused(
            f"cannot go on in {out}: {'; '.join(changes[:3])}{more}. Undo that, or start anew in another --out"
        )


def begin(job: TrainingJob, mine: dict[str, Any]) -> None:
    """Write `job.json`, which marks the folder as this job's."""
    try:
        write_atomically(job.out / _FILE, json.dumps(mine, indent=1, ensure_ascii=False).encode() + b"\n")
    except RenderError as error:
        raise TrainingFailed(str(error)) from error
