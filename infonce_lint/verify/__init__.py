"""Proof by running: whether a loss is right, and whether a fix is (the only part of the package that runs other code).

The way of a target: `target.py` finds its losses with the linter's own model, without running anything, and
`cutting.py` takes those that are written inside a training loop out of it. `worker.py` starts a child process
(`child.py`) that imports torch once and answers each question (`questions.py`) in a fork of its own, under a time
limit; a second child keeps CUDA, and `elsewhere.py` takes a loss to a clean process. There `loading.py` runs those
statements of the file that the loss turns out to need, `objects.py` builds its object, `stub.py` stands in for
``args`` and whatever is not there, `search.py` finds out among the `candidates.py` how the loss wants its rows (a
`Plan`), `nature.py` reads off its graph what kind it is, `matching.py` which of the `forms.py` it computes, and
`checks/` compares it with the reference loss. `experiment.py` runs a loss before and after its fix. Back in the
parent, `proof.py` and `proving.py` judge fixes by that, and `command/verdicts.py` prints what came of it.
"""
