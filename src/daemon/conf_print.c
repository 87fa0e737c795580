#include <inttypes.h>
#include <string.h>

#include "conf_keys_priv.h"

/* In quotes, with what libconfuse would otherwise read as an end, an escape or a variable. */
static void print_quoted(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (strchr("\"\\$", *text) != NULL) fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* Comments are for reading in a file: without Markdown's backquotes. */
static void print_plain(const char *text, FILE *out)
{
    for (; *text != '\0'; text++)
        if (*text != '`') fputc(*text, out);
}

static void print_key(const struct conf_key *key, struct conf *conf, const char *before, FILE *out)
{
    fputs("\n# ", out);
    print_plain(key->what, out);
    if (key->kind == CONF_NUMBER) {
        fprintf(out, "\n# From %" PRIu32 " to %" PRIu32, key->number_min, key->number_max);
        if (key->wanted != NULL) fprintf(out, ", %s", key->wanted);
        fprintf(out, "; default %" PRIu32 ".\n%s%s = %" PRIu32 "\n", key->number_default, before,
                key->name, *conf_key_number(key, conf));
        return;
    }
    fputs("\n# Takes ", out);
    print_plain(key->wanted, out);
    fputs("; default ", out);
    print_quoted(key->text_default, out);
    fprintf(out, ".\n%s%s = ", before, key->name);
    print_quoted(conf_key_text(key, conf), out);
    fputc('\n', out);
}

static void print_all(const struct conf *conf, const char *before, FILE *out)
{
    fputs(
        "# The configuration of quizrushd: every key. A line is key = value; text goes in quotes.\n"
        "# What --set key=value says on the command line comes after this file. To check it:\n"
        "# quizrushd --config FILE --check-config\n",
        out);
    struct conf copy = *conf;
    for (unsigned i = 0; i < CONF_KEY_COUNT; i++) print_key(&conf_keys[i], &copy, before, out);
}

void conf_print(const struct conf *conf, FILE *out)
{
    print_all(conf, "", out);
}

void conf_print_sample(FILE *out)
{
    struct conf conf;
    conf_init(&conf);
    print_all(&conf, "#", out);
}

void conf_print_table(FILE *out)
{
    fputs("| key | default | values | reload | what it is |\n|---|---|---|---|---|\n", out);
    for (unsigned i = 0; i < CONF_KEY_COUNT; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (key->kind == CONF_NUMBER)
            fprintf(out, "| `%s` | %" PRIu32 " | %" PRIu32 " to %" PRIu32 "%s%s", key->name,
                    key->number_default, key->number_min, key->number_max,
                    key->wanted != NULL ? ", " : "", key->wanted != NULL ? key->wanted : "");
        else if (key->text_default[0] == '\0')
            fprintf(out, "| `%s` | none | %s", key->name, key->wanted);
        else
            fprintf(out, "| `%s` | `%s` | %s", key->name, key->text_default, key->wanted);
        fprintf(out, " | %s | %s |\n", key->is_reloadable ? "yes" : "no", key->what);
    }
}
