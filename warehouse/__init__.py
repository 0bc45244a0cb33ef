"""The ``ace`` command line: build, releases, quality checks, report."""
