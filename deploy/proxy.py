"""The configuration of nginx, which stands before the web processes: names, TLS, what a page may do, who keeps which process."""

import base64
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import streamlit

from etl.core import settings
from etl.extract.causes import BETWEEN, words
from etl.submissions import originals

_TEMPLATE = Path(__file__).with_name("nginx.conf")
# The response of the host under any other path than the dashboard's.
_ELSEWHERE = """
        absolute_redirect off;
        location = @BASE@ {
            return 301 @BASE@/$is_args$args;
        }
        location / {
            return 404;
        }"""
# Over several hosts: one that has nothing to serve, or something too old, says so to this header, and the next is asked.
# Where all of them say so, old numbers are better than none: any of them is asked without the header.
_SEVERAL_HOSTS = """
        set $only_ready 1;
        proxy_set_header X-Only-Ready $only_ready;
        proxy_next_upstream error timeout http_503;
        proxy_intercept_errors on;
        error_page 503 = @any_host;
        location @any_host {
            set $only_ready "";
            proxy_pass http://dashboard;
            proxy_buffering off;
            proxy_read_timeout 1h;
        }"""
_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


class Unable(Exception):
    """A program that serves the dashboard is missing or refuses its configuration; the text says which, or why."""


def nginx() -> str:
    """The path of nginx. Raises Unable if it is not installed."""
    path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
    if not path:
        raise Unable("nginx is not installed: apt-get install nginx-light")
    return path


def check(config: Path) -> None:
    """Raises Unable if nginx would not start with this configuration, as with a certificate of another key."""
    result = subprocess.run([nginx(), "-t", "-q", "-e", "stderr", "-c", str(config)], capture_output=True, text=True)
    if result.returncode:
        raise Unable(result.stderr.strip())


def origins(web: settings.Web) -> list[str]:
    """The Origin header of our own pages, for each of our names."""
    scheme, usual = ("https", 443) if web.certificate else ("http", 80)
    port = "" if web.listen_port == usual else f":{web.listen_port}"
    return [f"{scheme}://{name}{port}" for name in dict.fromkeys((web.host, *web.allowed_hosts))]


def origin(web: settings.Web) -> str:
    """The origin of the name that readers type."""
    return origins(web)[0]


def render(known: settings.Settings) -> str:
    """The configuration of nginx."""
    web = known.web
    is_safe = web.certificate is not None
    tls = f"        ssl_certificate {web.certificate};\n        ssl_certificate_key {web.certificate_key};"
    flags = "secure samesite=lax" if is_safe else "samesite=lax"
    ports = range(web.port, web.port + settings.web_processes(known))
    hosts = [settings.own_address(host) for host in web.hosts or (web.address,)]
    most = originals.MOST_OF_FILE >> 20
    filled = {
        "RUN": str(known.folders.run),
        "SERVERS": "\n".join(f"        server {host}:{port} max_fails=0;" for host in hosts for port in ports),
        "ORIGIN": "|".join(re.escape(origin) for origin in origins(web)),
        # Where nobody signs in, or without a certificate, this machine alone is served.
        "LISTEN": ("127.0.0.1:" if known.sign_in.mode == "open" or not is_safe else "")
        + (f"{web.listen_port} ssl" if is_safe else str(web.listen_port)),
        "TLS": tls if is_safe else "",
        "HOST": " ".join(dict.fromkeys((web.host, *web.allowed_hosts))),
        "POLICY": policy(inline_scripts()),
        "SECURE": "; Secure" if is_safe else "",
        # By the prefix a browser takes the cookie from this host over TLS alone (RFC 6265bis).
        "READER": ("__Secure-reader" if web.base_path else "__Host-reader") if is_safe else "reader",
        "HSTS": '        add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always;'
        if is_safe
        else "",
        "MOST_OF_FILE": str(most),
        # No file is named: nginx does not know its name.
        "TOO_LARGE": words("handed_in_too_large", file="", most=most)
        .removeprefix(": ")
        .replace(f"{BETWEEN}: ", BETWEEN),
        "BASE": web.base_path,
        "ELSEWHERE": _ELSEWHERE.replace("@BASE@", web.base_path) if web.base_path else "",
        "SEVERAL_HOSTS": _SEVERAL_HOSTS if len(hosts) > 1 else "",
        "COOKIES": f"        proxy_cookie_flags _streamlit_xsrf {flags};\n        proxy_cookie_flags ~ httponly {flags};",
    }
    return re.sub("@([A-Z_]+)@", lambda match: filled[match[1]], _TEMPLATE.read_text(encoding="utf-8"))


def policy(scripts: list[str]) -> str:
    """The Content-Security-Policy of our pages: nothing from other hosts, and no script that we did not send."""
    allowed = " ".join(f"'sha256-{digest}'" for digest in scripts)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {allowed}".strip(),
            # Streamlit and Plotly set styles from scripts.
            "style-src 'self' 'unsafe-inline'",
            # A chart that is saved as a picture is drawn from a `blob:` image that carries its font in itself.
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        )
    )


def inline_scripts() -> list[str]:
    """The digests of the scripts of the page itself, in both languages."""
    from ui.shell import middleware

    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = {script for lang in ("fa", "en") for script in _INLINE_SCRIPT.findall(middleware.rewrite(page, lang))}
    # A browser hashes what it parsed: line ends are line feeds there.
    digests = (hashlib.sha256(script.replace("\r\n", "\n").encode()).digest() for script in scripts)
    return sorted(base64.b64encode(digest).decode() for digest in digests)
