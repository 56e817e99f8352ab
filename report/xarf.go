package report

// attachedXARF reads the JSON that stands beside a report part of type xarf.
func (p *parser) attachedXARF() {}
