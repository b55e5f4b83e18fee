# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has a program run by the process at a socket, in a child that takes this process's place.

Signals go to the program; what kills this process kills it.

Imports nothing that has to be read from files, so that it starts in milliseconds.
"""

from __future__ import annotations

import marshal
import posix
import sys
from _signal import (  # type: ignore[import-not-found]
    SIG_BLOCK,
    SIG_UNBLOCK,
    SIGHUP,
    SIGINT,
    SIGTERM,
    pthread_sigmask,
    signal,
)
from _socket import AF_UNIX, SCM_RIGHTS, SOCK_STREAM, SOL_SOCKET, socket

SIGNALS = (SIGHUP, SIGINT, SIGTERM)


def main(path: str, *arguments: str) -> int:
    """Send arguments, folder, environment and standard streams, and return the exit status."""
    asked = marshal.dumps((arguments, posix.getcwd(), posix.environ))
    streams = b"".join(stream.to_bytes(4, sys.byteorder) for stream in (0, 1, 2))
    server = socket(AF_UNIX, SOCK_STREAM)
    server.connect(path)
    # Until what is asked for has been sent.
    pthread_sigmask(SIG_BLOCK, SIGNALS)
    server.sendmsg([len(asked).to_bytes(8, "big"), asked], [(SOL_SOCKET, SCM_RIGHTS, streams)])

    def forward(number: int, _frame: object) -> None:
        try:
            server.sendall(bytes([number]))
        except OSError:
            pass  # the program has just ended

    for number in SIGNALS:
        signal(number, forward)
    pthread_sigmask(SIG_UNBLOCK, SIGNALS)
    status = server.recv(1)
    return status[0] if status else 255


# While Python ended in order, a signal would end it.
posix._exit(main(*sys.argv[1:]))
