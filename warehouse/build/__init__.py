"""The build room: from landed files to tables that passed every test.

``live`` builds the warehouse and releases it, ``as_of`` builds the one of a past time;
``dbt_run`` runs the models and tests for both. Before it come ``mirror`` (an object store on
a local disk) and ``raw_copy`` with ``pgcopy`` (landed files into Postgres); ``lock``,
``fingerprint``, ``built_with`` and ``consumed`` say whether there is anything to build, and
from where on; ``damaged`` and ``shortage`` say what was wrong.
"""

from warehouse.build.as_of import build_as_of, parse_time
from warehouse.build.live import BuildResult, build

__all__ = ["BuildResult", "build", "build_as_of", "parse_time"]
