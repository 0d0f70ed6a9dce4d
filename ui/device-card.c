/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "device-card.h"

#include <string.h>
#include <unistd.h>
#include <cairo-pdf.h>
#include <glib/gi18n.h>
#include <pango/pangocairo.h>
#include <qrencode.h>
#include <sys/random.h>

#define A4_WIDTH 595.0
#define A4_HEIGHT 842.0
#define MARGIN 56.0
#define QR_SIZE 150.0
#define PASSWORD_LEN 16

void
pr_device_card_clear (PrDeviceCard *self)
{
  g_free (self->device);
  g_free (self->server);
  g_free (self->address);
  g_free (self->port);
  g_free (self->encryption);
  g_free (self->user);
  if (self->password != NULL)
    explicit_bzero (self->password, strlen (self->password));
  g_free (self->password);
  *self = (PrDeviceCard){ 0 };
}

void
pr_device_card_get_line (const PrDeviceCard *self, guint line, const char **title,
                         const char **value)
{
  const struct
  {
    const char *title, *value;
  } lines[PR_N_DEVICE_LINES] = {
    { N_ ("Server"), self->server },  { N_ ("Server, if it asks for numbers"), self->address },
    { N_ ("Port"), self->port },      { N_ ("Encryption"), self->encryption },
    { N_ ("User name"), self->user }, { N_ ("Password"), self->password },
  };

  g_return_if_fail (line < PR_N_DEVICE_LINES);

  *title = _ (lines[line].title);
  *value = lines[line].value != NULL ? lines[line].value : "";
}

char *
pr_device_card_make_text (const PrDeviceCard *self)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < PR_N_DEVICE_LINES; i++)
    {
      const char *title, *value;

      pr_device_card_get_line (self, i, &title, &value);
      g_string_append_printf (text, "%s: %s\n", title, value);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ── Drawing ──────────────────────────────────────────────────────────────────────────────── */

/* Its height. */
static double
draw_text (cairo_t *cr, double x, double y, double width, const char *font, const char *text)
{
  g_autoptr (PangoLayout) layout = pango_cairo_create_layout (cr);
  PangoFontDescription *description = pango_font_description_from_string (font);
  int height;

  pango_layout_set_font_description (layout, description);
  pango_font_description_free (description);
  pango_layout_set_width (layout, (int) (width * PANGO_SCALE));
  pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_text (layout, text, -1);
  pango_layout_get_size (layout, NULL, &height);
  cairo_move_to (cr, x, y);
  pango_cairo_show_layout (cr, layout);
  return (double) height / PANGO_SCALE;
}

static void
draw_qr (const PrDeviceCard *self, cairo_t *cr, double x, double y)
{
  g_autofree char *text = pr_device_card_make_text (self);
  QRcode *code = QRcode_encodeString (text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
  double dot;

  if (code == NULL)
    return; /* too much for one: everything stands there in letters, too */

  dot = QR_SIZE / code->width;
  for (int i = 0; i < code->width * code->width; i++)
    if (code->data[i] & 1)
      cairo_rectangle (cr, x + i % code->width * dot, y + i / code->width * dot, dot, dot);
  cairo_fill (cr);
  QRcode_free (code);
}

void
pr_device_card_draw (const PrDeviceCard *self, cairo_t *cr, double width)
{
  double y;

  cairo_set_source_rgb (cr, 0, 0, 0);
  y = draw_text (cr, 0, 0, width, "Sans Bold 20", self->device);
  y += 6 + draw_text (cr, 0, y + 6, width, "Sans 11",
                      _ ("Type this into the settings of the device for sending mail (SMTP)."));
  y += 24;
  for (guint i = 0; i < PR_N_DEVICE_LINES; i++)
    {
      const char *title, *value;

      pr_device_card_get_line (self, i, &title, &value);
      y += draw_text (cr, 0, y, width, "Sans 10", title);
      y += 14 + draw_text (cr, 0, y, width, "Monospace Bold 14", value);
    }
  draw_qr (self, cr, 0, y + 10);
}

static cairo_status_t
on_written (void *closure, const unsigned char *data, unsigned int length)
{
  g_byte_array_append (closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

GBytes *
pr_device_card_make_pdf (const PrDeviceCard *self)
{
  GByteArray *octets = g_byte_array_new ();
  cairo_surface_t *surface =
    cairo_pdf_surface_create_for_stream (on_written, octets, A4_WIDTH, A4_HEIGHT);
  cairo_t *cr = cairo_create (surface);

  cairo_pdf_surface_set_metadata (surface, CAIRO_PDF_METADATA_TITLE, self->device);
  cairo_translate (cr, MARGIN, MARGIN);
  pr_device_card_draw (self, cr, A4_WIDTH - 2 * MARGIN);
  cairo_show_page (cr);
  cairo_destroy (cr);
  cairo_surface_finish (surface);
  cairo_surface_destroy (surface);
  return g_byte_array_free_to_bytes (octets);
}

/* ── Names and passwords ──────────────────────────────────────────────────────────────────── */

char *
pr_device_card_make_password (void)
{
  /* Without l and o, which look like 1 and 0, which are not there either. */
  static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
  guint8 octets[PASSWORD_LEN];
  char *password;

  if (getentropy (octets, sizeof octets) != 0)
    return NULL;

  password = g_malloc (PASSWORD_LEN + 1);
  for (guint i = 0; i < PASSWORD_LEN; i++)
    password[i] = letters[octets[i] % 32];
  password[PASSWORD_LEN] = '\0';
  explicit_bzero (octets, sizeof octets);
  return password;
}

char *
pr_device_card_make_user (const char *device, const char *const *groups)
{
  g_autofree char *ascii = g_str_to_ascii (device, NULL);
  g_autofree char *lower = g_ascii_strdown (ascii, -1);
  g_autoptr (GString) base = g_string_new (NULL);
  char *name;

  for (const char *c = lower; *c != '\0' && base->len < 32; c++)
    if (g_ascii_isalnum (*c))
      g_string_append_c (base, *c);
    else if (base->len > 0 && base->str[base->len - 1] != '-')
      g_string_append_c (base, '-');
  while (base->len > 0 && base->str[base->len - 1] == '-')
    g_string_truncate (base, base->len - 1);
  if (base->len == 0)
    g_string_assign (base, "device");

  name = g_strdup (base->str);
  for (guint i = 2;; i++)
    {
      g_autofree char *group = g_strconcat ("user ", name, NULL);

      if (!g_strv_contains (groups, group))
        return name;
      g_free (name);
      name = g_strdup_printf ("%s-%u", base->str, i);
    }
}
