# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends and receives bytes over HTTP. The only file that imports requests.

It uses the adapter of requests with limited responses, and not a session, which would read and
unpack the body of a redirect of any size.
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

# The exceptions of open(). The exceptions of requests are OSErrors. urllib3 raises ValueErrors, for
# example if headers contradict each other.
FAILURES = (OSError, ValueError)


class Response(t.Protocol):
    """A response of urllib3 after its head was read, with the members that are used."""

    status: int
    headers: t.Mapping[str, str]

    def read(self, *, decode_content: bool) -> bytes:
        """Read the body."""

    def close(self) -> None:
        """Read no more."""


class Transport:
    """Connections to servers. They never follow redirects or use ~/.netrc.

    `verify` is the argument of requests, `proxy` the URL of a proxy for all requests. At most
    `connections` connections stay open.
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
        """Send a request, and return the response as soon as its head has arrived.

        `timeout` (seconds) limits connecting, and separately the whole response. `largest` is the
        maximum size of the body, in bytes. Raises FAILURES.
        """
        request = requests.PreparedRequest()
        request.method = verb
        request.url = url
        request.body = content
        # A dict works as well as requests' own type, and is much faster to make.
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
    """Return the body of a response as it was sent; nothing for a redirect.

    Raises TooLargeError, urllib3's own exceptions, and those of the socket and the TLS layer.
    """
    if 300 <= response.status < 400:
        return b""
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdecimal() and (len(length) > 15 or int(length) > largest):
        raise TooLargeError
    return response.read(decode_content=False)


def normalized(url: str) -> str:
    """Return a URL in the form of requests, without a slash at the end. Raises ValueError."""
    if REQUESTS_IMPORT_ERROR:
        # The module is about to report the missing library.
        return url.rstrip("/")
    request = requests.PreparedRequest()
    request.prepare_url(url, None)
    return t.cast(str, request.url).rstrip("/")


def environment_proxy(url: str) -> str | None:
    """Return the environment's proxy for a URL; None if there is none."""
    return requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))


def _adapter(connections: int) -> requests.adapters.HTTPAdapter:
    """Return an adapter that limits responses, also through proxies, and keeps connections open.

    It returns urllib3's responses, because creating those of requests would take longer than all
    the rest.
    """

    pools: dict[str, t.Any] = {}

    class Adapter(requests.adapters.HTTPAdapter):
        def get_connection_with_tls_context(
            self, request: t.Any, *arguments: t.Any, **options: t.Any
        ) -> t.Any:
            # Finding the pool again would take a tenth of the time of a request.
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
