"""The language server ``infonce-lint server``: the linter inside editors, over the Language Server Protocol 3.17.

The way of a keystroke: ``documents`` keeps the texts as the editor has them; ``worker`` has the newest of them linted
in its thread (``analysis``); ``diagnostics``, ``actions`` and ``hover`` say in the protocol's words what came out;
``language_server`` connects these with the messages. Nothing is imported here, so that nobody else pays for it.
"""
