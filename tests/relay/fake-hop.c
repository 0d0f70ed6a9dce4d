/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/fake-hop.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/channel.h"
#include "net/listener.h"

typedef struct
{
  char *command, *reply;
  int times;
} Rule;

struct _FakeHop
{
  PrLoop *loop;
  PrListener *listener; /* or: */
  PrWatch watch;
  gboolean lmtp;
  char *ehlo;
  PrTlsServer *tls; /* owned, nullable */
  gboolean implicit;
  GPtrArray *rules;    /* of Rule */
  GPtrArray *mail;     /* of FakeMail */
  GPtrArray *commands; /* of char */
  GList *peers;        /* of Peer */
  GList *dead;         /* of Peer, freed with the hop */
  guint n_connections, n_open, n_most, n_resumed;
};

typedef struct
{
  FakeHop *hop;
  PrChannel *channel;
  GString *in;
  FakeMail *mail;
  gboolean in_data, half, mute;
  gboolean greeted;
} Peer;

static void
free_rule (gpointer data)
{
  Rule *rule = data;

  g_free (rule->command);
  g_free (rule->reply);
  g_free (rule);
}

static void
free_mail (gpointer data)
{
  FakeMail *mail = data;

  g_free (mail->sender);
  g_ptr_array_unref (mail->recipients);
  g_string_free (mail->text, TRUE);
  g_free (mail);
}

static FakeMail *
new_mail (const char *sender)
{
  FakeMail *mail = g_new0 (FakeMail, 1);

  mail->sender = g_strdup (sender);
  mail->recipients = g_ptr_array_new_with_free_func (g_free);
  mail->text = g_string_new (NULL);
  return mail;
}

static void
free_peer (gpointer data)
{
  Peer *peer = data;

  g_clear_pointer (&peer->channel, pr_channel_free);
  g_clear_pointer (&peer->mail, free_mail);
  g_string_free (peer->in, TRUE);
  g_free (peer);
}

static void
drop (Peer *peer)
{
  FakeHop *hop = peer->hop;

  g_clear_pointer (&peer->channel, pr_channel_free);
  hop->peers = g_list_remove (hop->peers, peer);
  hop->dead = g_list_prepend (hop->dead, peer);
  hop->n_open--;
}

static const char *
find_reply (FakeHop *hop, const char *command, const char *usual)
{
  for (guint i = hop->rules->len; i > 0; i--)
    {
      Rule *rule = hop->rules->pdata[i - 1];

      if (rule->times == 0 || !g_str_has_prefix (command, rule->command))
        continue;
      if (rule->times > 0)
        rule->times--;
      return rule->reply;
    }
  return usual;
}

/* FALSE: the connection is gone. */
static gboolean
say (Peer *peer, const char *reply)
{
  g_autofree char *line = NULL;

  if (strcmp (reply, "DROP") == 0)
    {
      drop (peer);
      return FALSE;
    }
  if (strcmp (reply, "WAIT") == 0)
    return TRUE;
  peer->mute = peer->mute || strcmp (reply, "MUTE") == 0;
  if (peer->mute)
    return TRUE;
  line = g_strconcat (reply, "\r\n", NULL);
  pr_channel_write (peer->channel, line, strlen (line));
  return TRUE;
}

static gboolean
say_ehlo (Peer *peer, const char *reply)
{
  g_auto (GStrv) lines = NULL;

  if (peer->hop->ehlo == NULL || !g_str_has_prefix (reply, "250"))
    return say (peer, reply);
  lines = g_strsplit (peer->hop->ehlo, "\n", -1);
  say (peer, "250-fake");
  if (peer->hop->tls != NULL && !pr_channel_is_secure (peer->channel))
    say (peer, "250-STARTTLS");
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *line = g_strconcat (lines[i + 1] != NULL ? "250-" : "250 ", lines[i], NULL);

      say (peer, line);
    }
  return TRUE;
}

static gboolean
end_mail (Peer *peer)
{
  FakeHop *hop = peer->hop;
  FakeMail *mail = g_steal_pointer (&peer->mail);
  guint n = hop->lmtp ? mail->recipients->len : 1;
  gboolean any = FALSE, alive = TRUE;

  peer->in_data = peer->half = FALSE;
  for (guint i = 0; alive && i < n; i++)
    {
      const char *reply = find_reply (hop, ".", "250 2.0.0 Thanks");

      any = any || g_str_has_prefix (reply, "250");
      alive = say (peer, reply);
    }
  if (any)
    g_ptr_array_add (hop->mail, mail);
  else
    free_mail (mail);
  return alive;
}

static gboolean
on_rcpt (Peer *peer, const char *line)
{
  const char *reply =
    find_reply (peer->hop, line, peer->mail != NULL ? "250 2.1.5 Fine" : "503 5.5.1 No sender");

  if (g_str_has_prefix (reply, "250") && peer->mail != NULL)
    g_ptr_array_add (peer->mail->recipients, g_strdup (line + strlen ("RCPT TO:")));
  return say (peer, reply);
}

static gboolean
on_command (Peer *peer, const char *line)
{
  FakeHop *hop = peer->hop;

  g_ptr_array_add (hop->commands, g_strdup (line));
  if (g_str_has_prefix (line, "EHLO") || g_str_has_prefix (line, "LHLO"))
    return say_ehlo (peer, find_reply (hop, line, "250 fake"));
  if (g_str_has_prefix (line, "MAIL"))
    {
      const char *reply = find_reply (hop, line, "250 2.1.0 Fine");

      g_clear_pointer (&peer->mail, free_mail);
      if (g_str_has_prefix (reply, "250"))
        {
          peer->mail = new_mail (line + strlen ("MAIL FROM:"));
          peer->mail->secure = pr_channel_is_secure (peer->channel);
        }
      return say (peer, reply);
    }
  if (g_str_has_prefix (line, "RCPT"))
    return on_rcpt (peer, line);
  if (g_str_has_prefix (line, "DATA"))
    {
      const char *usual =
        peer->mail != NULL && peer->mail->recipients->len > 0 ? "354 Go" : "503 5.5.1 No recipient";
      const char *reply = find_reply (hop, line, usual);

      peer->in_data = g_str_has_prefix (reply, "354");
      return say (peer, reply);
    }
  if (g_str_has_prefix (line, "STARTTLS"))
    {
      const char *reply = find_reply (hop, line, "220 2.0.0 Go");

      if (!say (peer, reply))
        return FALSE;
      if (g_str_has_prefix (reply, "220"))
        pr_channel_start_tls_server (peer->channel, hop->tls);
      return TRUE;
    }
  if (g_str_has_prefix (line, "QUIT"))
    {
      say (peer, find_reply (hop, line, "221 2.0.0 Bye"));
      drop (peer);
      return FALSE;
    }
  return say (peer, find_reply (hop, line, "250 2.0.0 Fine"));
}

static gboolean
on_data_line (Peer *peer, const char *line, gsize len)
{
  if (len == 1 && *line == '.')
    {
      g_ptr_array_add (peer->hop->commands, g_strdup (line));
      return end_mail (peer);
    }
  if (!peer->half)
    {
      peer->half = TRUE;
      if (strcmp (find_reply (peer->hop, "half", ""), "DROP") == 0)
        {
          drop (peer);
          return FALSE;
        }
    }
  if (*line == '.')
    line++, len--;
  g_string_append_len (peer->mail->text, line, (gssize) len);
  g_string_append (peer->mail->text, "\r\n");
  return TRUE;
}

static gsize
on_received (gpointer owner, const char *data, gsize len)
{
  Peer *peer = owner;
  char *end;

  g_string_append_len (peer->in, data, (gssize) len);
  while ((end = strstr (peer->in->str, "\r\n")) != NULL)
    {
      gsize line_len = (gsize) (end - peer->in->str);
      g_autofree char *line = g_strndup (peer->in->str, line_len);

      g_string_erase (peer->in, 0, (gssize) line_len + 2);
      if (!(peer->in_data ? on_data_line (peer, line, line_len) : on_command (peer, line)))
        break;
    }
  return len;
}

static void
on_closed (gpointer owner, const GError *error)
{
  drop (owner);
}

static void
on_timed_out (gpointer owner)
{
  g_assert_not_reached ();
}

static void
greet (Peer *peer)
{
  peer->greeted = TRUE;
  say (peer, find_reply (peer->hop, "greeting", "220 fake ready"));
}

static void
on_secured (gpointer owner)
{
  Peer *peer = owner;

  peer->hop->n_resumed += pr_channel_get_tls (peer->channel)->resumed;
  if (!peer->greeted)
    greet (peer);
}

static const PrChannelHandler handler = {
  .received = on_received,
  .closed = on_closed,
  .timed_out = on_timed_out,
  .secured = on_secured,
};

static void
on_accept (PrListener *listener, int fd, const PrIp *ip, guint16 port, gpointer user_data)
{
  FakeHop *hop = user_data;
  Peer *peer = g_new0 (Peer, 1);

  peer->hop = hop;
  peer->in = g_string_new (NULL);
  peer->channel = pr_channel_new_accepted (hop->loop, fd, &handler, peer);
  hop->peers = g_list_prepend (hop->peers, peer);
  hop->n_connections++;
  hop->n_open++;
  hop->n_most = MAX (hop->n_most, hop->n_open);
  if (hop->implicit)
    pr_channel_detect_tls (peer->channel, hop->tls, TRUE);
  else
    greet (peer);
}

static void
on_knock (PrWatch *watch, PrIo ready, gpointer user_data)
{
  int fd = accept4 (watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

  if (fd >= 0)
    on_accept (NULL, fd, NULL, 0, user_data);
}

static FakeHop *
new_hop (PrLoop *loop, gboolean lmtp)
{
  FakeHop *self = g_new0 (FakeHop, 1);

  self->loop = loop;
  self->lmtp = lmtp;
  self->rules = g_ptr_array_new_with_free_func (free_rule);
  self->mail = g_ptr_array_new_with_free_func (free_mail);
  self->commands = g_ptr_array_new_with_free_func (g_free);
  fake_hop_set_ehlo (self, "PIPELINING\n8BITMIME\nENHANCEDSTATUSCODES\nDSN\nSIZE");
  return self;
}

FakeHop *
fake_hop_new (PrLoop *loop, const char *ip, guint16 port, gboolean lmtp)
{
  FakeHop *self = new_hop (loop, lmtp);
  g_autofree char *address = g_strdup_printf ("%s:%u", ip, port);
  g_autoptr (GError) error = NULL;

  self->listener = pr_listener_new (loop, address, on_accept, self, &error);
  g_assert_no_error (error);
  return self;
}

FakeHop *
fake_hop_new_unix (PrLoop *loop, const char *path)
{
  FakeHop *self = new_hop (loop, TRUE);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpuint (g_strlcpy (address.sun_path, path, sizeof address.sun_path), <,
                    sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 16), ==, 0);
  pr_watch_start (&self->watch, loop, fd, PR_IO_IN, on_knock, self);
  return self;
}

void
fake_hop_free (FakeHop *self)
{
  g_clear_pointer (&self->listener, pr_listener_free);
  if (self->watch.loop != NULL)
    {
      int fd = self->watch.fd;

      pr_watch_stop (&self->watch);
      close (fd);
    }
  g_list_free_full (self->peers, free_peer);
  g_list_free_full (self->dead, free_peer);
  g_ptr_array_unref (self->rules);
  g_ptr_array_unref (self->mail);
  g_ptr_array_unref (self->commands);
  g_clear_pointer (&self->tls, pr_tls_server_unref);
  g_free (self->ehlo);
  g_free (self);
}

guint16
fake_hop_get_port (FakeHop *self)
{
  const char *address = pr_listener_get_address (self->listener);

  return (guint16) g_ascii_strtoull (strrchr (address, ':') + 1, NULL, 10);
}

void
fake_hop_set_ehlo (FakeHop *self, const char *lines)
{
  g_free (self->ehlo);
  self->ehlo = g_strdup (lines);
}

void
fake_hop_set_tls (FakeHop *self, PrTlsServer *tls, gboolean implicit)
{
  pr_tls_server_ref (tls);
  g_clear_pointer (&self->tls, pr_tls_server_unref);
  self->tls = tls;
  self->implicit = implicit;
}

void
fake_hop_answer (FakeHop *self, const char *command, const char *reply, int times)
{
  Rule *rule = g_new0 (Rule, 1);

  rule->command = g_strdup (command);
  rule->reply = g_strdup (reply);
  rule->times = times;
  g_ptr_array_add (self->rules, rule);
}

void
fake_hop_forget_answers (FakeHop *self)
{
  g_ptr_array_set_size (self->rules, 0);
}

void
fake_hop_speak (FakeHop *self, const char *line)
{
  for (GList *link = self->peers; link != NULL; link = link->next)
    say (link->data, line);
}

void
fake_hop_drop_all (FakeHop *self)
{
  while (self->peers != NULL)
    drop (self->peers->data);
}

guint
fake_hop_count_mail (FakeHop *self)
{
  return self->mail->len;
}

const FakeMail *
fake_hop_get_mail (FakeHop *self, guint i)
{
  g_assert_cmpuint (i, <, self->mail->len);
  return self->mail->pdata[i];
}

guint
fake_hop_count (FakeHop *self, const char *command)
{
  guint n = 0;

  for (guint i = 0; i < self->commands->len; i++)
    n += g_str_has_prefix (self->commands->pdata[i], command);
  return n;
}

guint
fake_hop_count_resumed (FakeHop *self)
{
  return self->n_resumed;
}

guint
fake_hop_count_connections (FakeHop *self)
{
  return self->n_connections;
}

guint
fake_hop_count_open (FakeHop *self)
{
  return self->n_open;
}

guint
fake_hop_count_most (FakeHop *self)
{
  return self->n_most;
}
