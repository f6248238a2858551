"""Settings and generators that talk to the fake, with pauses of milliseconds."""

from pathlib import Path
from typing import Any

from configs import default_settings
from configs.sections.replicate import ReplicateSettings
from inference.replicate.generator import ReplicateGenerator
from inference.types import PortraitRequest
from tests.fakes.replicate_api import FakeReplicate

QUICK: dict[str, Any] = {
    "model": "owner/samurai",
    "wait_s": 0,
    "poll_min_s": 0.005,
    "poll_max_s": 0.02,
    "webhook_poll_s": 0.05,
    "retry_min_s": 0.005,
    "retry_max_s": 0.05,
    "connect_timeout_s": 2.0,
    "read_timeout_s": 2.0,
    "deadline_s": 10.0,
    "requests_per_minute": 0,
    "requests_per_month": 0,
    "max_image_mb": 2,
    "training_poll_s": 0.02,
    "training_deadline_s": 20.0,
}
REQUEST = PortraitRequest("samurai with a telescope", 7)


def quick(**changes: Any) -> ReplicateSettings:
    """The default settings with short pauses and `changes`, checked as a config file is."""
    return ReplicateSettings.model_validate(default_settings().replicate.model_dump() | QUICK | changes)


def generator_for(fake: FakeReplicate, data_dir: Path, **changes: Any) -> ReplicateGenerator:
    """A generator that draws with the fake and keeps its ledger in `data_dir`."""
    return ReplicateGenerator(quick(**changes), fake.state.token, fake.url, data_dir)
