"""Proof by running: whether a loss is right, and whether a fix is (the only part of the package that runs other code).

The way of a target: `target.py` finds its losses with the linter's own model, without running anything. `worker.py`
starts a child process (`child.py`) that imports torch once and answers each question in a fork of its own, under a
time limit. There `loading.py` runs those statements of the file that the loss turns out to need, `stub.py` stands in
for ``self`` and ``args``, `subject.py` finds out how the loss wants its rows, and `checks/` compares it with the
reference loss. `proof.py` reproduces a defect and proves its fix; `command.py` prints what came of it.
"""
