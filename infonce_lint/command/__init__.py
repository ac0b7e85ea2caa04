"""The command ``infonce-lint`` and its sub-commands: arguments become calls, and what comes back becomes output."""
