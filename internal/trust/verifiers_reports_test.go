package trust

import (
	"regexp"
	"slices"
	"strings"
)

// signedReports are the reports, with what the RFCs make of them.
func signedReports() (all []recipe) {
	add := func(list ...recipe) { all = append(all, list...) }
	in := func(old, new string) string { // the plain field, but for
		if !strings.Contains(plainField, old) {
			panic(old)
		}
		return strings.Replace(plainField, old, new, 1)
	}
	const future, past = "4102444800", "1000000000"

	for _, key := range []string{"1024", "2048", "4096", "ed25519"} {
		for _, canon := range []string{"simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"} {
			add(recipe{name: key + " " + canon, key: key, canon: canon, want: pass})
		}
	}

	// Bodies.
	part := func(text string) string {
		_, b, _ := strings.Cut(complaint("x@"+reporter, original{"192.0.2.7", "news@example.com", text}), "\r\n\r\n")
		return b
	}
	for name, body := range map[string]string{
		"of 8bit text":              part("Grüße, 你好, ñandú\r\n"),
		"of Latin-1":                part("Gr\xfc\xdfe\r\n"),
		"with blanks at line ends":  part("a \r\nb\t\r\n \t \r\nc  d\t\te\r\n"),
		"with leading blanks":       part("  a\r\n\tb\r\n"),
		"with trailing lines":       part("x\r\n") + "\r\n\r\n\r\n",
		"with blank trailing lines": part("x\r\n") + " \r\n\t\r\n",
		"without a last line break": strings.TrimSuffix(part("x\r\n"), "\r\n"),
		"with a long line":          part(strings.Repeat("long ", 2_000) + "\r\n"),
		"with dots":                 part(".\r\n..\r\n.x\r\n"),
		"of 300 kB":                 part(strings.Repeat("Buy now, and pay as late as you like.\r\n", 7_500)),
		"empty":                     "-",
		"of empty lines":            "\r\n\r\n\r\n",
	} {
		for _, canon := range []string{"relaxed/simple", "relaxed/relaxed"} {
			add(recipe{name: "body " + name + ", " + canon[8:], body: body, canon: canon, want: pass})
		}
	}

	// Header fields.
	const three = "Received: from a by b; 1\r\nReceived: from c by d; 2\r\nReceived: from e by f; 3\r\n"
	std := strings.Join(allFields, ":")
	for _, canon := range []string{"simple/simple", "relaxed/relaxed"} {
		kind := ", " + canon[:strings.IndexByte(canon, '/')]
		add(
			recipe{name: "folded field" + kind, canon: canon, fields: "X-A: one\r\n two\r\n\tthree \r\n", h: std + ":X-A", want: pass},
			recipe{name: "runs of blanks in a field" + kind, canon: canon, fields: "X-A:  one \t two\t \r\n", h: std + ":X-A", want: pass},
			recipe{name: "empty field" + kind, canon: canon, fields: "X-A:\r\n", h: std + ":X-A", want: pass},
			recipe{name: "field of blanks" + kind, canon: canon, fields: "X-A: \r\n", h: std + ":X-A", want: pass},
			recipe{name: "8bit field" + kind, canon: canon, fields: "X-A: Gr\u00fc\u00dfe\r\n", h: std + ":X-A", want: pass},
			recipe{name: "name in capitals" + kind, canon: canon, fields: "X-SHOUT: Loud\r\n", h: std + ":x-shout", want: pass},
			recipe{name: "blank before the colon" + kind, canon: canon, fields: "X-A : one\r\n", h: std + ":X-A", want: pass},
			recipe{name: "long field" + kind, canon: canon, fields: "X-A: " + strings.Repeat("word ", 180) + "\r\n", h: std + ":X-A", want: pass},
			recipe{name: "two of three fields" + kind, canon: canon, fields: three, h: std + ":Received:Received", want: pass},
			recipe{name: "two of three fields, the topmost changed" + kind, canon: canon, fields: three, h: std + ":Received:Received", change: changed("from a", "from x"), want: pass},
			recipe{name: "two of three fields, the lowest changed" + kind, canon: canon, fields: three, h: std + ":Received:Received", change: changed("from e", "from x"), want: fail},
			recipe{name: "signed once more than there are" + kind, canon: canon, h: std + ":From:Subject:Content-Type", want: pass},
			recipe{name: "a field that is not there" + kind, canon: canon, h: std + ":X-None", want: pass},
			recipe{name: "a field that was not there" + kind, canon: canon, h: std + ":X-None", change: addField("X-None: x\r\n"), want: fail},
		)
	}
	add(
		recipe{name: "refolded, relaxed", change: changed("Subject: complaint", "Subject:\r\n  complaint "), want: pass},
		recipe{name: "only From", h: "From", want: pass},
		recipe{name: "h= in capitals", h: strings.ToUpper(std), want: pass},
		recipe{name: "h= in lower case", h: strings.ToLower(std), want: pass},
		recipe{name: "h= with blanks and folds", h: strings.ReplaceAll(std, ":", " :\r\n\t "), want: pass},
		recipe{name: "h= in another order", h: "Content-Type:MIME-Version:Date:Subject:To:From", want: pass},
		recipe{name: "unsigned field added", change: addField("X-Spam: no\r\n"), want: pass},
		recipe{name: "trace fields added", change: addField("Received: from x by y; z\r\nReturn-Path: <a@example.net>\r\n"), want: pass},
		recipe{name: "header altered", change: changed("Subject: complaint", "Subject: Complaint"), want: fail},
		recipe{name: "From altered", change: changed("From: <feedback", "From: <Feedback"), want: fail},
		recipe{name: "body altered", change: changed("A complaint.", "A Complaint."), want: fail},
		recipe{name: "body longer", change: func(m string) string { return m + "more\r\n" }, want: fail},
		recipe{name: "body longer by empty lines", change: func(m string) string { return m + "\r\n\r\n" }, want: pass},
		recipe{name: "line feeds only", change: func(m string) string { return strings.ReplaceAll(m, "\r\n", "\n") }, want: pass},
		recipe{name: "line feeds only, simple", canon: "simple/simple", change: func(m string) string { return strings.ReplaceAll(m, "\r\n", "\n") }, want: pass},
	)

	// The signature's own field.
	add(
		recipe{name: "no c=", field: in(" c={c};", ""), canon: "simple/simple", want: pass},
		recipe{name: "c= of the header alone, relaxed", field: in("{c}", "relaxed"), canon: "relaxed/simple", want: pass},
		recipe{name: "c= of the header alone, simple", field: in("{c}", "simple"), canon: "simple/simple", want: pass},
		recipe{name: "c= unknown", field: in("{c}", "nowsp"), want: fail},
		recipe{name: "c= of the body unknown", field: in("{c}", "relaxed/nowsp"), want: fail},
		recipe{name: "name of the field in capitals", field: in("DKIM-Signature", "DKIM-SIGNATURE"), want: pass},
		recipe{name: "name of the field in lower case", field: in("DKIM-Signature", "dkim-signature"), want: pass},
		recipe{name: "no blanks", field: strings.ReplaceAll(strings.ReplaceAll(plainField, "; ", ";"), ";\r\n\t", ";"), want: pass},
		recipe{name: "no blanks, simple", field: strings.ReplaceAll(strings.ReplaceAll(plainField, "; ", ";"), ";\r\n\t", ";"), canon: "simple/simple", want: pass},
		recipe{name: "blanks around all", field: strings.NewReplacer("=", " = ", ";", " ; ").Replace(plainField), want: pass},
		recipe{name: "tabs around all", field: strings.NewReplacer("=", "\t=\t", ";", "\t;\t").Replace(plainField), want: pass},
		recipe{name: "folds around all", field: strings.NewReplacer("=", "\r\n =\r\n ", ";", "\r\n ;").Replace(plainField), want: pass},
		recipe{name: "folds around all, simple", field: strings.NewReplacer("=", "\r\n =\r\n ", ";", "\r\n ;").Replace(plainField), canon: "simple/simple", want: pass},
		recipe{name: "semicolon at the end", field: plainField + ";", want: pass},
		recipe{name: "semicolon and a fold at the end", field: plainField + " ;\r\n ", want: pass},
		recipe{name: "b= in front", field: "DKIM-Signature: b={b}; v=1; a={a}; c={c}; d={d}; s={s}; h={h}; bh={bh}", want: pass},
		recipe{name: "b= in front, simple", field: "DKIM-Signature: b={b}; v=1; a={a}; c={c}; d={d}; s={s}; h={h}; bh={bh}", canon: "simple/simple", want: pass},
		recipe{name: "b= between blanks", field: "DKIM-Signature: v=1; b= {b} ; a={a}; c={c}; d={d}; s={s}; h={h}; bh={bh}", want: pass},
		recipe{name: "a blank before the = of b=", field: in("b={b}", "b ={b}"), want: pass},
		recipe{name: "blanks around all but b=", field: strings.Replace(strings.NewReplacer("=", " = ", ";", " ; ").Replace(plainField), "b = ", "b=", 1), want: pass},
		recipe{name: "b= folded", change: func(m string) string { return foldTag(m, "\tb=") }, want: pass},
		recipe{name: "b= folded, simple", canon: "simple/simple", change: func(m string) string { return foldTag(m, "\tb=") }, want: pass},
		recipe{name: "bh= folded", field: in("bh={bh}", "bh=\r\n\t {bh}"), want: pass},
		recipe{name: "a tag that ends in b=", field: in(" d=", " xb=1; d="), want: pass},
		recipe{name: "unknown tags", field: in(" d=", " new=1; x_y2=a.b:c; d="), want: pass},
		recipe{name: "empty unknown tag", field: in(" d=", " new=; d="), want: pass},
		recipe{name: "z=", field: in(" d=", " z=From:feedback=40fbl.example.net|Subject:complaint; d="), want: pass},
		recipe{name: "q= dns/txt", field: in(" d=", " q=dns/txt; d="), want: pass},
		recipe{name: "q= another and dns/txt", field: in(" d=", " q=other/x:dns/txt; d="), want: pass},
		recipe{name: "t= long ago", field: in(" d=", " t=999999999; d="), want: pass},
		recipe{name: "t= and x=", field: in(" d=", " t=999999999; x="+future+"; d="), want: pass},
		recipe{name: "x= in the year 2286", field: in(" d=", " x=9999999999; d="), want: pass},
		recipe{name: "x= over", field: in(" d=", " t=999999999; x="+past+"; d="), want: fail},
		recipe{name: "i= the domain", field: in(" d=", " i=@fbl.example.net; d="), want: pass},
		recipe{name: "i= an address", field: in(" d=", " i=feedback@fbl.example.net; d="), want: pass},
		recipe{name: "i= below", field: in(" d=", " i=a@b.fbl.example.net; d="), want: pass},
		recipe{name: "i= quoted-printable", field: in(" d=", " i=a=3Db@fbl.example.net; d="), want: pass},
		recipe{name: "i= in capitals", field: in(" d=", " i=Feedback@FBL.Example.NET; d="), want: pass},
		recipe{name: "d= in capitals", domain: "FBL.EXAMPLE.NET", want: pass},
		recipe{name: "d= in capitals, i= not", domain: "FBL.EXAMPLE.NET", field: in(" d=", " i=@fbl.example.net; d="), want: pass},
		recipe{name: "a= missing", field: in("a={a}; ", ""), want: fail},
		recipe{name: "a= unknown", field: in("{a}", "rsa-md5"), want: fail},
		recipe{name: "h= missing", field: in("h={h};\r\n\t", ""), want: fail},
		recipe{name: "bh= of another body", field: in("{bh}", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), want: fail},
		recipe{name: "s= missing", field: in(" s={s};", ""), want: fail},
		recipe{name: "b= empty", change: func(m string) string { return regexp.MustCompile(`\tb=[^\r]*`).ReplaceAllString(m, "\tb=") }, want: fail},
		recipe{name: "b= altered", change: func(m string) string { return regexp.MustCompile(`\tb=....`).ReplaceAllString(m, "\tb=AAAA") }, want: fail},
	)

	// l= and the end of the parts.
	whole := len(canonBody(part("Buy now.\r\n"), true))
	add(
		recipe{name: "l= all", field: in(" d=", " l={l}; d="), length: whole, want: pass},
		recipe{name: "l= all, with a footer", field: in(" d=", " l={l}; d="), length: whole, change: func(m string) string { return m + "A footer.\r\n" }, want: pass},
		recipe{name: "l= all, altered", field: in(" d=", " l={l}; d="), length: whole, change: changed("A complaint.", "A Complaint."), want: fail},
	)

	// Keys.
	record := func(name, want string, records ...string) {
		add(recipe{name: "key " + name, record: records, want: want})
	}
	record("without v=", pass, "k={k}; p={p}")
	record("without k=", pass, "v=DKIM1; p={p}")
	record("of p= alone", pass, "p={p}")
	record("with a note", pass, "v=DKIM1; k={k}; n=made for tests; p={p}")
	record("with unknown tags", pass, "v=DKIM1; k={k}; new=1; p={p}")
	record("with a semicolon at the end", pass, "v=DKIM1; k={k}; p={p};")
	record("without blanks", pass, "v=DKIM1;k={k};p={p}")
	record("with blanks around all", pass, "v = DKIM1 ; k = {k} ; p = {p}")
	record("with a blank in p=", pass, "v=DKIM1; k={k}; p={p1} {p2}")
	record("with a tab in p=", pass, "v=DKIM1; k={k}; p={p1}\t{p2}")
	record("for email", pass, "v=DKIM1; s=email; k={k}; p={p}")
	record("for all services", pass, "v=DKIM1; s=*; k={k}; p={p}")
	record("for another service and all", pass, "v=DKIM1; s=other:*; k={k}; p={p}")
	record("for SHA-256", pass, "v=DKIM1; h=sha256; k={k}; p={p}")
	record("for both hashes", pass, "v=DKIM1; h=sha1:sha256; k={k}; p={p}")
	record("with unknown flags", pass, "v=DKIM1; t=new; k={k}; p={p}")
	record("for tests", pass, "v=DKIM1; t=y; k={k}; p={p}")
	record("for no domain below", pass, "v=DKIM1; t=s; k={k}; p={p}")
	record("of an unknown version", fail, "v=DKIM2; k={k}; p={p}")
	record("of an unknown kind", fail, "v=DKIM1; k=new; p={p}")
	record("revoked", fail, "v=DKIM1; k={k}; p=")
	record("without p=", fail, "v=DKIM1; k={k}")
	record("no base64", fail, "v=DKIM1; k={k}; p=*")
	record("gone", fail, "")
	record("and another record", pass, "v=DKIM1; k={k}; p={p}", "v=spf1 -all")
	record("behind another record", pass, "v=spf1 -all", "v=DKIM1; k={k}; p={p}")
	add(
		recipe{name: "key for no domain below, i= the domain", record: []string{"v=DKIM1; t=s; k={k}; p={p}"}, field: in(" d=", " i=@fbl.example.net; d="), want: pass},
	)

	// Several signatures.
	bad := in("{bh}", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
	add(
		recipe{name: "rsa and ed25519", more: []recipe{{key: "ed25519"}}, want: pass},
		recipe{name: "a good one above a bad one", field: bad, more: []recipe{{}}, want: pass},
		recipe{name: "a good one below a bad one", more: []recipe{{field: bad}}, want: pass},
		recipe{name: "a good one below a foreign one", more: []recipe{{domain: "relay.example.org"}}, want: pass},
		recipe{name: "a good one below six foreign ones", more: slices.Repeat([]recipe{{domain: "relay.example.org"}}, 6), want: pass},
		recipe{name: "two bad ones", field: bad, more: []recipe{{field: bad}}, want: fail},
		recipe{name: "a signature signs another", more: []recipe{{h: std + ":DKIM-Signature"}}, want: pass},
		recipe{name: "a signature at the end of the header", change: func(m string) string {
			header, body, _ := strings.Cut(m, "\r\n\r\n")
			at := strings.Index(header, "\r\nFrom:")
			return header[at+2:] + "\r\n" + header[:at] + "\r\n\r\n" + body
		}, want: pass},
	)

	// Names that are not of ASCII (RFC 8616).
	add(
		recipe{name: "From with U-labels, d= with A-labels", from: "feedback@fbl.bücher.example", domain: "fbl.xn--bcher-kva.example", want: pass},
		recipe{name: "From with a name in UTF-8", fields: "Sender: Bücher <feedback@fbl.example.net>\r\n", h: std + ":Sender", want: pass},
	)
	return all
}

func changed(old, new string) func(string) string {
	return func(m string) string {
		if !strings.Contains(m, old) {
			panic("no " + old)
		}
		return strings.Replace(m, old, new, 1)
	}
}

func addField(field string) func(string) string { return func(m string) string { return field + m } }

// foldTag folds the value behind a tag.
func foldTag(m, tag string) string {
	at := strings.Index(m, tag) + len(tag)
	value, rest, _ := strings.Cut(m[at:], "\r\n")
	var lines []string
	for len(value) > 60 {
		lines, value = append(lines, value[:60]), value[60:]
	}
	return m[:at] + strings.Join(append(lines, value), "\r\n\t  ") + "\r\n" + rest
}
