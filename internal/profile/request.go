package profile

// OwnRequest is a request of the user's own.
type OwnRequest struct {
	Method      string `yaml:"method"`       // "": POST
	Path        string `yaml:"path"`         // to add to the URL's, with {KEY} for values of the record
	ContentType string `yaml:"content_type"` // of JSON or a form; "": application/json
	Body        string `yaml:"body"`         // a text/template over the record
	Accept      []int  `yaml:"accept"`       // statuses that mean "taken", beside 2xx
}
