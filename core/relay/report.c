/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One report is a multipart/report (RFC 6522) of three parts:
 *
 *   text/plain                  for people (report-words.c)
 *   message/delivery-status     for programs (RFC 3464, RFC 6533 where an address is not ASCII)
 *   message/rfc822 or headers   what it is about
 *
 * GMime writes the parts; the header is ours, because the address in To must stand as it is.
 */
#include "relay/report.h"

#include <gmime/gmime.h>
#include <string.h>

#include "common/units.h"
#include "relay/report-words.h"
#include "smtp/address.h"
#include "smtp/headers.h"

/* An original up to here is returned whole: what other relays do (Postfix: 50,000). */
#define MAX_RETURNED (48 * 1024)
#define MAX_RETURNED_HEADER (24 * 1024)
#define MAX_DIAGNOSTIC 400
#define FOLD_WIDTH 72

/* ── What it is about ─────────────────────────────────────────────────────────────────────── */

static gboolean
may_return_whole (PrReportKind kind, const PrMessage *original)
{
  /* RFC 3461 §4.3: RET speaks of failures; any other report has the header alone. A binary
   * message could not be enclosed (RFC 3030 §3 allows no encoding of message/rfc822). */
  return kind == PR_REPORT_FAILED && original->envelope->ret != PR_RET_HDRS &&
         !original->envelope->requires_tls && /* RFC 8689 §5: the header alone */
         original->envelope->body != PR_BODY_BINARYMIME && original->size_octets <= MAX_RETURNED;
}

gsize
pr_report_get_head_size (PrReportKind kind, const PrMessage *original)
{
  gsize wanted = may_return_whole (kind, original) ? MAX_RETURNED : MAX_RETURNED_HEADER;

  return MIN (wanted, original->size_octets);
}

static gboolean
is_ascii (const char *data, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if ((guchar) data[i] > 127)
      return FALSE;
  return TRUE;
}

/* The header, cut between two lines where it is too long. */
static gsize
cut_header (const PrHeaders *headers, const char *data)
{
  gsize len = MIN (pr_headers_get_size (headers), MAX_RETURNED_HEADER);

  while (len > 0 && data[len - 1] != '\n')
    len--;
  return len;
}

static GMimeObject *
make_part (const char *type, const char *subtype, GMimeContentEncoding encoding, const char *data,
           gsize len)
{
  GMimePart *part = g_mime_part_new_with_type (type, subtype);
  GMimeStream *stream = g_mime_stream_mem_new_with_buffer (data, len);
  GMimeDataWrapper *content =
    g_mime_data_wrapper_new_with_stream (stream, GMIME_CONTENT_ENCODING_DEFAULT);

  g_mime_part_set_content (part, content);
  g_mime_part_set_content_encoding (part, encoding);
  g_object_unref (content);
  g_object_unref (stream);
  return GMIME_OBJECT (part);
}

/* The original, or its header. RFC 6533 §4: a header beyond ASCII has types of its own; those may
 * be encoded, so that the report stays 7-bit. @is_8bit is set where it does not. */
static GMimeObject *
make_original (const PrReportFacts *facts, const PrHeaders *headers, gboolean *is_8bit)
{
  gsize len = 0;
  const char *data = facts->head != NULL ? g_bytes_get_data (facts->head, &len) : "";
  gsize header_len = cut_header (headers, data);
  gboolean whole =
    may_return_whole (facts->kind, facts->original) && len == facts->original->size_octets;
  gboolean header_ascii = is_ascii (data, header_len);
  gboolean utf8 = !header_ascii && g_utf8_validate (data, header_len, NULL);
  GMimeContentEncoding encoding = GMIME_CONTENT_ENCODING_7BIT;

  if (!whole)
    {
      if (!header_ascii)
        encoding = GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
      return utf8 ? make_part ("message", "global-headers", encoding, data, header_len)
                  : make_part ("text", "rfc822-headers", encoding, data, header_len);
    }

  if (utf8)
    return make_part ("message", "global", GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE, data, len);
  if (!is_ascii (data, len)) /* RFC 2045 §6.4: message/rfc822 takes no encoding */
    {
      encoding = GMIME_CONTENT_ENCODING_8BIT;
      *is_8bit = TRUE;
    }
  return make_part ("message", "rfc822", encoding, data, len);
}

/* ── Fields for programs ──────────────────────────────────────────────────────────────────── */

/* "Name: value" in one field: folded between words, nothing in it that would end the line. */
static void
write_field (GString *out, const char *name, const char *value)
{
  gsize column = strlen (name) + 1;

  g_string_append_printf (out, "%s:", name);
  for (const char *p = value; *p != '\0';)
    {
      gsize width;

      while (*p != '\0' && (guchar) *p <= ' ')
        p++;
      for (width = 0; (guchar) p[width] > ' ';)
        width++;
      if (width == 0)
        break;
      if (column + 1 + width > FOLD_WIDTH && column > strlen (name) + 1)
        {
          g_string_append (out, "\r\n");
          column = 0;
        }
      g_string_append_c (out, ' ');
      g_string_append_len (out, p, width);
      column += width + 1;
      p += width;
    }
  g_string_append (out, "\r\n");
}

static void
write_date (GString *out, const char *name, gint64 us)
{
  g_autofree char *date = pr_date_format (us);

  write_field (out, name, date);
}

/* RFC 3461 §4: xtext is printable ASCII with "+XX" for all else. NULL: it is not, or it has control
 * characters. (transfer full) */
static char *
decode_xtext (const char *text)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (const char *p = text; *p != '\0'; p++)
    {
      int value = (guchar) *p;

      if (*p == '+')
        {
          int high = g_ascii_xdigit_value (p[1]);
          int low = high >= 0 ? g_ascii_xdigit_value (p[2]) : -1;

          if (low < 0)
            return NULL;
          value = high * 16 + low;
          p += 2;
        }
      if (value < ' ' || value > '~')
        return NULL;
      g_string_append_c (out, value);
    }

  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* RFC 3464 §2.3.1. "utf-8" addresses keep their ASCII form (RFC 6533 §3: utf-8-addr-xtext). */
static void
write_original_recipient (GString *out, const char *orcpt)
{
  const char *semicolon = orcpt != NULL ? strchr (orcpt, ';') : NULL;
  g_autofree char *address = NULL, *value = NULL;

  if (semicolon == NULL)
    return;
  if (g_ascii_strncasecmp (orcpt, "utf-8;", 6) == 0)
    address = is_ascii (orcpt, strlen (orcpt)) ? g_strdup (semicolon + 1) : NULL;
  else
    address = decode_xtext (semicolon + 1);
  if (address == NULL)
    return;
  value = g_strdup_printf ("%.*s;%s", (int) (semicolon - orcpt), orcpt, address);
  write_field (out, "Original-Recipient", value);
}

/* RFC 3463: what the reply says where its class fits the action, else what its code means. */
static void
write_status (GString *out, PrReportKind kind, const PrReply *reply)
{
  gboolean success = kind == PR_REPORT_DELIVERED || kind == PR_REPORT_RELAYED;
  guint class = success ? 2 : kind == PR_REPORT_DELAYED ? 4 : 5;
  g_autofree char *status = NULL;

  if (reply != NULL && reply->status[0] != 0 && (reply->status[0] == 2) == success)
    status = g_strdup_printf ("%u.%u.%u", reply->status[0], reply->status[1], reply->status[2]);
  else
    status = g_strdup_printf ("%u.0.0", class);
  write_field (out, "Status", status);
}

static void
write_recipient (const PrReportFacts *facts, const PrReportRecipient *entry, GString *out)
{
  static const char *const actions[] = { "failed", "delayed", "delivered", "relayed" };
  const PrRecipient *recipient = pr_envelope_recipient (facts->original->envelope, entry->index);
  g_autofree char *final = g_strdup_printf (
    "%s; %s", pr_address_is_utf8 (recipient->address) ? "utf-8" : "rfc822", recipient->address);

  g_string_append (out, "\r\n");
  write_original_recipient (out, recipient->orcpt);
  write_field (out, "Final-Recipient", final);
  write_field (out, "Action", actions[facts->kind]);
  write_status (out, facts->kind, entry->reply);

  if (entry->remote != NULL)
    {
      g_autofree char *remote = g_strdup_printf ("dns; %s", entry->remote);
      write_field (out, "Remote-MTA", remote);
    }
  if (entry->reply != NULL && entry->reply->code != 0)
    {
      g_autofree char *text = pr_reply_to_string (entry->reply);
      g_autofree char *ascii = g_str_to_ascii (text, "C");
      g_autofree char *value = g_strdup_printf (
        "%s; %.*s", entry->remote != NULL ? "smtp" : "x-postroom", MAX_DIAGNOSTIC, ascii);
      write_field (out, "Diagnostic-Code", value);
    }
  write_date (out, "Last-Attempt-Date", facts->now_us);
  if (facts->kind == PR_REPORT_DELAYED && facts->give_up_us != 0)
    write_date (out, "Will-Retry-Until", facts->give_up_us);
}

static GMimeObject *
make_status (const PrReportFacts *facts)
{
  const PrEnvelope *envelope = facts->original->envelope;
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *envid = envelope->envid != NULL ? decode_xtext (envelope->envid) : NULL;
  g_autofree char *mta = g_strdup_printf ("dns; %s", facts->hostname);
  char id[PR_ID_LEN + 1];

  if (envid != NULL)
    write_field (out, "Original-Envelope-Id", envid);
  write_field (out, "Reporting-MTA", mta);
  write_date (out, "Arrival-Date", facts->original->received_us);
  write_field (out, "X-Postroom-ID", pr_id_format (facts->original->id, id));
  for (guint i = 0; i < facts->n_recipients; i++)
    write_recipient (facts, &facts->recipients[i], out);

  if (is_ascii (out->str, out->len))
    return make_part ("message", "delivery-status", GMIME_CONTENT_ENCODING_7BIT, out->str,
                      out->len);
  return make_part ("message", "global-delivery-status", GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE,
                    out->str, out->len);
}

/* ── The report ───────────────────────────────────────────────────────────────────────────── */

static GMimeObject *
make_text (const PrReportFacts *facts, const PrHeaders *headers)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *raw = pr_headers_get (headers, "Subject", 0);
  g_autofree char *subject = raw != NULL ? g_mime_utils_header_decode_text (NULL, raw) : NULL;
  g_autofree char *raw_date = pr_headers_get (headers, "Date", 0);
  g_autofree char *valid_subject = subject != NULL ? g_utf8_make_valid (subject, -1) : NULL;
  g_autofree char *date = raw_date != NULL ? g_utf8_make_valid (raw_date, -1) : NULL;
  GMimeContentEncoding encoding = GMIME_CONTENT_ENCODING_7BIT;
  GMimeObject *part;

  pr_report_write_text (facts, valid_subject, date, out);
  if (!is_ascii (out->str, out->len) || strlen (facts->to) > 200)
    encoding = GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
  part = make_part ("text", "plain", encoding, out->str, out->len);
  g_mime_object_set_content_type_parameter (part, "charset", "utf-8");
  return part;
}

/* A value of the original's that is repeated in our header: ASCII words on one line. */
static void
write_reference (GString *out, const PrHeaders *headers)
{
  g_autofree char *id = pr_headers_get (headers, "Message-ID", 0);

  if (id == NULL || *id != '<' || strlen (id) > 250 || !g_str_is_ascii (id) ||
      strpbrk (id, " \t") != NULL)
    return;
  write_field (out, "In-Reply-To", id);
  write_field (out, "References", id);
}

static void
write_header (const PrReportFacts *facts, const PrHeaders *headers, gint64 id, GString *out)
{
  char text[PR_ID_LEN + 1];

  write_date (out, "Date", facts->now_us);
  g_string_append_printf (out, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n",
                          facts->hostname);
  g_string_append_printf (out, "To: <%s>\r\n", facts->to);
  g_string_append_printf (out, "Subject: %s\r\n", pr_report_get_subject (facts->kind));
  g_string_append_printf (out, "Message-ID: <%s@%s>\r\n", pr_id_format (id, text), facts->hostname);
  write_reference (out, headers);
  g_string_append (out, "Auto-Submitted: auto-replied\r\n"); /* RFC 3834 §5 */
  g_string_append (out, "MIME-Version: 1.0\r\n");
}

static void
add_and_release (GMimeMultipart *multipart, GMimeObject *part)
{
  g_mime_multipart_add (multipart, part);
  g_object_unref (part);
}

static GBytes *
make_body (const PrReportFacts *facts, gint64 id, gboolean *is_8bit)
{
  gsize len = 0;
  const char *data = facts->head != NULL ? g_bytes_get_data (facts->head, &len) : "";
  g_autoptr (PrHeaders) headers = pr_headers_new (data, len);
  GString *out = g_string_sized_new (len + 4096);
  GMimeMultipart *multipart = g_mime_multipart_new_with_subtype ("report");
  GMimeFormatOptions *options = g_mime_format_options_new ();
  GMimeStream *stream = g_mime_stream_mem_new ();
  GByteArray *text = g_mime_stream_mem_get_byte_array (GMIME_STREAM_MEM (stream));

  g_mime_object_set_content_type_parameter (GMIME_OBJECT (multipart), "report-type",
                                            "delivery-status");
  add_and_release (multipart, make_text (facts, headers));
  add_and_release (multipart, make_status (facts));
  add_and_release (multipart, make_original (facts, headers, is_8bit));

  write_header (facts, headers, id, out);
  g_mime_format_options_set_newline_format (options, GMIME_NEWLINE_FORMAT_DOS);
  g_mime_object_write_to_stream (GMIME_OBJECT (multipart), options, stream);
  g_string_append_len (out, (const char *) text->data, text->len);
  g_mime_format_options_free (options);
  g_object_unref (stream);
  g_object_unref (multipart);
  return g_string_free_to_bytes (out);
}

PrMessage *
pr_report_new (const PrReportFacts *facts, PrIdSource *ids)
{
  PrEnvelope *envelope = pr_envelope_new ();
  gint64 id = pr_id_next (ids);
  gboolean is_8bit = FALSE;
  GBytes *body = make_body (facts, id, &is_8bit);
  PrMessage *message;

  envelope->sender = g_strdup (""); /* RFC 5321 §6.1: never answered */
  envelope->body = is_8bit ? PR_BODY_8BITMIME : PR_BODY_7BIT;
  envelope->smtputf8 = pr_address_is_utf8 (facts->to);
  envelope->requires_tls = facts->original->envelope->requires_tls; /* RFC 8689 §5 */
  pr_envelope_add_recipient (envelope, facts->to, PR_NOTIFY_UNSET, NULL);

  message = pr_message_new (id, facts->now_us, envelope);
  message->is_report = TRUE;
  message->body = body;
  message->size_octets = g_bytes_get_size (body);
  return message;
}
