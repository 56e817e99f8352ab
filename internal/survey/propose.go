package survey

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// sampled is a message of the sample that holds complaints.
type sampled struct {
	r        *report.Report
	body     []byte
	envelope report.Envelope
	last     bool // there is no more of it

	complaints int
	genuine    bool // a known reporter's signature verified
	ours       bool // and it is about a message of trust.own
	clues      trust.Clues
}

func (one *sampled) records(ctx context.Context, reading process.Rules) (records []report.Record, needsWhole bool) {
	return reading.Records(ctx, one.r, one.body, one.last, one.envelope)
}

// learn takes the clues of a report whose signature verifies now.
func (s *Survey) learn(ctx context.Context, one *sampled) (needsWhole bool) {
	records, needsWhole := one.records(ctx, s.known)
	for i := range records {
		clues := s.known.Trust.Clues(one.body, one.r, &records[i])
		if !clues.Known || valueOf(records[i].Reporter).AuthMethod != "dkim" {
			continue
		}
		one.genuine, one.ours, one.clues = true, records[i].Reporter.Trusted, clues
		break
	}
	return needsWhole
}

// What must be seen of a value before it is proposed.
const (
	leastSeen     = 2  // reports
	leastWritten  = 90 // percent of a host's messages that have the results of a server
	mostAddresses = 20 // addresses; of more, only a person knows the prefixes
)

// seen is a value and the number of reports that show it; 0: it is configured.
type seen struct {
	value   string
	reports int
}

// proposal is what could be added to trust: each step alone, or with others.
type proposal struct {
	domains, ids, hops, addresses []seen
	verify                        bool // dkim: true
	genuine                       int  // reports that it was learnt from
}

// The steps of a proposal, as bits: the later ones ask for more trust.
const (
	stepDomains = 1 << iota
	stepVerify
	stepServers
	stepAddresses
	allSteps
)

// proposed is what the genuine reports show and trust does not have.
func (s *Survey) proposed() (p proposal) {
	own := s.trust.Own
	domains, addresses := make(map[string]int), make(map[string]int)
	servers, through := make(map[string]*server), make(map[string]int)
	for i := range s.kept {
		one := &s.kept[i]
		if !one.genuine {
			continue
		}
		p.genuine++
		for _, domain := range one.clues.Domains {
			domains[domain]++
		}
		if one.clues.IP != "" {
			addresses[one.clues.IP]++
		}
		if one.ours {
			through[one.clues.By]++
		}
		for _, found := range one.clues.Servers {
			if len(found.Hops) > 0 && !one.ours { // the reporter may be known, and somebody else have sent it on
				continue
			}
			if servers[found.ID] == nil {
				servers[found.ID] = &server{hops: make(map[string]int), below: make(map[string]int)}
			}
			servers[found.ID].add(found, one.clues.By)
		}
	}
	p.verify = !s.trust.Verifies()
	p.domains = ranked(domains, func(domain string, n int) bool {
		one := trust.Config{Own: trust.Own{Domains: []string{domain}}}
		return n >= leastSeen && one.Validate() == nil && !isBelow(domain, own.Domains)
	})
	p.domains = slices.DeleteFunc(p.domains, func(d seen) bool { // the domain above it is there
		return slices.ContainsFunc(p.domains, func(other seen) bool { return other.value != d.value && isBelow(d.value, []string{other.value}) })
	})
	ids, hops := make(map[string]int), make(map[string]int)
	for id, found := range servers {
		if found.certain(through) {
			ids[id] = found.reports
			for hop, n := range found.hops {
				hops[hop] += n
			}
		}
	}
	p.ids = ranked(ids, func(id string, _ int) bool {
		one := trust.Config{AuthservIDs: []string{id}}
		return one.Validate() == nil && id == terminal.Printable(id) && !slices.Contains(s.trust.AuthservIDs, id)
	})
	p.hops = ranked(hops, func(hop string, _ int) bool {
		one := trust.Config{Hops: []string{hop}}
		return one.Validate() == nil && hop == terminal.Printable(hop) && !slices.Contains(s.trust.Hops, hop)
	})
	p.addresses = ranked(addresses, func(ip string, _ int) bool { return !slices.Contains(own.IPs, ip) })
	if len(p.addresses) > mostAddresses || p.genuine < leastSeen {
		p.addresses = nil
	}
	return p
}

// server is one that wrote Authentication-Results.
type server struct {
	reports int
	hops    map[string]int
	below   map[string]int // by the topmost host: reports that have its word below a Received
}

func (v *server) add(found trust.Server, by string) {
	v.reports++
	for _, hop := range found.Hops {
		v.hops[hop]++
	}
	if len(found.Hops) > 0 {
		v.below[by]++
	}
}

// certain reports whether a server writes into every message that its host takes
// in; what only some have is what came with them.
func (v *server) certain(through map[string]int) bool {
	for by, n := range v.below {
		if n*100 < through[by]*leastWritten {
			return false
		}
	}
	return v.reports >= leastSeen
}

// isBelow reports whether a domain is one of a list, or below one.
func isBelow(domain string, list []string) bool {
	return slices.ContainsFunc(list, func(parent string) bool {
		parent = strings.ToLower(parent)
		return domain == parent || strings.HasSuffix(domain, "."+parent)
	})
}

// ranked lists what is wanted, the most frequent first.
func ranked(counts map[string]int, wanted func(value string, n int) bool) (list []seen) {
	for value, n := range counts {
		if wanted(value, n) {
			list = append(list, seen{value, n})
		}
	}
	slices.SortFunc(list, func(a, b seen) int { return cmp.Or(b.reports-a.reports, strings.Compare(a.value, b.value)) })
	return list
}

// has reports whether a step has something to add.
func (p *proposal) has(step int) bool {
	switch step {
	case stepDomains:
		return len(p.domains) > 0
	case stepServers:
		return len(p.ids)+len(p.hops) > 0
	case stepVerify:
		return p.verify
	}
	return len(p.addresses) > 0
}

// with is trust with some steps of the proposal.
func (p *proposal) with(trust trust.Config, steps int) trust.Config {
	add := func(step int, list *[]string, more []seen) {
		if steps&step != 0 {
			*list = slices.Clone(*list)
			for _, one := range more {
				*list = append(*list, one.value)
			}
		}
	}
	add(stepDomains, &trust.Own.Domains, p.domains)
	add(stepServers, &trust.AuthservIDs, p.ids)
	add(stepServers, &trust.Hops, p.hops)
	add(stepAddresses, &trust.Own.IPs, p.addresses)
	if steps&stepVerify != 0 {
		trust.DKIM = &p.verify
	}
	return trust
}

// yes counts the complaints that would be yes with that trust.
func (s *Survey) yes(ctx context.Context, whom trust.Config) (n int) {
	checker, err := trust.New(whom, s.dns, s.reading.Providers)
	if err != nil {
		return -1 // such as two keys that exclude each other
	}
	reading := s.reading
	reading.Trust = checker
	for i := range s.kept {
		records, _ := s.kept[i].records(ctx, reading)
		for j := range records {
			if event := records[j].Event; (event == report.Complaint || event == report.OptOut) && valueOf(records[j].Suppress).Verdict == report.SuppressYes {
				n++
			}
		}
		s.progress.Show("judging %s again", terminal.Plural(len(s.kept), "report"))
	}
	return n
}

// best gives the fewest steps that make the most complaints yes, and how many
// these are; now is without any.
func (s *Survey) best(ctx context.Context, p *proposal) (steps, yes, now int) {
	defer s.progress.Clear()
	now = s.yes(ctx, s.trust)
	yes = now
	choices := make([]int, 0, allSteps)
	for choice := 1; choice < allSteps; choice++ {
		possible := true
		for step := 1; step < allSteps; step <<= 1 {
			possible = possible && (choice&step == 0 || p.has(step))
		}
		if possible {
			choices = append(choices, choice)
		}
	}
	slices.SortStableFunc(choices, func(a, b int) int { return bits.OnesCount(uint(a)) - bits.OnesCount(uint(b)) })
	for _, choice := range choices {
		if n := s.yes(ctx, p.with(s.trust, choice)); n > yes {
			steps, yes = choice, n
		}
	}
	return steps, yes, now
}

// proposeTrust writes what to add to trust, if that makes more complaints yes.
func (s *Survey) proposeTrust(ctx context.Context, w io.Writer, width int) {
	all := 0
	for i := range s.kept {
		all += s.kept[i].complaints
	}
	say := func(format string, args ...any) {
		fmt.Fprint(w, terminal.Wrap("", fmt.Sprintf(format, args...), 2, width))
	}
	fmt.Fprintln(w)
	if s.dns.spent() {
		say("the DNS took longer than %v: signatures without an answer are unchecked", sampleDNS)
	}
	if s.left > 0 {
		say("the sample is larger than %d MB: %s are not judged again", mostKept>>20, terminal.Plural(s.left, "complaint"))
	}
	p := s.proposed()
	steps, yes, now := s.best(ctx, &p)
	switch {
	case now == all:
		say("trust: no change is needed, every complaint is yes")
		return
	case p.genuine == 0:
		say("trust: the sample shows nothing to trust: no report of a known reporter has a valid signature and came within 7 days; docs/trust.md has an answer to each cause")
		return
	case steps == 0:
		say("trust: everything that %s show is configured, or makes no more complaints yes (%d of %d); docs/trust.md has an answer to each cause", terminal.Plural(p.genuine, "verified report"), now, all)
		return
	}
	fmt.Fprintf(w, "# Set under trust: %d of %s would be yes (now %d).\n", yes, terminal.Plural(all, "complaint"), now)
	fmt.Fprintf(w, "# From %s of known reporters with valid signatures.\n", terminal.Plural(p.genuine, "report"))
	fmt.Fprintln(w, "trust:")
	p.print(w, s.trust, steps)
}

// print writes the keys that some steps change, each as a whole.
func (p *proposal) print(w io.Writer, trust trust.Config, steps int) {
	list := func(mark, key string, old []string, more []seen) {
		all := make([]seen, 0, len(old)+len(more))
		for _, value := range old {
			all = append(all, seen{value: value})
		}
		if all = append(all, more...); len(all) > 0 {
			fmt.Fprintf(w, "%s%s:\n", mark, key)
		}
		for _, one := range all {
			comment := ""
			if one.reports > 0 {
				comment = " # in " + terminal.Plural(one.reports, "report")
			}
			fmt.Fprintf(w, "%s  - %s%s\n", mark, quoted(one.value), comment)
		}
	}
	var domains, addresses []seen
	if steps&stepDomains != 0 {
		domains = p.domains
	}
	if steps&stepAddresses != 0 {
		addresses = p.addresses
	}
	if len(domains)+len(addresses) > 0 {
		fmt.Fprintln(w, "  # Only if these are yours, and nobody else signs for the domains or sends from")
		fmt.Fprintln(w, "  # the addresses: anybody can send you reports about his own messages. If so,")
		fmt.Fprintln(w, "  # remove the comment marks.")
		fmt.Fprintln(w, "  # own:")
		list("  #   ", "domains", trust.Own.Domains, domains)
		list("  #   ", "ips", trust.Own.IPs, addresses)
	}
	if steps&stepServers != 0 {
		fmt.Fprintln(w, "  # Your servers must remove foreign Authentication-Results with these ids.")
		list("  ", "authserv_ids", trust.AuthservIDs, p.ids)
		list("  ", "hops", trust.Hops, p.hops)
	}
	if steps&stepVerify != 0 {
		fmt.Fprintln(w, "  dkim: true")
	}
}
