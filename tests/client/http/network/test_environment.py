"""Proxies, certificates and base URLs as people set them: understood, or told by our own errors."""

from __future__ import annotations

import os
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.client import AsyncClient, Client
from opeai_nb.client.http.network.proxies import ProxyProblemError, proxy_for
from opeai_nb.client.wire.endpoint import endpoint_at
from opeai_nb.errors import (
    AuthenticationError,
    InputError,
    ModelNotFoundError,
    NotFoundError,
    OpeaiError,
    UnreachableError,
    UnreadableAnswerError,
)
from opeai_nb.testing import Answer, Script, error_answer, pictures_answer, png, task_answer
from tests.client.misbehaving import nobody
from tests.client.shells import KEY, Shell

Shells = Callable[..., Shell]
TAILS = ("", "/", "//", "/v1", "/v1/", "/v1//", "//v1", "/v1/v1", "/v1/images", "/v1/models")
ENDPOINTS = ("/v1/chat/completions", "/v1/images/edits", "/v1/images/generations/", "/v1/responses")


class TestProxies:
    @pytest.mark.parametrize(
        ("variables", "url", "proxy"),
        [
            ({"HTTP_PROXY": "http://p:1"}, "http://a.test", "http://p:1"),
            (
                {"http_proxy": "http://p:1", "HTTP_PROXY": "http://q:1"},
                "http://a.test",
                "http://p:1",
            ),
            ({"HTTPS_PROXY": "p:7890"}, "https://a.test", "http://p:7890"),
            ({"HTTP_PROXY": "http://p:1"}, "https://a.test", None),
            ({"ALL_PROXY": "socks5://p:1"}, "https://a.test", "socks5://p:1"),
            ({"all_proxy": "socks://p:1"}, "http://a.test", "socks5://p:1"),
            ({"all_proxy": "SOCKS5H://p:1"}, "http://a.test", "socks5h://p:1"),
            ({"HTTP_PROXY": '"http://p:1"'}, "http://a.test", "http://p:1"),
            ({"HTTP_PROXY": "“http://p:1”"}, "http://a.test", "http://p:1"),
            ({"HTTP_PROXY": "HTTP_PROXY=http://p:1"}, "http://a.test", "http://p:1"),
            ({"HTTP_PROXY": '"p:1"'}, "http://a.test", "http://p:1"),
            ({"HTTP_PROXY": "export HTTP_PROXY='p:1'"}, "http://a.test", "http://p:1"),
            ({"HTTP_PROXY": "\ufeffhttp://u:p%40w@p:1;"}, "http://a.test", "http://u:p%40w@p:1"),
            ({"HTTP_PROXY": "http://u:p^w@p:1"}, "http://a.test", "http://u:p^w@p:1"),
            ({"http_proxy": "", "ALL_PROXY": "[::1]:7"}, "http://a.test", "http://[::1]:7"),
            ({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, "http://a.test", None),
            ({}, "http://a.test", None),
        ],
    )
    def test_variable_is_read(self, variables: dict[str, str], url: str, proxy: str | None) -> None:
        chosen = proxy_for(url, variables)
        assert (chosen.url if chosen else None) == proxy

    @pytest.mark.parametrize(
        ("entry", "url", "is_exempt"),
        [
            ("a.test", "http://a.test", True),
            ("a.test", "http://b.a.test", True),
            (".a.test", "http://b.a.test", True),
            ("*.a.test", "http://b.a.test", True),
            ("a.test", "http://na.test", False),
            ("A.TEST", "http://a.test", True),
            ("a.test:8080", "http://a.test:8080", True),
            ("a.test:8080", "http://a.test:81", False),
            ("*", "http://a.test", True),
            ("10.0.0.0/8", "http://10.1.2.3", True),
            ("10.1.2.3", "http://10.1.2.3:80", True),
            ("fd07:b51a:cc66:f0::/64", "http://[fd07:b51a:cc66:f0::5]", True),
            ("fd07:b51a:cc66:f0::/64", "http://a.test", False),
            ("[fd07::1]", "http://[fd07::1]:80", True),
            ("[fd07::]/16", "http://[fd07::1]", True),
            ("x.test, a.test", "http://a.test", True),
            ("x.test a.test", "http://a.test", True),
            ("a.test:80", "http://a.test", True),
            ("a.test:443", "http://a.test", False),
            ("a.test:*", "http://a.test", True),
            ("https://a.test/v1", "http://a.test", True),
            ("a.*", "http://a.test", True),
            ("x.test|a.test", "http://a.test", True),
            ("..a.test", "http://b.a.test", True),
            ("192.168.*", "http://192.168.1.1", True),
            ("192.168.", "http://192.168.1.1", True),
            ("192.16", "http://192.168.1.1", False),
            ("xn--mnchen-3ya.test", "http://münchen.test", True),
            ("münchen.test", "http://xn--mnchen-3ya.test", True),
            ("<local>", "http://intranet", True),
            ("<local>", "http://a.test", False),
            (" ,,/,[,]:", "http://a.test", False),
        ],
    )
    @pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
    def test_exemption_is_read(self, name: str, entry: str, url: str, is_exempt: bool) -> None:
        variables = {"HTTP_PROXY": "http://p:1", name: entry}
        assert (proxy_for(url, variables) is None) is is_exempt

    @pytest.mark.parametrize(
        "host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "a.localhost", "0.0.0.0", "[::]"]
    )
    def test_this_machine_is_never_behind_a_proxy(self, host: str) -> None:
        assert proxy_for(f"http://{host}:80", {"HTTP_PROXY": "http://p:1"}) is None

    @pytest.mark.parametrize(
        "text",
        [
            *("ftp://p:1", "http://", "http://p:port", "http://p:0", "socks4://p:1", "://"),
            *("http://p 1", "PROXY p:1", "http:/p:1", "http://u:p#w@p:1", "http=p:1;https=p:2"),
        ],
    )
    def test_what_is_no_proxy_is_named(self, text: str) -> None:
        with pytest.raises(ProxyProblemError, match="HTTP_PROXY is no proxy"):
            proxy_for("http://a.test", {"HTTP_PROXY": text})

    @pytest.mark.parametrize(
        "variables",
        [
            {"ALL_PROXY": "socks5://127.0.0.1:9"},
            {"all_proxy": "socks://127.0.0.1:9"},
            {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,[::1]"},
            {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "fd07:b51a:cc66:f0::/64"},
            {"HTTPS_PROXY": "http://127.0.0.1:9", "SSL_CERT_FILE": "gone.pem"},
            {"HTTP_PROXY": "nonsense://x"},
        ],
    )
    @pytest.mark.parametrize("kind", [Client, AsyncClient])
    def test_no_setting_fails_in_the_constructor(
        self, kind: type, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        assert kind(base_url="http://a.test", api_key=KEY)

    @pytest.mark.parametrize(
        ("variable", "text", "told"),
        [
            ("HTTP_PROXY", "http://127.0.0.1:9", r"HTTP_PROXY \(127\.0\.0\.1:9\)"),
            ("ALL_PROXY", "http://me:secret@127.0.0.1:9", r"ALL_PROXY \(127\.0\.0\.1:9\)"),
            ("HTTP_PROXY", "nonsense://x", "HTTP_PROXY is no proxy"),
        ],
    )
    def test_dead_proxy_is_named_at_the_first_request(
        self, shell: Shells, monkeypatch: pytest.MonkeyPatch, variable: str, text: str, told: str
    ) -> None:
        monkeypatch.setenv(variable, text)
        with pytest.raises(UnreachableError, match=told) as caught:
            shell(base_url="http://a.test").generate("a fox")
        assert "NO_PROXY" in str(caught.value)
        assert "secret" not in str(caught.value)

    def test_proxy_is_used(
        self, shell: Shells, monkeypatch: pytest.MonkeyPatch, proxy: tuple[str, list[str]]
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", proxy[0])
        assert len(shell(base_url="http://a.test").generate("a fox")) == 1
        assert proxy[1] == ["POST http://a.test/v1/images/generations"]

    @pytest.mark.parametrize(
        "setting",
        ["ALL_PROXY=socks5", "all_proxy=socks", "HTTP_PROXY=socks5h", "http_proxy=SOCKS5"],
    )
    def test_socks_proxy_is_used(
        self,
        shell: Shells,
        monkeypatch: pytest.MonkeyPatch,
        proxy: tuple[str, list[str]],
        setting: str,
    ) -> None:
        pytest.importorskip("socksio")
        with socks_proxy(proxy[0]) as (port, asked):
            variable, _, kind = setting.partition("=")
            monkeypatch.setenv(variable, f"{kind}://127.0.0.1:{port}")
            assert len(shell(base_url="http://a.test").generate("a fox")) == 1
        assert asked == ["a.test:80"]
        assert proxy[1] == ["POST /v1/images/generations"]

    def test_socks_proxy_that_refuses_is_named(
        self, shell: Shells, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("socksio")
        with nobody() as url:
            monkeypatch.setenv("ALL_PROXY", url.replace("http:", "socks5:"))
            with pytest.raises(UnreachableError, match="proxy of ALL_PROXY"):
                shell(base_url="http://a.test").generate("a fox")

    @pytest.mark.parametrize(
        "answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 407 No\r\n\r\n", bytes(9)]
    )
    @pytest.mark.parametrize(
        ("kind", "url"),
        [("http", "https://a.test"), ("socks5", "http://a.test"), ("socks5", "https://a.test")],
    )
    def test_what_is_no_proxy_of_its_kind_never_got_the_request(
        self,
        shell: Shells,
        monkeypatch: pytest.MonkeyPatch,
        kind: str,
        url: str,
        answer: bytes,
    ) -> None:
        pytest.importorskip("socksio")
        with saying(answer) as port:
            monkeypatch.setenv("ALL_PROXY", f"{kind}://me:secret@127.0.0.1:{port}")
            with pytest.raises(UnreachableError, match="proxy of ALL_PROXY") as caught:
                shell(base_url=url).generate("a fox")
        assert "secret" not in str(caught.value)

    def test_proxy_of_https_that_wants_a_password_is_told_as_such(
        self, shell: Shells, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with saying(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n") as port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
            with pytest.raises(UnreachableError, match="wants a user and a password") as caught:
                shell(base_url="https://a.test").generate("a fox")
        assert "http://user:password@host:port" in str(caught.value)

    def test_proxy_that_wants_a_password_is_told_as_such(self, shell: Shells) -> None:
        script = Script(Answer(b"", status=407))
        with pytest.raises(UnreachableError, match="wants a user and a password") as caught:
            shell(transport=script).generate("a fox")
        assert "Nothing was sent" in str(caught.value)
        assert len(script.posts) == 1


@contextmanager
def saying(answer: bytes) -> Iterator[int]:
    """A server that says the same to everybody and hangs up; yields its port."""

    class Parrot(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.recv(65_536)
                self.request.sendall(answer)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Parrot)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy that answers by itself, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(f"POST {self.path}")
            self.rfile.read(int(self.headers["Content-Length"]))
            body = pictures_answer(png()).content
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@contextmanager
def socks_proxy(target: str) -> Iterator[tuple[int, list[str]]]:
    """A SOCKS5 proxy that leads everybody to *target*; yields its port, and what it was asked."""
    host, port = target.removeprefix("http://").split(":")
    asked: list[str] = []

    class Relay(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.read(self.rfile.read(2)[1])  # the ways to log in
            self.wfile.write(b"\x05\x00")
            kind = self.rfile.read(4)[3]
            name = self.rfile.read(4 if kind == 1 else self.rfile.read(1)[0])
            asked.append(f"{name.decode()}:{int.from_bytes(self.rfile.read(2), 'big')}")
            self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
            with socket.create_connection((host, int(port))) as there:
                threading.Thread(target=pump, args=(self.connection, there), daemon=True).start()
                pump(there, self.connection)

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_address[1], asked
    server.shutdown()
    server.server_close()


CERTIFICATE = Path(__file__).parents[2] / "certificates" / "server.pem"
"""One that vouches for itself, for localhost and 127.0.0.1; its key lies beside it."""
VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class TestServerOfACompany:
    """A server whose certificate only the company's own machines trust."""

    @pytest.fixture
    def company(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.posts += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                body = pictures_answer(png()).content
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """A client that does not trust us goes away: nothing to tell."""

        server: Any = Quiet(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_suffix(".key"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.posts, server.url = 0, f"https://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
        server.server_close()

    def test_that_is_not_trusted_is_told_with_the_variable_to_set(
        self, shell: Shells, company: Any
    ) -> None:
        with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED") as caught:
            shell(base_url=company.url).generate("a fox")
        assert "SSL_CERT_FILE" in caught.value.advice
        assert company.posts == 0

    @pytest.mark.parametrize("words", ["WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"])
    def test_that_speaks_no_tls_is_told_with_the_base_url_to_use(
        self, shell: Shells, words: str
    ) -> None:
        script = Script(lambda _: httpx.ConnectError(f"[SSL: {words}] (_ssl.c:1000)"))
        with pytest.raises(UnreachableError) as caught:
            shell(transport=script).generate("a fox")
        assert "http://" in caught.value.advice

    @pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
    def test_is_trusted_by_any_of_the_variables(
        self, shell: Shells, company: Any, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        monkeypatch.setenv(variable, str(CERTIFICATE))
        assert len(shell(base_url=company.url).generate("a fox")) == 1
        assert company.posts == 1

    @pytest.mark.parametrize("written", ['"{}"', " {} ", "file://{}", "\ufeff{}"])
    def test_is_trusted_by_a_path_with_something_around_it(
        self, shell: Shells, company: Any, monkeypatch: pytest.MonkeyPatch, written: str
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", written.format(CERTIFICATE))
        assert len(shell(base_url=company.url).generate("a fox")) == 1

    def test_is_trusted_by_a_folder_of_any_names(
        self, shell: Shells, company: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "README").write_text("of the company")
        (tmp_path / "company.crt").write_bytes(CERTIFICATE.read_bytes())
        monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path / 'gone'}{os.pathsep}{tmp_path}")
        assert len(shell(base_url=company.url).generate("a fox")) == 1

    @pytest.mark.parametrize(
        ("words", "helps"),
        [
            ("IP address mismatch, certificate is not valid for '127.0.0.1'", "OPEAI_BASE_URL"),
            ("certificate has expired", "clock"),
            ("unable to get local issuer certificate", "SSL_CERT_FILE"),
        ],
    )
    def test_is_told_with_what_helps(self, shell: Shells, words: str, helps: str) -> None:
        text = f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {words} (_ssl.c:1000)"
        with pytest.raises(UnreachableError) as caught:
            shell(transport=Script(lambda _: httpx.ConnectError(text))).generate("a fox")
        assert helps in caught.value.advice


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n", bytes(99), None])
@pytest.mark.parametrize("variable", VARIABLES)
def test_what_holds_no_certificates_is_named(
    shell: Shells,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
    content: bytes | None,
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    monkeypatch.setenv(variable, str(tmp_path if content is None else tmp_path / "ca.pem"))
    with pytest.raises(
        UnreachableError, match=rf"{variable} names .* \(it holds no certificates\)"
    ):
        shell(base_url="https://127.0.0.1:9").generate("a fox")


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_that_are_gone_are_named(
    shell: Shells, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "gone.pem")
    with pytest.raises(UnreachableError, match=f"certificates for TLS that {variable} names"):
        shell(base_url="https://127.0.0.1:9").generate("a fox")


class TestBaseUrls:
    @pytest.mark.parametrize("tail", [*TAILS, *ENDPOINTS])
    @pytest.mark.parametrize("root", ["http://h.test", "http://h.test/api"])
    def test_any_tail_is_understood(self, root: str, tail: str) -> None:
        at = endpoint_at(root + tail).at("/v1/images/generations")
        assert at == f"{root}/v1/images/generations"

    @pytest.mark.parametrize(
        "text",
        [
            *('"http://h.test/v1"', "OPEAI_BASE_URL=http://h.test/v1", "http://h.test/v1,"),
            *("\ufeffhttp://h.test/V1\u200b", "http://http://h.test/v1", "http://@h.test:/v1"),
            *("http://h.test/v1 # ours", "%env OPEAI_BASE_URL=http://h.test", "“http://h.test/”"),
        ],
    )
    def test_what_is_pasted_around_it_is_taken_off(self, text: str) -> None:
        assert endpoint_at(text).base_url == "http://h.test"

    @pytest.mark.parametrize(
        "text",
        [
            *(
                "h.test/v1",
                "ftp://h.test",
                "http://",
                "http:///v1",
                "http://h .test",
                "http:/h.test",
            ),
            *("http://<your-host>/v1", "http://{host}/v1", "http://$HOST/v1", "http://h.test\\v1"),
        ],
    )
    def test_what_is_none_is_told(self, text: str) -> None:
        with pytest.raises(InputError, match="not an http or https URL"):
            endpoint_at(text)


class TestRedirects:
    @pytest.mark.parametrize("status", [307, 308])
    def test_post_is_sent_where_its_own_origin_says(self, shell: Shells, status: int) -> None:
        moved = Answer(b"", status=status, headers={"Location": "/v1/images/generations/"})
        script = Script(moved, pictures_answer(png()))
        assert len(shell(transport=script).generate("a fox")) == 1
        assert script.requests[1].url.path == "/v1/images/generations/"
        assert script.sent[0] == script.sent[1]

    @pytest.mark.parametrize("target", ["https://evil.test/v1", "//evil.test/x"])
    def test_post_follows_nobody_elsewhere(self, shell: Shells, target: str) -> None:
        script = Script(Answer(b"", status=307, headers={"Location": target}))
        with pytest.raises(UnreadableAnswerError, match=r"redirects to \w+://evil\.test|redirects"):
            shell(transport=script).generate("a fox")
        assert len(script.posts) == 1

    def test_redirects_in_a_circle_end(self, shell: Shells) -> None:
        script = Script(lambda _: Answer(b"", status=307, headers={"Location": "/v1/x"}))
        with pytest.raises(UnreadableAnswerError, match="redirects to /v1/x"):
            shell(transport=script).generate("a fox")
        assert len(script.requests) == 4

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_poll_follows_its_own_origin(self, shell: Shells, status: int) -> None:
        moved = Answer(b"", status=status, headers={"Location": "/v1/tasks/image_1"})
        done = task_answer("SUCCESS", data=pictures_answer(png()).body["data"])
        script = Script(task_answer(), moved, done)
        assert len(shell(transport=script).generate("a fox")) == 1
        assert script.requests[2].url.path == "/v1/tasks/image_1"


class TestWhatAnErrorSays:
    def told(self, shell: Shells, answer: Answer) -> OpeaiError:
        with pytest.raises(OpeaiError) as caught:
            shell(answer).generate("a fox")
        return caught.value

    def test_path_that_is_not_there_is_named(self, shell: Shells) -> None:
        error = self.told(shell, Answer({"detail": "Not Found"}, status=404))
        assert type(error) is NotFoundError
        assert "POST /v1/images/generations" in str(error)
        assert "OPEAI_BASE_URL" in str(error)

    @pytest.mark.parametrize(
        "message",
        [
            "model 'x' not found, try pulling it first",
            "The model `x` does not exist or you do not have access to it",
            "Invalid model name passed in model=x. Call `/v1/models` to view available models",
        ],
    )
    @pytest.mark.parametrize("status", [400, 404])
    def test_unknown_model_is_no_wrong_base_url(
        self, shell: Shells, message: str, status: int
    ) -> None:
        error = self.told(shell, error_answer(message, status=status, code=""))
        assert type(error) is ModelNotFoundError
        assert "OPEAI_BASE_URL" not in str(error)

    def test_key_of_a_gateways_upstream_is_not_ours(self, shell: Shells) -> None:
        message = "litellm.AuthenticationError: OpenAIException - invalid token"
        error = self.told(shell, error_answer(message, status=401, code="401"))
        assert type(error) is AuthenticationError
        assert "OPEAI_API_KEY" not in str(error)

    def test_challenge_page_is_no_missing_right(self, shell: Shells) -> None:
        page = Answer("<html><title>Just a moment...</title></html>", status=403)
        assert "protection page" in str(self.told(shell, page))

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ({"error": {"message": '{"error": {"message": "too small"}}'}}, "too small"),
            ({"error": {"message": 'upstream said: {"message": "too small"}'}}, "too small"),
            ({"errors": [{"message": "too small"}]}, "too small"),
            ({"errors": ["too small"]}, "too small"),
            ({"detail": [{"loc": ["x"], "msg": "too small"}]}, "too small"),
            ({"ok": False, "msg": "too small"}, "too small"),
        ],
    )
    def test_reason_is_found(self, shell: Shells, body: Any, reason: str) -> None:
        assert reason in self.told(shell, Answer(body, status=400)).message

    @pytest.mark.parametrize("name", ["x-litellm-call-id", "X-Request-Id", "cf-ray", "x-trace-id"])
    def test_request_id_of_any_gateway_is_read(self, shell: Shells, name: str) -> None:
        answer = Answer(pictures_answer(png()).body, headers={name: "r-1"})
        assert shell(answer).generate("a fox").request_id == "r-1"
