"""What docs/ takes from the code: ``python -m tests.docs`` writes it, ``tests/test_docs.py`` checks it."""
