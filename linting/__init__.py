"""Lints the project's SQL as each engine is given it: `python -m linting`."""
