/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the assistant and the sheet for a device know without a service: ui/reach, ui/diagnosis,
 * ui/device-card. */

#include <string.h>

#include "ui/device-card.h"
#include "ui/diagnosis.h"
#include "ui/reach.h"

#define NETWORKS                                                                                   \
  "[{'interface': <'a'>, 'address': <'192.0.2.1'>, 'network': <'192.0.2.0/24'>, 'private': "       \
  "<false>}, {'interface': <'b'>, 'address': <'fd00::7'>, 'network': <'fd00::/64'>, 'private': "   \
  "<true>}, {'interface': <'b'>, 'address': <'10.1.2.3'>, 'network': <'10.1.2.0/24'>, "            \
  "'private': <true>}]"

static GVariant *
parse (const char *type, const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = g_variant_parse (G_VARIANT_TYPE (type), text, NULL, NULL, &error);

  g_assert_no_error (error);
  return value; /* it does not float */
}

static void
assert_edits (const char *conf, gboolean without_password, const char *edits, const char *undo)
{
  g_autoptr (GVariant) networks = parse ("aa{sv}", NETWORKS);
  g_autoptr (GVariant) back = NULL;
  g_autoptr (GVariant) made = pr_reach_make_edits (conf, networks, without_password, &back);
  g_autofree char *made_text = g_variant_print (made, FALSE);
  g_autofree char *back_text = g_variant_print (back, FALSE);

  g_assert_cmpstr (made_text, ==, edits);
  g_assert_cmpstr (back_text, ==, undo);
}

static void
test_edits (void)
{
  assert_edits ("", FALSE, "[('set', 'listener main', 'listen', '0.0.0.0:2525;[::]:2525')]",
                "[('remove', 'listener main', '', '')]");
  assert_edits ("[listener a]\nlisten=127.0.0.1:25\n", FALSE,
                "[('set', 'listener a', 'listen', '0.0.0.0:25')]",
                "[('set', 'listener a', 'listen', '127.0.0.1:25')]");
  assert_edits ("[listener a]\nlisten=10.1.2.3:25\n[access]\nrelay-networks=fd00::/64\n", TRUE,
                "[('add', 'access', 'relay-networks', '10.1.2.0/24')]",
                "[('take', 'access', 'relay-networks', '10.1.2.0/24')]");
  assert_edits ("[listener a]\nlisten=10.1.2.3:25\n", FALSE, "[]", "[]");
}

static void
test_address (void)
{
  g_autoptr (GVariant) networks = parse ("aa{sv}", NETWORKS);
  g_autoptr (GVariant) none = parse ("aa{sv}", "@aa{sv} []");
  const char *network = NULL;

  g_assert_cmpstr (pr_reach_find_address (networks, &network), ==, "10.1.2.3");
  g_assert_cmpstr (network, ==, "10.1.2.0/24");
  g_assert_null (pr_reach_find_address (none, NULL));
}

static void
assert_diagnosis (const char *text, gboolean good, PrStep step, PrRemedy remedy)
{
  g_autoptr (GVariant) event = parse ("a{sv}", text);
  PrDiagnosis diagnosis;

  g_assert_true (pr_diagnosis_read (event, "m1", "out", &diagnosis));
  g_assert_cmpint (diagnosis.is_good, ==, good);
  g_assert_cmpint (diagnosis.step, ==, step);
  g_assert_cmpint (diagnosis.remedy, ==, remedy);
  g_assert_cmpstr (diagnosis.words, !=, "");
}

static void
test_diagnosis (void)
{
  g_autoptr (GVariant) other = parse ("a{sv}", "{'kind': <'delivered'>, 'message': <'m2'>}");
  PrDiagnosis diagnosis;

  g_assert_false (pr_diagnosis_read (other, "m1", "out", &diagnosis));
  g_assert_false (pr_diagnosis_read (other, NULL, NULL, &diagnosis));
  assert_diagnosis ("{'kind': <'delivered'>, 'message': <'m1'>}", TRUE, PR_STEP_ACCEPTED,
                    PR_REMEDY_NONE);
  assert_diagnosis ("{'kind': <'sign-in-needed'>, 'route': <'out'>}", FALSE, PR_STEP_SECURED,
                    PR_REMEDY_SIGN_IN);
  assert_diagnosis ("{'kind': <'deferred'>, 'message': <'m1'>, 'text': <'the Certificate of x'>}",
                    FALSE, PR_STEP_REACHED, PR_REMEDY_SIGN_IN);
  assert_diagnosis ("{'kind': <'deferred'>, 'message': <'m1'>}", FALSE, PR_STEP_QUEUED,
                    PR_REMEDY_SIGN_IN);
  assert_diagnosis ("{'kind': <'failed'>, 'message': <'m1'>, 'code': <uint32 553>, 'text': "
                    "<'sender not allowed'>}",
                    FALSE, PR_STEP_SIGNED_IN, PR_REMEDY_SENDER);
  assert_diagnosis ("{'kind': <'failed'>, 'message': <'m1'>, 'code': <uint32 554>}", FALSE,
                    PR_STEP_SIGNED_IN, PR_REMEDY_AGAIN);
}

static void
test_card_pdf (void)
{
  g_auto (PrDeviceCard) card = { .device = g_strdup ("Printer <at> the door"),
                                 .server = g_strdup ("office.local"),
                                 .port = g_strdup ("2525"),
                                 .password = g_strdup ("abc") };
  g_autofree char *text = pr_device_card_make_text (&card);
  g_autoptr (GBytes) pdf = pr_device_card_make_pdf (&card);
  gsize size;
  const char *octets = g_bytes_get_data (pdf, &size);

  g_assert_true (g_str_has_prefix (text, "Server: office.local\n"));
  g_assert_true (g_str_has_suffix (text, "\nPassword: abc\n"));
  g_assert_cmpuint (size, >, 2000);
  g_assert_true (memcmp (octets, "%PDF-", 5) == 0);
}

/* Too much for a QR code: a sheet all the same. */
static void
test_card_long (void)
{
  g_auto (PrDeviceCard) card = { .device = g_strdup ("x"), .server = g_strnfill (5000, 's') };
  g_autoptr (GBytes) pdf = pr_device_card_make_pdf (&card);

  g_assert_cmpuint (g_bytes_get_size (pdf), >, 1000);
}

static void
test_card_names (void)
{
  static const struct
  {
    const char *device, *user;
  } cases[] = {
    { "Printer", "printer-3" }, { "Scan to Mail (2nd floor)", "scan-to-mail-2nd-floor" },
    { "Küche", "kuche" },       { "…", "device" },
    { "", "device" },           { " -Fax- ", "fax" },
  };
  static const char *const groups[] = { "server", "user printer", "user printer-2", NULL };
  g_autofree char *first = pr_device_card_make_password ();
  g_autofree char *second = pr_device_card_make_password ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *user = pr_device_card_make_user (cases[i].device, groups);

      g_assert_cmpstr (user, ==, cases[i].user);
    }
  g_assert_cmpuint (strlen (first), ==, 16);
  g_assert_cmpstr (first, !=, second);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/assistant/reach/edits", test_edits);
  g_test_add_func ("/assistant/reach/address", test_address);
  g_test_add_func ("/assistant/diagnosis", test_diagnosis);
  g_test_add_func ("/device-card/pdf", test_card_pdf);
  g_test_add_func ("/device-card/long", test_card_long);
  g_test_add_func ("/device-card/names", test_card_names);
  return g_test_run ();
}
