"""The rows of the twelve canonical tables, typed: a module for each, written by `make schema`."""
