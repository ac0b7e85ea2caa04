"""Time and peak memory of contrastive losses, forward and backward, against what the device could do at best.

    python -m tests.benchmarks.loss
    python -m tests.benchmarks.loss --device cuda --dtype bfloat16 --json loss.json --plot loss.png

Each number comes from a process of its own, so that peaks do not mix. Packages that are not installed are left out.
Features of any dtype are accepted; ours compares them in float32.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import asdict
from pathlib import Path

import torch

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.contestants import CONTESTANTS
from tests.benchmarks.measuring import Device, Job, Result, device_at_best, in_a_child

Results = dict[str, dict[int, Result]]


def main() -> int:
    """Measure, print the table, write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[512, 1024, 2048, 4096, 8192, 16384], metavar="N")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16", "float64"], default="float32")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for one loss at one size")
    parser.add_argument("--only", nargs="+", choices=list(CONTESTANTS), default=list(CONTESTANTS), metavar="LOSS")
    parser.add_argument("--json", type=Path, help="write every number to this file")
    parser.add_argument("--plot", type=Path, help="draw both charts into this file (needs matplotlib)")
    arguments = parser.parse_args()
    if arguments.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error(f"--device {arguments.device}: there is no CUDA device here; cpu is")
    if arguments.repeats < 1:
        parser.error(f"--repeats must be at least 1, got {arguments.repeats}")
    if any(rows < 2 or rows % 2 for rows in arguments.rows):
        parser.error(f"--rows must be even and at least 2 (two views), got {arguments.rows}")

    device = device_at_best(arguments.device)
    at_best = f"{device.flops / 1e9:,.0f} GFLOP/s, {device.bandwidth / 1e9:,.1f} GB/s"
    print(f"{device.name}: {at_best}; torch {torch.__version__}")
    results: Results = {}
    for name in arguments.only:
        if not CONTESTANTS[name].installed:
            print(f"{name}: not installed", file=sys.stderr)
            continue
        results[name] = {}
        for rows in sorted(arguments.rows):
            job = Job(name, rows, arguments.width, arguments.device, arguments.dtype, arguments.repeats)
            smaller_failed = any(result.failure for result in results[name].values())
            results[name][rows] = Result(failure="-") if smaller_failed else in_a_child(job, arguments.limit)
    print(table(device, results, sorted(arguments.rows), arguments.width))
    if arguments.json:
        measured = {name: {rows: asdict(result) for rows, result in sizes.items()} for name, sizes in results.items()}
        text = json.dumps({"settings": vars(arguments), "device": asdict(device), "results": measured}, default=str)
        arguments.json.write_text(text, encoding="utf-8")
    if arguments.plot:
        plot(device, results, arguments.width, arguments.plot)
    return 0


def table(device: Device, results: Results, sizes: list[int], width: int) -> str:
    """Rows of losses, columns of sizes: milliseconds forward + backward, then MiB at the peak; floors below."""
    floors = {
        "floor: 6 N^2 d FLOP": [device.arithmetic_floor_ms(rows, width) for rows in sizes],
        "floor: features in, gradient out": [device.byte_floor_ms(rows, width) for rows in sizes],
        "floor: matrix out and in": [device.matrix_floor_ms(rows) for rows in sizes],
    }
    lines = [_line("forward + backward, ms", [f"N={rows}" for rows in sizes])]
    lines += [
        _line(name, [_cell(found[rows].both_ms, found[rows]) for rows in sizes]) for name, found in results.items()
    ]
    lines += [_line(name, [f"{floor:.3g}" for floor in values]) for name, values in floors.items()]
    lines += ["", _line("peak above the inputs, MiB", [f"N={rows}" for rows in sizes])]
    lines += [
        _line(name, [_cell(found[rows].peak_mib, found[rows]) for rows in sizes]) for name, found in results.items()
    ]
    lines.append(_line("one N x N matrix", [f"{rows**2 * 4 / 2**20:.0f}" for rows in sizes]))
    lines += ["", "Towers compare N/2 rows with N/2: a quarter of the matrix, hence of the floors."]
    return "\n".join(lines)


def _line(name: str, cells: list[str]) -> str:
    return f"{name:34}" + "".join(f"{cell:>15}" for cell in cells)


def _cell(number: float, result: Result) -> str:
    return result.failure or f"{number:.1f}"


def plot(device: Device, results: Results, width: int, path: Path) -> None:
    """Both charts on logarithmic axes."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("--plot needs matplotlib: pip install matplotlib", file=sys.stderr)
        return
    figure = Figure(figsize=(12, 5), layout="constrained")
    time, memory = figure.subplots(1, 2)
    sizes = sorted({rows for found in results.values() for rows in found})
    for name, found in results.items():
        rows = [size for size in sizes if not math.isnan(found[size].both_ms)]
        style = ":" if CONTESTANTS[name].towers else "-"
        time.plot(rows, [found[size].both_ms for size in rows], style, marker="o", label=name)
        memory.plot(rows, [found[size].peak_mib for size in rows], style, marker="o", label=name)
    time.plot(sizes, [device.arithmetic_floor_ms(rows, width) for rows in sizes], "k--", label="floor: 6 N² d FLOP")
    time.plot(sizes, [device.matrix_floor_ms(rows) for rows in sizes], "k-.", label="floor: matrix out and in")
    memory.plot(sizes, [rows**2 * 4 / 2**20 for rows in sizes], "k--", label="one N x N matrix")
    for axes, title in ((time, "forward + backward, ms"), (memory, "peak above the inputs, MiB")):
        axes.set(xscale="log", yscale="log", xlabel="rows N", title=title)
        axes.set_xticks(sizes, [str(rows) for rows in sizes])
        axes.grid(visible=True, which="both", alpha=0.3)
        axes.legend(fontsize="small")
    figure.suptitle(f"{device.name}, width {width}, torch {torch.__version__}")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    sys.exit(main())
