"""Local servers that behave as the platforms are documented to, traps included.

``python -m tests.fakes youtube`` starts one by hand, so that the loaders can be tried without
credentials.
"""
