/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signatures of RFC 8463 and of our own: they hold, and what changes breaks them. */
#include "dkim/sign.h"
#include "dkim/signature.h"
#include "dkim/verify.h"

#include <string.h>

/* RFC 8463 appendix A */
#define BRISBANE "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define TEST                                                                                       \
  "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6w" \
  "y5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9" \
  "PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
#define SIGNATURES                                                                                 \
  "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"                                  \
  " d=football.example.com; i=@football.example.com;\r\n"                                          \
  " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"                                        \
  " subject : date : message-id : from : subject : date;\r\n"                                      \
  " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"                                          \
  " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"                                \
  " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"                                                          \
  "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"                                      \
  " d=football.example.com; i=@football.example.com;\r\n"                                          \
  " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"                                  \
  " date : message-id : from : subject : date;\r\n"                                                \
  " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"                                          \
  " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"                                \
  " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"                                \
  " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
#define HEADER                                                                                     \
  "From: Joe SixPack <joe@football.example.com>\r\n"                                               \
  "To: Suzie Q <suzie@shopping.example.net>\r\n"                                                   \
  "Subject: Is dinner ready?\r\n"                                                                  \
  "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"                                                \
  "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
#define BODY "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
#define NOW_S 1528640000

static void
publish (PrLookups *lookups, const char *name, const char *record)
{
  pr_lookups_add (lookups, PR_RECORD_TEXT, name, PR_LOOKUP_FOUND,
                  (const char *const[]){ record, NULL });
}

static PrDkimVerifier *
read_message (const char *header, const char *body)
{
  PrDkimVerifier *verifier = pr_dkim_verifier_new (header, strlen (header));

  for (const char *at = body; *at != '\0'; at++)
    pr_dkim_verifier_feed (verifier, at, 1);
  return verifier;
}

static void
assert_status (const char *header, const char *body, PrDkimStatus status, const char *problem)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_autoptr (PrDkimVerifier) verifier = read_message (header, body);

  publish (lookups, "brisbane._domainkey.football.example.com", BRISBANE);
  publish (lookups, "test._domainkey.football.example.com", TEST);
  pr_lookups_add (lookups, PR_RECORD_TEXT, "none._domainkey.football.example.com", PR_LOOKUP_NONE,
                  NULL);
  pr_lookups_add (lookups, PR_RECORD_TEXT, "away._domainkey.football.example.com", PR_LOOKUP_FAILED,
                  NULL);
  g_assert_true (pr_dkim_verifier_check (verifier, lookups, NOW_S));
  g_assert_cmpuint (pr_dkim_verifier_count (verifier), >, 0);
  for (guint i = 0; i < pr_dkim_verifier_count (verifier); i++)
    {
      const PrDkimSignature *signature = pr_dkim_verifier_get (verifier, i);

      g_assert_cmpstr (pr_dkim_status_name (signature->status), ==, pr_dkim_status_name (status));
      if (problem == NULL)
        g_assert_null (signature->problem);
      else if (strstr (signature->problem, problem) == NULL)
        g_error ("%s", signature->problem);
    }
}

static void
test_of_the_rfc (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_autoptr (PrDkimVerifier) verifier = read_message (SIGNATURES HEADER, BODY);
  const PrDkimSignature *signature;

  g_assert_false (pr_dkim_verifier_check (verifier, lookups, NOW_S));
  g_assert_cmpuint (pr_lookups_count_missing (lookups), ==, 2); /* both keys at once */
  publish (lookups, "brisbane._domainkey.football.example.com", BRISBANE);
  g_assert_false (pr_dkim_verifier_check (verifier, lookups, NOW_S));
  publish (lookups, "test._domainkey.football.example.com", TEST);
  g_assert_true (pr_dkim_verifier_check (verifier, lookups, NOW_S));

  g_assert_cmpuint (pr_dkim_verifier_count (verifier), ==, 2);
  signature = pr_dkim_verifier_get (verifier, 0);
  g_assert_cmpint (signature->status, ==, PR_DKIM_PASS);
  g_assert_cmpstr (signature->domain, ==, "football.example.com");
  g_assert_cmpstr (signature->selector, ==, "brisbane");
  g_assert_cmpstr (signature->identity, ==, "@football.example.com");
  g_assert_cmpstr (signature->algorithm, ==, "ed25519-sha256");
  g_assert_cmpstr (signature->start, ==, "/gCrinpc");
  g_assert_false (signature->partial);
  g_assert_cmpint (pr_dkim_verifier_get (verifier, 1)->status, ==, PR_DKIM_PASS);
}

static void
test_changes (void)
{
  assert_status (SIGNATURES HEADER, BODY, PR_DKIM_PASS, NULL);
  assert_status (SIGNATURES HEADER, BODY "\r\n \r\n", PR_DKIM_PASS, NULL);
  assert_status (SIGNATURES "X-More: 1\r\n" HEADER, BODY, PR_DKIM_PASS, NULL);
  assert_status (SIGNATURES HEADER, "x" BODY, PR_DKIM_FAIL, "body was changed");
  assert_status (SIGNATURES HEADER "Subject: Free money\r\n", BODY, PR_DKIM_FAIL,
                 "header was changed"); /* signed once more than it was there */
  assert_status (SIGNATURES "From: eve@example.net\r\n" HEADER, BODY, PR_DKIM_FAIL,
                 "header was changed");
}

/* Another tag in the first signature; its key is not asked of DNS when that is fault enough. */
static void
test_unusable (void)
{
  static const struct
  {
    const char *tags, *problem;
    PrDkimStatus status;
  } cases[] = {
    { "v=2; a=rsa-sha256; d=D; s=test; h=from; bh=H; b=B", "another version", PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha1; d=D; s=test; h=from; bh=H; b=B", "proves nothing", PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; d=D; s=test; h=to; bh=H; b=B", "not cover From", PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; d=D; s=test; bh=H; b=B", "names no fields", PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; s=test; h=from; bh=H; b=B", "whose it is", PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; d=D; s=test; h=from; b=B", "incomplete", PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; d=D; s=test; h=from; bh=H; b=", "incomplete", PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; d=D; s=test; i=a@b.org; h=from; bh=H; b=B", "outside of its domain",
      PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; d=D; s=test; c=loose; h=from; bh=H; b=B", "form is unknown",
      PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; d=D; s=test; l=x; h=from; bh=H; b=B", "number", PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; d=D; s=test; l=9999; c=relaxed/relaxed; h=from; bh=H; b=B",
      "shorter than", PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; d=D; s=test; x=1528637909; h=from; bh=H; b=B", "expired", PR_DKIM_FAIL },
    { "v=1; a=rsa-sha256; d=D; s=test; t=9; x=8; h=from; bh=H; b=B", "before it was made",
      PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; d=D; s=none; c=relaxed/relaxed; h=from; bh=H; b=B", "no such key",
      PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; d=D; s=away; c=relaxed/relaxed; h=from; bh=H; b=B", "no answer",
      PR_DKIM_TEMPERROR },
    { "v=1; a=rsa-sha256; d=D; s=brisbane; c=relaxed/relaxed; h=from; bh=H; b=B", "another kind",
      PR_DKIM_PERMERROR },
    { "v=1; a=rsa-sha256; d=D; s=test; c=relaxed/relaxed; h=from; bh=H; b=B", "key is another",
      PR_DKIM_FAIL },
    { "hello", "cannot be read", PR_DKIM_PERMERROR },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) header = g_string_new ("DKIM-Signature: ");

      g_string_append (header, cases[i].tags);
      g_string_replace (header, "=D;", "=football.example.com;", 0);
      g_string_replace (header, "=H;", "=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;", 0);
      g_string_replace (header, "b=B", "b=aGVsbG8=", 0);
      g_string_append (header, "\r\n" HEADER);
      assert_status (header->str, BODY, cases[i].status, cases[i].problem);
    }
}

static char *
sign (const PrDkimSecret *secret, const char *header, const char *body)
{
  g_autoptr (PrCanonBody) canon = pr_canon_body_new (PR_CANON_RELAXED, G_MAXUINT64);
  guint8 hash[PR_CANON_HASH_LEN];

  pr_canon_body_feed (canon, body, strlen (body));
  pr_canon_body_finish (canon, hash);
  return pr_dkim_sign (
    &(PrDkimSigning){
      .domain = "office.example", .selector = "postroom1", .secret = secret, .time_s = NOW_S },
    header, strlen (header), hash);
}

static PrDkimStatus
status_of (const char *field, const char *header, const char *body, const char *record)
{
  g_autofree char *whole = g_strconcat (field, header, NULL);
  g_autoptr (PrDkimVerifier) verifier = read_message (whole, body);
  g_autoptr (PrLookups) lookups = pr_lookups_new ();

  publish (lookups, "postroom1._domainkey.office.example", record);
  g_assert_true (pr_dkim_verifier_check (verifier, lookups, NOW_S));
  return pr_dkim_verifier_get (verifier, 0)->status;
}

static void
test_own (gconstpointer algorithm)
{
  g_autoptr (PrDkimSecret) secret = pr_dkim_secret_new (GPOINTER_TO_UINT (algorithm), NULL);
  g_autofree char *record = pr_dkim_secret_to_record (secret);
  g_autofree char *field = sign (secret, HEADER, BODY);
  g_auto (GStrv) lines = g_strsplit (field, "\r\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    g_assert_cmpuint (strlen (lines[i]), <=, 78);
  g_assert_true (g_str_has_suffix (field, "\r\n"));

  g_assert_cmpint (status_of (field, HEADER, BODY, record), ==, PR_DKIM_PASS);
  g_assert_cmpint (status_of (field, HEADER, BODY "x", record), ==, PR_DKIM_FAIL);
  g_assert_cmpint (status_of (field, HEADER "Cc: more@example.org\r\n", BODY, record), ==,
                   PR_DKIM_FAIL);
  g_assert_cmpint (status_of (field, HEADER "Reply-To: eve@example.org\r\n", BODY, record), ==,
                   PR_DKIM_FAIL);
  g_assert_cmpint (status_of (field, "Received: by x\r\n" HEADER, BODY, record), ==, PR_DKIM_PASS);
}

static void
test_without_anything (void)
{
  g_autoptr (PrDkimSecret) secret = pr_dkim_secret_new (PR_DKIM_ED25519_SHA256, NULL);
  g_autofree char *record = pr_dkim_secret_to_record (secret);
  g_autofree char *field = sign (secret, "", "");

  g_assert_cmpint (status_of (field, "", "", record), ==, PR_DKIM_PASS);
  g_assert_cmpint (status_of (field, "From: a@b.example\r\n", "", record), ==, PR_DKIM_FAIL);
}

static void
test_unsigned_field (void)
{
  const char *text = "DKIM-Signature: v=1; b=AB\r\n CD; bh=xy";
  PrCanonField field = { .text = text, .len = strlen (text), .name_len = 14 };
  g_autoptr (GString) out = g_string_new (NULL);
  PrDkimFields read;

  pr_dkim_append_unsigned (out, &field, PR_CANON_SIMPLE);
  g_assert_cmpstr (out->str, ==, "DKIM-Signature: v=1; b=; bh=xy");
  g_assert_nonnull (pr_dkim_fields_read (&read, &field, PR_DKIM_SIGNATURE));
  pr_dkim_fields_clear (&read);
}

/* Ten are looked at, the eleventh is counted, no more are kept. */
static void
test_too_many (void)
{
  g_autoptr (GString) header = g_string_new (NULL);
  g_autoptr (PrDkimVerifier) verifier = NULL;
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  guint last;

  for (guint i = 0; i < 30; i++)
    g_string_append (header, SIGNATURES);
  g_string_append (header, HEADER);
  verifier = read_message (header->str, BODY);
  publish (lookups, "brisbane._domainkey.football.example.com", BRISBANE);
  publish (lookups, "test._domainkey.football.example.com", TEST);
  g_assert_true (pr_dkim_verifier_check (verifier, lookups, NOW_S));
  last = pr_dkim_verifier_count (verifier) - 1;
  g_assert_cmpuint (last, ==, PR_DKIM_MAX_SIGNATURES);
  g_assert_cmpint (pr_dkim_verifier_get (verifier, last)->status, ==, PR_DKIM_NEUTRAL);
}

/* l= leaves room for what somebody adds; that must show. */
static void
test_partial (void)
{
  const char *header =
    "DKIM-Signature: v=1; a=rsa-sha256; c=simple; d=football.example.com; s=test;"
    " l=0; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=aGVsbG8=\r\n" HEADER;
  g_autoptr (PrDkimVerifier) verifier = read_message (header, BODY);
  g_autoptr (PrLookups) lookups = pr_lookups_new ();

  publish (lookups, "test._domainkey.football.example.com", TEST);
  g_assert_true (pr_dkim_verifier_check (verifier, lookups, NOW_S));
  g_assert_true (pr_dkim_verifier_get (verifier, 0)->partial);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/dkim/of-the-rfc", test_of_the_rfc);
  g_test_add_func ("/dkim/changes", test_changes);
  g_test_add_func ("/dkim/unusable", test_unusable);
  g_test_add_data_func ("/dkim/own-rsa", GUINT_TO_POINTER (PR_DKIM_RSA_SHA256), test_own);
  g_test_add_data_func ("/dkim/own-ed25519", GUINT_TO_POINTER (PR_DKIM_ED25519_SHA256), test_own);
  g_test_add_func ("/dkim/without-anything", test_without_anything);
  g_test_add_func ("/dkim/unsigned-field", test_unsigned_field);
  g_test_add_func ("/dkim/too-many", test_too_many);
  g_test_add_func ("/dkim/partial", test_partial);
  return g_test_run ();
}
