#!/usr/bin/env bash
# Twisted 26.10.0, twisted.mail.imap4 with its own MemoryAccount: a LIST
# pattern is matched at its start only. LIST "" INB answers INBOX, LIST "" FBL
# answers FBL2 and FBL/2026 too, and % stops at no "/". A client that trusts LIST
# opens mailboxes that nobody named. And an APPEND without flags, or to a mailbox
# that is not there, is answered BAD for a TypeError, instead of OK and of NO
# [TRYCREATE].
# Output:
#   LIST "" INB -> * LIST (\Seen) "/" "INBOX" | t4 OK LIST completed
#   LIST "" FBL -> * LIST (\Seen) "/" "FBL" | * LIST (\Seen) "/" "FBL2" | t5 OK LIST completed
#   APPEND FBL -> + Ready for 46 octets of data | t6 BAD Server error encountered while opening mailbox.
#   APPEND NOWHERE () -> + Ready for 46 octets of data | t7 BAD Server error encountered while opening mailbox.
# Needs Python 3.11 or newer. Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install twisted==26.10.0
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >server.py <<'PY'
import sys

from twisted.cred import checkers, portal
from twisted.internet import protocol, reactor
from twisted.mail import imap4
from zope.interface import implementer


@implementer(imap4.IMailbox)
class Mailbox:
    def getHierarchicalDelimiter(self):
        return "/"

    def getFlags(self):
        return ["\\Seen"]

    def isWriteable(self):
        return True


class Account(imap4.MemoryAccount):
    def _emptyMailbox(self, name, id):
        return Mailbox()


account = Account("fbl")
account.create("INBOX")


class Realm:
    def requestAvatar(self, avatar, mind, *interfaces):
        return imap4.IAccount, account, lambda: None


users = checkers.InMemoryUsernamePasswordDatabaseDontUse(fbl=b"secret")


class Factory(protocol.Factory):
    def buildProtocol(self, addr):
        server = imap4.IMAP4Server()
        server.portal = portal.Portal(Realm(), [users])
        return server


reactor.listenTCP(int(sys.argv[1]), Factory(), interface="127.0.0.1")
print("listening", flush=True)
reactor.run()
PY
venv/bin/python server.py "$port" >log 2>&1 &
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
for box in (b"FBL", b"FBL2"):
    ask(b"CREATE " + box)
prefix = ask(b'LIST "" INB')
exact = ask(b'LIST "" FBL')
no_flags = ask(b"APPEND FBL", mail)
nowhere = ask(b"APPEND NOWHERE ()", mail)
if b"INBOX" not in prefix[0] or len(exact) != 3 or b" BAD " not in no_flags[-1] or b" BAD " not in nowhere[-1]:
    sys.exit("it is so no more")
PY
python3 client.py "$port"
