/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resolver over a GResolver whose answers are scripted. */
#include "net/resolver.h"

#include <string.h>

#include "common/error.h"
#include "net/fake-dns.h"
#include "wait.h"

/* --- a name service of the test's -------------------------------------------------------- */

#define SCRIPTED_TYPE (scripted_get_type ())
G_DECLARE_FINAL_TYPE (Scripted, scripted, SCRIPTED, RESOLVER, GResolver)

struct _Scripted
{
  GResolver parent;
  guint n_asked, n_open, max_open; /* n_open: not answered, as threads of GIO's would be */
  gboolean silent;                 /* a dead name server */
  GPtrArray *held;                 /* owned, of GTask: what silence keeps */
  GPtrArray *names;                /* owned: what was asked, in order */
};

G_DEFINE_FINAL_TYPE (Scripted, scripted, G_TYPE_RESOLVER)

typedef struct
{
  const char *name;
  const char *answer; /* "10 a.example;20 b.example", "192.0.2.1;2001:db8::1", or an error */
} Line;

static const Line mx_lines[] = {
  { "one.example", "10 mail.one.example" },
  { "sorted.example", "30 c.example.;10 a.example.;20 B.Example." },
  { "equal.example", "10 a.example;10 b.example;10 c.example;5 first.example;20 last.example" },
  { "null.example", "0 ." },
  { "null2.example", "0 " },
  { "null-among.example", "0 .;10 real.example" },
  { "hostile.example", "1 a b;2 x\n;3 \x1b[2J;4 good.example" },
  { "hopeless.example", "1 a b;2 /etc/passwd" },
  { "xn--bcher-kva.example", "10 mx.example" },
  { "nothing.example", "NOT_FOUND" },
  { "broken.example", "TEMPORARY_FAILURE" },
  { "odd.example", "INTERNAL" },
  { "empty.example", "" },
};

static const Line host_lines[] = {
  { "two.example", "2001:db8::1;192.0.2.1" },
  { "nothing.example", "NOT_FOUND" },
  { "broken.example", "TEMPORARY_FAILURE" },
  { "empty.example", "" },
};

static const char *
look_up (const Line *lines, gsize n, const char *name)
{
  for (gsize i = 0; i < n; i++)
    if (strcmp (lines[i].name, name) == 0)
      return lines[i].answer;
  return lines == mx_lines ? "10 mx.example" : "192.0.2.99";
}

static void
free_records (gpointer list)
{
  g_list_free_full (list, (GDestroyNotify) g_variant_unref);
}

static void
free_addresses (gpointer list)
{
  g_resolver_free_addresses (list);
}

static gboolean
return_error (GTask *task, const char *answer)
{
  static const Line codes[] = { { "NOT_FOUND", NULL },
                                { "TEMPORARY_FAILURE", NULL },
                                { "INTERNAL", NULL } };
  static const int values[] = { G_RESOLVER_ERROR_NOT_FOUND, G_RESOLVER_ERROR_TEMPORARY_FAILURE,
                                G_RESOLVER_ERROR_INTERNAL };

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    if (strcmp (codes[i].name, answer) == 0)
      {
        g_task_return_new_error (task, G_RESOLVER_ERROR, values[i], "scripted %s", answer);
        return TRUE;
      }
  return FALSE;
}

static void
complete (Scripted *self, GTask *task)
{
  gboolean mx = g_task_get_source_tag (task) == mx_lines;
  const char *name = g_task_get_task_data (task);
  const char *answer = mx ? look_up (mx_lines, G_N_ELEMENTS (mx_lines), name)
                          : look_up (host_lines, G_N_ELEMENTS (host_lines), name);
  g_auto (GStrv) entries = NULL;
  GList *list = NULL;

  self->n_open--;
  if (return_error (task, answer))
    return;
  entries = g_strsplit (answer, ";", -1);
  for (guint i = 0; entries[i] != NULL && answer[0] != '\0'; i++)
    {
      char *rest = NULL;

      if (mx)
        {
          guint preference = (guint) g_ascii_strtoull (entries[i], &rest, 10);

          list =
            g_list_append (list, g_variant_ref_sink (g_variant_new ("(qs)", preference, rest + 1)));
        }
      else
        list = g_list_append (list, g_inet_address_new_from_string (entries[i]));
    }
  g_task_return_pointer (task, list, mx ? free_records : free_addresses);
}

static void
begin (Scripted *self, GTask *task, const char *name, gconstpointer tag)
{
  g_task_set_source_tag (task, (gpointer) tag);
  g_task_set_task_data (task, g_strdup (name), g_free);
  g_ptr_array_add (self->names, g_strdup (name));
  self->n_asked++;
  self->n_open++;
  self->max_open = MAX (self->max_open, self->n_open);
  if (self->silent)
    g_ptr_array_add (self->held, task);
  else
    {
      complete (self, task);
      g_object_unref (task);
    }
}

static void
records_async (GResolver *resolver, const char *name, GResolverRecordType type,
               GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_assert_cmpint (type, ==, G_RESOLVER_RECORD_MX);
  begin (SCRIPTED_RESOLVER (resolver), g_task_new (resolver, cancellable, callback, user_data),
         name, mx_lines);
}

static void
hosts_async (GResolver *resolver, const char *name, GCancellable *cancellable,
             GAsyncReadyCallback callback, gpointer user_data)
{
  begin (SCRIPTED_RESOLVER (resolver), g_task_new (resolver, cancellable, callback, user_data),
         name, host_lines);
}

static GList *
any_finish (GResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
scripted_finalize (GObject *object)
{
  Scripted *self = SCRIPTED_RESOLVER (object);

  g_ptr_array_unref (self->held);
  g_ptr_array_unref (self->names);
  G_OBJECT_CLASS (scripted_parent_class)->finalize (object);
}

static void
scripted_class_init (ScriptedClass *klass)
{
  GResolverClass *resolver_class = G_RESOLVER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = scripted_finalize;
  resolver_class->lookup_records_async = records_async;
  resolver_class->lookup_records_finish = any_finish;
  resolver_class->lookup_by_name_async = hosts_async;
  resolver_class->lookup_by_name_finish = any_finish;
}

static void
scripted_init (Scripted *self)
{
  self->held = g_ptr_array_new_with_free_func (g_object_unref);
  self->names = g_ptr_array_new_with_free_func (g_free);
}

/* The name server is there again: what it kept is answered. */
static void
speak (Scripted *self)
{
  self->silent = FALSE;
  for (guint i = 0; i < self->held->len; i++)
    complete (self, self->held->pdata[i]);
  g_ptr_array_set_size (self->held, 0);
}

/* --- the fixture ------------------------------------------------------------------------- */

typedef struct
{
  GMainContext *context;
  Scripted *scripted;
  PrResolver *resolver;
} Fixture;

typedef struct
{
  Fixture *f;
  guint n_told;
  GString *text; /* the answer, or "PERMANENT: ..." */
  gboolean ask_again, free_resolver;
  guint cancel; /* token of another */
} Asker;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->context = g_main_context_new ();
  f->scripted = g_object_new (SCRIPTED_TYPE, NULL);
  g_resolver_set_default (G_RESOLVER (f->scripted));
  f->resolver = pr_resolver_new (f->context);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (Scripted) next = g_object_new (SCRIPTED_TYPE, NULL); /* lets go of the one before */

  pr_resolver_free (f->resolver);
  speak (f->scripted); /* late answers find nobody */
  while (g_main_context_iteration (f->context, FALSE))
    ;
  g_resolver_set_default (G_RESOLVER (next));
  g_assert_cmpuint (G_OBJECT (f->scripted)->ref_count, ==, 1);
  g_object_unref (f->scripted);
  g_main_context_unref (f->context);
}

static void on_addresses (GPtrArray *addresses, const GError *error, gpointer user_data);

static void
on_told (Asker *asker, gpointer answer, const GError *error)
{
  g_assert_true ((answer == NULL) == (error != NULL));
  asker->n_told++;
  g_string_truncate (asker->text, 0);
  if (error != NULL)
    {
      g_assert_true (error->domain == PR_ERROR);
      g_string_printf (asker->text, "%s: %s",
                       error->code == PR_ERROR_PERMANENT ? "PERMANENT" : "TEMPORARY",
                       error->message);
    }
  if (asker->ask_again)
    {
      asker->ask_again = FALSE;
      pr_resolver_find_addresses (asker->f->resolver, "again.example", on_addresses, asker);
    }
  if (asker->cancel != 0)
    pr_resolver_cancel (asker->f->resolver, asker->cancel);
  if (asker->free_resolver)
    g_clear_pointer (&asker->f->resolver, pr_resolver_free);
}

static void
on_exchangers (GArray *exchangers, const GError *error, gpointer user_data)
{
  Asker *asker = user_data;

  on_told (asker, exchangers, error);
  for (guint i = 0; exchangers != NULL && i < exchangers->len; i++)
    {
      const PrExchanger *exchanger = &g_array_index (exchangers, PrExchanger, i);

      g_string_append_printf (asker->text, "%s%u %s", i > 0 ? ";" : "", exchanger->preference,
                              exchanger->host);
    }
}

static void
on_addresses (GPtrArray *addresses, const GError *error, gpointer user_data)
{
  Asker *asker = user_data;

  on_told (asker, addresses, error);
  for (guint i = 0; addresses != NULL && i < addresses->len; i++)
    {
      g_autofree char *text = g_inet_address_to_string (addresses->pdata[i]);

      g_string_append_printf (asker->text, "%s%s", i > 0 ? ";" : "", text);
    }
}

static void
on_texts (GPtrArray *texts, const GError *error, gpointer user_data)
{
  Asker *asker = user_data;

  on_told (asker, texts, error);
  for (guint i = 0; texts != NULL && i < texts->len; i++)
    g_string_append_printf (asker->text, "[%s]", (char *) texts->pdata[i]);
}

static void
asker_init (Asker *asker, Fixture *f)
{
  *asker = (Asker){ .f = f, .text = g_string_new (NULL) };
}

static void
assert_exchangers (Fixture *f, const char *domain, const char *expected)
{
  Asker asker;

  asker_init (&asker, f);
  g_assert_cmpuint (pr_resolver_find_exchangers (f->resolver, domain, on_exchangers, &asker), !=,
                    0);
  g_assert_cmpuint (asker.n_told, ==, 0); /* never before it returns */
  wait_for (f->context, asker.n_told > 0, domain);
  g_assert_cmpstr (asker.text->str, ==, expected);
  g_string_free (asker.text, TRUE);
}

static void
assert_addresses (Fixture *f, const char *host, const char *expected)
{
  Asker asker;

  asker_init (&asker, f);
  g_assert_cmpuint (pr_resolver_find_addresses (f->resolver, host, on_addresses, &asker), !=, 0);
  g_assert_cmpuint (asker.n_told, ==, 0);
  wait_for (f->context, asker.n_told > 0, host);
  g_assert_cmpstr (asker.text->str, ==, expected);
  g_string_free (asker.text, TRUE);
}

static void
assert_texts (Fixture *f, const char *name, const char *expected)
{
  Asker asker;

  asker_init (&asker, f);
  g_assert_cmpuint (pr_resolver_find_records (f->resolver, PR_RECORD_TEXT, name, on_texts, &asker),
                    !=, 0);
  g_assert_cmpuint (asker.n_told, ==, 0);
  wait_for (f->context, asker.n_told > 0, name);
  g_assert_cmpstr (asker.text->str, ==, expected);
  g_string_free (asker.text, TRUE);
}

static void
settle (Fixture *f)
{
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (f->context, FALSE);
}

/* --- tests ------------------------------------------------------------------------------- */

static void
test_exchangers (Fixture *f, gconstpointer data)
{
  g_autofree char *label = g_strnfill (300, 'a');

  assert_exchangers (f, "one.example", "10 mail.one.example");
  assert_exchangers (f, "ONE.Example", "10 mail.one.example");
  assert_exchangers (f, "sorted.example", "10 a.example;20 b.example;30 c.example");
  assert_exchangers (f, "bücher.example", "10 mx.example");
  assert_exchangers (f, "null.example", "PERMANENT: null.example does not accept mail (null MX)");
  assert_exchangers (f, "null2.example", "PERMANENT: null2.example does not accept mail (null MX)");
  assert_exchangers (f, "null-among.example", "10 real.example");
  assert_exchangers (f, "hostile.example", "4 good.example");
  assert_exchangers (f, "hopeless.example",
                     "PERMANENT: hopeless.example has no usable mail exchanger");
  assert_exchangers (f, "nothing.example", "0 nothing.example"); /* its addresses will tell */
  assert_exchangers (f, "empty.example", "0 empty.example");
  assert_exchangers (f, "broken.example",
                     "TEMPORARY: broken.example cannot be looked up: scripted TEMPORARY_FAILURE");
  assert_exchangers (f, "odd.example",
                     "TEMPORARY: odd.example cannot be looked up: scripted INTERNAL");
  assert_exchangers (f, "", "PERMANENT: \"\" is not a name that can exist");
  assert_exchangers (f, "a\xff", "PERMANENT: \"\" is not a name that can exist");
  g_assert_cmpuint (f->scripted->n_asked, ==, 12); /* one.example once */
  {
    Asker asker;

    asker_init (&asker, f);
    pr_resolver_find_exchangers (f->resolver, label, on_exchangers, &asker);
    wait_for (f->context, asker.n_told > 0, "a name that is too long");
    g_assert_true (g_str_has_prefix (asker.text->str, "PERMANENT"));
    g_string_free (asker.text, TRUE);
  }
}

static void
test_literals (Fixture *f, gconstpointer data)
{
  assert_exchangers (f, "[192.0.2.1]", "0 192.0.2.1");
  assert_exchangers (f, "[IPv6:2001:DB8::1]", "0 2001:db8::1");
  assert_exchangers (f, "[", "PERMANENT: [ is not an address");
  assert_exchangers (f, "[]", "PERMANENT: [] is not an address");
  assert_exchangers (f, "[a.example]", "PERMANENT: [a.example] is not an address");
  assert_addresses (f, "192.0.2.1", "192.0.2.1");
  assert_addresses (f, "2001:db8::1", "2001:db8::1");
  g_assert_cmpuint (f->scripted->n_asked, ==, 0);
}

static void
test_addresses (Fixture *f, gconstpointer data)
{
  assert_addresses (f, "two.example", "2001:db8::1;192.0.2.1"); /* the order it came in */
  assert_addresses (f, "nothing.example",
                    "PERMANENT: nothing.example does not exist, or has no address");
  assert_addresses (f, "empty.example", "PERMANENT: empty.example has no address");
  assert_addresses (f, "broken.example",
                    "TEMPORARY: broken.example cannot be looked up: scripted TEMPORARY_FAILURE");
}

/* Those of equal preference: every order comes, the others stay where they are. */
static void
test_random_order (Fixture *f, gconstpointer data)
{
  g_autoptr (GHashTable) orders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < 1000 && g_hash_table_size (orders) < 6; i++)
    {
      Asker asker;

      asker_init (&asker, f);
      pr_resolver_find_exchangers (f->resolver, "equal.example", on_exchangers, &asker);
      wait_for (f->context, asker.n_told > 0, "an answer");
      g_assert_true (g_str_has_prefix (asker.text->str, "5 first.example;10 "));
      g_assert_true (g_str_has_suffix (asker.text->str, ";20 last.example"));
      g_hash_table_add (orders, g_string_free (asker.text, FALSE));
    }
  g_assert_cmpuint (g_hash_table_size (orders), ==, 6);
  g_assert_cmpuint (f->scripted->n_asked, ==, 1);
}

static void
test_memory (Fixture *f, gconstpointer data)
{
  assert_addresses (f, "two.example", "2001:db8::1;192.0.2.1");
  assert_addresses (f, "two.example", "2001:db8::1;192.0.2.1");
  assert_addresses (f, "Two.EXAMPLE", "2001:db8::1;192.0.2.1");
  g_assert_cmpuint (f->scripted->n_asked, ==, 1);
  assert_exchangers (f, "two.example", "10 mx.example"); /* another question */
  g_assert_cmpuint (f->scripted->n_asked, ==, 2);
  pr_resolver_forget (f->resolver);
  assert_addresses (f, "two.example", "2001:db8::1;192.0.2.1");
  g_assert_cmpuint (f->scripted->n_asked, ==, 3);

  /* And it does not grow without end. */
  for (guint i = 0; i < 5000; i++)
    {
      g_autofree char *name = g_strdup_printf ("h%u.example", i);

      assert_addresses (f, name, "192.0.2.99");
    }
}

/* Many who ask the same are answered by one question. */
static void
test_shared (Fixture *f, gconstpointer data)
{
  Asker askers[50];

  f->scripted->silent = TRUE;
  for (guint i = 0; i < 50; i++)
    {
      asker_init (&askers[i], f);
      pr_resolver_find_addresses (f->resolver, "two.example", on_addresses, &askers[i]);
    }
  settle (f);
  g_assert_cmpuint (f->scripted->n_asked, ==, 1);
  speak (f->scripted);
  for (guint i = 0; i < 50; i++)
    {
      wait_for (f->context, askers[i].n_told == 1, "all who asked");
      g_string_free (askers[i].text, TRUE);
    }
}

/* A dead name server holds eight threads and no more, even after people stopped waiting. */
static void
test_dead_server (Fixture *f, gconstpointer data)
{
  Asker askers[40], late;

  f->scripted->silent = TRUE;
  pr_resolver_set_deadline (f->resolver, 20);
  for (guint i = 0; i < 40; i++)
    {
      g_autofree char *name = g_strdup_printf ("h%u.example", i);

      asker_init (&askers[i], f);
      pr_resolver_find_addresses (f->resolver, name, on_addresses, &askers[i]);
    }
  for (guint i = 0; i < 40; i++)
    {
      wait_for (f->context, askers[i].n_told == 1, "the deadline");
      g_assert_true (g_str_has_prefix (askers[i].text->str, "TEMPORARY: no answer"));
      g_string_free (askers[i].text, TRUE);
    }
  g_assert_cmpuint (f->scripted->n_asked, ==, 8);

  /* When it speaks again, only what somebody still wants is asked. */
  pr_resolver_set_deadline (f->resolver, 60000);
  asker_init (&late, f);
  pr_resolver_find_addresses (f->resolver, "two.example", on_addresses, &late);
  settle (f);
  g_assert_cmpuint (f->scripted->n_asked, ==, 8);
  speak (f->scripted);
  wait_for (f->context, late.n_told == 1, "the answer");
  g_assert_cmpstr (late.text->str, ==, "2001:db8::1;192.0.2.1");
  g_string_free (late.text, TRUE);
  g_assert_cmpuint (f->scripted->n_asked, ==, 9);
  g_assert_cmpuint (f->scripted->max_open, ==, 8);

  /* What came too late for those who asked is known to the next. */
  assert_addresses (f, "h0.example", "192.0.2.99");
  g_assert_cmpuint (f->scripted->n_asked, ==, 9);
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  Asker a, b, c;
  guint token;

  asker_init (&a, f);
  asker_init (&b, f);
  asker_init (&c, f);

  /* While it is asked, when it is answered but not told, and by a callback before it. */
  f->scripted->silent = TRUE;
  token = pr_resolver_find_addresses (f->resolver, "two.example", on_addresses, &a);
  pr_resolver_cancel (f->resolver, token);
  pr_resolver_cancel (f->resolver, token);
  pr_resolver_cancel (f->resolver, 0);
  speak (f->scripted);
  settle (f);
  token = pr_resolver_find_addresses (f->resolver, "two.example", on_addresses, &a);
  pr_resolver_cancel (f->resolver, token);
  settle (f);
  pr_resolver_find_addresses (f->resolver, "two.example", on_addresses, &b);
  b.cancel = pr_resolver_find_addresses (f->resolver, "two.example", on_addresses, &a);
  pr_resolver_find_addresses (f->resolver, "two.example", on_addresses, &c);
  wait_for (f->context, b.n_told == 1 && c.n_told == 1, "the other two");
  settle (f);
  g_assert_cmpuint (a.n_told, ==, 0);
  g_string_free (a.text, TRUE);
  g_string_free (b.text, TRUE);
  g_string_free (c.text, TRUE);
}

/* Somebody gives up while the question waits for its turn, and asks again later. */
static void
test_cancel_waiting (Fixture *f, gconstpointer data)
{
  Asker asker;
  guint tokens[20];

  asker_init (&asker, f);
  f->scripted->silent = TRUE;
  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *name = g_strdup_printf ("h%u.example", i);

      tokens[i] = pr_resolver_find_addresses (f->resolver, name, on_addresses, &asker);
    }
  for (guint i = 0; i < 20; i++)
    pr_resolver_cancel (f->resolver, tokens[i]);
  speak (f->scripted);
  settle (f);
  g_assert_cmpuint (f->scripted->n_asked, ==, 8);
  g_assert_cmpuint (asker.n_told, ==, 0);
  assert_addresses (f, "h19.example", "192.0.2.99");
  g_string_free (asker.text, TRUE);
}

static void
test_ask_inside (Fixture *f, gconstpointer data)
{
  Asker asker;

  asker_init (&asker, f);
  asker.ask_again = TRUE;
  pr_resolver_find_addresses (f->resolver, "two.example", on_addresses, &asker);
  wait_for (f->context, asker.n_told == 2, "the second answer");
  g_assert_cmpstr (asker.text->str, ==, "192.0.2.99");
  g_string_free (asker.text, TRUE);
}

static void
test_free_inside (Fixture *f, gconstpointer data)
{
  Asker asker, other;

  asker_init (&asker, f);
  asker_init (&other, f);
  asker.free_resolver = TRUE;
  pr_resolver_find_addresses (f->resolver, "two.example", on_addresses, &asker);
  pr_resolver_find_addresses (f->resolver, "two.example", on_addresses, &other);
  wait_for (f->context, asker.n_told == 1, "the answer");
  settle (f);
  g_assert_cmpuint (other.n_told, ==, 0);
  g_string_free (asker.text, TRUE);
  g_string_free (other.text, TRUE);
}

/* Freed with questions asked and waiting: forgotten silently, and nothing is touched later. */
static void
test_free_asked (Fixture *f, gconstpointer data)
{
  Asker asker;

  asker_init (&asker, f);
  f->scripted->silent = TRUE;
  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *name = g_strdup_printf ("h%u.example", i);

      pr_resolver_find_exchangers (f->resolver, name, on_exchangers, &asker);
    }
  g_clear_pointer (&f->resolver, pr_resolver_free);
  speak (f->scripted);
  settle (f);
  g_assert_cmpuint (asker.n_told, ==, 0);
  g_string_free (asker.text, TRUE);
}

/* The network changed while questions were out: who waits is answered, the answer is not kept. */
static void
test_forget_asked (Fixture *f, gconstpointer data)
{
  Asker asker;

  asker_init (&asker, f);
  f->scripted->silent = TRUE;
  pr_resolver_find_addresses (f->resolver, "two.example", on_addresses, &asker);
  pr_resolver_forget (f->resolver);
  speak (f->scripted);
  wait_for (f->context, asker.n_told == 1, "the answer");
  assert_addresses (f, "two.example", "2001:db8::1;192.0.2.1");
  g_assert_cmpuint (f->scripted->n_asked, ==, 2);
  g_string_free (asker.text, TRUE);
}

/* --- texts, of a true name server -------------------------------------------------------- */

#define SERVFAIL 2
#define NXDOMAIN 3
#define TXT_RECORD(size) 0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, (size) >> 8, (size) &0xff

static const guint8 two_records[] = {
  TXT_RECORD (8), 3, 'v',  '=', '1', 3, ';', ' ', 'a', /* two strings */
  TXT_RECORD (3), 2, 0xff, 'b',                        /* no UTF-8 */
  TXT_RECORD (4), 3, 'x',  0,   'y',                   /* a NUL */
};
static const guint8 alias_record[] = { 0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 2, 0xc0, 12 };
static const guint8 cut_record[] = { TXT_RECORD (8), 3, 'v' };

static FakeDns *
start_dns (Fixture *f)
{
  FakeDns *dns = fake_dns_new (f->context);
  g_autofree char *server = fake_dns_get_server (dns);

  pr_resolver_set_server (f->resolver, server);
  fake_dns_add (dns, "two.example", 16, 0, two_records, sizeof two_records, 3);
  fake_dns_add (dns, "none.example", 16, 0, NULL, 0, 0);
  fake_dns_add (dns, "alias.example", 16, 0, alias_record, sizeof alias_record, 1);
  fake_dns_add (dns, "cut.example", 16, 0, cut_record, sizeof cut_record, 1);
  fake_dns_add (dns, "gone.example", 16, NXDOMAIN, NULL, 0, 0);
  fake_dns_add (dns, "broken.example", 16, SERVFAIL, NULL, 0, 0);
  return dns;
}

static void
test_texts (Fixture *f, gconstpointer data)
{
  FakeDns *dns = start_dns (f);

  assert_texts (f, "two.example",
                "[v=1; a][\xff"
                "b]");
  assert_texts (f, "none.example", "");
  assert_texts (f, "alias.example", "");
  assert_texts (f, "gone.example", "PERMANENT: gone.example does not exist");
  assert_texts (f, "cut.example",
                "TEMPORARY: cut.example cannot be looked up: the answer is malformed");
  assert_texts (f, "broken.example",
                "TEMPORARY: broken.example cannot be looked up: no name server answers");
  assert_texts (f, "", "PERMANENT: \"\" is not a name that can exist");
  fake_dns_free (dns);
}

static void
test_texts_memory (Fixture *f, gconstpointer data)
{
  FakeDns *dns = start_dns (f);
  GByteArray *large = g_byte_array_new ();
  g_autoptr (GString) expected = g_string_new (NULL);
  guint8 record[12 + 256] = { TXT_RECORD (256), 255 };

  memset (record + 13, 'a', 255);
  for (guint i = 0; i < 20; i++)
    {
      g_byte_array_append (large, record, sizeof record);
      g_string_append_printf (expected, "[%.255s]", (const char *) record + 13);
    }
  fake_dns_add (dns, "large.example", 16, 0, large->data, large->len, 20);

  assert_texts (f, "none.example", "");
  assert_texts (f, "None.Example", "");
  g_assert_cmpuint (fake_dns_count (dns), ==, 1);
  /* Nobody fills the memory with what he publishes. */
  assert_texts (f, "large.example", expected->str);
  assert_texts (f, "large.example", expected->str);
  g_assert_cmpuint (fake_dns_count (dns), ==, 3);
  g_byte_array_unref (large);
  fake_dns_free (dns);
}

/* The thread comes back when nobody wants to know any more. */
static void
test_texts_freed (Fixture *f, gconstpointer data)
{
  FakeDns *dns = start_dns (f);
  Asker asker;
  guint token;

  asker_init (&asker, f);
  token = pr_resolver_find_records (f->resolver, PR_RECORD_TEXT, "none.example", on_texts, &asker);
  pr_resolver_cancel (f->resolver, token);
  pr_resolver_find_records (f->resolver, PR_RECORD_TEXT, "two.example", on_texts, &asker);
  g_clear_pointer (&f->resolver, pr_resolver_free);
  wait_for (f->context, fake_dns_count (dns) == 2, "the questions");
  settle (f);
  g_assert_cmpuint (asker.n_told, ==, 0);
  g_string_free (asker.text, TRUE);
  fake_dns_free (dns);
}

int
main (int argc, char *argv[])
{
  static const struct
  {
    const char *path;
    void (*func) (Fixture *f, gconstpointer data);
  } tests[] = {
    { "/resolver/exchangers", test_exchangers },
    { "/resolver/literals", test_literals },
    { "/resolver/addresses", test_addresses },
    { "/resolver/random-order", test_random_order },
    { "/resolver/memory", test_memory },
    { "/resolver/shared", test_shared },
    { "/resolver/dead-server", test_dead_server },
    { "/resolver/cancel", test_cancel },
    { "/resolver/cancel-waiting", test_cancel_waiting },
    { "/resolver/ask-inside", test_ask_inside },
    { "/resolver/free-inside", test_free_inside },
    { "/resolver/free-asked", test_free_asked },
    { "/resolver/forget-asked", test_forget_asked },
    { "/resolver/texts", test_texts },
    { "/resolver/texts-memory", test_texts_memory },
    { "/resolver/texts-freed", test_texts_freed },
  };

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].func, tear_down);
  return g_test_run ();
}
