# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sending over HTTP, the one way there is: requests' adapter, with answers that are limited.

The only file that knows requests. It is not used as a session, which would read the body of a
redirect, whatever its size, and unpack it.
"""

from __future__ import annotations

import traceback
import typing as t

try:
    import requests
except ImportError:
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

from .response_limits import TooLargeError, limit_responses, max_bytes

# What open() raises. requests' own exceptions are OSErrors; ValueErrors are urllib3's, on headers
# that contradict each other for instance.
FAILURES = (OSError, ValueError)


class Response(t.Protocol):
    """An answer of which the head was read: urllib3's, as far as it is used."""

    status: int
    headers: t.Mapping[str, str]

    def read(self, *, decode_content: bool) -> bytes:
        """Read the body."""

    def close(self) -> None:
        """Read no more."""


class Transport:
    """Connections to servers. Redirects are never followed, ~/.netrc is not used.

    `verify` is what requests takes under that name, `proxy` the URL of one for all requests. As
    many connections are kept as `connections` says.
    """

    def __init__(
        self, verify: bool | str = True, proxy: str | None = None, connections: int = 1
    ) -> None:
        self._verify = verify
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._adapter = _adapter(connections)
        self.socks = (proxy or "").startswith("socks")

    def open(
        self,
        verb: str,
        url: str,
        headers: t.Mapping[str, str],
        content: bytes | None = None,
        *,
        timeout: float,
        largest: int,
    ) -> Response:
        """Send a request, and return the answer as soon as its head has come.

        `timeout` (seconds) is for connecting, and again for the whole answer, whose body may have
        `largest` bytes. Raises FAILURES.
        """
        request = requests.PreparedRequest()
        request.method = verb
        request.url = url
        request.body = content
        # As good as requests' own, and made in no time.
        request.headers = dict(headers)  # type: ignore[assignment]
        max_bytes.set(largest)
        return t.cast(
            Response,
            self._adapter.send(
                request,
                stream=True,
                timeout=timeout,
                verify=self._verify,
                proxies=self._proxies,
            ),
        )

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()


def body_of(response: Response, largest: int) -> bytes:
    """Read the body of an answer, as it was sent; that of a redirect, for browsers, is left.

    Raises TooLargeError, urllib3's own exceptions, and those of the socket and the TLS layer.
    """
    if 300 <= response.status < 400:
        return b""
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdecimal() and (len(length) > 15 or int(length) > largest):
        raise TooLargeError
    return response.read(decode_content=False)


def normalized(url: str) -> str:
    """Return a URL as requests writes it, without a slash at its end. Raises ValueError."""
    if REQUESTS_IMPORT_ERROR:
        # That is told in a moment.
        return url.rstrip("/")
    request = requests.PreparedRequest()
    request.prepare_url(url, None)
    return t.cast(str, request.url).rstrip("/")


def environment_proxy(url: str) -> str | None:
    """Return what the environment names as the proxy for a URL."""
    return requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))


def _adapter(connections: int) -> requests.adapters.HTTPAdapter:
    """Return an adapter that keeps as many connections, and limits answers, through proxies too.

    What it returns are urllib3's responses: requests' would cost more than all else together.
    """

    pools: dict[str, t.Any] = {}

    class Adapter(requests.adapters.HTTPAdapter):
        def get_connection_with_tls_context(
            self, request: t.Any, *arguments: t.Any, **options: t.Any
        ) -> t.Any:
            # To find it anew takes a tenth of what a request costs.
            server = "/".join(request.url.split("/", 3)[:3])
            if server not in pools:
                pools[server] = super().get_connection_with_tls_context(
                    request, *arguments, **options
                )
            return pools[server]

        def init_poolmanager(self, *arguments: t.Any, **options: t.Any) -> None:
            super().init_poolmanager(*arguments, **options)
            limit_responses(self.poolmanager)

        def proxy_manager_for(self, *arguments: t.Any, **options: t.Any) -> t.Any:
            manager = super().proxy_manager_for(*arguments, **options)
            limit_responses(manager)
            return manager

        def build_response(self, _request: t.Any, response: t.Any) -> t.Any:
            return response

    return Adapter(pool_maxsize=connections)
