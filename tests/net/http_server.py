# SPDX-License-Identifier: Apache-2.0
"""http_server.py ADDRESS DIRECTORY: serves files on port 80.

Unlike `python3 -m http.server` it asks no name server who it is.
"""
import functools
import http.server
import socket
import socketserver
import sys


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    daemon_threads = True


handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[2])
with Server((sys.argv[1], 80), handler) as server:
    print("serving", flush=True)
    server.serve_forever()
