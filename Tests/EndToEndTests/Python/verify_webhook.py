"""Checks one message as the Standard Webhooks specification tells receivers to, with nothing but Python's own
library: secret, webhook-id, webhook-timestamp, webhook-signature and the body from standard input's lines."""

import base64
import hashlib
import hmac
import json
import sys
import time

secret, identifier, timestamp, signatures, body = sys.stdin.read().split("\n", 4)
key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
if abs(time.time() - int(timestamp)) > 300:
    sys.exit("the message is older than five minutes")
expected = hmac.new(key, f"{identifier}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
for signature in signatures.split(" "):
    version, _, tag = signature.partition(",")
    if version == "v1" and hmac.compare_digest(base64.b64decode(tag), expected):
        print(json.loads(body)["type"])
        sys.exit(0)
sys.exit("no signature is right")
