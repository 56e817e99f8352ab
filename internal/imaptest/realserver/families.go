package realserver

import "testing"

// Families are the servers that scripts/setup installs. The table has what
// TestOffers measures on Debian 12 (Dovecot 2.3.19, Cyrus 3.6.1, Courier
// 5.0.13). A feature that is not in the table is in all three, or in none.
//
//	                        Dovecot              Cyrus                Courier
//	capabilities, greeting  yes                  yes                  yes
//	  with answer to LOGIN  no                   yes                  no
//	AUTH=, SASL-IR          PLAIN LOGIN          PLAIN LOGIN          none: the LOGIN command
//	LITERAL+, ID, UNSELECT  yes                  yes                  no
//	IDLE                    yes                  yes                  yes
//	EXISTS after an APPEND  500 ms               at once              up to a second (as installed: a minute)
//	NOTIFY                  yes                  no                   no
//	CONDSTORE, QRESYNC      yes                  yes                  no; ENABLE has nothing to enable
//	MOVE                    yes                  yes                  no
//	UIDPLUS                 yes                  yes                  yes
//	COMPRESS=DEFLATE        yes                  yes                  no
//	ESEARCH, LIST-STATUS    yes                  yes                  no: NO to a LIST with RETURN
//	SPECIAL-USE, QUOTA      not as set up here   yes                  QUOTA only
//	unknown command         BAD                  BAD                  NO
//	folders                 FBL/2026             FBL/2026             INBOX.FBL.2026, all below INBOX
//	  parent never created  \Noselect            a folder             \Noselect
//	UIDNEXT in EXAMINE      yes                  yes                  no, in STATUS only
//	STORE in EXAMINE        OK, and ignored      NO                   NO
//	FETCH beyond the end:*  the last message     the last message     nothing
//	message with bare LF    CRLF                 refuses the APPEND   CRLF
//	  without a final CRLF  as it is             as it is             CRLF added
//	a wrong password        [AUTHENTICATION-     NO, no code          NO, no code, after 5 s
//	                        FAILED], 500 ms
//	last words at its end   BYE                  none                 BYE
//	restart                 keeps UIDVALIDITY    keeps UIDVALIDITY    keeps UIDVALIDITY
//
// EXAMINE leaves no trace in any of them, not even in \Recent.
var Families = []Family{
	{"dovecot", func(tb testing.TB) *Server { return Dovecot(tb).Server }},
	{"cyrus", cyrus},
	{"courier", courier},
}

// Family is one of the Families.
type Family struct {
	Name  string
	Start func(testing.TB) *Server
}
