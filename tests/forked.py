"""Processes that begin with everything imported: parted from one that has done nothing else.

Importing TensorFlow takes seconds; a fresh process for each test would take minutes.
"""

import multiprocessing
import multiprocessing.forkserver
import os
import pathlib
import socket
import unittest.mock

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["fire_workers", "fire_search", "fire_programs"])


TESTS = pathlib.Path(__file__).parent


def start(function, *arguments, **options):
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    with unittest.mock.patch.dict(os.environ, PYTHONPATH=paths, TF_CPP_MIN_LOG_LEVEL="3"):
        multiprocessing.forkserver.ensure_running()
    process = CONTEXT.Process(target=function, args=arguments, kwargs=options, daemon=True)
    process.start()
    return process


def finished(processes, seconds=120):
    """Exit codes of processes, none of which may outlive `seconds`."""
    for process in processes:
        process.join(seconds)
    alive = [process for process in processes if process.exitcode is None]
    for process in alive:
        process.kill()
        process.join()
    assert not alive, "a process hangs"
    return [process.exitcode for process in processes]


def free_ports(count):
    """Ports that nothing listens on."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
