#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An EST server (RFC 7030) for tests: est_server.py DIR, where `test-ca create DIR` has made a CA.

The port is written to DIR/port. Users: est with the password "secret", or a client certificate of the CA. DIR/mode says
how it behaves from now on: normal, wait, refuse, busy, malformed, oversize, wrong-key, server-auth, wrong-type. The same
request gets the same certificate; each certificate issued is a line of DIR/issued, each request one of DIR/requests.
"""
import base64
import hashlib
import http.server
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
DIR = pathlib.Path(sys.argv[1]).resolve()
PATH = "/.well-known/est/"
BASIC = "Basic " + base64.b64encode(b"est:secret").decode()


def mode():
    try:
        return (DIR / "mode").read_text().strip()
    except FileNotFoundError:
        return "normal"


def test_ca(*arguments):
    subprocess.run([HERE / "test-ca", *map(str, arguments)], check=True)


def pkcs7(*certificates):
    with tempfile.TemporaryDirectory() as work:
        out = pathlib.Path(work) / "p7"
        test_ca("pkcs7", DIR, out, *certificates)
        return base64.encodebytes(out.read_bytes())


def other_request(work):
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", work / "other.key", "-subj", "/CN=other", "-out", work / "csr.pem"],
                   check=True, capture_output=True)


def issue(der):
    """The certificate of a request, made once."""
    kind = mode()
    out = DIR / ("issued-" + kind + "-" + hashlib.sha256(der).hexdigest() + ".pem")
    if out.exists():
        return out
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        (work / "csr.der").write_bytes(der)
        subprocess.run(["openssl", "req", "-inform", "DER", "-in", work / "csr.der", "-verify", "-out",
                        work / "csr.pem"], check=True, capture_output=True)
        if kind == "wrong-key":
            other_request(work)
        test_ca("issue", DIR, work / "csr.pem", out, "server_auth" if kind == "server-auth" else "leaf")
    with open(DIR / "issued", "a", encoding="ascii") as log:
        print(out.name, file=log)
    return out


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", kind="application/pkcs7-mime", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def is_known(self):
        return self.headers.get("Authorization") == BASIC or bool(self.connection.getpeercert())

    def record(self):
        with open(DIR / "requests", "a", encoding="ascii") as log:
            print(self.command, self.path, file=log)

    def do_GET(self):
        self.record()
        if self.path != PATH + "cacerts":
            self.answer(404, b"no such operation\n", "text/plain")
        else:
            self.answer(200, pkcs7(DIR / "root.pem", DIR / "issuing.pem"))

    def do_POST(self):
        self.record()
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path not in (PATH + "simpleenroll", PATH + "simplereenroll"):
            self.answer(404, b"no such operation\n", "text/plain")
        elif not self.is_known():
            self.answer(401, b"who are you\n", "text/plain", WWW_Authenticate='Basic realm="est"')
        elif self.headers.get("Content-Type") != "application/pkcs10":
            self.answer(415, b"application/pkcs10 is expected\n", "text/plain")
        else:
            self.enroll(base64.b64decode(body))

    def enroll(self, der):
        kind = mode()
        if kind == "wait":
            self.answer(202, b"a person decides\n", "text/plain", Retry_After="1")
        elif kind == "refuse":
            self.answer(400, b"not for you\n", "text/plain")
        elif kind == "busy":
            self.answer(503, b"later\n", "text/plain", Retry_After="1")
        elif kind == "malformed":
            self.answer(200, base64.encodebytes(b"\x30\x03\x06\x01\x00"))
        elif kind == "oversize":
            self.answer(200, b"A" * (1 << 20))
        elif kind == "wrong-type":
            self.answer(200, pkcs7(issue(der)), "text/html")
        else:
            self.answer(200, pkcs7(issue(der)))


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DIR / "tls.pem", DIR / "tls.key")
    trusted = DIR / "clients.pem"
    trusted.write_bytes((DIR / "root.pem").read_bytes() + (DIR / "issuing.pem").read_bytes())
    context.load_verify_locations(trusted)
    context.verify_mode = ssl.CERT_OPTIONAL
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    port = DIR / "port.new"
    port.write_text(f"{server.server_address[1]}\n", encoding="ascii")
    os.replace(port, DIR / "port")
    server.serve_forever()


main()
