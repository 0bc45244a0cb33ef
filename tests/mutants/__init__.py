"""An exam of the tests: small defects, and for each the tests that must notice it.

``make mutants`` puts each change of the ``*.toml`` files here into a copy of the tree, runs the
tests named beside it and says which changes nothing noticed. That every change still applies is a
test of its own (``tests/unit/test_mutants.py``).
"""
