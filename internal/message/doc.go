// Package message reads a message as it comes: fields, parts, addresses, dates,
// Received lines and encodings. Bad input is data: nothing here fails, everything is
// bounded, and values point into the message that they are of. It knows MIME (RFC
// 2045, RFC 2046, RFC 2047, RFC 2231), the header (RFC 5322) and Received (RFC 5321),
// and nothing of reports.
package message
