package imaptest

// dovecotConfig is for Dovecot 2.3, run by a user who is not root: no chroot,
// and one user for everything. The plugins make it offer NOTIFY and COMPRESS.
// A wrong password is refused at once: no delay, no penalty. Its arguments:
// directory, greeting, user, group, plain port, TLS port.
const dovecotConfig = `
base_dir = %[1]s/run
state_dir = %[1]s/run
log_path = %[1]s/log
protocols = imap
listen = 127.0.0.1
login_greeting = %[2]s

default_internal_user = %[3]s
default_internal_group = %[4]s
default_login_user = %[3]s
default_vsz_limit = 2 G
first_valid_uid = 1
first_valid_gid = 1

ssl = yes
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = %[1]s/passwd
}
userdb {
  driver = static
  args = uid=%[3]s gid=%[4]s home=%[1]s
}

mail_location = maildir:%[1]s/mail
mail_fsync = never
mail_max_userip_connections = 1000
mailbox_list_index = yes
mail_plugins = notify
namespace inbox {
  inbox = yes
  separator = /
}
protocol imap {
  mail_plugins = $mail_plugins imap_zlib
}

service imap-login {
  chroot =
  service_count = 0
  client_limit = 1000
  inet_listener imap {
    port = %[5]d
  }
  inet_listener imaps {
    port = %[6]d
    ssl = yes
  }
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service auth {
  chroot =
}
`
