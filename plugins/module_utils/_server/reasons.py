# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explains exceptions of requests, urllib3 and lower layers: why a connection failed.

Works with urllib3 1.26 and 2. It does not use their texts, which contain proxy passwords.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import typing as t
from urllib.parse import urlsplit

from .._errors import TransportError
from .._text import printable
from .response_limits import failed_in_tunnel, failed_to_connect

# Names of exceptions below requests, which are the same in urllib3 1.26 and 2.
_UNTRUSTED = ("CertificateError",)
_NO_HTTP = (
    "BadStatusLine",
    "HTTPException",
    "InvalidHeader",
    "LineTooLong",
    "TooLargeError",
    "UnknownProtocol",
)
# OpenSSL's reasons if bytes are not TLS, and if a server reports a temporary failure.
_NO_TLS = (
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "UNKNOWN_PROTOCOL",
    "WRONG_VERSION_NUMBER",
)
_PASSING_ALERTS = ("TLSV1_ALERT_INTERNAL_ERROR", "TLSV1_ALERT_USER_CANCELLED")
# The alert that a TLS server sends in response to plain HTTP.
_TLS_ALERT = "\x15\x03"
_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: (\d{3})")
_TUNNEL = re.compile(r"Tunnel connection failed: [1-4]\d\d")


def not_answered(failure: Exception, url: str, purpose: str, *, socks: bool) -> TransportError:
    """Return the error for a request that got no response.

    `socks` says that it went through a SOCKS proxy, whose failures look like the server's.
    """
    causes = causes_of(failure)
    unsent = failed_to_connect(causes)
    reason = reason_of(causes)
    tls = next((item for item in causes if _about_tls(item)), None)
    transient = not (unsent and tls) and not _refused_tunnel(causes)
    if _about_proxy(causes) or (socks and unsent):
        what = f"the proxy for {url} cannot be used ({reason})"
    elif unsent and tls and _without_tls(tls):
        what = (
            f"url starts with https, but {urlsplit(url).netloc} does not speak TLS and most"
            f" likely speaks only plain HTTP ({reason}); use the TLS port, or http:// for a server"
            " on the same host"
        )
    elif unsent and tls:
        what = (
            f"there is no trusted TLS connection to {url} ({reason}); set ca_path to the CA"
            " bundle for its certificate, or correct url"
        )
    elif unsent:
        what = f"nothing answers at {url} ({reason}); check url and the server"
    elif any(getattr(item, "line", "").startswith(_TLS_ALERT) for item in causes):
        transient = False
        what = https_needed(url)
    else:
        what = f"{url} did not answer ({reason}); check url and the server"
    return TransportError(f"Could not {purpose}: {what}.", unsent=unsent, transient=transient)


def broken_off(causes: t.Sequence[BaseException], url: str, purpose: str) -> TransportError:
    """Return the error for a response whose body was incomplete."""
    return TransportError(
        f"Could not {purpose}: the response from {url} broke off ({reason_of(causes)}).",
        unsent=False,
        transient=True,
    )


def https_needed(url: str) -> str:
    """Return the message for an http URL whose server speaks TLS."""
    return f"url starts with http, but {urlsplit(url).netloc} speaks TLS; write https:// instead"


def causes_of(failure: BaseException) -> list[BaseException]:
    """Return an exception and all its causes, the outermost first."""
    seen: list[BaseException] = []
    queue: list[t.Any] = [failure]
    while queue:
        item = queue.pop(0)
        if isinstance(item, BaseException) and item not in seen:
            seen.append(item)
            queue += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
    return seen


def _about_tls(cause: BaseException) -> bool:
    """Return whether the two sides cannot agree on TLS, so that a retry is useless.

    A connection that is closed or times out in the handshake is an outage instead.
    """
    if isinstance(cause, ssl.SSLCertVerificationError) or type(cause).__name__ in _UNTRUSTED:
        return True
    passing = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
    if not isinstance(cause, ssl.SSLError) or isinstance(cause, passing):
        return False
    return bool(cause.reason) and cause.reason not in _PASSING_ALERTS


def _without_tls(cause: BaseException) -> bool:
    """Return whether the other side does not speak TLS at all."""
    return isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS


def _refused_tunnel(causes: t.Iterable[BaseException]) -> bool:
    """Return whether a proxy refuses to connect to the server, so that a retry is useless."""
    return any(_TUNNEL.search(str(item)) for item in causes if isinstance(item, OSError))


def _about_proxy(causes: t.Sequence[BaseException]) -> bool:
    """Return whether the proxy failed, and not the server behind it."""
    return type(causes[0]).__name__ == "ProxyError" or failed_in_tunnel(causes)


def reason_of(causes: t.Sequence[BaseException]) -> str:
    """Return why a connection failed, in a few words, for a message."""
    for item in causes:
        tunnel = _TUNNEL_STATUS.search(str(item)) if isinstance(item, OSError) else None
        if tunnel:
            return f"it answered {tunnel[1]}"
        if isinstance(item, ssl.SSLCertVerificationError):
            return printable(item.verify_message)
        if type(item).__name__ in _UNTRUSTED:
            return "the certificate is for another host name"
        if isinstance(item, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return "the TLS connection was closed"
        if isinstance(item, ssl.SSLError):
            return f"TLS: {printable(item.reason or 'handshake failed').replace('_', ' ').lower()}"
        if isinstance(item, socket.gaierror):
            return "the host name cannot be resolved"
        if type(item).__name__.lower().endswith(("timeout", "timeouterror")):
            return "timed out"
        if isinstance(item, UnicodeError) or type(item).__name__ in _NO_HTTP:
            return "the response is not HTTP"
        if isinstance(item, OSError) and item.errno:
            return os.strerror(item.errno).lower()
    names = {type(item).__name__ for item in causes}
    if names & {"RemoteDisconnected", "IncompleteRead", "ProtocolError"}:
        return "the connection was closed"
    return type(causes[0]).__name__
