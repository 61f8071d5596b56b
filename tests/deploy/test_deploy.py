"""The proxy in front of the dashboard: who may connect, which headers a browser gets, and which process a user keeps."""

import gzip
import re
import secrets
import shutil
import socket
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from deploy import proxy
from etl.core import settings
from etl.submissions import originals
from tests.serving import Served, free_ports, start_nginx, until

HOST = "localhost"


def _installed(name: str) -> bool:
    return bool(shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin"))


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not _installed("nginx"), reason="nginx is not installed (apt-get install nginx-light)"),
    pytest.mark.skipif(not _installed("openssl"), reason="openssl is not installed"),
]

OTHER_NAME = "dashboard.example"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    run: Path = tmp_path_factory.mktemp("proxy")
    certificate, key = run / "certificate.pem", run / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    # Nothing is published here: the page that says so is enough for a look at headers.
    with Served(
        run,
        2,
        WAREHOUSE=str(run / "nothing.duckdb"),
        POLICEYAR_WEB_CERTIFICATE=str(certificate),
        POLICEYAR_WEB_CERTIFICATE_KEY=str(key),
        POLICEYAR_WEB_ALLOWED_HOSTS=OTHER_NAME,
    ) as running:
        yield running


class Answer:
    """Status, headers (lower case, a list each) and body of one HTTP/1.1 answer."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            self.headers.setdefault(name.lower(), []).append(value)

    def header(self, name: str) -> str:
        return ", ".join(self.headers.get(name, []))


def _ask(served, path="/", method="GET", host=None, **headers) -> Answer:
    port = served.port
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'{HOST}:{port}'}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if "Connection" not in headers:
        lines.append("Connection: close")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((HOST, port), timeout=180) as connection, context.wrap_socket(connection) as wire:
        wire.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        raw = b""
        while chunk := wire.recv(65536):
            raw += chunk
            # The connection of a handshake stays open, whatever the response.
            if "Connection" in headers and b"\r\n\r\n" in raw:
                break
    return Answer(raw)


def _handshake(served, **headers) -> Answer:
    return _ask(
        served,
        "/_stcore/stream",
        Connection="Upgrade",
        Upgrade="websocket",
        Sec_WebSocket_Version="13",
        Sec_WebSocket_Key="c2FtcGxlIG5vbmNlIDAwMQ==",
        **headers,
    )


def test_every_page_carries_the_headers(served):
    answer = _ask(served, "/coverage")
    assert answer.status == 200
    policy = dict(part.strip().split(" ", 1) for part in answer.header("content-security-policy").split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["object-src"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert answer.header("x-content-type-options") == "nosniff"
    assert re.match(r"max-age=\d{8}", answer.header("strict-transport-security"))
    assert answer.header("x-frame-options") == "DENY"
    assert not re.search(r"\d", answer.header("server"))


def test_the_policy_forbids_scripts_made_by_a_page(served):
    policy = dict(part.strip().split(" ", 1) for part in _ask(served).header("content-security-policy").split(";"))
    assert "worker-src" not in policy, "workers are scripts"
    for word in ("blob:", "data:", "*", "http", "unsafe", "strict-dynamic"):
        assert word not in policy["script-src"]
    assert set(policy["default-src"].split()) == {"'self'"}


def test_every_inline_script_of_the_shell_is_allowed_by_its_digest(served):
    for lang in ("fa", "en"):
        answer = _ask(served, f"/?lang={lang}")
        scripts = re.findall(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", _text(answer), re.DOTALL)
        assert scripts
        for script in scripts:
            digest = subprocess.run(
                ["openssl", "dgst", "-sha256", "-binary"], input=script.encode(), capture_output=True
            )
            encoded = subprocess.run(["openssl", "base64", "-A"], input=digest.stdout, capture_output=True)
            assert f"'sha256-{encoded.stdout.decode()}'" in answer.header("content-security-policy")


def test_cookies_are_secure(served):
    cookies = _ask(served).headers["set-cookie"]
    assert cookies
    for cookie in cookies:
        assert "; Secure" in cookie or "; secure" in cookie, cookie
    assert any(cookie.startswith("__Host-reader=") and "HttpOnly" in cookie for cookie in cookies)


def test_what_a_process_says_of_itself_is_given_to_nobody(served):
    for path in ("/healthz", "/readyz", "/metrics", "/_stcore/metrics"):
        assert _ask(served, path).status == 404, path


def test_uploads_and_the_agent_of_streamlit_are_closed(served):
    for method, path in (("PUT", "upload_file/a/b"), ("POST", "agent/interact"), ("GET", "agent/openapi.json")):
        assert _ask(served, f"/_stcore/{path}", method, Origin=served.origin, Content_Length="0").status == 404


@pytest.mark.parametrize(
    ("words", "is_accepted"),
    [
        ("-tls1_3", True),
        ("-tls1_2", True),
        ("-tls1_2 -cipher ECDHE+CHACHA20", True),
        ("-tls1_2 -cipher kRSA:@SECLEVEL=0", False),
        ("-tls1_2 -cipher kDHE:@SECLEVEL=0", False),
        ("-tls1_2 -cipher ECDHE+AES+SHA1:ECDHE+AES+SHA256:@SECLEVEL=0", False),
        ("-tls1_1 -cipher ALL:@SECLEVEL=0", False),
        ("-tls1 -cipher ALL:@SECLEVEL=0", False),
    ],
)
def test_tls_is_1_2_with_forward_secrecy_or_1_3(served, words, is_accepted):
    command = ["openssl", "s_client", "-connect", f"{HOST}:{served.port}", *words.split()]
    said = subprocess.run(command, input="", capture_output=True, text=True).stdout
    assert ("Cipher is (NONE)" not in said and "Cipher is" in said) == is_accepted, said


def test_who_asks_to_sign_in_again_and_again_is_slowed_down(served):
    statuses = [_ask(served, "/oauth2callback").status for _ in range(90)]
    assert statuses[:20].count(429) == 0
    assert 429 in statuses
    assert _ask(served).status == 200, "others of the same address go on reading"


def test_more_than_400_half_open_requests_of_one_address_are_refused(served):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    held = []
    try:
        # A connection counts as soon as its request has been read.
        request = (
            f"POST / HTTP/1.1\r\nHost: {HOST}:{served.port}\r\nOrigin: {served.origin}\r\nContent-Length: 9\r\n\r\n"
        )
        for _ in range(410):
            wire = context.wrap_socket(socket.create_connection((HOST, served.port), timeout=180))
            wire.sendall(request.encode())
            held.append(wire)
        until(lambda: any(" 429 " in line for line in _access(served.run)), "some are refused")
    finally:
        for wire in held:
            wire.close()
    until(lambda: _ask(served).status == 200, "afterwards everybody is answered")


def test_another_host_is_not_answered(served):
    assert _ask(served, host="elsewhere.example").status == 421
    assert _ask(served, host=f"127.0.0.1:{served.port}").status == 421


def test_each_of_our_names_is_answered_from_its_own_pages(served):
    other = f"{OTHER_NAME}:{served.port}"
    assert _ask(served, host=other).status == 200
    assert _handshake(served, host=other, Origin=f"https://{other}").status == 101
    for origin in (f"https://{other}.elsewhere.example", f"https://x{other}", f"https://{other.replace('.', 'x')}"):
        assert _handshake(served, Origin=origin).status == 403, origin


def test_a_socket_is_opened_from_our_own_page_only(served):
    port = served.port
    assert _handshake(served, Origin=served.origin).status == 101
    for origin in ("https://elsewhere.example", f"https://localhost:{port + 1}", f"http://localhost:{port}", "null"):
        assert _handshake(served, Origin=origin).status == 403, origin
    assert _handshake(served).status == 403


def test_nothing_is_sent_from_elsewhere(served):
    for method in ("POST", "PUT", "DELETE"):
        answer = _ask(
            served, "/_stcore/upload_file/a/b", method, Origin="https://elsewhere.example", Content_Length="0"
        )
        assert answer.status == 403


def test_text_is_compressed(served):
    page = _text(_ask(served))
    script = re.search(r'src="(?:\.)?(/static/[^"]+\.js)"', page)
    assert script
    plain = _ask(served, script[1])
    compressed = _ask(served, script[1], Accept_Encoding="gzip")
    assert compressed.header("content-encoding") == "gzip"
    assert gzip.decompress(_body(compressed)) == _body(plain)
    assert len(_body(compressed)) < len(_body(plain)) / 2


def test_a_file_of_a_reader_is_not_served_to_others(served):
    assert _ask(served, "/media/0123456789abcdef.csv").status == 403
    # With the cookie of a visit the request reaches the dashboard, which has no such file.
    assert _ask(served, "/media/0123456789abcdef.csv", Cookie=f"__Host-reader={secrets.token_hex(16)}").status == 404


def test_a_reader_keeps_a_process_and_readers_are_spread(served):
    (served.run / "access.log").write_text("")
    readers = [secrets.token_hex(16) for _ in range(24)]
    for reader in readers:
        for path in ("/", "/_stcore/health", "/_stcore/host-config"):
            assert _ask(served, path, Cookie=f"__Host-reader={reader}").status == 200
    # nginx logs a request when the response is sent.
    until(lambda: len(_access(served.run)) == 3 * len(readers), "every request is counted")
    served_by = [line.split()[-1] for line in _access(served.run)]
    for place in range(0, len(served_by), 3):
        assert len(set(served_by[place : place + 3])) == 1
    assert set(served_by) == {f"127.0.0.1:{port}" for port in served.ports}


def test_readers_are_spread_over_the_processes_of_all_hosts():
    config = replace(settings.Settings(), web=settings.Web(hosts=("10.0.0.1", "10.0.0.2"), processes=2, port=9000))
    servers = re.findall(r"server (10[^ ]+)", proxy.render(config))
    assert servers == ["10.0.0.1:9000", "10.0.0.1:9001", "10.0.0.2:9000", "10.0.0.2:9001"]


def test_nginx_refuses_files_of_the_size_that_the_processes_refuse(monkeypatch):
    monkeypatch.setattr(originals, "MOST_OF_FILE", 7 << 20)
    config = proxy.render(settings.Settings())
    assert "client_max_body_size 7m;" in config
    (told,) = re.findall(r'return 413 "(.+)\\n";', config)
    english, persian = told.split(" · ")
    assert english.startswith("a file has at most 7 MiB; split it")
    assert persian.startswith("حجم هر فایل حداکثر ۷ مگابایت است؛")


def test_without_sign_in_or_certificate_nginx_answers_this_machine_alone():
    known = settings.Settings()
    signing_in = replace(known, sign_in=settings.SignIn("oidc", Path("/access.toml"), Path("/secrets.toml")))
    port, tls = known.web.listen_port, replace(known.web, certificate=Path("/c.pem"), certificate_key=Path("/k.pem"))
    local = f"127.0.0.1:{port}"
    for config, listens in ((known, local), (signing_in, local), (replace(signing_in, web=tls), str(port))):
        assert set(re.findall(r"listen ([^ ;]+)", proxy.render(config))) == {listens}


def test_an_invalid_cookie_is_replaced(served):
    answer = _ask(served, Cookie="__Host-reader=../../x")
    assert re.search(r"__Host-reader=[0-9a-f]{32}; Path=/; HttpOnly", answer.header("set-cookie"))
    second_answer = _ask(served, Cookie=f"__Host-reader={secrets.token_hex(16)}")
    assert "reader=" not in second_answer.header("set-cookie")


MARK = "marker7391"


def _send(served, raw: bytes) -> bytes:
    """The response of nginx to any bytes."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    received = b""
    with (
        socket.create_connection((HOST, served.port), timeout=180) as connection,
        context.wrap_socket(connection) as wire,
    ):
        wire.sendall(raw)
        while chunk := wire.recv(65536):
            received += chunk
    return received


def _access(run: Path) -> list[str]:
    return (run / "access.log").read_text().splitlines()


def _logs(served) -> str:
    return "".join((served.run / name).read_text() for name in ("access.log", "error.log"))


def _is_silent(served) -> bool:
    """Whether the logs hold neither a mark nor a client's address."""
    log = _logs(served)
    for port in served.ports:
        log = log.replace(f"127.0.0.1:{port}", "")
    return MARK not in log.lower() and not re.search(r"127\.0\.0\.1|::1|client:|request:", log)


def test_the_logs_hold_no_client_no_path_and_no_query(served):
    before = len(_access(served.run))
    _ask(
        served, f"/training?province={MARK}", Referer=f"https://{MARK}.example/", User_Agent=MARK, X_Forwarded_For=MARK
    )
    _ask(served, f"/{MARK}", host=f"{MARK}.example")
    _ask(served, f"/{MARK}", MARK.upper().replace("7391", "X"))
    _handshake(served, Origin=f"https://{MARK}.example")
    until(lambda: len(_access(served.run)) == before + 4, "every request is counted")
    lines = _access(served.run)
    assert " other 4" in " ".join(lines[-4:]), "an invented method is not logged"
    assert _is_silent(served)
    assert "MARKER" not in _logs(served)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (f"GET /{MARK}?{MARK} HTTP/9.9\r\n\r\n", b"505"),
        (f"GET /{MARK} HTTP/1.1\r\n\r\n", b"400"),
        (f"GET /{MARK} HTTP/1.1\r\nHost: {MARK}@/\r\n\r\n", b"400"),
        (f"GET /{MARK}{'x' * 9_000} HTTP/1.1\r\nHost: {HOST}\r\n\r\n", b"414"),
        (f"GET /{MARK} HTTP/1.1\r\nHost: {HOST}\r\nX: {MARK * 1_000}\r\n\r\n", b"400"),
        (f"GET /{MARK}%zz/../.. HTTP/1.1\r\nHost: {HOST}\r\n\r\n", b"400"),
        (f"POST /{MARK} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 99999999\r\n\r\n", b"403"),
        (f"{MARK}\r\n\r\n", b"400"),
    ],
    ids=["version", "no host", "host", "long path", "long header", "escape", "large", "no http"],
)
def test_an_invalid_request_is_not_logged(served, raw, status):
    before = len(_logs(served))
    assert status in _send(served, raw.encode())[:15]
    until(lambda: len(_logs(served)) > before, "it is counted")
    assert _is_silent(served)


def test_requests_to_a_dead_process_are_not_logged(tmp_path):
    """No process listens behind this nginx: every request, socket and file that it passes on fails."""
    dead = free_ports(2)
    port = dead + 1
    config = settings.Settings(
        web=settings.Web(port=dead, processes=1, listen_port=port), folders=settings.Folders(run=tmp_path)
    )
    (tmp_path / "nginx.conf").write_text(proxy.render(config), encoding="utf-8")
    process = start_nginx(tmp_path, port)
    try:
        cookie = f"reader={secrets.token_hex(16)}"
        paths = (f"/{MARK}?{MARK}", f"/media/{MARK}.csv", f"/_stcore/stream?{MARK}")
        for path in paths:
            lines = (f"GET {path} HTTP/1.1", f"Host: {HOST}:{port}", f"Origin: http://{HOST}:{port}", f"X-Mark: {MARK}")
            with socket.create_connection((HOST, port), timeout=180) as wire:
                wire.sendall("\r\n".join((*lines, f"Cookie: {cookie}", "Connection: close", "", "")).encode())
                assert b" 502 " in wire.recv(65536)
        until(lambda: len(_access(tmp_path)) == len(paths), "every request is counted")
    finally:
        process.terminate()
        process.wait(timeout=180)
    log = (tmp_path / "access.log").read_text()
    assert log.count(" GET 502 ") == len(paths), "the failure is logged"
    assert log.count(f"127.0.0.1:{dead}") == len(paths), "with its process"
    log += (tmp_path / "error.log").read_text()
    assert MARK not in log
    assert not re.search(r"127\.0\.0\.1|::1|client:|request:", log.replace(f"127.0.0.1:{dead}", ""))


def _body(answer: Answer) -> bytes:
    if answer.header("transfer-encoding") != "chunked":
        return answer.body
    rest, body = answer.body, b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        count = int(size.split(b";")[0], 16)
        body += rest[:count]
        rest = rest[count + 2 :]
        if not count:
            break
    return body


def _text(answer: Answer) -> str:
    return _body(answer).decode("utf-8")
