# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach a server: its URL, proxy, CA bundle and headers."""

from __future__ import annotations

import importlib
import os
import re
import typing as t
from urllib.parse import urlsplit

from .._errors import OptionError
from .._text import no_value, quoted, trim
from .transport import Transport, environment_proxy, normalized

# The variables of requests, curl and OpenSSL, in this order of precedence.
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
# The variable of Infisical's CLI: name=value pairs, separated by blanks.
HEADERS_VARIABLE = "INFISICAL_CUSTOM_HEADERS"

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SOCKS = ("socks4", "socks4a", "socks5", "socks5h")
# A host name, optionally with a scheme, a port and a path.
_ADDRESS = re.compile(
    r"([a-z][a-z0-9+.-]{0,19}://)?([a-z0-9-]{1,63}\.)+[a-z]{2,24}(:[0-9]{1,5})?(/[a-z0-9./-]{0,60})?",
    re.ASCII | re.IGNORECASE,
)
_HEADER = re.compile(
    r"""(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+)=
    (?:"(?P<double>[\x20\x21\x23-\x7e]+)"
    |'(?P<single>[\x20-\x26\x28-\x7e]+)'
    |(?P<bare>[\x21\x23-\x26\x28-\x7e][\x21-\x7e]*))
    (?:\s+|$)""",
    re.VERBOSE,
)
# The CLI ignores these headers.
_IGNORED = ("accept", "user-agent")
_RESERVED = (
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
)
# A shorter value may be an ordinary word. Masking it would mask the same word elsewhere.
_SHORTEST_SECRET = 8


class Connection(t.NamedTuple):
    """How to reach a server.

    `url` is in the form that base_url() returns. `verify` is the argument of requests: whether to
    check certificates, or the path of a CA bundle. `timeout` (seconds) limits connecting, and
    separately the whole response. `rate_limit_timeout` is in seconds. `by_default` says that `url`
    is the default. Every request has the `headers`.
    """

    url: str
    verify: bool | str = True
    timeout: float = 30
    retries: int = 3
    rate_limit_timeout: float = 300
    by_default: bool = False
    headers: t.Mapping[str, str] = {}

    @property
    def secrets(self) -> frozenset[str]:
        """The values of the headers, which must not appear in any output."""
        return frozenset(item for item in self.headers.values() if len(item) >= _SHORTEST_SECRET)


def connection_of(options: t.Mapping[str, t.Any], url: str, by_default: bool) -> Connection:
    """Return how to reach the server. Raises OptionError."""
    # The limit of a day also excludes infinity and NaN.
    for option, least in (("timeout", 0.001), ("rate_limit_timeout", 0)):
        if not least <= options[option] <= 86400:
            raise OptionError(
                f"{option} is {options[option]:g}; write a number of seconds from {least} to 86400."
            )
    retries = options["retries"]
    if isinstance(retries, bool) or not 0 <= retries <= 100:
        raise OptionError(f"retries is {quoted(retries)}; write a whole number from 0 to 100.")
    verify: bool | str = options["validate_certs"]
    ca_path = options.get("ca_path")
    if verify and ca_path:
        if not os.path.exists(ca_path):  # noqa: PTH110 start-up time
            raise OptionError(
                f"ca_path {quoted(ca_path)} does not exist on the host that runs the module; write"
                " the path of a CA bundle, or of a folder of certificates."
            )
        verify = ca_path
    return Connection(
        url,
        verify,
        options["timeout"],
        retries,
        options["rate_limit_timeout"],
        by_default,
        custom_headers(os.environ.get(HEADERS_VARIABLE, "")),
    )


def base_url(option: str, text: str) -> str:
    """Return the base of all request URLs, without blanks and without "/" or "/api" at the end.

    Raises OptionError, which names `option`, for a text that is not the URL of a server.
    """
    url = trim(text)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        normalized(url)
    except ValueError:
        # The errors of requests about URLs are ValueErrors too.
        usable = False
    if not usable or not url.isprintable() or " " in url or no_value(url):
        # Any other text may be, or contain, a secret in the wrong place.
        shown = f" {quoted(url)}" if _ADDRESS.fullmatch(url) else ""
        raise OptionError(
            f"{option}{shown} is not the URL of a server; write one such as"
            " 'https://app.infisical.com', with http:// or https:// in front."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise OptionError(
            f"{option} contains a user name, a query or a fragment; write only the scheme, the host"
            " and, if there is one, the path, as in 'https://app.infisical.com'."
        )
    path = parts.path.rstrip("/")
    path = path[: -len("/api")] if path.endswith("/api") else path
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


def travels_in_clear(url: str) -> bool:
    """Return whether anybody on the network path can read what goes to the URL."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def custom_headers(text: str) -> dict[str, str]:
    """Read headers as Infisical's CLI does. Raises OptionError, which shows no value."""
    headers = {}
    rest = trim(text)
    while rest:
        match = _HEADER.match(rest)
        value = match["double"] or match["single"] or match["bare"] if match else ""
        if not match or no_value(value):
            raise OptionError(
                f"{HEADERS_VARIABLE} is not a list of headers; write 'name=value other-name=value',"
                " in ASCII, with quotes around a value that contains spaces."
            )
        name = match["name"].lower()
        if name in _RESERVED:
            raise OptionError(
                f"{HEADERS_VARIABLE} contains the header {name}, which the module sets itself;"
                " remove it."
            )
        if name not in _IGNORED:
            headers[match["name"]] = value
        rest = rest[match.end() :]
    return headers


def transport_to(url: str, verify: bool | str = True, connections: int = 1) -> Transport:
    """Return a transport to a URL, with the environment's proxy and CA bundle.

    Raises OptionError if one of these is invalid.
    """
    return Transport(_ca_bundle(verify), _proxy_for(url), connections)


def _ca_bundle(verify: bool | str) -> bool | str:
    """Return `verify`, or the CA bundle of the environment if that applies."""
    variable = next((name for name in CA_VARIABLES if os.environ.get(name)), None)
    if verify is not True or not variable:
        return verify
    bundle = os.environ[variable]
    if not os.path.exists(bundle):  # noqa: PTH110 start-up time
        raise OptionError(
            f"{variable} names the CA bundle {quoted(bundle)}, which does not exist on the host"
            " that runs the module; correct it, or set ca_path."
        )
    return bundle


def _proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for a URL. Raises OptionError."""
    proxy = environment_proxy(url)
    if not proxy:
        return None
    scheme = urlsplit(url).scheme
    names = [
        name
        for name, value in os.environ.items()
        if value == proxy and name.lower() in (f"{scheme}_proxy", "all_proxy")
    ]
    source = names[0] if names else "The proxy of the environment"
    instead = f"or add {urlsplit(url).hostname} to NO_PROXY"
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        usable = parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.scheme not in ("http", "https", *_SOCKS):
        # Do not show it: it may contain a password.
        raise OptionError(
            f"{source} is not the URL of a proxy; write one such as"
            f" 'http://proxy.example.com:3128', {instead}."
        )
    if parts.scheme in _SOCKS and not _installed("socks"):
        raise OptionError(
            f"{source} names a SOCKS proxy, which needs the Python library PySocks; install it"
            f" on the host that runs the module, {instead}."
        )
    return proxy


def _installed(library: str) -> bool:
    try:
        importlib.import_module(library)
    except ImportError:
        return False
    return True
