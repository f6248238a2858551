"""A fake of Replicate's API that trains, and pictures to train on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_jobs import Plan
from tests.training.pictures import fill_folder
from tests.training.replicate.parts import GOOD, RUN, lora_bytes, tarred


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as server:
        server.state.contents["trained.tar"] = tarred({"output/config.yaml": b"job: x", GOOD: lora_bytes()})
        server.state.plan = Plan(RUN, outputs=("trained.tar",), predict_s=1200.0)
        yield server


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill_folder(tmp_path_factory.mktemp("pictures"), count=8)
