# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix with Dovecot's SASL as a provider: nobody may send without signing in, nobody signs in
without encryption."""

from . import peers, process


class Submission(peers.Postfix):

    def configure(self, pair, auth_port):
        for source, name in zip(pair, ("cert.pem", "key.pem")):
            with open(source, encoding="utf-8") as file:
                self.write("etc/postfix/" + name, file.read(), 0o600)
        super().configure(f"""
smtpd_tls_cert_file = /etc/postfix/cert.pem
smtpd_tls_key_file = /etc/postfix/key.pem
smtpd_tls_security_level = may
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}
smtpd_sasl_security_options = noanonymous
smtpd_tls_auth_only = yes
smtpd_sender_restrictions = permit_sasl_authenticated, reject
""")


def provide(test, mechanisms, pair, extra="", password=True):
    """Dovecot's SASL and the Postfix that asks it; both end with the test. PAIR: certificate and
    key. EXTRA: of dovecot.conf."""
    auth_port = process.free_port()
    test.started(
        peers.Dovecot(
            test.work, password=password, extra=f"""
auth_mechanisms = {mechanisms}
disable_plaintext_auth = no
auth_failure_delay = 0
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {auth_port}
  }}
}}
{extra}
"""))
    return test.started(Submission(test.work, pair=pair, auth_port=auth_port))


def oauth2(conf):
    """EXTRA for a Dovecot that takes tokens, as its file CONF says."""
    return f"""
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {conf}
}}
"""
