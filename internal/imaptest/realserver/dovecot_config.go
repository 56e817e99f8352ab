package realserver

// The configuration of a Dovecot that does not run as root: no chroot, and one
// user for everything. It offers NOTIFY and COMPRESS, and refuses a wrong
// password at once. The arguments of each part are directory, greeting, user,
// group, plain port, TLS port.

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
auth_mechanisms = plain login
auth_failure_delay = 0
mail_fsync = never
mail_max_userip_connections = 1000
mailbox_list_index = yes
namespace inbox {
  inbox = yes
  separator = /
}

service imap-login {
  chroot =
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

const dovecot23 = dovecotConfig + `
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
disable_plaintext_auth = no
passdb {
  driver = passwd-file
  args = %[1]s/passwd
}
userdb {
  driver = static
  args = uid=%[3]s gid=%[4]s home=%[1]s
}
mail_location = maildir:%[1]s/mail
mail_plugins = notify
protocol imap {
  mail_plugins = $mail_plugins imap_zlib
}
service imap-login {
  service_count = 0
}
`

// In 2.4 the versions must come first, and COMPRESS needs no plugin.
const dovecot24 = `
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
` + dovecotConfig + `
ssl_server_cert_file = %[1]s/cert.pem
ssl_server_key_file = %[1]s/key.pem
auth_allow_cleartext = yes
passdb passwd-file {
  passwd_file_path = %[1]s/passwd
}
userdb static {
  fields {
    uid = %[3]s
    gid = %[4]s
    home = %[1]s
  }
}
mail_driver = maildir
mail_path = %[1]s/mail
mail_plugins = notify
service imap-login {
  restart_request_count = unlimited
}
`
