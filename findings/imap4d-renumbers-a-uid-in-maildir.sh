#!/usr/bin/env bash
# GNU Mailutils imap4d 3.15 on a Maildir: opening a mailbox by SELECT after
# EXAMINE gives its last message another UID, under the same UIDVALIDITY and
# without an EXPUNGE. RFC 9051, section 2.3.1.1, forbids that. A client that keeps
# UIDs takes it for a new message, and the old one for gone.
# Output, of three messages that nobody touched:
#   UID FETCH 1:* (UID) -> * 1 FETCH (UID 1) | * 2 FETCH (UID 2) | * 3 FETCH (UID 3) | t7 OK UID FETCH Completed
#   UID FETCH 1:* (UID) -> * 1 FETCH (UID 1) | * 2 FETCH (UID 2) | * 3 FETCH (UID 4) | t10 OK UID FETCH Completed
# Needs root on Debian 12 (apt-get, mailutils-imap4d 1:3.15-4), and Python 3.
# The packages are only unpacked. Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/deb" "$dir/root" "$dir/domains" "$dir/mail"
chmod 777 "$dir/deb"
cd "$dir/deb"
apt-get -q update >/dev/null
packages=$(apt-get install -qq -y --print-uris --no-install-recommends mailutils-imap4d=1:3.15-4 |
  cut -d' ' -f2 | cut -d_ -f1 | grep -e '^lib' -e '^mailutils' -e '^guile')
# shellcheck disable=SC2086
apt-get -q download $packages >/dev/null
for package in *.deb; do dpkg-deb -x "$package" ../root; done
cd "$dir"
password=$(python3 -c 'import crypt; print(crypt.crypt("secret", crypt.mksalt(crypt.METHOD_SHA512)))' 2>/dev/null || openssl passwd -6 secret)
echo "fbl:$password:65534:65534::$dir/mail:/bin/false" >domains/example.com
chmod 600 domains/example.com
chown 65534:65534 mail
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >imap4d.conf <<CONF
mode daemon;
foreground yes;
logging { syslog no; }
auth { authorization "clear"; authorization "virtdomain"; authentication "clear"; authentication "virtdomain:generic"; }
virtdomain { passwd-dir "$dir/domains"; }
mailbox { mailbox-type maildir; mailbox-pattern "maildir:$dir/mail/INBOX"; }
server 127.0.0.1:$port { tls-mode false; }
CONF
LD_LIBRARY_PATH=$(echo "$dir"/root/usr/lib/*-linux-gnu) "$dir/root/usr/sbin/imap4d" --no-site-config --config-file imap4d.conf >log 2>&1 &
server=$!
for _ in $(seq 100); do grep -q started log && break; sleep 0.1; done
sleep 0.5
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
ask(b"LOGIN fbl@example.com secret")
ask(b"CREATE A")
for _ in range(3):
    ask(b"APPEND A ()", mail)


def uids():
    return [line.split(b"UID ")[1].rstrip(b")") for line in ask(b"UID FETCH 1:* (UID)")[:-1]]


def validity(command):
    return next(line for line in ask(command) if b"UIDVALIDITY" in line)


before = validity(b"EXAMINE A")
first = uids()
ask(b"EXAMINE INBOX")
after = validity(b"SELECT A")
second = uids()
if before != after or first != [b"1", b"2", b"3"] or second != [b"1", b"2", b"4"]:
    sys.exit("it is so no more")
PY
python3 client.py "$port"
