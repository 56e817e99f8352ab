#!/usr/bin/env bash
# maddy 0.8.1 (go-imap-sql storage on SQLite): SEARCH by a flag looks at the
# flags of all mailboxes. A message that is unseen is found by SEARCH SEEN, where
# a message of another mailbox has the same UID and is seen; FETCH FLAGS of it is
# right. UNSEEN misses it likewise. A client that reads "UNSEEN" loses mail.
# Output, mailbox B selected, its only message never seen:
#   UID FETCH 1 (FLAGS) -> * 1 FETCH (FLAGS (\Recent) UID 1) | t9 OK UID FETCH completed
#   UID SEARCH SEEN -> * SEARCH 1 | t10 OK UID SEARCH completed
#   UID SEARCH UNSEEN -> * SEARCH | t11 OK UID SEARCH completed
# Needs Go with a C compiler, Python 3 and openssl. Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module finding

go 1.25

replace github.com/emersion/go-imap => github.com/foxcpp/go-imap v1.0.0-beta.1.0.20220623182312-df940c324887

replace github.com/emersion/go-smtp => github.com/foxcpp/go-smtp v1.21.4-0.20250124171104-c8519ae4fb23

replace github.com/libdns/gandi => github.com/foxcpp/libdns-gandi v1.0.4-0.20240127130558-4782f9d5ce3e
MOD
go get -tool github.com/foxcpp/maddy/cmd/maddy@v0.8.1 2>get.log || { cat get.log; exit 2; }
CGO_ENABLED=1 go build -o maddy github.com/foxcpp/maddy/cmd/maddy
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost 2>/dev/null
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir state run
cat >maddy.conf <<CONF
state_dir $dir/state
runtime_dir $dir/run
hostname localhost
tls file $dir/cert.pem $dir/key.pem
auth.pass_table local_authdb {
	table sql_table {
		driver sqlite3
		dsn passwords.db
		table_name passwords
	}
}
storage.imapsql local_mailboxes {
	driver sqlite3
	dsn mailboxes.db
}
imap tcp://127.0.0.1:$port {
	auth &local_authdb
	storage &local_mailboxes
	insecure_auth true
}
CONF
./maddy --config maddy.conf creds create -p secret fbl@example.com
./maddy --config maddy.conf imap-acct create fbl@example.com
./maddy --config maddy.conf run >log 2>&1 &
server=$!
for _ in $(seq 100); do grep -q 'listening on' log && break; sleep 0.1; done
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
for box in (b"A", b"B"):
    ask(b"CREATE " + box)
    ask(b"APPEND " + box + b" ()", mail)
ask(b"SELECT A")
ask(b"UID STORE 1 +FLAGS.SILENT (\\Seen)")
ask(b"SELECT B")
flags = ask(b"UID FETCH 1 (FLAGS)")
seen = ask(b"UID SEARCH SEEN")
unseen = ask(b"UID SEARCH UNSEEN")
if b"\\Seen" in flags[0] or seen[0] != b"* SEARCH 1" or unseen[0] != b"* SEARCH":
    sys.exit("it is so no more")
PY
python3 client.py "$port"
