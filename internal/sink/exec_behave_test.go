package sink

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// behave is what the commands of these tests do; most note each record that
// they handle in the file args[0].
func behave(how string, args []string) {
	in := bufio.NewReader(os.Stdin)
	record := func() (line []byte, id string) {
		line, err := in.ReadBytes('\n')
		if err != nil {
			exit(0)
		}
		var r struct{ ID string }
		if err := json.Unmarshal(line, &r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			exit(9)
		}
		return line, r.ID
	}
	handle := func(line []byte) {
		f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err == nil {
			_, err = f.Write(line)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			exit(9)
		}
	}
	good := func(n int) {
		for range n {
			line, id := record()
			handle(line)
			fmt.Println(id)
		}
	}
	const forEver = 1 << 30
	switch how {
	case "good":
		good(forEver)
	case "contract":
		for {
			line, id := record()
			if obey(args[1], id, func() { handle(line) }) {
				fmt.Println("dead", id, "no such \x1b[2J subscriber")
			} else {
				fmt.Println(id)
			}
		}
	case "contract each":
		line, id := record()
		if id != args[2] || os.Getenv("FBLWATCH_KEY") != id+".1" || os.Getenv("FBLWATCH_EVENT") != "record" {
			fmt.Fprintln(os.Stderr, args, os.Environ())
			exit(9)
		}
		if obey(args[1], id, func() { handle(line) }) {
			fmt.Fprintln(os.Stderr, "\x1b[2J no such subscriber\nand more")
			exit(65)
		}
	case "exits": // with a status, after lines on stderr
		for _, line := range args[1:] {
			fmt.Fprintln(os.Stderr, line)
		}
		status, _ := strconv.Atoi(args[0])
		exit(status)
	case "arguments": // and a variable, to a file
		handle(fmt.Appendf(nil, "%q %q\n", args[1:], os.Getenv("TOKEN")))
	case "blabs": // its variable
		_, id := record()
		fmt.Fprintln(os.Stderr, "token is", os.Getenv("TOKEN"))
		fmt.Println("dead", id, "by", os.Getenv("TOKEN"))
		record()
		fmt.Println("what", os.Getenv("TOKEN"))
		record()
	case "answers":
		answer(in)
	case "writes": // a file sink's records for ever, see TestFileKilled
		writeFor(args)
	case "fills": // a disk, see TestFileDiskFull
		fill(args[0])
	case "as told": // by another file, when it starts
		told, err := os.ReadFile(args[1])
		if err != nil {
			exit(9)
		}
		behave(string(told), args)
	case "three": // then it ends
		good(3)
		exit(4)
	case "one by one":
		good(1)
	case "many at once": // answers when nothing has come for a while
		var mu sync.Mutex
		var ids []string
		go func() {
			for {
				time.Sleep(20 * time.Millisecond)
				mu.Lock()
				for _, id := range ids {
					fmt.Println(id)
				}
				ids = nil
				mu.Unlock()
			}
		}()
		for {
			line, id := record()
			mu.Lock()
			handle(line)
			ids = append(ids, id)
			mu.Unlock()
		}
	case "unread":
		time.Sleep(time.Hour)
	case "stalls":
		good(3)
		record()
		time.Sleep(time.Hour)
	case "garbage":
		good(3)
		record()
		fmt.Println("ok\x1b[2J")
		good(forEver)
	case "out of order":
		good(3)
		_, first := record()
		_, second := record()
		fmt.Printf("%s\n%s\n", second, first)
		good(forEver)
	case "twice":
		_, id := record()
		fmt.Printf("%s\n%s\n", id, id)
		good(forEver)
	case "flood": // without a newline
		for noise := bytes.Repeat([]byte("x"), 64<<10); ; {
			if _, err := os.Stdout.Write(noise); err != nil {
				exit(0)
			}
		}
	case "closes stdout":
		good(3)
		os.Stdout.Close()
		time.Sleep(time.Hour)
	case "closes stdin":
		os.Stdin.Close()
		time.Sleep(time.Hour)
	case "deaf": // to the end of its input
		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				time.Sleep(time.Hour)
			}
			handle(line)
			var r struct{ ID string }
			_ = json.Unmarshal(line, &r)
			fmt.Println(r.ID)
		}
	case "slow":
		for {
			time.Sleep(500 * time.Millisecond)
			good(1)
		}
	case "garrulous": // at the end of its input
		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				os.Stdout.Write(bytes.Repeat([]byte("bye\n"), 1<<20))
				handle([]byte("bye\n"))
				exit(0)
			}
			var r struct{ ID string }
			_ = json.Unmarshal(line, &r)
			fmt.Println(r.ID)
		}
	case "says": // on stderr
		good(1)
		fmt.Fprintln(os.Stderr, "no paper")
		good(forEver)
	case "chaos":
		chaos(args[1], record, handle)
	}
}

// chaos does well in nine of ten records, and every wrong in the others.
func chaos(seed string, record func() ([]byte, string), handle func([]byte)) {
	n, _ := strconv.ParseUint(seed, 10, 64)
	random := rand.New(rand.NewPCG(n, uint64(os.Getpid())))
	for {
		line, id := record()
		switch random.IntN(80) {
		case 0: // dies between reading and handling
			exit(1)
		case 1: // dies between handling and answering
			handle(line)
			exit(0)
		case 2: // in the middle of its answer
			handle(line)
			fmt.Print(id[:len(id)-1])
			exit(1)
		case 3:
			time.Sleep(time.Hour)
		case 4:
			handle(line)
			fmt.Println("handled " + id)
		case 5:
			for {
				fmt.Println(strings.Repeat("x", random.IntN(1000)))
			}
		case 6:
			os.Stdout.Close()
		case 7:
			fmt.Fprintln(os.Stderr, strings.Repeat("x", 5000))
		}
		handle(line)
		fmt.Println(id)
	}
}
