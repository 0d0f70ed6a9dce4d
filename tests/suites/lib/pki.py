# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates by OpenSSL, in a folder of their own: right ones, and wrong in every way."""

import os
import subprocess


class Pki:

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.authority = self.make("authority", name="Test authority", authority=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def run(self, *words):
        done = subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60,
                              cwd=self.folder)
        return done.stdout

    def make(self, file, name="127.0.0.1", issuer=None, authority=False, days=30, bits=2048,
             digest="sha256"):
        """Paths of certificate and key."""
        certificate, key, request = (self.path(f"{file}.{end}") for end in ("pem", "key", "csr"))
        names = f"IP:{name}" if name[0].isdigit() else f"DNS:{name}"
        extensions = self.write(
            file + ".ext", "basicConstraints=critical,CA:TRUE\n"
            if authority else f"basicConstraints=CA:FALSE\nsubjectAltName={names}\n")
        self.run("req", "-newkey", f"rsa:{bits}", "-nodes", "-subj", f"/CN={name}", "-keyout", key,
                 "-out", request)
        sign = ["-CA", issuer[0], "-CAkey", issuer[1], "-CAcreateserial"
                ] if issuer else ["-signkey", key]
        self.run("x509", "-req", "-in", request, "-out", certificate, "-days", str(days),
                 "-" + digest, "-extfile", extensions, *sign)
        return certificate, key

    def chain(self, file, *pairs):
        """A file with these certificates, the server's own first."""
        texts = []
        for certificate, _ in pairs:
            with open(certificate, encoding="ascii") as source:
                texts.append(source.read())
        return self.write(file, "".join(texts))

    def serial(self, pair):
        return self.run("x509", "-in", pair[0], "-noout", "-serial").decode().strip()[7:]

    def fingerprint(self, certificate, *form):
        shown = self.run("x509", *form, "-in", certificate, "-noout", "-fingerprint", "-sha256")
        return shown.decode().partition("=")[2].strip()

    def _index(self, pair, revoked):
        """What the authority knows of a certificate, as `openssl ca` keeps it."""
        state = "R\t491231235959Z\t200101000000Z" if revoked else "V\t491231235959Z\t"
        return self.write("index.txt", f"{state}\t{self.serial(pair)}\tunknown\t/CN=x\n")

    def staple(self, pair, revoked):
        """The authority's OCSP answer for a certificate (RFC 6960), in a file."""
        index = self._index(pair, revoked)
        answer, (certificate, key) = self.path("answer.ocsp"), self.authority
        self.run("ocsp", "-index", index, "-CA", certificate, "-rsigner", certificate, "-rkey", key,
                 "-issuer", certificate, "-cert", pair[0], "-ndays", "2", "-respout", answer)
        return answer

    def revocation_list(self, pair):
        """The authority's list (RFC 5280 §5) with this certificate on it, as PEM in a file."""
        self._index(pair, True)
        config = self.write(
            "ca.conf", f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.path('index.txt')}\n"
            "default_md=sha256\ndefault_crl_days=2\n")
        out, (certificate, key) = self.path("revoked.crl"), self.authority
        self.run("ca", "-config", config, "-gencrl", "-cert", certificate, "-keyfile", key, "-out",
                 out)
        return out
