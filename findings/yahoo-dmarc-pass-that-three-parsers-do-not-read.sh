#!/usr/bin/env bash
# Yahoo writes "dmarc=pass(p=NONE)" and ends Authentication-Results with a ";". In
# RFC 8601, section 2.2, a comment may follow the result without a blank, and a ";"
# at the end is an error. Three parsers of three languages, and none finds that
# dmarc is pass:
# - Mail::AuthenticationResults 2.20230112, the parser of Authentication Milter,
#   makes the comment a part of the result. A search for pass is empty, and
#   as_string writes a quoted result, which is no valid field any more.
# - go-msgauth v0.7.0, authres: the result is pass(p=none).
# - authres 1.2.0 reads that comment well, but raises a SyntaxError for the ";" at
#   the end, and dkim and spf are lost with dmarc.
# Output:
#   Mail::AuthenticationResults, with a blank: pass, found
#   Mail::AuthenticationResults, Yahoo: pass(p=NONE), not found, written as dmarc="pass(p=NONE)" header.from=example.com
#   go-msgauth, with a blank: pass
#   go-msgauth, Yahoo: pass(p=none)
#   authres, without ; at the end: dkim=pass spf=pass dmarc=pass
#   authres, Yahoo: SyntaxError: Syntax error: Expected method
# Needs Debian 12 (apt-get, libmail-authenticationresults-perl 2.20230112-1), Go, and
# Python 3. The packages are only unpacked. Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/deb" "$dir/root" "$dir/go"
chmod 777 "$dir/deb"
cd "$dir/deb"
apt-get -q update >/dev/null
apt-get -q download libmail-authenticationresults-perl=2.20230112-1 libclone-perl libjson-perl >/dev/null
for package in *.deb; do dpkg-deb -x "$package" ../root; done
cd "$dir"
yahoo='mx.example.net; dkim=pass header.i=@example.com header.s=s; spf=pass smtp.mailfrom=example.com; dmarc=pass(p=NONE) header.from=example.com;'
blank=${yahoo/pass(/pass (}

cat >parse.pl <<'PL'
use strict;
use warnings;
use Mail::AuthenticationResults::Parser;

my %read;
for (['with a blank', $ARGV[0]], ['Yahoo', $ARGV[1]]) {
    my ($name, $field) = @$_;
    my $header = Mail::AuthenticationResults::Parser->new->parse($field);
    my ($dmarc) = @{ $header->search({ isa => 'entry', key => 'dmarc' })->children };
    my $found = @{ $header->search({ isa => 'entry', key => 'dmarc', value => 'pass' })->children };
    $read{$name} = $dmarc->value;
    print "Mail::AuthenticationResults, $name: ", $dmarc->value,
        $found ? ", found\n" : ', not found, written as ' . $dmarc->as_string . "\n";
}
die "it is so no more\n" if $read{'with a blank'} ne 'pass' || $read{Yahoo} ne 'pass(p=NONE)';
PL
PERL5LIB=$dir/root/usr/share/perl5:$(echo "$dir"/root/usr/lib/*-linux-gnu/perl5/5.*) perl parse.pl "$blank" "$yahoo"

cd go
cat >go.mod <<'MOD'
module finding

go 1.25
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/emersion/go-msgauth/authres"
)

func dmarc(field string) authres.ResultValue {
	_, results, err := authres.Parse(field)
	if err != nil {
		log.Fatal(err)
	}
	for _, result := range results {
		if dmarc, ok := result.(*authres.DMARCResult); ok {
			return dmarc.Value
		}
	}
	return ""
}

func main() {
	blank, yahoo := dmarc(os.Args[1]), dmarc(os.Args[2])
	fmt.Println("go-msgauth, with a blank:", blank)
	fmt.Println("go-msgauth, Yahoo:", yahoo)
	if blank != authres.ResultPass || yahoo == authres.ResultPass {
		log.Fatal("it is so no more")
	}
}
GO
go get github.com/emersion/go-msgauth/authres@v0.7.0 2>/dev/null
go run . "$blank" "$yahoo"
cd ..

python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install authres==1.2.0
cat >parse.py <<'PY'
import sys

import authres

yahoo = "Authentication-Results: " + sys.argv[1]
results = authres.parse(yahoo.rstrip(";")).results
print("authres, without ; at the end:", *("%s=%s" % (r.method, r.result) for r in results))
try:
    authres.parse(yahoo)
except authres.SyntaxError as e:
    print("authres, Yahoo: SyntaxError:", e)
else:
    sys.exit("it is so no more")
PY
venv/bin/python parse.py "$yahoo"
