#!/usr/bin/env bash
# OpenDKIM 2.11.0 beta 2 (libopendkim, dkim_canon_runheaders): a valid DKIM
# signature fails if a tag that OpenDKIM does not know has a name that ends in b,
# and if a blank stands before the "=" of b. To hash the signature without its
# value, it takes the one character before a "=" for the name of the tag: the
# value of "ab=1" is gone, and that of "b =" stays. RFC 6376, section 3.2, lets a
# name have several characters and white space behind it, and has unknown tags
# ignored, but section 3.7 signs them. The parser that reads the tags of the same
# field gets both right. dkimpy 1.1.8 passes all of them.
# Output:
#   b=VALUE; q=dns/txt: dkimpy True, OpenDKIM pass
#   b=VALUE; ac=1: dkimpy True, OpenDKIM pass
#   b=VALUE; ab=1: dkimpy True, OpenDKIM fail
#   b =VALUE; q=dns/txt: dkimpy True, OpenDKIM fail
# Needs Debian 12 (apt-get, opendkim 2.11.0~beta2-8+deb12u1), and Python 3. Nobody
# asks the DNS. The packages are only unpacked. Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/deb" "$dir/root"
chmod 777 "$dir/deb"
cd "$dir/deb"
apt-get -q update >/dev/null
# What opendkim needs and a small Debian lacks.
apt-get -q download opendkim=2.11.0~beta2-8+deb12u1 libopendkim11=2.11.0~beta2-8+deb12u1 \
  librbl1=2.11.0~beta2-8+deb12u1 libvbr2=2.11.0~beta2-8+deb12u1 \
  libbsd0 libdb5.3 libldap-2.5-0 liblua5.3-0 libmd0 libmemcached11 libmilter1.0.1 libopendbx1 libsasl2-2 libunbound8 libevent-2.1-7 >/dev/null
for package in *.deb; do dpkg-deb -x "$package" ../root; done
cd "$dir"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install dkimpy==1.1.8 cryptography==46.0.3
cat >verify.py <<'PY'
import base64
import hashlib
import subprocess
import sys

import dkim
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
record = "v=DKIM1; p=" + base64.b64encode(public).decode()
open("records", "w").write("s._domainkey.example.com " + record + "\n")
open("opendkim.conf", "w").write("Mode v\nTestDNSData file:records\n")

body = "hello\r\n"
tags = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s; h=from:subject; bh=%s; " % (
    base64.b64encode(hashlib.sha256(body.encode()).digest()).decode())


def opendkim(path):
    test = subprocess.run([sys.argv[1], "-x", "opendkim.conf", "-v", "-v", "-t", path], capture_output=True, text=True)
    return next(word for word in ("pass", "fail", "?") if "dkim=" + word in test.stdout or word == "?")


for spelling, expected in (("b=VALUE; q=dns/txt", "pass"), ("b=VALUE; ac=1", "pass"), ("b=VALUE; ab=1", "fail"), ("b =VALUE; q=dns/txt", "fail")):
    # RFC 6376, sections 3.4.2 and 3.7.
    hashed = "from:a@example.com\r\nsubject:hello\r\ndkim-signature:" + tags + spelling.replace("VALUE", "")
    value = base64.b64encode(key.sign(hashed.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    field = "DKIM-Signature: " + tags + spelling.replace("VALUE", value)
    mail = field + "\r\nFrom: a@example.com\r\nSubject: hello\r\n\r\n" + body
    open("mail.eml", "w", newline="").write(mail)
    passes = dkim.verify(mail.encode(), dnsfunc=lambda name, timeout=5: record.encode())
    said = opendkim("mail.eml")
    print("%s: dkimpy %s, OpenDKIM %s" % (spelling, passes, said))
    if not passes or said != expected:
        sys.exit("it is so no more")
PY
LD_LIBRARY_PATH=$(echo "$dir"/root/usr/lib/*-linux-gnu) venv/bin/python verify.py "$dir/root/usr/sbin/opendkim"
