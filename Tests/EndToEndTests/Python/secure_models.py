"""An upstream behind TLS with a certificate that ends in three days: it lists its models to one key. Prints its port, and
serves until it is killed."""

import http.server
import ssl
import subprocess
import sys
import threading

folder = sys.argv[1]
subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=localhost"]
    + ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    + ["-keyout", f"{folder}/tls.key", "-out", f"{folder}/tls.pem"],
    check=True, capture_output=True)


class Models(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.path == "/v1/models" and self.headers["authorization"] == "Bearer sk-good"
        body = b'{"object":"list","data":[]}'
        self.send_response(200 if good else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Models)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{folder}/tls.pem", f"{folder}/tls.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("port", server.server_address[1], flush=True)
threading.Event().wait()
