#!/usr/bin/env bash
# dkimpy 1.1.8: a valid DKIM signature fails where white space stands between the
# value of its b= tag and the next ";". RFC 6376, section 3.7, hashes the field
# with the value of b= "including all surrounding whitespace" deleted. dkimpy
# deletes the value and the white space before it, and leaves what is behind: it
# hashes "b= ; t=1" instead of "b=; t=1". At the end of the field, where relaxed
# takes the white space anyway, it passes. go-msgauth v0.7.0 passes all of them.
# Output:
#   b=VALUE; t=1 dkimpy True
#   b= VALUE; t=1 dkimpy True
#   b=VALUE ; t=1 dkimpy False
#   b=VALUE; t=1 go-msgauth <nil>
#   b= VALUE; t=1 go-msgauth <nil>
#   b=VALUE ; t=1 go-msgauth <nil>
# Needs Python 3, and Go. Nobody asks the DNS. Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/go"
cd "$dir"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install dkimpy==1.1.8 cryptography==46.0.3
cat >sign.py <<'PY'
import base64
import hashlib
import sys

import dkim
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
record = b"v=DKIM1; p=" + base64.b64encode(public)
open("record", "wb").write(record)

body = "hello\r\n"
tags = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s; h=from:subject; bh=%s; " % (
    base64.b64encode(hashlib.sha256(body.encode()).digest()).decode())

# What RFC 6376, sections 3.4.2 and 3.7, hash is the same for the three: the
# fields are relaxed as they stand, and white space around the value goes with it.
hashed = "from:a@example.com\r\nsubject:hello\r\ndkim-signature:" + tags + "b=; t=1"
value = base64.b64encode(key.sign(hashed.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
for number, spelling in enumerate(("b=VALUE; t=1", "b= VALUE; t=1", "b=VALUE ; t=1")):
    field = "DKIM-Signature: " + tags + spelling.replace("VALUE", value)
    mail = (field + "\r\nFrom: a@example.com\r\nSubject: hello\r\n\r\n" + body).encode()
    open("%d.eml" % number, "wb").write(mail)
    passes = dkim.verify(mail, dnsfunc=lambda name, timeout=5: record)
    print(spelling, "dkimpy", passes)
    if passes != (number < 2):
        sys.exit("it is so no more")
PY
venv/bin/python sign.py

cd go
cat >go.mod <<'MOD'
module finding

go 1.25
MOD
cat >main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"

	"github.com/emersion/go-msgauth/dkim"
)

func main() {
	record, err := os.ReadFile("../record")
	if err != nil {
		log.Fatal(err)
	}
	lookup := func(string) ([]string, error) { return []string{string(record)}, nil }
	for i, spelling := range []string{"b=VALUE; t=1", "b= VALUE; t=1", "b=VALUE ; t=1"} {
		mail, err := os.ReadFile(fmt.Sprintf("../%d.eml", i))
		if err != nil {
			log.Fatal(err)
		}
		results, err := dkim.VerifyWithOptions(bytes.NewReader(mail), &dkim.VerifyOptions{LookupTXT: lookup})
		if err != nil || len(results) != 1 {
			log.Fatal(spelling, ": ", len(results), " signatures, ", err)
		}
		fmt.Println(spelling, "go-msgauth", results[0].Err)
		if results[0].Err != nil {
			log.Fatal("it is so no more")
		}
	}
}
GO
go get github.com/emersion/go-msgauth/dkim@v0.7.0 2>/dev/null
go run .
