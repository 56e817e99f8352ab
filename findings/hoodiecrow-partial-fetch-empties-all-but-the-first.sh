#!/usr/bin/env bash
# hoodiecrow-imap 2.1.0: in a FETCH of several messages with a partial body
# whose length is above the messages' sizes, BODY.PEEK[]<0.8192>, only the first
# message has its octets; each later one is {0}, tagged OK. The same FETCH
# without <0.8192> is right for all, and so is <0.20>, but for its name (<0.20>).
# Output:
#   UID FETCH 1:2 (UID BODY.PEEK[]<0.8192>) -> * 1 FETCH (UID 1 BODY[]<0> {46} | From: a@example.com | Subject: hello |  | hello | ) | * 2 FETCH (UID 2 BODY[]<0> {0} | ) | t5 OK UID FETCH Completed
# Needs Node.js with npm, and Python 3. Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-fund --no-audit --prefix . hoodiecrow-imap@2.1.0
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
echo '{"users": {"fbl": {"password": "secret"}}, "storage": {"INBOX": {}, "": {"separator": "/", "folders": {}}}}' >config.json
node node_modules/hoodiecrow-imap/bin/hoodiecrow --config=config.json --port="$port" >log 2>&1 &
server=$!
for _ in $(seq 100); do grep -q listening log && break; sleep 0.1; done
cat >client.py <<'PY'
import socket, sys

sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
stream = sock.makefile("rwb")
stream.readline()
tag = 0


def ask(command, literal=b""):
    """Send one command and return its lines, the tagged one last."""
    global tag
    tag += 1
    word = b"t%d " % tag
    stream.write(word + command + (b" {%d}" % len(literal) if literal else b"") + b"\r\n")
    stream.flush()
    lines = []
    while not lines or not lines[-1].startswith(word):
        line = stream.readline()
        if not line:
            sys.exit("the connection ended in %r" % command)
        lines.append(line.strip())
        if line.startswith(b"+") and literal:
            stream.write(literal + b"\r\n")
            stream.flush()
    print(command.decode(), "->", b" | ".join(lines).decode())
    return lines


mail = b"From: a@example.com\r\nSubject: hello\r\n\r\nhello\r\n"
ask(b"LOGIN fbl secret")
for _ in range(2):
    ask(b"APPEND INBOX ()", mail)
ask(b"EXAMINE INBOX")
partial = ask(b"UID FETCH 1:2 (UID BODY.PEEK[]<0.8192>)")
whole = ask(b"UID FETCH 1:2 (UID BODY.PEEK[])")
if not any(b"UID 2" in line and b"{0}" in line for line in partial) or any(b"{0}" in line for line in whole):
    sys.exit("it is so no more")
PY
python3 client.py "$port"
