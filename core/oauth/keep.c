/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tokens on the disk. */
#include "oauth/keep.h"

#include "common/error.h"
#include "config/secrets.h"
#include "net/worker.h"

#define LONGEST_MS (3600 * 1000)

typedef struct
{
  PrKeepDone done;
  gpointer user_data;
} Writer;

typedef struct
{
  PrKeepRead func;
  gpointer user_data;
} Reader;

/* What is to be done for one route; there is one as long as something is. */
typedef struct
{
  PrKeep *owner;
  char *route;
  gboolean running;   /* the disk works for it */
  gboolean unwritten; /* text is not on the disk */
  gboolean fresh;     /* and has not been tried yet */
  char *text;         /* owned, nullable: to be written; NULL forgets. Wiped */
  GArray *writers;    /* of Writer */
  GArray *readers;    /* of Reader */
  GArray *asking;     /* of Reader: the disk is asked for them */
  char *fault;        /* owned, nullable: why it could not be written */
  guint delay_ms;     /* before the next try */
  PrTimer timer;
} Slot;

struct _PrKeep
{
  PrLoop *loop;
  char *credentials;
  guint again_ms;
  PrKeepTold told;
  gpointer user_data;
  PrWorker *worker;  /* owned, nullable: made for the first question */
  GHashTable *slots; /* owned: route to Slot */
};

/* A question to the disk; belongs to the worker while it runs. */
typedef struct
{
  PrKeep *owner;
  char *credentials, *route;   /* owned */
  char *token, *client_secret; /* owned, nullable; wiped */
  gboolean writes;
  gboolean has_token; /* of one that reads: the token need not be read */
  GError *error;
} Disk;

static void
slot_free (gpointer data)
{
  Slot *self = data;

  pr_timer_stop (&self->timer);
  pr_secret_free (self->text);
  g_array_unref (self->writers);
  g_array_unref (self->readers);
  g_array_unref (self->asking);
  g_free (self->fault);
  g_free (self->route);
  g_free (self);
}

/* --- in the thread --- */

static void
free_disk (gpointer data)
{
  Disk *disk = data;

  g_free (disk->credentials);
  g_free (disk->route);
  pr_secret_free (disk->token);
  pr_secret_free (disk->client_secret);
  g_clear_error (&disk->error);
  g_free (disk);
}

static void
use_disk (gpointer data)
{
  Disk *disk = data;

  if (disk->writes)
    {
      pr_secrets_set (disk->credentials, disk->route, PR_SECRET_TOKEN, disk->token, &disk->error);
      return;
    }
  if (!disk->has_token)
    disk->token = pr_secrets_get (disk->credentials, disk->route, PR_SECRET_TOKEN, &disk->error);
  if (disk->error == NULL)
    disk->client_secret =
      pr_secrets_get (disk->credentials, disk->route, PR_SECRET_CLIENT_SECRET, &disk->error);
}

/* --- in the loop --- */

static void go_on (Slot *slot);

static void
run (Slot *slot, gboolean writes, PrWorkerFunc done)
{
  PrKeep *self = slot->owner;
  Disk *disk = g_new0 (Disk, 1);

  disk->owner = self;
  disk->credentials = g_strdup (self->credentials);
  disk->route = g_strdup (slot->route);
  disk->writes = writes;
  disk->has_token = slot->unwritten;
  disk->token = slot->unwritten ? g_strdup (slot->text) : NULL;
  slot->running = TRUE;
  if (self->worker == NULL)
    self->worker = pr_worker_new (pr_loop_get_context (self->loop));
  pr_worker_run (self->worker, use_disk, done, disk, free_disk);
}

static void
tell_readers (GArray *readers, Disk *disk)
{
  for (guint i = 0; i < readers->len; i++)
    {
      Reader *reader = &g_array_index (readers, Reader, i);
      PrToken *token =
        disk->token != NULL && disk->error == NULL ? pr_token_from_text (disk->token) : NULL;

      reader->func (token, disk->error == NULL ? g_strdup (disk->client_secret) : NULL, disk->error,
                    reader->user_data);
    }
}

static void
tell_writers (GArray *writers, const GError *error)
{
  for (guint i = 0; i < writers->len; i++)
    {
      Writer *writer = &g_array_index (writers, Writer, i);

      writer->done (error, writer->user_data);
    }
}

/* Who is told may come again at once. */
static GArray *
take (GArray **array)
{
  GArray *taken = *array;

  *array = g_array_new (FALSE, FALSE, g_array_get_element_size (taken));
  return taken;
}

static void
on_read (gpointer data)
{
  Disk *disk = data;
  Slot *slot = g_hash_table_lookup (disk->owner->slots, disk->route);
  g_autoptr (GArray) readers = NULL;

  slot->running = FALSE;
  readers = take (&slot->asking);
  if (slot->fresh) /* they get what is written now */
    g_array_append_vals (slot->readers, readers->data, readers->len);
  else
    tell_readers (readers, disk);
  go_on (slot);
}

static void
on_again (gpointer user_data)
{
  Slot *slot = user_data;

  slot->fresh = TRUE;
  go_on (slot);
}

static void
note_fault (Slot *slot, const GError *error)
{
  g_free (slot->fault);
  slot->fault = g_strdup (error->message);
  slot->delay_ms =
    slot->delay_ms == 0 ? slot->owner->again_ms : MIN (slot->delay_ms * 2, LONGEST_MS);
  pr_timer_start (&slot->timer, slot->owner->loop, slot->delay_ms, on_again, slot);
}

static void
on_written (gpointer data)
{
  Disk *disk = data;
  PrKeep *self = disk->owner;
  Slot *slot = g_hash_table_lookup (self->slots, disk->route);
  g_autoptr (GArray) writers = NULL;
  gboolean had_fault = slot->fault != NULL;

  slot->running = FALSE;
  if (slot->fresh) /* something newer came meanwhile */
    {
      go_on (slot);
      return;
    }
  if (disk->error != NULL)
    note_fault (slot, disk->error);
  else
    {
      slot->unwritten = FALSE;
      slot->delay_ms = 0;
      g_clear_pointer (&slot->text, pr_secret_free);
      g_clear_pointer (&slot->fault, g_free);
    }
  writers = take (&slot->writers);
  if (disk->error != NULL || had_fault)
    self->told (disk->route, disk->error, self->user_data);
  tell_writers (writers, disk->error);
  go_on (slot);
}

static void
go_on (Slot *slot)
{
  if (slot->running)
    return;
  if (slot->fresh)
    {
      slot->fresh = FALSE;
      pr_timer_stop (&slot->timer);
      run (slot, TRUE, on_written);
    }
  else if (slot->readers->len > 0)
    {
      g_array_append_vals (slot->asking, slot->readers->data, slot->readers->len);
      g_array_set_size (slot->readers, 0);
      run (slot, FALSE, on_read);
    }
  else if (!slot->unwritten)
    g_hash_table_remove (slot->owner->slots, slot->route);
}

static Slot *
get_slot (PrKeep *self, const char *route)
{
  Slot *slot = g_hash_table_lookup (self->slots, route);

  if (slot != NULL)
    return slot;
  slot = g_new0 (Slot, 1);
  slot->owner = self;
  slot->route = g_strdup (route);
  slot->writers = g_array_new (FALSE, FALSE, sizeof (Writer));
  slot->readers = g_array_new (FALSE, FALSE, sizeof (Reader));
  slot->asking = g_array_new (FALSE, FALSE, sizeof (Reader));
  g_hash_table_insert (self->slots, slot->route, slot);
  return slot;
}

/* --- public --- */

PrKeep *
pr_keep_new (PrLoop *loop, const char *credentials, guint again_ms, PrKeepTold told,
             gpointer user_data)
{
  PrKeep *self = g_new0 (PrKeep, 1);

  self->loop = loop;
  self->credentials = g_strdup (credentials);
  self->again_ms = again_ms;
  self->told = told;
  self->user_data = user_data;
  self->slots = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, slot_free);
  return self;
}

/* What is still to be written has its last chance. One that runs may be older, and must end first:
 * there are two threads. */
static void
try_last (PrKeep *self)
{
  GHashTableIter iter;
  gpointer value;

  g_clear_pointer (&self->worker, pr_worker_free);
  g_hash_table_iter_init (&iter, self->slots);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((Slot *) value)->unwritten)
      run (value, TRUE, on_written);
  g_clear_pointer (&self->worker, pr_worker_free);
}

void
pr_keep_free (PrKeep *self)
{
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer value;

  if (self == NULL)
    return;
  try_last (self);
  g_set_error_literal (&error, PR_ERROR, PR_ERROR_TEMPORARY, "Postroom ends");
  g_hash_table_iter_init (&iter, self->slots);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    tell_writers (((Slot *) value)->writers, error);
  g_hash_table_unref (self->slots);
  g_free (self->credentials);
  g_free (self);
}

void
pr_keep_read (PrKeep *self, const char *route, PrKeepRead func, gpointer user_data)
{
  Slot *slot = get_slot (self, route);
  Reader reader = { func, user_data };

  g_array_append_val (slot->readers, reader);
  go_on (slot);
}

static void
forget (GArray *readers, gpointer user_data)
{
  for (guint i = readers->len; i > 0; i--)
    if (g_array_index (readers, Reader, i - 1).user_data == user_data)
      g_array_remove_index (readers, i - 1);
}

void
pr_keep_forget (PrKeep *self, const char *route, gpointer user_data)
{
  Slot *slot = g_hash_table_lookup (self->slots, route);

  if (slot == NULL)
    return;
  forget (slot->readers, user_data);
  forget (slot->asking, user_data);
}

void
pr_keep_write (PrKeep *self, const char *route, const PrToken *token, PrKeepDone done,
               gpointer user_data)
{
  Slot *slot = get_slot (self, route);
  Writer writer = { done, user_data };

  pr_secret_free (slot->text);
  slot->text = token != NULL ? pr_token_to_text (token) : NULL;
  slot->unwritten = slot->fresh = TRUE;
  g_array_append_val (slot->writers, writer);
  go_on (slot);
}

const char *
pr_keep_get_fault (PrKeep *self, const char *route)
{
  const Slot *slot = g_hash_table_lookup (self->slots, route);

  return slot != NULL ? slot->fault : NULL;
}
