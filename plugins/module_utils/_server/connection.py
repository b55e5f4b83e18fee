# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach a server: its URL, and the proxy, the CA bundle and the headers that it takes."""

from __future__ import annotations

import importlib
import os
import re
import typing as t
from urllib.parse import urlsplit

from .._errors import OptionError
from .._text import no_value, quoted, trim
from .transport import Transport, environment_proxy, normalized

# As requests, curl and OpenSSL spell it, in this order.
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
# As Infisical's CLI spells it: name=value, and more of them after blanks.
HEADERS_VARIABLE = "INFISICAL_CUSTOM_HEADERS"

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SOCKS = ("socks4", "socks4a", "socks5", "socks5h")
# The name of a host, with a port and a path, and with any scheme or none.
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
# The CLI passes these over.
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
# A shorter value may well be a word, which is no secret where something else is meant by it.
_SHORTEST_SECRET = 8


class Connection(t.NamedTuple):
    """How to reach a server.

    `url` is as base_url() returns it, `verify` what requests takes under that name: whether to
    check certificates, or the path of a CA bundle. `timeout` (seconds) is for connecting, and
    again for the whole answer. `rate_limit_timeout` is in seconds. `by_default` says that nobody
    gave the URL. `headers` go with every request.
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
        """What of the headers is to be kept out of all output."""
        return frozenset(item for item in self.headers.values() if len(item) >= _SHORTEST_SECRET)


def connection_of(options: t.Mapping[str, t.Any], url: str, by_default: bool) -> Connection:
    """Return how to reach the server, whose URL may be the default. Raises OptionError."""
    # A day is more than anybody waits, and keeps infinity and "not a number" out.
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
    """Return the base of all request URLs: no blank, no trailing "/" or "/api".

    Raises OptionError, naming `option`, for what is not the URL of a server.
    """
    url = trim(text)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        normalized(url)
    except ValueError:
        # requests' own errors about URLs are ValueErrors too.
        usable = False
    if not usable or not url.isprintable() or " " in url or no_value(url):
        # What is no address may be a secret in the wrong place, or have one in it.
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
    """Return whether what is sent to the URL can be read on a network on the way."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def custom_headers(text: str) -> dict[str, str]:
    """Read headers as Infisical's CLI does. Raises OptionError, which shows none of them."""
    headers = {}
    rest = trim(text)
    while rest:
        match = _HEADER.match(rest)
        value = match["double"] or match["single"] or match["bare"] if match else ""
        if not match or no_value(value):
            raise OptionError(
                f"{HEADERS_VARIABLE} is not a list of headers; write 'name=value other-name=value',"
                " in ASCII, with quotes around a value that contains blanks."
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
    """Return what sends to a URL, with the environment's proxy and CA bundle.

    Raises OptionError for what the environment says of these.
    """
    return Transport(_ca_bundle(verify), _proxy_for(url), connections)


def _ca_bundle(verify: bool | str) -> bool | str:
    """Return what requests takes for `verify`, which may be the environment's to say."""
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
        # It is not shown: there may be a password in it.
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
