"""A Spark session for a build: a server of its own, or the cluster that is named.

Everything speaks Spark Connect, so that one client serves all: Sail, which runs in this process
and needs no Java, and the Connect server of a cluster.
"""

from __future__ import annotations

import contextlib
import os
import socket
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from common.errors import AceError, UsageError
from warehouse.masking import masked
from warehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: The setting that names where models run.
MASTER = "ACE_SPARK_MASTER"
#: dbt's adapter finds the session by this name.
_REMOTE = "SPARK_REMOTE"
#: What a session needs, whatever its server was told.
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # Sums and differences of long decimals keep their places, as elsewhere.
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    # Apache Spark cannot read dictionaries above 8 KB that Arrow packed with LZ4 when it looks into
    # them to leave out row groups; those of columns that it reads it can.
    "parquet.filter.dictionary.enabled": "false",
    # A task for what one can read (128 MB) or is handed on (64 MB), not one for each core: a build
    # is two thousand steps, most of them of few rows.
    "spark.sql.files.minPartitionNum": "1",
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
}
#: Where a Connect server listens that is named without a port.
_PORT = 15002


def spark_master(config: Settings) -> str:
    """``local`` (the default: Sail in this process, on loopback) or the address of a Connect
    server, ``sc://host:port``.

    Raises UsageError for anything else and where the packages are not installed.
    """
    master = config.extra.get(MASTER) or "local"
    if master != "local" and not master.startswith("sc://"):
        raise UsageError(
            f"{MASTER} is '{masked(MASTER, master)}'.",
            "It must be 'local', or 'sc://HOST:PORT' of a Spark Connect server; the address of a "
            "master (spark://, yarn, k8s://) or of a Thrift server is not understood.",
        )
    needed = ("dbt.adapters.spark", "pyspark", *(("pysail",) if master == "local" else ()))
    if not all(find_spec(name) for name in needed):
        raise UsageError(
            "Target spark needs packages that are not installed.",
            "Install them with: sh requirements/install.sh spark",
        )
    return master


@contextlib.contextmanager
def spark_session(config: Settings) -> Iterator[SparkSession]:
    """A session in UTC, which dbt finds as well.

    Raises what :func:`spark_master` does, and AceError where no server answers.
    """
    master = spark_master(config)
    with contextlib.ExitStack() as stack:
        address = _sail(stack) if master == "local" else master
        _set(_REMOTE, address, stack)
        # Of the version of pandas, which is not used.
        stack.enter_context(warnings.catch_warnings(action="ignore"))
        import pyspark

        # Looked for, and by the name of the program, though there is no Spark in its client.
        _set("SPARK_HOME", os.environ.get("SPARK_HOME") or pyspark.__path__[0], stack)
        from pyspark.errors import PySparkException
        from pyspark.logger import PySparkLogger
        from pyspark.sql import SparkSession

        # It would write each error out, with the trace of the server, beside what is said of it.
        errors = PySparkLogger.getLogger("SQLQueryContextLogger")
        stack.callback(errors.setLevel, errors.level)
        errors.setLevel("CRITICAL")
        try:
            _reach(address)
            session = SparkSession.builder.remote(address).getOrCreate()
            for setting, value in _SETTINGS.items():
                session.conf.set(setting, value)
        except (PySparkException, OSError, ValueError):
            raise AceError(
                f"No Spark Connect server answers at {masked(MASTER, master)}.",
                f"Start it, or mend {MASTER}.",
            ) from None
        stack.callback(session.stop)
        yield session


def _reach(address: str) -> None:
    """Raises OSError where nothing listens, ValueError for a port that is no number: the client
    would ask again for minutes."""
    named = urlsplit(address)
    socket.create_connection((named.hostname or "", named.port or _PORT), timeout=10).close()


def _sail(stack: contextlib.ExitStack) -> str:
    """Start Sail in this process; its address."""
    from pysail.spark import SparkConnectServer

    # It would say on the terminal that it starts and stops.
    _set("RUST_LOG", os.environ.get("RUST_LOG", "error"), stack)
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    stack.callback(server.stop)
    _, port = server.listening_address
    return f"sc://127.0.0.1:{port}"


def _set(name: str, value: str, stack: contextlib.ExitStack) -> None:
    """Set a variable of the environment until the stack is unwound."""
    stack.callback(_restore, name, os.environ.get(name))
    os.environ[name] = value


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def first_line(error: Exception) -> str:
    """What went wrong, without the trace of the server."""
    return str(error).strip().split("\n")[0].rstrip(".")
