# Without a C compiler the race detector cannot run; scripts/setup says so.
RACE = $(shell test "$$(go env CGO_ENABLED)" = 1 && echo -race)
SEED ?= 1
FUZZTIME ?= 3m

.PHONY: build demo test bench fuzz lint soak servers verifiers receivers

# -s -w leaves out what only a debugger reads, which is a third of the file.
build:
	@echo "Compiling fblwatch: some minutes the first time, seconds later."
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o fblwatch ./cmd/fblwatch

# What it will do comes first: a compiler says nothing until it is done. cmd/demo has no
# SQLite in it, which is a third of a build's time.
demo:
	@echo "Compiling the demo: about a minute the first time, seconds later. Then an IMAP server"
	@echo "on this machine gets sample reports, and fblwatch watches it. Ctrl-C ends it."
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; trap : INT; \
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$$dir/demo" ./cmd/demo && "$$dir/demo"

test:
	@scripts/setup
	go test $(RACE) -shuffle=on -timeout=20m ./...

bench:
	@scripts/setup
	go test -run='^$$' -bench=. -benchmem ./...

# Each target runs for FUZZTIME.
fuzz:
	scripts/fuzz $(FUZZTIME)

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -d .; exit 1; }
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

# What takes too long for every change, after the receivers, which take a minute. The same
# SEED gives the same faults.
soak: receivers
	@scripts/setup
	FBLWATCH_SOAK=$(SEED) go test -timeout=6h -count=1 -v -run=Soak ./...

# Six more real servers, see docs/servers.md. They are installed into SERVERS, or
# into a temporary folder for this one run.
servers:
	@scripts/setup
	@into="$(SERVERS)"; test -n "$$into" || { into=$$(mktemp -d) && trap 'chmod -R u+w "$$into"; rm -rf "$$into"' EXIT; }; \
	scripts/servers "$$into" && FBLWATCH_SERVERS="$$into" go test -timeout=60m -count=1 -v -run='^TestServers$$' ./internal/watch

# Four other verifiers of DKIM, see docs/verifiers.md.
verifiers:
	@scripts/setup
	scripts/verifiers

# Receivers' own code reads what the profiles of the type http send.
receivers:
	@scripts/setup
	scripts/receivers
