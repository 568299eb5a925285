"""Drives a media server of `examples/` through its whole life, with the test kit as everybody's browser and authenticator.

    hosts_test.py FOLDER [--sockets] COMMAND...

The command gets the path of a database in FOLDER and a port as its last arguments. All of the servers have the same routes, so
that this is one test for hosts in every language; with --sockets they have a WebSocket as well. KEYPLATE_TESTKIT names the program keyplate-testkit.
"""

import base64
import http.client
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time

passed = failed = 0


def check(what, fine):
    global passed, failed
    if fine:
        passed += 1
    else:
        failed += 1
        print("failed:", what, file=sys.stderr)


class Server:
    def __init__(self, folder, command):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.origin = f"http://localhost:{self.port}"
        self.database = os.path.join(folder, "id.db")
        self.lines, self.said = queue.Queue(), []
        self.process = subprocess.Popen([*command, self.database, str(self.port)], stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def wait_for(self, start):
        """The first line that begins so, among those that it has said and will say within a minute."""
        until = time.monotonic() + 60
        while True:
            for line in self.said:
                if line.startswith(start):
                    return line
            try:
                self.said.append(self.lines.get(timeout=max(until - time.monotonic(), 0.01)))
            except queue.Empty:
                return ""

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


class Browser:
    """A person's browser, with their authenticator."""

    def __init__(self, server, folder, name):
        self.server, self.name, self.cookies = server, name, {}
        self.state = os.path.join(folder, f"{name}.json")
        subprocess.run([os.environ["KEYPLATE_TESTKIT"], "new", "--state", self.state], check=True)

    def ask(self, method, path, body="", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers.setdefault("Origin", self.server.origin)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body.encode(), headers)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            check(f"{path} sets a guarded cookie", "; HttpOnly" in line and "; SameSite=Lax" in line)
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def ceremony(self, what, action, query="", body=""):
        status, options = self.ask("POST", f"/passkey/{what}/begin{query}", body)
        if status != 200:
            return status, options
        program = [os.environ["KEYPLATE_TESTKIT"], action, "--state", self.state, "--origin", self.server.origin]
        response = subprocess.run(program, input=options, capture_output=True, text=True, check=True).stdout
        return self.ask("POST", f"/passkey/{what}/finish", response)


class WebSocket:
    """As much of RFC 6455 as a text, its echo and the end need."""

    def __init__(self, server, browser, origin=None, key=None):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        by_key = f"Authorization: Bearer {key}\r\n" if key else ""
        self.socket.sendall(
            (
                f"GET /socket HTTP/1.1\r\nHost: localhost:{server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
                f"Origin: {origin or server.origin}\r\nCookie: {cookies}\r\n{by_key}\r\n"
            ).encode()
        )
        self.read = self.socket.makefile("rb")
        self.status = int(self.read.readline().split()[1])
        while self.read.readline().strip():
            pass

    def frame(self):
        start = self.read.read(2)
        return (start[0] & 15, self.read.read(start[1])) if len(start) == 2 else (None, b"")

    def echo(self, text):
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(text.encode()))
        self.socket.sendall(bytes([0x81, 0x80 | len(masked)]) + mask + masked)
        return self.frame()[1].decode()

    def closes(self):
        """The server ends it, within a few seconds."""
        self.socket.settimeout(10)
        try:
            return self.frame()[0] in (8, None)
        except TimeoutError:
            return False


def live(server, folder, sockets):
    token = server.wait_for("setup token ").removeprefix("setup token ")
    check("it listens", server.wait_for("listening ") != "")
    ann, bob, cat, eve = (Browser(server, folder, name) for name in ("ann", "bob", "cat", "eve"))

    check("a stranger is 401", ann.ask("GET", "/library")[0] == 401)
    check("a wrong setup token", eve.ask("POST", "/setup?username=eve", token[:-1] + ("y" if token[-1] == "x" else "x"))[0] == 401)
    check("setup", ann.ask("POST", "/setup?username=ann", token)[0] == 200)
    check("setup is claimed once", eve.ask("POST", "/setup?username=eve", token)[0] in (401, 409))
    check("the first passkey", ann.ceremony("registration", "register")[0] == 200)
    check("setup is complete", server.wait_for("event setup_completed") != "")

    status, invitation = ann.ask("POST", "/invitations")
    check("an invitation", status == 200 and invitation != "")
    check("of another site's page", ann.ask("POST", "/invitations", Origin="http://evil.example")[0] == 403)
    check("a bad name is 400", bob.ceremony("signup", "register", "?username=b%20b", invitation)[0] == 400)
    check("bob signs up", bob.ceremony("signup", "register", "?username=bob", invitation) == (200, "bob\n"))
    check("the invitation is used up", eve.ceremony("signup", "register", "?username=eve", invitation)[0] in (401, 403))
    check("bob invites nobody", bob.ask("POST", "/invitations")[0] == 403)
    check("bob's library", bob.ask("GET", "/library") == (200, "films for bob\n"))

    _, invitation = ann.ask("POST", "/invitations?approval=1")
    check("cat signs up", cat.ceremony("signup", "register", "?username=cat", invitation)[0] == 200)
    status, text = cat.ask("GET", "/library")
    check("whoever waits for approval is 403", status == 403 and "account_pending" in text)
    check("nobody of that name", ann.ask("POST", "/approvals?username=nobody")[0] == 404)
    check("approval", ann.ask("POST", "/approvals?username=cat")[0] == 204)
    check("cat's library", cat.ask("GET", "/library") == (200, "films for cat\n"))

    status, key = bob.ask("POST", "/keys")
    player = Browser(server, folder, "player")
    check("an API key", status == 200)
    check("it works", player.ask("GET", "/library", Authorization=f"Bearer {key}") == (200, "films for bob\n"))
    check("in the other header", player.ask("GET", "/library", X_API_Key=key) == (200, "films for bob\n"))
    check("it makes no other", player.ask("POST", "/keys", X_API_Key=key)[0] == 403)
    check("a wrong one", player.ask("GET", "/library", X_API_Key=key[:-1])[0] == 401)

    status, password = bob.ask("POST", "/app-passwords")
    check("an app password", status == 200 and len(password) == 19)
    basic = lambda name, secret: "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()
    check("it lets a player in", player.ask("GET", "/player", Authorization=basic("bob", password)) == (200, "films for bob\n"))
    typed = password.upper().replace("-", "")
    check("as it is typed", player.ask("GET", "/player", Authorization=basic("BOB", typed))[0] == 200)
    check("it is bob's alone", player.ask("GET", "/player", Authorization=basic("ann", password))[0] == 401)
    wrong = password[:-1] + ("0" if password[-1] != "0" else "1")
    check("a wrong app password", player.ask("GET", "/player", Authorization=basic("bob", wrong))[0] == 401)
    check("no name and password", player.ask("GET", "/player")[0] == 401)
    check("it is no credential elsewhere", player.ask("GET", "/library", Authorization=f"Bearer {password}")[0] == 401)
    check("it makes no other", player.ask("POST", "/app-passwords", X_API_Key=key)[0] == 403)

    before = dict(bob.cookies)
    check("a step-up", bob.ceremony("step-up", "authenticate")[0] == 200 and bob.cookies != before)
    check("bob's session goes on", bob.ask("GET", "/library")[0] == 200)
    if sockets:
        socket = WebSocket(server, bob)
        check("a socket answers", socket.echo("hello") == "hello")
        dead = Browser(server, folder, "dead")
        dead.cookies = {name: value[:-1] for name, value in bob.cookies.items()}
        check("a key opens none for a dead session", WebSocket(server, dead, key=key).status == 401)
    before = dict(bob.cookies)
    check("bob signs out", bob.ask("POST", "/sign-out")[0] == 204)
    check("the cookie is gone", all("session" not in name for name in bob.cookies))
    bob.cookies = before
    check("the session has ended", bob.ask("GET", "/library")[0] == 401)
    if sockets:
        check("and so has the socket", socket.closes())
        check("it opens no other", WebSocket(server, bob).status == 401)
        check("another site's page opens none", WebSocket(server, ann, "http://evil.example").status == 403)
    bob.cookies = {}
    check("bob signs in", bob.ceremony("login", "authenticate") == (200, "bob\n"))
    check("a wrong answer is 400", bob.ask("POST", "/passkey/login/finish", "{}")[0] == 400)

    check("events", server.wait_for("event user_signed_up bob") and server.wait_for("event user_approved cat"))
    check("no such route", ann.ask("GET", "/nowhere")[0] == 404)

    threads = [threading.Thread(target=lambda: results.append(player.ask("GET", "/library", X_API_Key=key)[0])) for _ in range(32)]
    results = []
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check("32 at once", results == [200] * 32)


def main():
    folder, command = sys.argv[1], sys.argv[2:]
    sockets = command[0] == "--sockets"
    command = command[sockets:]
    server = Server(folder, command)
    try:
        live(server, folder, sockets)
    finally:
        check("it ends", server.stop() in (0, -signal.SIGTERM))
    check("a copy was kept", os.path.exists(server.database + ".copy"))
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
