package sample

// Signed is Report(n, 0) as mx.example.com delivers it: with the server's own
// verdict that fbl.example.net signed the message.
func Signed(n int) []byte {
	return append([]byte("Authentication-Results: mx.example.com; dkim=pass header.d=fbl.example.net\r\n"+
		"DKIM-Signature: v=1; a=rsa-sha256; d=fbl.example.net; s=s; h=From; bh=eA==; b=eA==\r\n"), Report(n, 0)...)
}
