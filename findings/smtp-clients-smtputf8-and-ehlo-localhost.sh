#!/usr/bin/env bash
# Go 1.26's net/smtp, and github.com/emersion/go-smtp v0.26.0, each as a client that
# sends a message of ASCII only, with the name sender.example.com.
# net/smtp: Client.Mail asks for SMTPUTF8 (RFC 6531) whenever the server offers it. A
# relay may then refuse the message for a next host without SMTPUTF8.
# go-smtp: NewClientStartTLS says EHLO localhost before STARTTLS; no name can be given
# before it.
# Output:
#   net/smtp: EHLO sender.example.com | MAIL FROM:<a@example.com> BODY=8BITMIME SMTPUTF8
#   go-smtp: EHLO localhost | STARTTLS
# Needs Go. Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/smtp"
	"strings"

	emersion "github.com/emersion/go-smtp"
)

// serve answers one session up to MAIL or STARTTLS, and lists its commands.
func serve(l net.Listener, commands chan<- string) {
	conn, err := l.Accept()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "220 mail.example.com\r\n")
	var all []string
	for in := bufio.NewScanner(conn); in.Scan(); {
		all = append(all, in.Text())
		if !strings.HasPrefix(in.Text(), "EHLO") {
			fmt.Fprint(conn, "451 no more\r\n")
			break
		}
		fmt.Fprint(conn, "250-mail.example.com\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 SMTPUTF8\r\n")
	}
	commands <- strings.Join(all, " | ")
}

func main() {
	for _, name := range []string{"net/smtp", "go-smtp"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		commands := make(chan string)
		go serve(l, commands)
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			panic(err)
		}
		if name == "net/smtp" {
			c, err := smtp.NewClient(conn, "mail.example.com")
			if err != nil {
				panic(err)
			}
			if err := c.Hello("sender.example.com"); err != nil {
				panic(err)
			}
			_ = c.Mail("a@example.com")
		} else if c, err := emersion.NewClientStartTLS(conn, &tls.Config{ServerName: "mail.example.com"}); err == nil {
			_ = c.Hello("sender.example.com")
		}
		fmt.Println(name + ": " + <-commands)
		l.Close()
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/emersion/go-smtp@v0.26.0 >/dev/null 2>&1
go run . >out
cat out
cat >want <<'END'
net/smtp: EHLO sender.example.com | MAIL FROM:<a@example.com> BODY=8BITMIME SMTPUTF8
go-smtp: EHLO localhost | STARTTLS
END
cmp -s out want
