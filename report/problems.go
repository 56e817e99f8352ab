package report

// loss notes that something could not be read; deviation that something is not
// as the RFC has it, and was read all the same; cutShort that the message ends too
// early, unless it is we who ended it.
func (p *parser) loss(text string)      { p.problem(Problem{text, true}) }
func (p *parser) deviation(text string) { p.problem(Problem{text, false}) }

func (p *parser) cutShort(text string) {
	if !p.ours {
		p.loss(text)
	}
}

// problem notes each problem once.
func (p *parser) problem(problem Problem) {
	for _, known := range p.r.Problems {
		if known == problem {
			return
		}
	}
	p.r.Problems = append(p.r.Problems, problem)
}

// walked reports what the walk over the parts met.
func (p *parser) walked(w *walker, multipart bool) {
	if w.met.TooDeep {
		p.loss("parts: nested more than 20 deep")
	}
	if w.met.TooMany {
		p.loss("parts: more than 1000")
	}
	if w.extra {
		p.loss("report part: more than one")
	}
	if w.met.Guessed {
		p.deviation("parts: not separated by the boundary declared")
	}
	switch {
	case w.met.Open && p.beyond:
		p.loss("parts: not searched to the end")
	case w.met.Open && !p.ours && multipart:
		p.loss("parts: no closing boundary")
	}
}
