#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS in front of a server that has none: tls_proxy.py DIR PORT. Listens on a free port, which it writes to DIR/tls-port,
with DIR/tls.pem and DIR/tls.key, and hands each connection on to PORT of the loopback, both ways, until one side ends it.
"""
import os
import pathlib
import socket
import socketserver
import ssl
import sys
import threading

DIR, PORT = pathlib.Path(sys.argv[1]), int(sys.argv[2])


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for side in (source, target):
        try:
            side.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            client = CONTEXT.wrap_socket(self.request, server_side=True)
            server = socket.create_connection(("127.0.0.1", PORT), timeout=60)
        except OSError:
            return
        back = threading.Thread(target=pump, args=(server, client), daemon=True)
        back.start()
        pump(client, server)
        back.join()
        server.close()
        client.close()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
CONTEXT.load_cert_chain(DIR / "tls.pem", DIR / "tls.key")
with Server(("127.0.0.1", 0), Handler) as listener:
    new = DIR / "tls-port.new"
    new.write_text(f"{listener.server_address[1]}\n", encoding="ascii")
    os.replace(new, DIR / "tls-port")
    listener.serve_forever()
