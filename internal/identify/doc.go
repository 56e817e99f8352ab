// Package identify finds the subscriber, campaign and tenant of a complaint: by the
// user's rules, then by the header fields that well-known senders write.
//
// Rules are ordered. The first rule that gives a field wins that field. A placeholder
// gives nothing, and neither does a value that holds the hash by which the report names
// its recipient. If a header field occurs several times, all instances are read. If two
// of them give different results, the fields that they give stay unknown, even if a later
// rule gives them: no subscriber is better than the wrong one.
package identify
