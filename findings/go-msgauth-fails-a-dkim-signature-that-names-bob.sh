#!/usr/bin/env bash
# github.com/emersion/go-msgauth v0.7.0, package dkim: a valid signature with a z=
# tag fails where a copied field has a word that ends in "b" before a blank. In z=
# the blank is "=20" (RFC 6376, section 2.11), and Verify empties all that looks
# like the b= tag, anywhere in the field: "b=20" to the next ";" is gone from
# what it hashes. Section 3.7 deletes the value of the tag b only.
# PHPMailer writes z= if DKIM_copyHeaderFields is not set to false, and copies
# From, To, Date and Subject. So its messages from Bob fail all the year, and
# those of everybody fail in February. The same holds for an unknown tag whose name
# ends in b. Its tracker has it for encoded words in z= only. dkimpy 1.1.8 passes all.
# Output, of messages that PHPMailer signed:
#   Ann, January: dkimpy True
#   Ann, February: dkimpy True
#   Bob, January: dkimpy True
#   Ann, January: go-msgauth <nil>
#   Ann, February: go-msgauth dkim: signature did not verify: crypto/rsa: verification error
#   Bob, January: go-msgauth dkim: signature did not verify: crypto/rsa: verification error
# Needs Debian 12 without PHP (apt-get, libphp-phpmailer 6.6.3-1, and PHP 8.2),
# openssl, Python 3, and Go. The packages are only unpacked. Nobody asks the DNS.
# Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/deb" "$dir/root" "$dir/go"
chmod 777 "$dir/deb"
cd "$dir/deb"
apt-get -q update >/dev/null
packages=$(apt-get install -qq -y --print-uris --no-install-recommends php8.2-cli libphp-phpmailer=6.6.3-1 |
  cut -d' ' -f2 | cut -d_ -f1 | grep -v -e '^php-common$' -e opcache -e readline)
# shellcheck disable=SC2086
apt-get -q download $packages >/dev/null
for package in *.deb; do dpkg-deb -x "$package" ../root; done
cd "$dir"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem 2>/dev/null
echo "v=DKIM1; p=$(openssl pkey -in key.pem -pubout -outform DER | base64 | tr -d '\n')" >record
cat >sign.php <<'PHP'
<?php
require "root/usr/share/php/libphp-phpmailer/autoload.php";

function sign($name, $date, $file)
{
    $mail = new PHPMailer\PHPMailer\PHPMailer(true);
    $mail->setFrom("a@example.com", $name);
    $mail->addAddress("b@example.net");
    $mail->MessageDate = $date;
    $mail->Subject = "hello";
    $mail->Body = "hello";
    $mail->DKIM_domain = "example.com";
    $mail->DKIM_selector = "s";
    $mail->DKIM_private = "key.pem";
    $mail->preSend();
    file_put_contents("$file.eml", $mail->getSentMIMEMessage());
}

sign("Ann Example", "Mon, 5 Jan 2026 12:00:00 +0000", "Ann, January");
sign("Ann Example", "Mon, 2 Feb 2026 12:00:00 +0000", "Ann, February");
sign("Bob Example", "Mon, 5 Jan 2026 12:00:00 +0000", "Bob, January");
PHP
LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu) root/usr/bin/php8.2 -n -d extension_dir="$(echo "$dir"/root/usr/lib/php/2*)" -d extension=ctype sign.php

python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install dkimpy==1.1.8
cat >verify.py <<'PY'
import sys

import dkim

record = open("record", "rb").read().strip()
for name in sys.argv[1:]:
    mail = open(name + ".eml", "rb").read()
    passes = dkim.verify(mail, dnsfunc=lambda name, timeout=5: record)
    print(name + ": dkimpy", passes)
    if not passes:
        sys.exit("it is so no more")
PY
venv/bin/python verify.py "Ann, January" "Ann, February" "Bob, January"

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
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

func main() {
	record, err := os.ReadFile("../record")
	if err != nil {
		log.Fatal(err)
	}
	lookup := func(string) ([]string, error) { return []string{strings.TrimSpace(string(record))}, nil }
	for i, name := range []string{"Ann, January", "Ann, February", "Bob, January"} {
		mail, err := os.ReadFile("../" + name + ".eml")
		if err != nil {
			log.Fatal(err)
		}
		results, err := dkim.VerifyWithOptions(bytes.NewReader(mail), &dkim.VerifyOptions{LookupTXT: lookup})
		if err != nil || len(results) != 1 {
			log.Fatal(name, ": ", len(results), " signatures, ", err)
		}
		fmt.Println(name+": go-msgauth", results[0].Err)
		if (i > 0) != (results[0].Err != nil) {
			log.Fatal("it is so no more")
		}
	}
}
GO
go get github.com/emersion/go-msgauth/dkim@v0.7.0 2>/dev/null
go run .
