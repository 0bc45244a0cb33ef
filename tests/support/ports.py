"""A port that nobody listens on."""

from __future__ import annotations

import socket


def free_port() -> int:
    """One of loopback, free when it is asked for."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
