"""The mock upstream and the clients of `deploy/bench ledger outage`. Nothing but the standard library."""

import http.client
import http.server
import json
import os
import sys
import threading
import time

ANSWER = json.dumps({
    "id": "x", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 18, "completion_tokens": 8, "total_tokens": 26},
}).encode()

class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_):
        pass


class Client(threading.Thread):
    """Sends one request after the other, 20 ms apart, and notes what became of each; before the outage at most `most`."""

    def __init__(self, port, key, folder, most, tokens):
        super().__init__()
        self.port, self.key, self.folder, self.most = port, key, folder, most
        self.question = json.dumps({
            "model": "demo", "max_tokens": tokens,
            "messages": [{"role": "user", "content": "What is the capital of France?"}],
        })
        self.outcomes = []  # (phase, status, code, has retry-after, milliseconds)

    def phase(self):
        if not os.path.exists(self.folder + "/away"):
            return "before"
        return "after" if os.path.exists(self.folder + "/back") else "outage"

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": "application/json", "Authorization": "Bearer " + self.key}
        while not os.path.exists(self.folder + "/pause"):
            phase = self.phase()
            if phase == "before" and len(self.outcomes) >= self.most:
                time.sleep(0.02)
                continue
            begun = time.monotonic()
            try:
                connection.request("POST", "/v1/chat/completions", self.question, headers)
                answer = connection.getresponse()
                body = answer.read()
                status, retry = answer.status, answer.getheader("Retry-After")
                code = json.loads(body)["error"]["code"] if status != 200 else ""
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                status, code, retry = 0, repr(error), None
                connection.close()
            # A request that the outage began or ended under belongs to neither.
            if phase == self.phase():
                took = (time.monotonic() - begun) * 1000
                self.outcomes.append((phase, status, code, retry is not None, took))
            elif status == 200:
                self.outcomes.append(("between", status, code, False, 0.0))
            else:
                self.outcomes.append(("between", status, code, retry is not None, 0.0))
            time.sleep(0.02)


def quantile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def line(is_met, name, goal, text):
    verdict = "met" if is_met else "MISSED"
    print(f"{verdict:<6}  {name:<46} {goal:<16} {text}", flush=True)
    return is_met


def report(riding, short):
    away = [one for one in riding.outcomes if one[0] == "outage"]
    refused = [one for one in away if one[1] == 503 and one[2] == "metering_unavailable" and one[3]]
    served = [one for one in away if one[1] == 200]
    # Once a lease is used up, every further request is refused until the ledger is back.
    first = next((at for at, one in enumerate(away) if one[1] == 503), len(away))
    wrong = [one for one in away if one not in refused and one[1] != 200]
    good = line(
        not wrong and served and all(one[1] == 200 for one in away[:first]), "outage: failed requests within leases", "0",
        f"{len(wrong)} of {len(away)}; {len(served)} served, {quantile([o[4] for o in served], .5):.1f} ms p50, "
        f"{quantile([o[4] for o in served], .99):.1f} ms p99; {len(refused)} refused at the end of the leases"
        + (f"; first wrong {wrong[0][1:4]}" if wrong else ""))
    away = [one for one in short.outcomes if one[0] == "outage"]
    # Until the gateway has noticed, the first ones may wait for the ledger.
    refused = [one[4] for one in away if one[1] == 503 and one[2] == "metering_unavailable" and one[3]]
    times = refused[1:] + [o[4] for o in riding.outcomes if o[0] == "outage" and o[1] == 503]
    good &= line(
        bool(times) and quantile(times, .99) <= 5 and len(refused) == len(away), "outage: refusal with 503, p99", "<= 5 ms",
        f"{quantile(times, .99):.1f} ms ({quantile(times, .5):.1f} ms p50, {max(times, default=float('nan')):.1f} ms at most; "
        f"{len(refused)} of {len(away)} requests of a quota near its end, the first after {refused[0] if refused else 0:.0f} ms)")
    others = [one for client in (riding, short) for one in client.outcomes if one[0] == "before" and one[1] != 200]
    good &= line(not others, "failed requests before the outage", "0", f"{len(others)}" + (f" {others[0]}" if others else ""))
    return good


def main():
    if sys.argv[1] == "mock":
        http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Upstream).serve_forever()
    port, folder = int(sys.argv[2]), sys.argv[5]
    keys = [open(name).read().strip() for name in sys.argv[3:5]]
    riding = Client(port, keys[0], folder, most=10**9, tokens=64)
    short = Client(port, keys[1], folder, most=3, tokens=256)
    for client in (riding, short):
        client.start()
    for client in (riding, short):
        client.join()
    answered = sum(one[1] == 200 for client in (riding, short) for one in client.outcomes)
    with open(folder + "/quiet.new", "w") as file:
        file.write(str(answered))
    os.rename(folder + "/quiet.new", folder + "/quiet")
    while not os.path.exists(folder + "/end"):
        time.sleep(0.05)
    sys.exit(0 if report(riding, short) else 1)


main()
