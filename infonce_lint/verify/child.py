"""The child process: imports torch once, then answers each question in a fork of its own, under a time limit.

It never uses autograd or CUDA itself, so that its forks may. Run with ``--in-place`` it answers one question after the
other in its own process: forks would have to initialise CUDA each for itself. What hangs there, its parent ends.

Run as ``python -m infonce_lint.verify.child``; a question is one line of JSON on standard input, an answer one line on
standard output. What the code under test prints goes nowhere, and it reads an empty standard input. When the questions
end, because the parent is done or gone, the question at hand is dropped and nothing that it started is left behind.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pdb
import select
import signal
import sys
import tempfile
import traceback
from functools import partial
from typing import Any, BinaryIO

from infonce_lint.verify import forks

_RUNNER = "infonce_lint.verify.subject"  # the one module that calls losses


def main() -> None:
    """Answer questions until there are no more."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        os.dup2(os.open(os.devnull, mode), number)
    # Decorators that compile or script leave the functions as they are: what is checked is the mathematics.
    os.environ.update(TORCHDYNAMO_DISABLE="1", TORCH_COMPILE_DISABLE="1", PYTORCH_JIT="0")
    try:
        import torch
    except ImportError as error:
        _say(answers, {"error": f"verify needs torch: pip install 'infonce-lint[verify]' ({error})"})
        return
    import torch.nn.parallel

    import infonce_lint.verify.checks.distributed
    import infonce_lint.verify.experiment
    import infonce_lint.verify.search  # noqa: F401  all that a fork may need is there before it

    in_place = "--in-place" in sys.argv or not hasattr(os, "fork")
    _exact()
    torch.set_num_threads(1)  # these are small losses, and a thread pool would not survive the fork
    os.environ["PYTHONBREAKPOINT"] = "0"
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"  # the other way of asking would spoil CUDA for forks
    pdb.set_trace = _debugger
    sys.argv = ["verify"]
    tempfile.tempdir = os.getcwd()  # the parent's scratch folder goes when all is done
    _say(answers, {"torch": torch.__version__, "cuda": torch.cuda.is_available()})
    for line in questions:  # without a limit: the parent may take its time, and its end is the end of the questions
        request = json.loads(line)
        for name in request.get("warm", ()):  # what every fork would have to import for itself
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        answer = _answer(request) if in_place else _apart(request, questions)
        if in_place:
            _as_before()
        with contextlib.suppress(BrokenPipeError):
            _say(answers, answer)


def _exact() -> None:
    """Products in float32, whatever the surroundings allow: what is measured is the loss."""
    import torch

    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False


def _as_before() -> None:
    """Take back what a loss may have set for the process, for the next one."""
    import torch
    import torch.distributed as dist

    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    _exact()
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def _debugger(*_: object, **__: object) -> None:
    """``except: pdb.set_trace()``: what went wrong is what there is to say."""
    error = sys.exc_info()[1]
    raise error if error is not None else RuntimeError("it stops in the debugger")


def _say(stream: BinaryIO, data: dict[str, Any]) -> None:
    stream.write(json.dumps(data).encode() + b"\n")
    stream.flush()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """Whatever the code under test does, a dictionary."""
    from infonce_lint.verify.questions import answer

    try:
        return answer(request)
    except BaseException as error:  # SystemExit, a recursion, an import that fails half-way: all become a row
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())}", "ours": not _of_the_loss(error)}


def _of_the_loss(error: BaseException) -> bool:
    """Whether an error was raised while a loss ran, and not by what prepares and compares it."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code.co_name == "run" and frame.f_globals.get("__name__") == _RUNNER for frame, _ in frames)


def _apart(request: dict[str, Any], questions: BinaryIO) -> dict[str, Any]:
    """The answer of a forked process, which may crash, hang, or change whatever it likes."""
    seconds = float(request["seconds"])

    def wanted() -> bool:  # the parent asks nothing before it has its answer: its questions can only have ended
        return not select.select([questions.fileno()], [], [], 0)[0]

    (ended,) = forks.run([partial(_answer, request)], seconds, leads=True, wanted=wanted)
    if ended.late:
        return forks.late(seconds)
    if ended.answer is not None:
        answer: dict[str, Any] = ended.answer
        return answer
    code = ended.code
    how = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
    return {"error": f"it ended the process that ran it ({how})"}


if __name__ == "__main__":
    main()
