"""Unit tests may not use the network."""

import pytest_socket


def pytest_runtest_setup() -> None:
    # Unix sockets stay allowed: an event loop wakes itself through one.
    pytest_socket.disable_socket(allow_unix_socket=True)


def pytest_runtest_teardown() -> None:
    pytest_socket.enable_socket()
