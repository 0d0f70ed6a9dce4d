# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages with ids that are counted, and the mailboxes they arrive in."""

import email
import email.policy
import os
import quopri
import re
import uuid

ID_HEADER = b"X-Test-Id"


def unique_id():
    return uuid.uuid4().hex


def message(id_=None, sender="sender@here.test", to="alice@there.test", body=b"Hello.\r\n", size=0,
            headers=()):
    """A whole message with CRLF line ends; padded with lines of 78 octets to at least SIZE
    octets."""
    lines = [
        b"From: " + sender.encode(), b"To: " + to.encode(), b"Subject: test",
        b"Date: Thu, 21 Aug 2025 12:00:00 +0000",
        b"Message-ID: <" + (id_ or unique_id()).encode() + b"@here.test>"
    ]
    if id_:
        lines.append(ID_HEADER + b": " + id_.encode())
    lines += [header.encode() if isinstance(header, str) else header for header in headers]
    text = b"\r\n".join(lines) + b"\r\n\r\n" + body
    missing = size - len(text)
    if missing > 0:
        line = b"0123456789" * 7 + b"abcdef\r\n"
        text += line * (missing // len(line) + 1)
    return text


def split(text):
    """(header, body) of a message with CRLF or LF line ends."""
    found = re.search(rb"\r?\n\r?\n", text)
    if not found:
        return text, b""
    return text[:found.start()], text[found.end():]


def header_values(text, name):
    """All values of a header field, unfolded, in order."""
    head = split(text)[0]
    unfolded = re.sub(rb"\r?\n(?=[ \t])", b"", head)
    prefix = name.lower().encode() + b":"
    return [
        line[len(prefix):].strip().decode("utf-8", "surrogateescape")
        for line in re.split(rb"\r?\n", unfolded) if line.lower().startswith(prefix)
    ]


def test_id(text):
    found = re.search(rb"^" + ID_HEADER + rb": *([0-9a-zA-Z._-]+)", text, re.M | re.I)
    return found.group(1).decode() if found else None


def crlf(text):
    """Line ends as they are on the wire; for mailboxes, which keep bare LF."""
    return re.sub(rb"\r?\n", b"\r\n", text)


def parse(text):
    return email.message_from_bytes(text, policy=email.policy.default)


def _blocks(part):
    """The groups of fields of a status part; Python itself knows only the ASCII type."""
    if part.get_content_type() == "message/delivery-status":
        return part.get_payload()
    text = part.as_bytes().partition(b"\n\n")[2]
    if part["Content-Transfer-Encoding"] == "quoted-printable":
        text = quopri.decodestring(text)
    return [parse(block) for block in re.split(rb"\n\s*\n", text.strip())]


class DeliveryStatus:
    """A notice of RFC 3464, taken apart: `.human`, `.per_message`, `.recipients`, `.returned`."""

    def __init__(self, text):
        self.text = text
        self.message = parse(text)
        if self.message.get_content_type() != "multipart/report":
            raise AssertionError("not a multipart/report:\n" + text.decode("utf-8", "replace"))
        if self.message.get_param("report-type") != "delivery-status":
            raise AssertionError("report-type is not delivery-status")
        parts = list(self.message.iter_parts())
        self.human = parts[0].get_content()
        if parts[1].get_content_type() not in ("message/delivery-status",
                                               "message/global-delivery-status"):
            raise AssertionError("the second part is " + parts[1].get_content_type())
        blocks = _blocks(parts[1])
        self.per_message = blocks[0]
        self.recipients = [block for block in blocks[1:] if block.keys()]
        self.returned = parts[2] if len(parts) > 2 else None

    def recipient(self, address):
        for block in self.recipients:
            if str(block["Final-Recipient"]).partition(";")[2].strip().lower() == address.lower():
                return block
        raise AssertionError(f"no block for {address} in\n" + self.text.decode("utf-8", "replace"))


class Maildir:
    """Reads a maildir which somebody else writes."""

    def __init__(self, path):
        self.path = path

    def messages(self):
        """The messages as stored, oldest file first."""
        found = []
        for folder in ("new", "cur"):
            directory = os.path.join(self.path, folder)
            if os.path.isdir(directory):
                found += [os.path.join(directory, name) for name in os.listdir(directory)]
        found.sort(key=lambda path: os.stat(path).st_mtime_ns)
        texts = []
        for path in found:
            with open(path, "rb") as file:
                texts.append(file.read())
        return texts

    def ids(self):
        return [test_id(text) for text in self.messages()]

    def find(self, id_):
        """The first message with that id, or None."""
        return next((text for text in self.messages() if id_.encode() in text), None)
