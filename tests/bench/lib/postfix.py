# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix in a folder of its own, on loopback, beside any that is installed."""

import os
import pwd
import shutil
import subprocess

from . import processes
from .traffic import free_port, wait_for_greeting

# Where Debian's package lies: unpacked by tests/suites/fetch-peers, or installed.
DAEMONS = "usr/lib/postfix/sbin"
LIBRARIES = "usr/lib/postfix"

# Users and groups every Debian has and no program runs as. Postfix wants one it owns alone.
OWNERS = (("postfix", "postdrop"), ("uucp", "news"))

QUEUE_FOLDERS = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
                 "private", "saved", "trace")

COMMON = """\
compatibility_level = 3.6
queue_directory = {home}/spool
data_directory = {home}/data
daemon_directory = {root}/usr/lib/postfix/sbin
command_directory = {root}/usr/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {home}/etc
mail_owner = {owner}
setgid_group = {group}
import_environment = MAIL_CONFIG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH={root}/usr/lib/postfix
maillog_file_prefixes = {home}
maillog_file = {home}/data/mail.log
myhostname = postfix.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
relayhost = [127.0.0.1]:{sink_port}
smtpd_relay_restrictions = permit_mynetworks, reject
message_size_limit = 209715200
"""

# What helps a pure relay and costs no safety: every message is still flushed to the disk.
TUNED = """\
default_process_limit = 200
in_flow_delay = 0
smtpd_peername_lookup = no
smtpd_client_restrictions =
smtpd_helo_restrictions =
smtpd_sender_restrictions =
smtpd_recipient_restrictions =
smtpd_error_sleep_time = 0
smtpd_policy_service_default_action = DUNNO
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_tls_security_level = none
smtp_tls_security_level = none
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_mx_session_limit = 1
smtp_connection_cache_on_demand = yes
smtp_connection_cache_destinations = [127.0.0.1]:{sink_port}
smtp_connection_reuse_time_limit = 3600s
smtp_destination_concurrency_limit = 50
initial_destination_concurrency = 20
smtp_destination_recipient_limit = 50
qmgr_message_active_limit = 40000
qmgr_message_recipient_limit = 40000
hash_queue_names = deferred, defer, incoming
hash_queue_depth = 1
max_use = 10000
receive_override_options = no_header_body_checks, no_address_mappings, no_milters
local_header_rewrite_clients =
smtputf8_enable = no
disable_mime_input_processing = yes
append_dot_mydomain = no
append_at_myorigin = no
"""

# Encryption with the certificate that Postroom shows, and sessions resumed.
TLS = """\
smtpd_tls_security_level = may
smtpd_tls_chain_files = {key}, {certificate}
smtpd_tls_session_cache_database = btree:{home}/data/sessions
"""
TLS_MASTER = """\
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def find_root(candidates):
    """The folder below which Postfix lies, or None."""
    for root in candidates:
        if os.access(os.path.join(root, DAEMONS, "master"), os.X_OK):
            return os.path.abspath(root).rstrip("/")
    return None


def find_owner():
    for owner, group in OWNERS:
        try:
            entry = pwd.getpwnam(owner)
        except KeyError:
            continue
        return entry, group
    raise processes.BenchError("none of the users Postfix could run as exists")


class Postfix:
    """One instance; sample_seconds is larger than Postroom's, as it has many processes."""

    sample_seconds = 1.0
    first_guess = 300

    def __init__(self, name, root, folder, sink_port, tuned, pair=None):
        """PAIR: certificate and key, for encryption."""
        self.name, self.root, self.home = name, root, folder / name
        self.port, self.tls_port = free_port(), free_port()
        self.process = None
        self.owner, group = find_owner()
        values = {"home": self.home, "root": root, "owner": self.owner.pw_name, "group": group,
                  "sink_port": sink_port, "port": self.port, "tls_port": self.tls_port}
        self._make_folders()
        main, master = COMMON + TUNED * tuned, MASTER
        if pair is not None:
            main, master = main.replace("smtpd_tls_security_level = none\n", "") + TLS, \
                MASTER + TLS_MASTER
            values["certificate"], values["key"] = self._copy_pair(pair)
        (self.home / "etc/main.cf").write_text(main.format(**values))
        (self.home / "etc/master.cf").write_text(master.format(**values))
        self.environment = dict(os.environ, MAIL_CONFIG=str(self.home / "etc"),
                                LD_LIBRARY_PATH=f"{root}/{LIBRARIES}")

    def _copy_pair(self, pair):
        copies = [self.home / "etc" / name for name in ("cert.pem", "key.pem")]
        for source, copy in zip(pair, copies):
            shutil.copyfile(source, copy)
            copy.chmod(0o600)
        return copies

    def _make_folders(self):
        (self.home / "etc").mkdir(parents=True)
        for name in ("data", *(f"spool/{queue}" for queue in QUEUE_FOLDERS)):
            (self.home / name).mkdir(parents=True)
            os.chown(self.home / name, self.owner.pw_uid, -1)
        for name in ("pid", "public", "maildrop"):
            (self.home / "spool" / name).mkdir()
        for name in ("public", "maildrop"):
            os.chown(self.home / "spool" / name, self.owner.pw_uid, -1)

    def start(self):
        self.process = subprocess.Popen(
            [f"{self.root}/{DAEMONS}/master", "-d", "-c", str(self.home / "etc")],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for_greeting(self.name, self.port, self.process)

    def stop(self):
        if self.process is None:
            return
        children = [pid for pid in processes.tree(self.process.pid) if pid != self.process.pid]
        processes.stop(self.process)
        processes.reap(children)
        self.process = None
        shutil.rmtree(self.home, ignore_errors=True)

    def cpu_seconds(self):
        return processes.cpu_seconds(self.process.pid)

    def pss_kib(self):
        return processes.pss_kib(self.process.pid)

    def wal_octets(self):
        return 0

    def version(self):
        done = subprocess.run([f"{self.root}/usr/sbin/postconf", "-dh", "mail_version"],
                              env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout.strip()
