"""The trained LoRA in the bot's settings: what they have to say, and `--install`, which writes that into a file."""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

from configs import Settings, default_settings, load_settings
from configs.edit import CannotEdit, quoted, with_values
from inference.files import written_aside
from inference.models.profiles import base_profile, profile_names
from training.dataset.folder import shown
from training.errors import InvalidJob, TrainingFailed
from training.job import TrainingJob

Values = dict[tuple[str, str], str]


class Installed:
    """The settings of a job's LoRA, in `file` or, where that is None, in words."""

    def __init__(self, file: Path | None, job: TrainingJob, *, hosted: bool) -> None:
        """`hosted`: it is trained elsewhere, and is a model there too."""
        self._file, self._job, self._hosted = file, job, hosted

    def by_hand(self, settings: Settings, model: str = "") -> str:
        """One line that says what to write beside what is in force now; `model` is the hosted one."""
        held = {
            "prompt": {"trigger": settings.prompt.trigger}, "generator": {"profile": settings.generator.profile}
        }  # fmt: skip
        values = self._values(held, model, str(self._job.lora_path))
        lines = "; ".join(f"[{section}] {key} = {quoted(value)}" for (section, key), value in values.items())
        return f"The bot draws with it once its settings file says (--resume --install FILE writes it): {lines}"

    def text(self, model: str = "") -> str:
        """The file's text with the LoRA in it.

        Raises ConfigError where the bot could not read the file, InvalidJob where it cannot be edited or would not draw
        with the LoRA.
        """
        file = self._file
        assert file
        if not file.parent.is_dir() or (file.exists() and not file.is_file()):
            raise InvalidJob(f"--install {shown(file)}: name a settings file in a folder that exists")
        if not os.access(file.resolve().parent, os.W_OK):
            raise InvalidJob(f"--install {shown(file)}: its folder cannot be written into")
        text = ""
        if file.exists():
            load_settings(file)
            text = file.read_bytes().decode()
        held = tomllib.loads(text)
        kind = held.get("generator", {}).get("kind", "auto")
        if (kind == "replicate" and not self._hosted) or (kind == "demo" and self._job.profile != "demo"):
            raise InvalidJob(
                f'--install {shown(file)}: it says generator.kind = "{kind}", which does not draw with this LoRA: '
                "change that, or leave --install out"
            )
        try:
            return with_values(text, self._values(held, model, str(self._job.lora_path.resolve())))
        except CannotEdit as error:
            raise InvalidJob(f"--install {shown(file)}: {error}") from error

    def write(self, model: str = "") -> None:
        """Put the LoRA into the file, whole or not at all. Raises what `text` does, and TrainingFailed."""
        assert self._file
        text = self.text(model)
        file = self._file.resolve()  # a link stays one
        try:
            before = file.stat() if file.exists() else None
            with written_aside(file, stat.S_IMODE(before.st_mode) if before else 0o666) as aside:
                aside.write_bytes(text.encode())
                if before and (before.st_uid, before.st_gid) != (aside.stat().st_uid, aside.stat().st_gid):
                    os.chown(aside, before.st_uid, before.st_gid)  # else the bot's own user might not read it
        except OSError as error:
            raise TrainingFailed(
                f"cannot write {shown(file)}: {error.strerror}: put the LoRA into another with --resume --install FILE"
            ) from error

    def _values(self, held: dict[str, Any], model: str, lora: str) -> Values:
        """What is missing in a file that says `held`, by its own values and the defaults."""
        job, defaults = self._job, default_settings()
        values: Values = {("local", "lora"): lora}
        if job.trigger != held.get("prompt", {}).get("trigger", defaults.prompt.trigger):
            values["prompt", "trigger"] = job.trigger
        profile = held.get("generator", {}).get("profile", defaults.generator.profile)
        fits = profile in profile_names() and base_profile(profile) == base_profile(job.profile)
        if not (fits or self._hosted):
            values["generator", "profile"] = job.profile
        if model:
            values["replicate", "model"] = model
        return values
