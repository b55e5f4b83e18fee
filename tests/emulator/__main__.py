# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m emulator``: serve until told to stop."""

from __future__ import annotations

import argparse
import errno
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from .rules import GENERATIONS, NEWEST
from .server import Emulator, running


def exports(emulator: Emulator) -> str:
    """Shell lines that point clients at the emulator."""
    values = {
        "INFISICAL_URL": emulator.url,
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": emulator.client_id,
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": emulator.client_secret,
        "INFISICAL_ORG_ID": emulator.organization_id,
    }
    return "".join(f"export {name}={value}\n" for name, value in values.items())


def for_tests(lines: str) -> str:
    """The same for what takes no server by accident."""
    return "# And for `make demo`, `make contract` and `make integration`:\n" + lines.replace(
        "export ", "export TEST_"
    )


def main() -> int | str:
    """Serve until SIGINT or SIGTERM; return an exit status, or what keeps it from starting."""
    parser = argparse.ArgumentParser(prog="python -m emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--generation", choices=GENERATIONS, default=NEWEST)
    parser.add_argument("--ready-file", type=Path, help="written once requests are answered")
    parser.add_argument(
        "--identity", action="append", default=[], help="name of one to be there besides"
    )
    arguments = parser.parse_args()

    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    try:
        with running(arguments.generation, port=arguments.port) as emulator:
            for name in arguments.identity:
                emulator.create_identity(name)
            lines = exports(emulator)
            head = f"# Infisical emulator ({emulator.generation}) at {emulator.url}\n"
            sys.stdout.write(head + lines + for_tests(lines))
            sys.stdout.flush()
            if arguments.ready_file:
                complete = arguments.ready_file.with_name(f"{arguments.ready_file.name}.part")
                complete.write_text(lines)
                complete.replace(arguments.ready_file)
            stop.wait()
    except (OSError, OverflowError) as why:
        if getattr(why, "errno", None) == errno.EADDRINUSE:
            return f"Port {arguments.port} is taken; choose another one with --port, or 0."
        return f"The emulator cannot start: {why}"
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
