#include <confuse.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf_priv.h"

/* The file being read. */
struct reading {
    struct conf conf; /* What has been taken so far. */
    const char *path;
    unsigned line;
    unsigned key_lines[CONF_KEY_COUNT]; /* Where each key stands; 0: nowhere yet. */
    const struct conf_key *line_key;    /* The key of this line, once it has its value. */
    bool is_wrong;
    struct conf_problem problem;
};

/* libconfuse hands its callbacks no context of the caller's. Main thread only. */
static struct reading *reading_now;

enum { PLACE_BYTES = CONF_TEXT_BYTES };

static void format_place(const struct reading *reading, char place[PLACE_BYTES])
{
    (void)snprintf(place, PLACE_BYTES, "%s:%u", reading->path, reading->line); /* Cut is fine. */
}

static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    (void)cfg;
    struct reading *reading = reading_now;
    const struct conf_key *key = conf_key_find(opt->name);
    unsigned *key_line = &reading->key_lines[key - conf_keys];
    char place[PLACE_BYTES];
    format_place(reading, place);
    if (reading->line_key != NULL) {
        conf_complain(&reading->problem, "%s: %s: only one key to a line, and it has %s", place,
                      key->name, reading->line_key->name);
    } else if (*key_line != 0) {
        conf_complain(&reading->problem, "%s: %s: set twice, first in line %u", place, key->name,
                      *key_line);
    } else if (conf_assign(&reading->conf, key, value, place, &reading->problem)) {
        *key_line = reading->line;
        reading->line_key = key;
        *(const char **)result = value;
        return 0;
    }
    reading->is_wrong = true;
    return -1;
}

/* What libconfuse says of a line that is no `key = value`, and what we say. */
static void on_syntax(cfg_t *cfg, const char *format, va_list arguments)
{
    (void)cfg;
    struct reading *reading = reading_now;
    if (reading->is_wrong) return; /* The first problem counts. */
    reading->is_wrong = true;
    char place[PLACE_BYTES], text[CONF_TEXT_BYTES];
    format_place(reading, place);
    bool is_unknown = strcmp(format, "no such option '%s'") == 0;
    if (is_unknown) format = "%s";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"        /* The format is libconfuse's own. */
    (void)vsnprintf(text, sizeof(text), format, arguments); /* Cut is fine. */
#pragma GCC diagnostic pop
    if (is_unknown && reading->line_key != NULL)
        conf_complain(&reading->problem,
                      "%s: %s: \"%.*s\" follows the value; text with spaces goes in quotes", place,
                      reading->line_key->name, CONF_SHOWN_BYTES, text);
    else if (is_unknown)
        conf_complain_unknown(&reading->problem, place, text);
    else
        conf_complain(&reading->problem, "%s: %s; a line is key = value, with quotes closed", place,
                      strcmp(text, "premature end of file") == 0 ? "unfinished" : text);
}

/* A line at a time: libconfuse 3.3 counts a line with a comment more than once, so the number that
 * it would give is wrong. It also ends the process where reading fails, so it reads memory. */
static bool read_lines(struct reading *reading, char *text)
{
    cfg_opt_t options[CONF_KEY_COUNT + 1];
    for (unsigned i = 0; i < CONF_KEY_COUNT; i++)
        options[i] = (cfg_opt_t)CFG_STR_CB(conf_keys[i].name, NULL, CFGF_NODEFAULT, on_value);
    options[CONF_KEY_COUNT] = (cfg_opt_t)CFG_END();
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    if (cfg == NULL) {
        conf_complain(&reading->problem, "%s: %s", reading->path, strerror(ENOMEM));
        return false;
    }
    (void)cfg_set_error_function(cfg, on_syntax); /* Returns the one before. */
    reading_now = reading;
    while (text != NULL && !reading->is_wrong) {
        char *line = strsep(&text, "\n");
        reading->line++;
        reading->line_key = NULL;
        if (cfg_parse_buf(cfg, line) == CFG_SUCCESS || reading->is_wrong) continue;
        conf_complain(&reading->problem, "%s:%u: not understood; a line is key = value",
                      reading->path, reading->line);
        reading->is_wrong = true;
    }
    reading_now = NULL;
    (void)cfg_free(cfg); /* Fails for NULL only. */
    return !reading->is_wrong;
}

/* The whole file as a string, which the caller frees. 0, or a negative errno. */
static int load_text(const char *path, char **ret_text, size_t *ret_bytes)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) return -errno;
    int error = 0;
    char *text = NULL;
    struct stat status;
    if (fstat(fileno(file), &status) < 0)
        error = -errno;
    else if (S_ISDIR(status.st_mode))
        error = -EISDIR;
    else if ((text = malloc(CONF_FILE_BYTES_MAX + 2)) == NULL)
        error = -ENOMEM;
    if (error == 0) {
        errno = 0;
        *ret_bytes = fread(text, 1, CONF_FILE_BYTES_MAX + 1, file);
        text[*ret_bytes] = '\0';
        if (ferror(file)) error = errno != 0 ? -errno : -EIO;
    }
    (void)fclose(file); /* It was only read. */
    if (error != 0)
        free(text);
    else
        *ret_text = text;
    return error;
}

bool conf_read_file(struct conf *conf, const char *path, struct conf_problem *reterr_problem)
{
    char *text = NULL;
    size_t bytes = 0;
    int error = load_text(path, &text, &bytes);
    if (text == NULL) {
        conf_complain(reterr_problem, "%s: %s", path, strerror(-error));
        return false;
    }
    struct reading reading = {.conf = *conf, .path = path};
    bool is_read = false;
    if (bytes > CONF_FILE_BYTES_MAX)
        conf_complain(&reading.problem, "%s: more than %d bytes", path, CONF_FILE_BYTES_MAX);
    else if (strlen(text) != bytes)
        conf_complain(&reading.problem, "%s: not a text file", path);
    else
        is_read = read_lines(&reading, text);
    free(text);
    if (is_read)
        *conf = reading.conf;
    else
        *reterr_problem = reading.problem;
    return is_read;
}
