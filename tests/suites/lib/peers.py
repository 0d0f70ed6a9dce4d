# SPDX-License-Identifier: GPL-3.0-or-later
"""Real mail servers as next hops: each in a mount and process namespace of its own, this machine's
root with the peer's unpacked packages laid over it, listening on loopback, delivering into
maildirs.

Whatever the peer writes outside the test's folder goes to a tmpfs that ends with it. Needs root.
"""

import functools
import itertools
import os
import subprocess
import unittest

from . import process, suite
from .mail import Maildir

USERS = ("alice", "bob", "carol", "sender", "postmaster")
DOMAIN = "there.test"
OWNER_ID = 5151
ACCOUNTS = {  # system users of the peers: none of them exists on a machine without the packages
    "postfix": 5101, "postdrop": 5102, "Debian-exim": 5103, "opensmtpd": 5104, "opensmtpq": 5105,
    "dovecot": 5106, "dovenull": 5107, "mailowner": OWNER_ID,
}

ENTER = r"""
set -eu
mount -t tmpfs -o mode=755 tmpfs "$over"
mkdir "$over/upper" "$over/work"
cp -a "$peer/." "$files/." "$over/upper/"
mount -t overlay -o "lowerdir=/,upperdir=$over/upper,workdir=$over/work" overlay "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root$work"
mount --bind "$work" "$root$work"
exec chroot "$root" /bin/bash -c "$command"
"""


@functools.cache
def _may_unshare():
    """False in some containers, even for root."""
    mount = ["mount", "-t", "tmpfs", "tmpfs", "/tmp"]
    return subprocess.run(["unshare", "--mount", "--pid", "--fork", *mount], check=False,
                          capture_output=True).returncode == 0


class Peer:
    """A next hop. `address` for a route's hosts=, `users` are in `domain`; anybody else is unknown
    there."""

    name = None

    def __init__(self, work, **options):
        if os.geteuid() != 0 or not _may_unshare():
            raise unittest.SkipTest(f"{self.name} needs root and mount namespaces")
        self.tree = os.path.join(suite.PEERS, self.name)
        if not os.path.exists(os.path.join(self.tree, ".complete")):
            raise unittest.SkipTest(f"{self.name} is not there: run tests/suites/fetch-peers")
        self.work = os.path.join(work, self.name)
        self.port = options.pop("port", None) or process.free_port()
        self.domain = DOMAIN
        self.log_file = os.path.join(work, self.name + ".log")
        for folder in ("", "mail", "root", "over", "files", "files/etc", "run"):
            os.makedirs(os.path.join(self.work, folder), mode=0o755, exist_ok=True)
        os.chown(os.path.join(self.work, "mail"), OWNER_ID, OWNER_ID)
        self._add_accounts()
        self.configure(**options)
        self.process = None
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def mailbox(self, user):
        return Maildir(os.path.join(self.work, "mail", user))

    def write(self, path, text, mode=0o644):
        """Puts a file where the peer will see it as /PATH."""
        target = os.path.join(self.work, "files", path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(target, mode)

    def start(self):
        names = {name: os.path.join(self.work, name) for name in ("root", "over", "files")}
        env = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "peer": self.tree,
            "work": self.work,
            "command": self.command(),
            **names
        }
        self.process = process.Process([
            "unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--propagation",
            "private", "bash", "-c", ENTER
        ], self.log_file, env=env)
        process.wait_until(f"{self.name} to greet", self._greets, 30)

    def _greets(self):
        if not self.process.running():
            raise AssertionError(f"{self.name} ended at start:\n{self.process.log()[-3000:]}")
        return process.banner(("127.0.0.1", self.port)).startswith(b"220")

    def stop(self):
        if self.process:
            self.process.kill()
            self.process = None

    close = stop

    def _add_accounts(self):
        for file, line in (("passwd", "{0}:x:{1}:{1}::/nonexistent:/usr/sbin/nologin\n"),
                           ("group", "{0}:x:{1}:\n")):
            with open("/etc/" + file, encoding="utf-8") as own:
                present = own.read()
            known = {entry.partition(":")[0] for entry in present.splitlines()}
            added = "".join(
                line.format(name, number) for name, number in ACCOUNTS.items() if name not in known)
            self.write("etc/" + file, present.rstrip("\n") + "\n" + added)


class Postfix(Peer):
    """EXTRA: further lines of main.cf."""

    name = "postfix"

    def configure(self, extra=""):
        domain, work = self.domain, self.work
        self.write(
            "etc/postfix/main.cf", f"""
compatibility_level = 3.6
maillog_file = /dev/stdout
myhostname = postfix.there.test
mydestination =
inet_interfaces = loopback-only
mynetworks = 127.0.0.0/8 [::1]/128
alias_maps =
biff = no
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_tls_security_level = none
smtpd_delay_reject = yes
virtual_mailbox_domains = {domain} here.test
virtual_mailbox_base = {work}/mail
virtual_mailbox_maps = texthash:/etc/postfix/boxes
virtual_uid_maps = static:{OWNER_ID}
virtual_gid_maps = static:{OWNER_ID}
{extra}
""")
        self.write(
            "etc/postfix/boxes",
            "".join(f"{user}@{name} {user}/\n" for user in USERS for name in (domain, "here.test")))
        with open(os.path.join(self.tree, "usr/share/postfix/master.cf.dist"),
                  encoding="utf-8") as dist:
            # without its own port 25, and without the pipes to other programs at the end
            lines = itertools.takewhile(lambda line: not line.startswith("maildrop"), dist)
            services = [line for line in lines if not line.startswith(("#", "smtp      inet"))]
        text = f"127.0.0.1:{self.port} inet n - n - - smtpd\n" + "".join(services)
        self.write("etc/postfix/master.cf", text.replace("       y       ", "       n       "))

    def command(self):
        return ("mkdir -p /var/spool/postfix /var/lib/postfix; "
                "chown postfix /var/lib/postfix; cp /usr/share/postfix/postfix-files /etc/postfix/ "
                "2>/dev/null || :; exec postfix start-fg")


class Exim(Peer):
    """EXTRA: further main options."""

    name = "exim"

    def configure(self, extra=""):
        users = " : ".join(USERS)
        self.write(
            "etc/exim4/exim4.conf", f"""
primary_hostname = exim.there.test
log_file_path = {self.work}/run/%slog
spool_directory = /var/spool/exim4
daemon_smtp_ports = {self.port}
local_interfaces = 127.0.0.1
domainlist known = {self.domain} : here.test
acl_smtp_rcpt = check_rcpt
acl_smtp_data = accept
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
pipelining_advertise_hosts = *
tls_advertise_hosts =
queue_only = false
message_size_limit = 200M
smtp_accept_max = 0
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 0
{extra}
begin acl
check_rcpt:
  deny domains = ! +known
       message = relay not permitted
  deny !local_parts = {users}
       message = Unknown user
  accept
begin routers
boxes:
  driver = accept
  domains = +known
  local_parts = {users}
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {self.work}/mail/$local_part_data
  maildir_format
  return_path_add
  envelope_to_add
  delivery_date_add
  user = mailowner
  group = mailowner
begin retry
* * F,1h,1m
""")

    def command(self):
        return ("mkdir -p /var/spool/exim4 /var/log/exim4; "
                f"chown Debian-exim:Debian-exim /var/spool/exim4 /var/log/exim4 {self.work}/run; "
                "chown root:root /etc/exim4/exim4.conf; exec exim4 -bdf -q10s")


class OpenSMTPD(Peer):
    name = "opensmtpd"

    def configure(self, extra=""):
        users = " ".join(USERS)
        self.write(
            "etc/smtpd.conf", f"""
{extra}
table boxes {{ {", ".join(f"{user} = mailowner" for user in USERS)} }}
listen on 127.0.0.1 port {self.port} hostname opensmtpd.there.test
action "in" maildir "{self.work}/mail/%{{dest.user}}" virtual <boxes>
match from any for domain {{ "{self.domain}" "here.test" }} action "in"
""")
        self.write("etc/mailname", "opensmtpd.there.test\n")

    def command(self):
        return ("mkdir -p /var/lib/opensmtpd/empty /var/spool/smtpd; chmod 711 /var/spool/smtpd; "
                "exec smtpd -d -f /etc/smtpd.conf")


class Dovecot(Peer):
    """LMTP on a TCP port and on the UNIX socket `socket`. PASSWORD: everybody's is "none"."""

    name = "dovecot"

    def configure(self, extra="", password=True):
        static = """
passdb {
  driver = static
  args = password=none
}""" if password else ""
        self.socket = os.path.join(self.work, "run", "lmtp")
        self.write(
            "etc/dovecot/users",
            "".join(f"{user}::{OWNER_ID}:{OWNER_ID}::{self.work}/mail/{user}::\n"
                    for user in USERS))
        self.write(
            "etc/dovecot/dovecot.conf", f"""
protocols = lmtp
base_dir = /run/dovecot
log_path = /dev/stderr
listen = 127.0.0.1
ssl = no
auth_username_format = %Ln
mail_location = maildir:{self.work}/mail/%n
mail_uid = {OWNER_ID}
mail_gid = {OWNER_ID}
first_valid_uid = {OWNER_ID}
protocol lmtp {{
  postmaster_address = postmaster@{self.domain}
}}
{static}
userdb {{
  driver = passwd-file
  args = username_format=%n /etc/dovecot/users
  override_fields = uid={OWNER_ID} gid={OWNER_ID} home={self.work}/mail/%n
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {self.port}
  }}
  unix_listener {self.socket} {{
    mode = 0666
  }}
}}
{extra}
""")

    def command(self):
        return "exec dovecot -F"


PEERS = {peer.name: peer for peer in (Postfix, Exim, OpenSMTPD, Dovecot)}
