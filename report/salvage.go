package report

// salvage reads a mail in which there is no report part by the first reader
// that knows its dialect. false: none does.
func (p *parser) salvage(h *outerHeader, w *walker) bool {
	return false
}
