"""What is known of a card before anything is loaded: which torch serves it, words for want of memory, main memory."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from inference.models import hardware
from inference.models.broken_card import is_broken_for_good, is_compiler_failure, is_out_of_memory

CUDA_13 = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"]


@pytest.mark.parametrize(
    ("capability", "served"),
    [
        ((6, 1), False),
        ((7, 0), False),
        ((7, 5), True),
        ((8, 9), True),
        ((9, 0), True),
        ((12, 1), True),
        ((13, 0), True),
    ],
)
def test_which_cards_a_build_of_torch_serves(
    capability: tuple[int, int], served: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    about = SimpleNamespace(name="Tesla P40", total_memory=24 * 2**30, major=capability[0], minor=capability[1])
    monkeypatch.setattr(hardware, "_CUDA_TRACES", (os.devnull,))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: about)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: CUDA_13)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (20 * 2**30, 24 * 2**30))
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    hardware._warn_once.cache_clear()
    assert hardware.cuda_available() == served
    if served:
        card = hardware.find_card("cuda")
        assert (card.free, card.cuda) == (20 * 2**30, "13.0")
        assert card.ram is not None
        assert card.ram > 0
        return
    assert "no code for Tesla P40 (compute capability" in caplog.text
    assert hardware.find_card("auto").device == "cpu"
    with pytest.raises(ValueError, match="no code for Tesla P40"):
        hardware.find_card("cuda")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("GET was unable to find an engine to execute this computation"),
        RuntimeError("HIP out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8589934592 bytes."),
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_all_words_for_too_little_memory(error: BaseException) -> None:
    assert is_out_of_memory(error)
    assert not is_broken_for_good(error)


def test_other_errors_are_no_want_of_memory() -> None:
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
    assert not is_out_of_memory(OSError(28, "No space left on device"))
    assert not is_compiler_failure(RuntimeError("shape mismatch"))


def test_a_missing_compiler_is_told_from_its_cause() -> None:
    from torch._dynamo.exc import BackendCompilerFailed

    assert issubclass(BackendCompilerFailed, RuntimeError)
    assert is_compiler_failure(RuntimeError("Failed to find C compiler. Please specify via CC environment variable."))
    failed = RuntimeError("the kernel failed")
    failed.__cause__ = FileNotFoundError("Python.h: No such file or directory")
    assert is_compiler_failure(failed)


def test_pinned_memory_is_not_rounded_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for before, name in ((None, "PYTORCH_ALLOC_CONF"), ("expandable_segments:True", "PYTORCH_CUDA_ALLOC_CONF")):
        for each in ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"):
            monkeypatch.delenv(each, raising=False)
        if before:
            monkeypatch.setenv(name, before)
        hardware.find_card("cpu")
        hardware.find_card("cpu")
        parts = os.environ[name].split(",")
        assert parts == ([before] if before else []) + ["pinned_max_round_threshold_mb:1"]


def test_a_torch_that_does_not_know_the_setting_is_not_given_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTORCH_ALLOC_CONF", raising=False)
    monkeypatch.delenv("PYTORCH_CUDA_ALLOC_CONF", raising=False)
    monkeypatch.setattr(hardware, "version", lambda name: "2.11.0+cu130")
    hardware.find_card("cpu")
    assert "PYTORCH_ALLOC_CONF" not in os.environ


def test_a_containers_limit_is_main_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text("3000000000\n")
    (tmp_path / "memory.current").write_text("2500000000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 400000000\nactive_file 100000000\n")
    monkeypatch.setattr(hardware, "_CGROUP", tmp_path)
    assert hardware.available_ram() == 1_000_000_000
    (tmp_path / "memory.max").write_text("max\n")
    unlimited = hardware.available_ram()
    assert unlimited is not None
    assert unlimited > 1_000_000_000
