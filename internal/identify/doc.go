// Package identify says which subscriber, campaign and tenant a complaint is
// about: by the rules of the user, then by what well-known senders write into
// their message's header.
//
// Rules are ordered, and the first that gives a field wins that field. A
// placeholder gives nothing, nor does a value that holds the hash by which the
// report names its recipient. Of a field that occurs several times, all
// instances are read; where two of them give different results, the fields they
// give stay unknown, whatever later rules say: better no subscriber than the
// wrong one.
package identify
