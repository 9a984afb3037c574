"""GitHub's own address in front of a sandbox: a proxy that ends TLS, and refuses all tokens but one."""

from __future__ import annotations

import http.client
import ssl
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import Self

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from billing_provider.sandbox import Sandbox

HOST = "api.octo.ghe.com"


class Front:
    """A sandbox behind an address that is not of this machine, where variables precede what is configured.

    Args:
        sandbox: The sandbox that answers.
        folder: Where the certificate is written.

    Attributes:
        token: The only token that is accepted; it is that of the sandbox's owner.
        refused: The tokens that were refused, in their order.
        env: The environment of a process that reaches the front.
    """

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.token, self.refused = "the-first-token", list[str]()
        self._sandbox, context = sandbox, _context(folder)
        front = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Print nothing."""

            def do_CONNECT(self) -> None:
                """End the TLS of a tunnel, and answer the requests in it."""
                self.send_response(200)
                self.end_headers()
                with context.wrap_socket(self.connection, server_side=True) as inner:
                    front.answer(inner)
                self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.env = {
            "GITHUB_API_URL": f"https://{HOST}",
            "HTTPS_PROXY": f"http://127.0.0.1:{self._server.server_address[1]}",
            "NO_PROXY": "",
            "REQUESTS_CA_BUNDLE": str(folder / "front.pem"),
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, client: socket.socket) -> None:
        """Answer one request of a client."""
        with client.makefile("rb") as reader:
            method, path, _ = reader.readline().decode().split()
            headers = http.client.parse_headers(reader)
            body = reader.read(int(headers.get("content-length", 0)))
        token = headers["authorization"].removeprefix("Bearer ")
        if token != self.token:
            self.refused.append(token)
        upstream = urlsplit(self._sandbox.url)
        sent = {name: headers[name] for name in ("accept", "user-agent", "x-github-api-version")}
        sent["authorization"] = f"Bearer {self._sandbox.token if token == self.token else 'sandbox-expired'}"
        connection = http.client.HTTPConnection(upstream.netloc)
        connection.request(method, upstream.path + path, body, sent)
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        kept = [f"{name}: {value}" for name, value in reply.getheaders() if name.lower() in _KEPT]
        head = [
            f"HTTP/1.1 {reply.status} {reply.reason}",
            *kept,
            f"content-length: {len(content)}",
            "connection: close",
        ]
        client.sendall("\r\n".join([*head, "", ""]).encode() + content)


_KEPT = ("content-type", "x-oauth-scopes", "date")


def _context(folder: Path) -> ssl.SSLContext:
    """Write a certificate of the host, and return a context that serves it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, hidden = folder / "front.pem", folder / "front.key"
    shown.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    hidden.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, hidden)
    return context
