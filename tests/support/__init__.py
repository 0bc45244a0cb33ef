"""Helpers of the tests: landing histories, builds with dbt, comparison of engines."""
