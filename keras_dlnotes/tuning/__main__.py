"""A search over several processes: one chief that hands out trials, and workers that run them.

    python -m keras_dlnotes.tuning chief search.py
    python -m keras_dlnotes.tuning worker 1 search.py
    python -m keras_dlnotes.tuning worker 2 search.py

Each process runs the same script, which calls `tune`; the project directory must be the same for
all. A worker that died is started again with its own number and takes up its trial.

The chief's port has no authentication: whoever reaches it can read the trials and hand in scores.
It therefore listens on the loopback address unless told otherwise; between machines use a network
that only they are on, or a tunnel.
"""

import argparse
import os
import runpy
import sys


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m keras_dlnotes.tuning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    roles = parser.add_subparsers(dest="role", required=True)
    for role in ("chief", "worker"):
        command = roles.add_parser(role)
        if role == "worker":
            command.add_argument("number", type=int, help="a number of this worker's own")
        command.add_argument("script", help="the Python script that calls tune()")
        command.add_argument("--address", default="127.0.0.1", help="of the chief")
        command.add_argument("--port", type=int, default=8765, help="of the chief")
        command.add_argument("rest", nargs=argparse.REMAINDER, help="passed on to the script")
    chosen = parser.parse_args(arguments)
    os.environ["KERASTUNER_ORACLE_IP"] = chosen.address
    os.environ["KERASTUNER_ORACLE_PORT"] = str(chosen.port)
    chief = chosen.role == "chief"
    os.environ["KERASTUNER_TUNER_ID"] = "chief" if chief else f"worker{chosen.number}"
    if chief and chosen.address not in ("127.0.0.1", "localhost", "::1"):
        print(
            f"The port {chosen.port} on {chosen.address} has no authentication; keep it off "
            "networks that others are on.",
            file=sys.stderr,
        )
    sys.argv = [chosen.script, *chosen.rest]
    runpy.run_path(chosen.script, run_name="__main__")


if __name__ == "__main__":
    main()
