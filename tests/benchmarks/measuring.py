"""Time and peak memory of one loss at one size, in a process of its own; and what the device could do at best."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).parents[2]
MIB = 2**20


@dataclass(frozen=True)
class Job:
    """One loss at one size."""

    contestant: str
    rows: int
    width: int = 128
    device: str = "cpu"
    dtype: str = "float32"
    repeats: int = 5


@dataclass(frozen=True)
class Result:
    """Milliseconds (medians) and MiB above the inputs, forward and backward together; or why there are none."""

    forward_ms: float = float("nan")
    both_ms: float = float("nan")
    peak_mib: float = float("nan")
    failure: str = ""


def in_a_child(job: Job, limit: float = 120.0) -> Result:
    """``measure(job)`` in a new process, whose peak is its own and whose death is only its own."""
    command = [sys.executable, "-m", "tests.benchmarks.measuring", json.dumps(asdict(job))]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    try:
        finished = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return Result(failure=f"over {limit:g} s")
    if finished.returncode == 0:
        return Result(**json.loads(finished.stdout.splitlines()[-1]))
    error = (finished.stderr.strip() or f"exit code {finished.returncode}").splitlines()[-1]
    memory = finished.returncode < 0 or "memory" in error.lower()
    return Result(failure="out of memory" if memory else error)


def measure(job: Job) -> Result:
    """Peak of the first pass, then medians of the later ones (without repeats, only the peak)."""
    from tests.benchmarks.contestants import CONTESTANTS

    loss = CONTESTANTS[job.contestant].loss
    device = torch.device(job.device)
    one_pass(loss, inputs(job, 64))  # loads libraries and starts threads, which are not the loss's memory
    features = inputs(job, job.rows)
    peak = peak_above_now(device, lambda: one_pass(loss, features))
    times = [timed(device, loss, features) for _ in range(job.repeats)]
    if not times:
        return Result(peak_mib=peak / MIB)
    forward, both = (statistics.median(column) for column in zip(*times))
    return Result(forward, both, peak / MIB)


def inputs(job: Job, rows: int) -> Tensor:
    """Random features that want a gradient."""
    random = torch.Generator().manual_seed(0)
    features = torch.randn(rows, job.width, generator=random).to(job.device, getattr(torch, job.dtype))
    return features.requires_grad_()


def one_pass(loss: Callable[[Tensor], Tensor], features: Tensor) -> None:
    """Forward and backward."""
    loss(features).backward()  # type: ignore[no-untyped-call]
    features.grad = None


def timed(device: torch.device, loss: Callable[[Tensor], Tensor], features: Tensor) -> tuple[float, float]:
    """Milliseconds of the forward pass, and of both: by device events on CUDA, by the clock elsewhere."""
    if device.type == "cuda":
        marks = [torch.cuda.Event(enable_timing=True) for _ in range(3)]
        marks[0].record()
        value = loss(features)
        marks[1].record()
        value.backward()  # type: ignore[no-untyped-call]
        marks[2].record()
        torch.cuda.synchronize(device)
        features.grad = None
        return marks[0].elapsed_time(marks[1]), marks[0].elapsed_time(marks[2])
    start = time.perf_counter()
    value = loss(features)
    middle = time.perf_counter()
    value.backward()  # type: ignore[no-untyped-call]
    end = time.perf_counter()
    features.grad = None
    return (middle - start) * 1e3, (end - start) * 1e3


def peak_above_now(device: torch.device, work: Callable[[], None]) -> int:
    """Bytes that ``work`` needs at its peak beyond what is held before it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        held = torch.cuda.memory_allocated(device)
        work()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - held
    if sys.platform != "linux":
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        work()
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the high-water mark starts again from here
    held = _status_bytes("VmRSS")
    work()
    return _status_bytes("VmHWM") - held


def _status_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")


@dataclass(frozen=True)
class Device:
    """What the device does at best, measured: FLOP/s of a large float32 matrix product, bytes/s of a large copy."""

    name: str
    flops: float
    bandwidth: float

    def arithmetic_floor_ms(self, rows: int, width: int) -> float:
        """Three products of ``rows x rows x width``: similarities, and the gradient from either side."""
        return 6 * rows**2 * width / self.flops * 1e3

    def byte_floor_ms(self, rows: int, width: int) -> float:
        """Features in, gradient out: what even a loss that holds no matrix has to move."""
        return 2 * rows * width * 4 / self.bandwidth * 1e3

    def matrix_floor_ms(self, rows: int) -> float:
        """The whole matrix written once and read once: what a loss that holds it has to move at the very least."""
        return 2 * rows**2 * 4 / self.bandwidth * 1e3


def device_at_best(name: str) -> Device:
    """Measure ``name``: the best of several tries."""
    device = torch.device(name)
    size = 8192 if device.type == "cuda" else 2048
    a = torch.randn(size, size, device=device)
    out = torch.empty_like(a)
    product = min(_milliseconds(device, lambda: torch.mm(a, a, out=out)) for _ in range(8))
    words = torch.empty((256 if device.type == "cuda" else 64) * MIB, dtype=torch.int32, device=device).zero_()
    target = torch.empty_like(words).zero_()
    copy = min(_milliseconds(device, lambda: target.copy_(words)) for _ in range(8))
    label = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    return Device(label, flops=2 * size**3 / product * 1e3, bandwidth=2 * words.numel() * 4 / copy * 1e3)


def _milliseconds(device: torch.device, work: Callable[[], object]) -> float:
    if device.type == "cuda":
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        torch.cuda.synchronize(device)
        return start.elapsed_time(end)
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3


def limit_memory() -> None:
    """Let a loss that wants more than the machine has fail by itself, not by the kernel's hand."""
    if sys.platform == "linux":
        import resource

        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if "cuda" not in sys.argv[1]:  # CUDA maps far more address space than it uses
            resource.setrlimit(resource.RLIMIT_AS, (int(free * 0.8), int(free * 0.8)))


if __name__ == "__main__":
    limit_memory()
    print(json.dumps(asdict(measure(Job(**json.loads(sys.argv[1]))))))
