# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers and networks: what is not Infisical, redirects, proxies, certificates, libraries."""

from __future__ import annotations

import socket
import ssl
import typing as t
from pathlib import Path

import pytest
import trustme
from functional.cases import ATTACHED, REQUIRED
from functional.forwarder import Forwarder, forwarding, serving
from functional.harness import Result, Task, run_tasks, warnings_of

ELSEWHERE = "https://elsewhere.example"
# Of the request that each of ODD is an answer to.
PATH = "/api/v1/auth/azure-auth/identities/<its identity>"

# What answers in place of Infisical -> the fault, and what the message must say.
ODD: dict[str, tuple[str, dict[str, t.Any], str]] = {
    "HTML": (
        "body",
        {"text": "<!doctype html><title>Welcome"},
        (
            "answered 200 with text/html; charset=utf-8 ('<!doctype html><title>Welcome'), but"
            " Infisical answers with a JSON object; check that url points to an Infisical server."
        ),
    ),
    "an empty body": ("body", {"text": ""}, "answered 200 with an empty body, but Infisical"),
    "a JSON list": ("body", {"json": [1]}, "('[1]'), but Infisical answers with a JSON object"),
    "a lone null": ("body", {}, "('null'), but Infisical answers with a JSON object"),
    "JSON of another shape": (
        "body",
        {"json": {"status": "UP"}},
        "JSON that Infisical does not send (no identityAzureAuth); check that url points",
    ),
    "an object with a field of another type": (
        "body",
        {"json": {"identityAzureAuth": {"identityId": "x"}}},
        "JSON that Infisical does not send (the object of another identity)",
    ),
    "a page not found": (
        "error",
        {"status": 404, "error": "Not Found", "message": "Route GET:/api not found"},
        "The server does not know this API; check that url points to an Infisical server.",
    ),
    "control characters": (
        "error",
        {"status": 400, "error": "Bad\x1b[2J", "message": "a\x07\nb" + "c" * 1000},
        "400 Bad [2J: a b" + "c" * 100,
    ),
    "a redirect to another host": (
        "redirect",
        {"location": f"{ELSEWHERE}{PATH}?next=1", "status": 308},
        (
            f"answered 308, a redirect to '{ELSEWHERE}{PATH}', which the module does not follow,"
            f" because that would send the token there; set url to '{ELSEWHERE}' if that is your"
            " server."
        ),
    ),
    "a redirect to a sign-in page": (
        "redirect",
        {"location": f"{ELSEWHERE}/login", "status": 302},
        (
            f"a redirect to '{ELSEWHERE}/login', which the module does not follow, because that"
            " would send the token there; something in front of the server seems to ask for a"
            " sign-in with a browser; let requests to /api/ through without one, or set url to an"
            " address that needs none."
        ),
    ),
    "a redirect to another path of an API": (
        "redirect",
        {"location": f"{ELSEWHERE}/api/v1/login", "status": 302},
        "something in front of the server seems to ask for a sign-in with a browser",
    ),
    "a redirect to an invalid address": (
        "redirect",
        {"location": "http://[", "status": 302},
        "a redirect to 'an invalid address', which the module does not follow",
    ),
    "a redirect below a path": (
        "redirect",
        {"location": f"{ELSEWHERE}/infisical{PATH}", "status": 301},
        f"set url to '{ELSEWHERE}/infisical' if that is your server.",
    ),
    "a redirect that names a password": (
        "redirect",
        {"location": f"https://user:pa55word@elsewhere.example{PATH}", "status": 301},
        f"set url to '{ELSEWHERE}' if that is your server.",
    ),
}


def task(server: t.Any, identity_id: str, **options: t.Any) -> Task:
    every = {"url": server.url, "token": server.token, "identity_id": identity_id, **options}
    return Task(every)


@pytest.fixture(scope="module")
def odd(server: t.Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    tasks = []
    for title, (action, options, _message) in ODD.items():
        identity_id = server.create_identity(title)
        there = {name: _with_id(value, identity_id) for name, value in options.items()}
        server.fault(action, identity_id=identity_id, **there)
        tasks.append(task(server, identity_id, resource="other"))
    return dict(zip(ODD, run_tasks(tmp_path_factory.mktemp("odd"), tasks)))


def _with_id(value: t.Any, identity_id: str) -> t.Any:
    return value.replace("<its identity>", identity_id) if isinstance(value, str) else value


@pytest.mark.parametrize("title", ODD)
def test_what_is_not_infisical_is_said(title: str, odd: dict[str, Result]) -> None:
    result = odd[title]
    assert result["failed"]
    identity_id = result["msg"].partition("of identity ")[2].partition(":")[0]
    assert _with_id(ODD[title][2], identity_id) in result["msg"]
    assert result["msg"].isprintable()
    assert len(result["msg"]) < 1000
    assert "pa55word" not in result["msg"]
    assert result["http_status"] == ODD[title][1].get("status", 200)


def test_a_redirect_of_a_write_takes_the_token_nowhere(server: t.Any, tmp_path: Path) -> None:
    identity_id = server.create_identity("redirected")
    server.put_azure_auth(identity_id, **ATTACHED)
    with forwarding(server.url) as elsewhere:
        for number, status in enumerate((301, 302, 303, 307, 308), start=1):
            server.fault(
                "redirect",
                identity_id=identity_id,
                method="PATCH",
                nth=number,
                location=f"{elsewhere.url}{_with_id(PATH, identity_id)}",
                status=status,
            )
        writes = [task(server, identity_id, resource="other")] * 5
        results = run_tasks(tmp_path, writes)
        assert elsewhere.seen == []
    assert [result["http_status"] for result in results] == [301, 302, 303, 307, 308]
    assert all(f"set url to '{elsewhere.url}'" in result["msg"] for result in results)
    assert not any(result["changed"] for result in results if "changed" in result)
    assert server.azure_auth(identity_id)["resource"] == ATTACHED["resource"]


@pytest.fixture(scope="module")
def attached(server: t.Any) -> str:
    identity_id = str(server.create_identity("networks"))
    server.put_azure_auth(identity_id, **ATTACHED)
    return identity_id


def test_nothing_behind_the_port(server: t.Any, attached: str, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        tasks = [
            task(server, attached, url=url, retries=0),
            task(server, attached, url=url, retries=1),
            task(server, attached, url="https://infisical.invalid", retries=0),
        ]
        once, twice, unknown = run_tasks(tmp_path, tasks)
    refused = f"nothing answers at {url} (connection refused); check url and the server"
    assert refused in once["msg"]
    assert f"{refused} (tried 2 times in" in twice["msg"]
    assert "https://infisical.invalid (the host name cannot be resolved)" in unknown["msg"]


def test_a_port_that_accepts_and_never_answers(
    server: t.Any, attached: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        (result,) = run_tasks(tmp_path, [task(server, attached, url=url, timeout=0.5, retries=0)])
    assert f"{url} did not answer (timed out)" in result["msg"]


def test_netrc_never_replaces_the_token(server: t.Any, attached: str, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n", encoding="utf-8")
    netrc.chmod(0o600)
    server.clear_requests()
    credentials = {
        "token": None,
        "universal_auth_client_id": server.client_id,
        "universal_auth_client_secret": server.client_secret,
    }
    by_login = {
        name: value
        for name, value in {**task(server, attached).options, **credentials}.items()
        if value is not None
    }
    results = run_tasks(tmp_path, [task(server, attached), Task(by_login)], NETRC=str(netrc))
    assert not any(result["failed"] for result in results), results
    logins = [item for item in server.requests() if item.path.endswith(("/login", "/revoke"))]
    assert [item.authorization for item in logins] == [None, None]
    assert all("authorization" not in item.headers for item in logins)


def test_proxies_of_the_environment(server: t.Any, attached: str, tmp_path: Path) -> None:
    with forwarding(server.url) as proxy:
        through = {"HTTP_PROXY": proxy.url, "http_proxy": proxy.url}
        options = task(server, attached).options
        proxied, direct = run_tasks(
            tmp_path,
            [
                Task(options, environment=through),
                Task(options, environment={**through, "NO_PROXY": "127.0.0.1"}),
            ],
        )
        assert not proxied["failed"], proxied["msg"]
        assert not direct["failed"], direct["msg"]
        # The proxy is asked for the whole URL, and only by the first task.
        assert proxy.seen == [f"{server.url}/api/v1/auth/azure-auth/identities/{attached}"]


def test_a_proxy_that_loses_an_answer_does_not_hide_a_change(server: t.Any, tmp_path: Path) -> None:
    attach, revoke, update = server.create_identities(["proxied 1", "proxied 2", "proxied 3"])
    for identity_id in (revoke, update):
        server.put_azure_auth(identity_id, **ATTACHED)
    for identity_id, method in ((attach, "POST"), (revoke, "DELETE"), (update, "PATCH")):
        # Through the emulator's fault, the proxy loses the answer, and closes its own connection.
        server.fault("drop", identity_id=identity_id, method=method, times=1, when="after")
    with forwarding(server.url) as proxy:
        results = run_tasks(
            tmp_path,
            [
                Task({**task(server, identity_id).options, **options})
                for identity_id, options in (
                    (attach, REQUIRED),
                    (revoke, {"state": "absent"}),
                    (update, {"resource": "other"}),
                )
            ],
            HTTP_PROXY=proxy.url,
            http_proxy=proxy.url,
        )
        assert len(proxy.seen) > 6
    assert [result.get("msg") for result in results if result["failed"]] == []
    assert [result["changed"] for result in results] == [True, True, True]
    sent = [item for item in server.requests(identity_id=attach) if item.method == "POST"]
    assert len(sent) == 1


@pytest.mark.parametrize("proxy", ["http://user:pr0xypass@proxy:abc", "ftp://user:pr0xypass@proxy"])
def test_a_proxy_that_is_none_is_an_error_without_its_password(
    proxy: str, server: t.Any, attached: str, tmp_path: Path
) -> None:
    (result,) = run_tasks(tmp_path, [task(server, attached)], http_proxy=proxy)
    assert result["failed"]
    assert result["msg"] == (
        "http_proxy is not the URL of a proxy; write one such as 'http://proxy.example.com:3128',"
        " or add 127.0.0.1 to NO_PROXY."
    )
    assert "pr0xypass" not in str(result)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4"])
def test_a_socks_proxy_without_the_library_for_it(
    scheme: str, server: t.Any, attached: str, tmp_path: Path
) -> None:
    (tmp_path / "socks.py").write_text("raise ImportError\n", encoding="utf-8")
    proxy = f"{scheme}://user:pr0xypass@127.0.0.1:1080"
    environment = {"ALL_PROXY": proxy, "PYTHONPATH": str(tmp_path)}
    options = task(server, attached).options
    through, direct = run_tasks(
        tmp_path / "play",
        [
            Task(options, environment=environment),
            Task(options, environment={**environment, "NO_PROXY": "127.0.0.1"}),
        ],
    )
    assert through["failed"]
    assert through["msg"] == (
        "ALL_PROXY names a SOCKS proxy, which needs the Python library PySocks; install it on the"
        " host that runs the module, or add 127.0.0.1 to NO_PROXY."
    )
    assert "pr0xypass" not in str(through)
    assert not direct["failed"], direct["msg"]


def test_a_proxy_that_is_down_does_not_show_its_password(
    server: t.Any, attached: str, tmp_path: Path
) -> None:
    proxy = "http://user:pr0xypass@127.0.0.1:9"
    (result,) = run_tasks(
        tmp_path,
        [
            Task(
                {**task(server, attached).options, "retries": 0},
                environment={"http_proxy": proxy, "HTTP_PROXY": proxy},
            )
        ],
    )
    assert f"the proxy for {server.url} cannot be used (connection refused)" in result["msg"]
    assert "pr0xypass" not in result["msg"]


def test_headers_that_a_proxy_in_front_wants(server: t.Any, attached: str, tmp_path: Path) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    text = f'CF-Access-Client-Id=4711.access CF-Access-Client-Secret={secret} X-Tenant="a b"'
    headers = {"INFISICAL_CUSTOM_HEADERS": text}
    options = {
        "url": server.url,
        "universal_auth_client_id": server.client_id,
        "universal_auth_client_secret": server.client_secret,
        "identity_id": attached,
    }
    told = f"You are {secret}, and no friend of a b"
    with forwarding(server.url) as front:
        through = Task({**options, "url": front.url}, environment=headers)
        (passed,) = run_tasks(tmp_path / "passed", [through])
    server.fault("error", identity_id=attached, status=403, error="Forbidden", message=told)
    (refused,) = run_tasks(tmp_path / "refused", [Task(options, environment=headers)])
    server.clear_faults()
    (wrong,) = run_tasks(
        tmp_path / "wrong",
        [Task(options, environment={"INFISICAL_CUSTOM_HEADERS": f"CF-Secret: {secret}"})],
    )
    assert not passed["failed"], passed["msg"]
    assert len(front.headers) == 3
    for sent in front.headers:
        assert sent["cf-access-client-id"] == "4711.access"
        assert sent["cf-access-client-secret"] == secret
        assert sent["x-tenant"] == "a b"
    assert "You are ********, and no friend of ********" in refused["msg"]
    assert "INFISICAL_CUSTOM_HEADERS is not a list of headers; write" in wrong["msg"]
    for result in (passed, refused, wrong):
        assert secret not in str(result)


def test_a_url_with_a_path_prefix(server: t.Any, attached: str, tmp_path: Path) -> None:
    with forwarding(server.url, prefix="/infisical") as front:
        (result,) = run_tasks(tmp_path, [task(server, attached, url=f"{front.url}/infisical/api/")])
        assert not result["failed"], result["msg"]
        assert front.seen == [f"/infisical/api/v1/auth/azure-auth/identities/{attached}"]


def test_a_url_with_an_ipv6_address(server: t.Any, attached: str, tmp_path: Path) -> None:
    try:
        front = Forwarder(server.url, host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback address")
    with serving(front):
        (result,) = run_tasks(tmp_path, [task(server, attached, url=front.url)])
    assert not result["failed"], result["msg"]
    assert len(front.seen) == 1
    assert "https" not in warnings_of(result)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls_front(server: t.Any, authority: trustme.CA) -> t.Iterator[Forwarder]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with forwarding(server.url, tls=context) as front:
        yield front


def test_certificates(
    server: t.Any,
    attached: str,
    authority: trustme.CA,
    tls_front: Forwarder,
    tmp_path: Path,
) -> None:
    right, wrong = tmp_path / "right.pem", tmp_path / "wrong.pem"
    authority.cert_pem.write_to_path(right)
    trustme.CA().cert_pem.write_to_path(wrong)
    options = {**task(server, attached).options, "url": tls_front.url}
    bundle = {"REQUESTS_CA_BUNDLE": str(wrong)}
    refused, by_option, *by_environment, over_environment, unchecked, over_bundle = run_tasks(
        tmp_path,
        [
            Task(options),
            Task({**options, "ca_path": str(right)}),
            Task(options, environment={"REQUESTS_CA_BUNDLE": str(right)}),
            Task(options, environment={"SSL_CERT_FILE": str(right)}),
            Task(options, environment={"SSL_CERT_FILE": str(wrong), "CURL_CA_BUNDLE": str(right)}),
            Task({**options, "ca_path": str(right)}, environment=bundle),
            Task({**options, "validate_certs": False}),
            Task({**options, "validate_certs": False}, environment=bundle),
        ],
    )
    assert refused["failed"]
    assert f"there is no trusted TLS connection to {tls_front.url} (" in refused["msg"]
    assert "set ca_path to the CA bundle for its certificate" in refused["msg"]
    for result in (by_option, *by_environment, over_environment, unchecked, over_bundle):
        assert not result["failed"], result["msg"]
    assert "validate_certs is false" in warnings_of(unchecked)
    assert "validate_certs" not in warnings_of(by_option)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_ca_bundle_of_the_environment_that_is_not_there(
    variable: str, server: t.Any, attached: str, tmp_path: Path
) -> None:
    bundle = "/nowhere/bundle.pem"
    (result,) = run_tasks(tmp_path, [task(server, attached)], **{variable: bundle})
    assert result["failed"]
    assert f"{variable} names the CA bundle '{bundle}', which does not exist" in result["msg"]


def test_plain_http_where_tls_is_expected(server: t.Any, attached: str, tmp_path: Path) -> None:
    url = server.url.replace("http:", "https:")
    (result,) = run_tasks(tmp_path, [task(server, attached, url=url, retries=3)])
    place = server.url.removeprefix("http://")
    assert f"url starts with https, but {place} does not speak TLS and most likely" in result["msg"]
    assert "tried" not in result["msg"]


@pytest.mark.parametrize("library", ["requests", "netaddr"])
def test_a_library_that_is_too_old(
    library: str, server: t.Any, attached: str, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    patch = f"import {library}\n{library}.__version__ = '0.10.0.1'\n"
    (old / "sitecustomize.py").write_text(patch, encoding="utf-8")
    (result,) = run_tasks(
        tmp_path,
        [Task(task(server, attached).options, environment={"PYTHONPATH": str(old)})],
    )
    assert result["failed"]
    assert f" of the Python library {library}, but " in result["msg"]
    assert " on the host that runs it has version 0.10.0.1; upgrade" in result["msg"]
    assert "Traceback" not in str(result)


@pytest.mark.parametrize("library", ["requests", "netaddr"])
def test_a_missing_library(library: str, server: t.Any, attached: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    missing.mkdir()
    (missing / f"{library}.py").write_text("raise ImportError('not here')\n", encoding="utf-8")
    (result,) = run_tasks(
        tmp_path,
        [Task(task(server, attached).options, environment={"PYTHONPATH": str(missing)})],
    )
    assert result["failed"]
    assert f"Failed to import the required Python library ({library})" in result["msg"]
    assert "python" in result["msg"].partition("'s Python ")[2]


def test_http_beyond_loopback_is_warned_of(server: t.Any, attached: str, tmp_path: Path) -> None:
    remote, local = run_tasks(
        tmp_path,
        [
            task(server, attached, url="http://infisical.invalid", retries=0),
            task(server, attached),
        ],
    )
    assert "is not https, so anybody on the network path can read the token" in warnings_of(remote)
    assert "https" not in warnings_of(local)
