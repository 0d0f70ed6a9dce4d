/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The service as a whole. */

#include "config.h"

#include <unistd.h>

#include "net/authority.h"
#include "net/networks.h"
#include "service/control-private.h"
#include "service/state.h"
#include "smtp/address.h"

#define MAX_BLOCKED 100 /* next hops that are named */

static void
add_queue (GVariantBuilder *builder, PrControl *self, const PrStoreCounts *queue)
{
  PrJournalCounts counts;

  pr_journal_get_counts (pr_engine_get_journal (self->engine), &counts);
  pr_control_add_u64 (builder, "messages", queue->n_messages);
  pr_control_add_u64 (builder, "queued", queue->n_queued);
  pr_control_add_u64 (builder, "held", queue->n_held);
  pr_control_add_u64 (builder, "failed", queue->n_failed);
  pr_control_add_u64 (builder, "size", queue->size_octets);
  pr_control_add_u64 (builder, "free-space",
                      pr_store_get_free_space (pr_engine_get_store (self->engine)));
  pr_control_add_u64 (builder, "received", counts.n_received);
  pr_control_add_u64 (builder, "delivered", counts.n_delivered);
  pr_control_add_u64 (builder, "deferred", counts.n_deferred);
  pr_control_add_u64 (builder, "bounced", counts.n_failed);
  pr_control_add_u64 (builder, "refused", counts.n_refused);
}

static void
add_addresses (GVariantBuilder *builder, PrControl *self)
{
  g_autoptr (GPtrArray) addresses = pr_server_get_addresses (pr_engine_get_server (self->engine));

  g_variant_builder_add (
    builder, "{sv}", "addresses",
    g_variant_new_strv ((const char *const *) addresses->pdata, (gssize) addresses->len));
}

static void
add_blocked_hop (const PrBlocked *blocked, gpointer user_data)
{
  static const char *const kinds[] = {
    [PR_BLOCKED_FAILED] = "failed",
    [PR_BLOCKED_NETWORK] = "network",
    [PR_BLOCKED_SIGN_IN] = "sign-in",
    [PR_BLOCKED_PACED] = "paced",
  };
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  pr_control_add_string (&builder, "hop", blocked->hop);
  pr_control_add_string (&builder, "reason", blocked->reason);
  pr_control_add_time (&builder, "until", blocked->until_us);
  pr_control_add_string (&builder, "kind", kinds[blocked->kind]);
  g_variant_builder_add_value (user_data, g_variant_builder_end (&builder));
}

static void
add_blocked (GVariantBuilder *builder, PrControl *self)
{
  GVariantBuilder hops;

  g_variant_builder_init (&hops, G_VARIANT_TYPE ("aa{sv}"));
  pr_runner_list_blocked (pr_engine_get_runner (self->engine), MAX_BLOCKED, add_blocked_hop, &hops);
  g_variant_builder_add (builder, "{sv}", "blocked", g_variant_builder_end (&hops));
}

static gboolean
on_get_status (PrDbusService1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  PrControl *self = user_data;
  PrLives *lives = pr_engine_get_lives (self->engine);
  PrStoreCounts queue;
  PrRunnerStats runner;
  GVariantBuilder builder;
  g_autofree char *state = NULL;

  pr_store_get_counts (pr_engine_get_store (self->engine), &queue);
  pr_runner_get_stats (pr_engine_get_runner (self->engine), &runner);
  state = pr_state_describe (self->engine);

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  pr_control_add_string (&builder, "state", state);
  pr_control_add_string (&builder, "version", PR_VERSION);
  pr_control_add_time (&builder, "started", pr_engine_get_started_us (self->engine));
  pr_control_add_uint (&builder, "pid", (guint) getpid ());
  pr_control_add_string (&builder, "home", self->home->data);
  pr_control_add_string (&builder, "hostname", pr_engine_get_config (self->engine)->hostname);
  add_addresses (&builder, self);
  pr_control_add_bool (&builder, "receiving-paused",
                       pr_server_is_paused (pr_engine_get_server (self->engine)));
  pr_control_add_bool (&builder, "sending-paused", runner.paused);
  pr_control_add_bool (&builder, "network", runner.network_available);
  add_queue (&builder, self, &queue);
  pr_control_add_uint (&builder, "connections-in", pr_lives_count (lives, FALSE));
  pr_control_add_uint (&builder, "connections-out", pr_lives_count (lives, TRUE));
  add_blocked (&builder, self);
  pr_control_add_bool (&builder, "start-at-login", pr_dbus_service1_get_start_at_login (skeleton));

  pr_dbus_service1_complete_get_status (skeleton, invocation, g_variant_builder_end (&builder));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_set_paused (PrDbusService1 *skeleton, GDBusMethodInvocation *invocation, const char *what,
               gboolean paused, gpointer user_data)
{
  PrControl *self = user_data;

  if (!pr_state_set_paused (self->engine, what, paused))
    {
      pr_control_bad_args (invocation, "Only receiving and sending can be paused");
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }

  pr_dbus_service1_complete_set_paused (skeleton, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

typedef struct
{
  GDBusMethodInvocation *invocation;
  gint64 id;
} TestMail;

static void
on_test_mail_stored (const GError *error, gpointer user_data)
{
  g_autofree TestMail *test = user_data;
  char id[PR_ID_LEN + 1];

  if (error != NULL)
    pr_control_refuse (test->invocation, "The test mail could not be stored: %s", error->message);
  else
    g_dbus_method_invocation_return_value (test->invocation,
                                           g_variant_new ("(s)", pr_id_format (test->id, id)));
}

static gboolean
on_send_test_mail (PrDbusService1 *skeleton, GDBusMethodInvocation *invocation, const char *to,
                   gpointer user_data)
{
  PrControl *self = user_data;
  g_autofree char *address = NULL;
  const char *fault;
  TestMail *test;

  if (!pr_address_parse (to, &address, &fault))
    {
      pr_control_refuse (invocation, "%s is not an address mail can go to: %s", to, fault);
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }

  test = g_new0 (TestMail, 1);
  test->invocation = invocation;
  test->id = pr_engine_send_test (self->engine, address, on_test_mail_stored, test);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ── Starting at login ────────────────────────────────────────────────────────────────────── */

static void
on_start_known (gboolean starts, const char *why, gpointer user_data)
{
  PrControlCall *call = user_data;

  if (call->control->engine != NULL)
    pr_dbus_service1_set_start_at_login (call->control->service, starts);
  pr_control_call_free (call);
}

static void
on_start_set (gboolean starts, const char *why, gpointer user_data)
{
  g_autoptr (PrControlCall) call = user_data;

  if (pr_control_call_is_late (call))
    return;

  /* The property first: whoever hears the answer may read it. */
  pr_dbus_service1_set_start_at_login (call->control->service, starts);
  g_dbus_interface_skeleton_flush (G_DBUS_INTERFACE_SKELETON (call->control->service));
  g_dbus_method_invocation_return_value (call->invocation,
                                         g_variant_new ("(bs)", starts, why != NULL ? why : ""));
}

static gboolean
on_set_start_at_login (PrDbusService1 *skeleton, GDBusMethodInvocation *invocation, gboolean start,
                       gpointer user_data)
{
  PrControl *self = user_data;

  if (self->autostart == NULL)
    pr_control_refuse (invocation, "This service does not start at login");
  else
    pr_autostart_set (self->autostart, start, on_start_set, pr_control_call_new (self, invocation));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static void
look_at_start (gpointer user_data)
{
  PrControl *self = user_data;

  pr_autostart_get (self->autostart, on_start_known, pr_control_call_new (self, NULL));
}

void
pr_control_set_autostart (PrControl *self, PrAutostart *autostart)
{
  if (self->autostart != NULL)
    pr_autostart_set_changed (self->autostart, NULL, NULL);
  self->autostart = autostart;
  if (autostart == NULL)
    return;

  pr_autostart_set_changed (autostart, look_at_start, self);
  look_at_start (self);
}

/* ── Where others find this computer ──────────────────────────────────────────────────────── */

static gboolean
on_get_networks (PrDbusService1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  g_autoptr (GPtrArray) networks = pr_networks_list ();
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < networks->len; i++)
    {
      const PrNetwork *network = networks->pdata[i];
      GVariantBuilder builder;

      g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
      pr_control_add_string (&builder, "interface", network->interface);
      pr_control_add_string (&builder, "address", network->address);
      pr_control_add_string (&builder, "network", network->network);
      pr_control_add_bool (&builder, "private", network->is_private);
      g_variant_builder_add_value (&list, g_variant_builder_end (&builder));
    }
  pr_dbus_service1_complete_get_networks (skeleton, invocation, g_variant_builder_end (&list));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ── What devices are to trust ────────────────────────────────────────────────────────────── */

static void
on_authority_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) pem = g_file_load_bytes_finish (G_FILE (source), result, NULL, NULL);
  g_autoptr (GBytes) certificate = NULL;
  const char *format;

  /* What cannot be read is not there, for who asks. */
  g_variant_get (g_dbus_method_invocation_get_parameters (invocation), "(&s)", &format);
  certificate = pr_authority_convert (pem, format, &error);
  if (certificate == NULL)
    {
      pr_control_refuse (invocation, "%s", error->message);
      return;
    }
  g_dbus_method_invocation_return_value (
    invocation, g_variant_new ("(@ay)", g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING,
                                                                  certificate, TRUE)));
}

static gboolean
on_export_certificate (PrDbusService1 *skeleton, GDBusMethodInvocation *invocation,
                       const char *format, gpointer user_data)
{
  PrControl *self = user_data;
  g_autofree char *path = g_build_filename (self->home->data, "tls", PR_AUTHORITY_FILE, NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);

  g_file_load_bytes_async (file, NULL, on_authority_read, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static void
add_certificate (const PrShownCertificate *shown, gpointer user_data)
{
  const PrCertificate *certificate = shown->certificate;
  g_autoptr (GString) fingerprint = g_string_new ("SHA256:");
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  pr_control_add_string (&builder, "listener", shown->listener);
  pr_control_add_bool (&builder, "own", shown->is_own);
  if (certificate != NULL)
    {
      for (gsize i = 0; i < sizeof certificate->sha256; i++)
        g_string_append_printf (fingerprint, "%02x", certificate->sha256[i]);
      g_variant_builder_add (&builder, "{sv}", "names",
                             g_variant_new_strv ((const char *const *) certificate->names, -1));
      pr_control_add_string (&builder, "issuer", certificate->issuer);
      pr_control_add_bool (&builder, "self-signed", certificate->is_self_signed);
      pr_control_add_time (&builder, "expires", certificate->expiry_s * G_USEC_PER_SEC);
      pr_control_add_string (&builder, "fingerprint", fingerprint->str);
    }
  pr_control_add_string (&builder, "trouble", shown->trouble);
  g_variant_builder_add_value (user_data, g_variant_builder_end (&builder));
}

static gboolean
on_list_certificates (PrDbusService1 *skeleton, GDBusMethodInvocation *invocation,
                      gpointer user_data)
{
  PrControl *self = user_data;
  GVariantBuilder list = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  PrServer *server = pr_engine_get_server (self->engine);

  pr_certificates_list (pr_server_get_certificates (server), add_certificate, &list);
  pr_dbus_service1_complete_list_certificates (skeleton, invocation, g_variant_builder_end (&list));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

PrDbusService1 *
pr_control_make_service (PrControl *self)
{
  PrDbusService1 *skeleton = pr_dbus_service1_skeleton_new ();

  pr_dbus_service1_set_version (skeleton, PR_VERSION);
  g_signal_connect (skeleton, "handle-get-status", G_CALLBACK (on_get_status), self);
  g_signal_connect (skeleton, "handle-set-paused", G_CALLBACK (on_set_paused), self);
  g_signal_connect (skeleton, "handle-send-test-mail", G_CALLBACK (on_send_test_mail), self);
  g_signal_connect (skeleton, "handle-set-start-at-login", G_CALLBACK (on_set_start_at_login),
                    self);
  g_signal_connect (skeleton, "handle-get-networks", G_CALLBACK (on_get_networks), self);
  pr_control_connect_alerts (self, skeleton);
  g_signal_connect (skeleton, "handle-export-certificate", G_CALLBACK (on_export_certificate),
                    self);
  g_signal_connect (skeleton, "handle-list-certificates", G_CALLBACK (on_list_certificates), self);

  return skeleton;
}
