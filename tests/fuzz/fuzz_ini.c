/* SPDX-License-Identifier: Apache-2.0 */
/* What is reported, written out plainly and read again must be reported as the same; a refusal names its place. */
#include <stdlib.h>
#include <string.h>

#include "common/ini.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

struct writing {
    struct buf text;
    int line;
};

static bool is_cut(const char *text)
{
    size_t len = strlen(text);
    return len == 0 || (!strchr(" \t", text[0]) && !strchr(" \t", text[len - 1]));
}

/* Each entry at its own line, so that lines must come out the same too. */
static status write_out(void *arg, const struct ini_entry *entry, struct error *err)
{
    struct writing *w = arg;
    (void)err;
    if (w->line == 0)
        buf_add_text(&w->text, "\xef\xbb\xbf"); /* a second one would be of the first key */
    require(entry->line > w->line && text_is_printable(entry->section, SIZE_MAX));
    for (; w->line < entry->line - 1; w->line++)
        buf_add_byte(&w->text, '\n');
    w->line = entry->line;
    if (entry->key) {
        require(*entry->key && is_cut(entry->key) && is_cut(entry->value));
        require(text_is_printable(entry->key, SIZE_MAX) && text_is_printable(entry->value, SIZE_MAX));
        buf_printf(&w->text, "%s=%s\n", entry->key, entry->value);
    } else {
        require(*entry->section && !entry->value);
        buf_printf(&w->text, "[%s]\n", entry->section);
    }
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct writing first = {0}, second = {0};
    struct error err = {0};
    status s = ini_read("fuzz", (struct slice){data, size}, write_out, &first, &err);
    require(is_ok(s) || (s.code == CODE_CONFIGURATION && strncmp(err.text, "fuzz:", 5) == 0));
    require(is_ok(ini_read("again", buf_slice(&first.text), write_out, &second, NULL)));
    require(slice_equal(buf_slice(&first.text), buf_slice(&second.text)) && first.line == second.line);
    buf_clear(&first.text);
    buf_clear(&second.text);
    return 0;
}
