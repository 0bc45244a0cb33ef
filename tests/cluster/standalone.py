"""A standalone cluster of Apache Spark on loopback: a master, two workers and a Connect server."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.ports import free_port

#: How long a process may take until it listens, in seconds.
PATIENCE = 120
#: Nothing here runs long enough for the optimising compiler to pay.
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
#: What docs/spark.md advises for a small world, shorter plans, and a catalogue that is in memory.
SMALL = {
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.constraintPropagation.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.catalogImplementation": "in-memory",
}


@contextlib.contextmanager
def cluster(home: Path, folder: Path, settings: Mapping[str, str] = SMALL) -> Iterator[str]:
    """The address of a cluster's Connect server; all of its processes are gone afterwards.

    ``home`` is where Spark is installed; all that it writes, and its logs, lie below ``folder``.
    Raises RuntimeError where a process ends or does not listen in time.
    """
    (folder / "logs").mkdir(parents=True)
    environment = dict(os.environ) | {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": QUICK,
    }
    master, server = free_port(), free_port()
    address = f"spark://127.0.0.1:{master}"
    with contextlib.ExitStack() as stack:

        def start(name: str, *command: str, **more: str) -> subprocess.Popen[bytes]:
            log = stack.enter_context((folder / "logs" / f"{name}.log").open("wb"))
            process = subprocess.Popen(
                [str(home / "bin" / command[0]), *command[1:]],
                cwd=folder,
                env=environment | more,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            stack.callback(_stop, process)
            return process

        deploy = "org.apache.spark.deploy"
        here = ("--host", "127.0.0.1", "--webui-port", "0")
        first = start(
            "master", "spark-class", f"{deploy}.master.Master", *here, "--port", str(master)
        )
        _await(first, master, folder)
        for number in (1, 2):
            worker = ("spark-class", f"{deploy}.worker.Worker", *here, "--cores", "1")
            room = ("--memory", "1g", "--work-dir", str(folder / "work"))
            start(f"worker-{number}", *worker, *room, address)
        told = {
            "spark.executor.memory": "1g",
            "spark.executor.extraJavaOptions": QUICK,
            "spark.driver.extraJavaOptions": QUICK,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.sql.warehouse.dir": str(folder / "tables"),
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(server),
        }
        settled = [f"--conf={name}={value}" for name, value in {**told, **settings}.items()]
        connect = "org.apache.spark.sql.connect.service.SparkConnectServer"
        submit = ("spark-submit", "--master", address, "--class", connect, *settled)
        # The server is a daemon to the launcher, which takes its memory from there.
        _await(start("connect", *submit, SPARK_DAEMON_MEMORY="2g"), server, folder)
        yield f"sc://127.0.0.1:{server}"


def _await(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"Spark did not start; its logs are in {folder / 'logs'}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
