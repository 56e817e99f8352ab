#!/usr/bin/env bash
# modernc.org/sqlite v1.62.0 (modernc.org/memory v1.12.1): PRAGMA cache_size = -16384,
# which is 16 MiB, takes nearly twice as much memory at SQLite's default page of 4096
# octets. Each page is allocated with some octets of SQLite's in front, and the
# allocator rounds that up to the next power of two. With pages of 65536 octets, where
# allocations have their own mapping, it takes what it says. C's SQLite 3.40.1 adds
# 16820 KB at 4096.
# Output (KB of anonymous memory that the full cache adds, by the size of a page):
#   4096 31752
#   65536 17080
# Needs Go and Linux. Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module finding

go 1.25
MOD
cat >main.go <<'GO'
package main

import (
	"database/sql"
	"fmt"
	"os"
	"strings"

	_ "modernc.org/sqlite"
)

// anonymous is the process's anonymous memory in KB.
func anonymous() (kb int) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	fmt.Sscan(rest, &kb)
	return kb
}

func main() {
	db, err := sql.Open("sqlite", "file:"+os.Args[1]+".db")
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(1)
	for _, query := range []string{
		"PRAGMA page_size = " + os.Args[1],
		"PRAGMA cache_size = -64",
		"CREATE TABLE t (x BLOB)",
		"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < 40000) INSERT INTO t SELECT randomblob(1000) FROM c",
	} {
		if _, err := db.Exec(query); err != nil {
			panic(err)
		}
	}
	read := func() {
		var n int
		if err := db.QueryRow("SELECT sum(length(x)) FROM t").Scan(&n); err != nil || n != 40_000_000 {
			panic(fmt.Sprint(n, err))
		}
	}
	read()
	before := anonymous()
	if _, err := db.Exec("PRAGMA cache_size = -16384"); err != nil {
		panic(err)
	}
	read()
	fmt.Println(os.Args[1], anonymous()-before)
}
GO
go get modernc.org/sqlite@v1.62.0 2>/dev/null
CGO_ENABLED=0 go build -o cache .
for page in 4096 65536; do ./cache $page; done | tee out
awk '$1 == 4096 && $2 > 1.6 * 16384 {twice = 1} $1 == 65536 && $2 < 1.25 * 16384 {once = 1} END {exit !(twice && once)}' out
