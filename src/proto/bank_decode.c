#include "proto/bank_decode.h"

#include <string.h>

#include <unistr.h>

#include "core/question.h"
#include "json_scan_priv.h"
#include "json_tree_priv.h"
#include "proto/decode.h"
#include "wire_priv.h"

/* The file as it is read. */
struct reader {
    struct json_scan scan;
    size_t counted; /* Lines are counted up to here, */
    uint32_t line;  /* and this is the one. */
    bank_on_entry *on_entry;
    void *context;
    struct bank_problem *problem;
};

static uint32_t line_at(struct reader *reader, size_t at)
{
    for (; reader->counted < at; reader->counted++) {
        if (reader->scan.text[reader->counted] == '\n') reader->line++;
    }
    return reader->line;
}

static bool refuse(struct bank_problem *problem, uint32_t line, const char *reason)
{
    struct wire sentence;
    wire_begin_text(&sentence, problem->reason, sizeof problem->reason);
    wire_append(&sentence, reason);
    wire_end_text(&sentence);
    problem->line = line;
    return false;
}

static bool refuse_here(struct reader *reader, const char *reason)
{
    return refuse(reader->problem, line_at(reader, reader->scan.at), reason);
}

static bool refuse_fault(struct reader *reader)
{
    return refuse_here(reader, json_fault_text(reader->scan.fault));
}

/* --- One entry. --- */

static bool refuse_field(struct bank_problem *problem, uint32_t line, const char *field,
                         const char *must)
{
    struct wire sentence;
    wire_begin_text(&sentence, problem->reason, sizeof problem->reason);
    wire_append(&sentence, "`");
    wire_append(&sentence, field);
    wire_append(&sentence, "` must be ");
    wire_append(&sentence, must);
    wire_end_text(&sentence);
    problem->line = line;
    return false;
}

static bool read_string(const cJSON *object, const char *field, uint32_t line,
                        const char **ret_text, struct bank_problem *problem)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, field);
    if (!cJSON_IsString(item)) return refuse_field(problem, line, field, "a string.");
    *ret_text = item->valuestring;
    return true;
}

static bool read_type(const cJSON *object, struct bank_entry *entry, struct bank_problem *problem)
{
    const char *type;
    if (!read_string(object, "type", entry->line, &type, problem)) return false;
    entry->is_boolean = strcmp(type, "boolean") == 0;
    if (entry->is_boolean || strcmp(type, "multiple") == 0) return true;
    return refuse_field(problem, entry->line, "type", "multiple or boolean.");
}

static bool read_difficulty(const cJSON *object, struct bank_entry *entry,
                            struct bank_problem *problem)
{
    const char *name;
    if (!read_string(object, "difficulty", entry->line, &name, problem)) return false;
    for (uint8_t i = DIFFICULTY_EASY; i <= DIFFICULTY_HARD; i++) {
        if (strcmp(name, difficulty_name((enum difficulty)i)) != 0) continue;
        entry->difficulty = i;
        return true;
    }
    return refuse_field(problem, entry->line, "difficulty", "easy, medium or hard.");
}

static bool read_choices(const cJSON *object, struct bank_entry *entry,
                         struct bank_problem *problem)
{
    if (!read_string(object, "correct_answer", entry->line, &entry->choices[0], problem)) {
        return false;
    }
    entry->choice_count = 1;
    const cJSON *wrongs = cJSON_GetObjectItemCaseSensitive(object, "incorrect_answers");
    const cJSON *wrong = cJSON_IsArray(wrongs) ? wrongs->child : NULL;
    for (; wrong != NULL; wrong = wrong->next) {
        if (!cJSON_IsString(wrong) || entry->choice_count == QUESTION_CHOICES_MAX) break;
        entry->choices[entry->choice_count++] = wrong->valuestring;
    }
    if (wrong != NULL || entry->choice_count < QUESTION_CHOICES_MIN) {
        return refuse_field(problem, entry->line, "incorrect_answers", "1 to 5 strings.");
    }
    return true;
}

static bool is_true_or_false(const struct bank_entry *entry)
{
    if (entry->choice_count != 2) return false;
    if (strcmp(entry->choices[0], "True") == 0) return strcmp(entry->choices[1], "False") == 0;
    return strcmp(entry->choices[0], "False") == 0 && strcmp(entry->choices[1], "True") == 0;
}

static bool read_entry(const cJSON *object, struct bank_entry *entry, struct bank_problem *problem)
{
    if (!cJSON_IsObject(object)) {
        return refuse(problem, entry->line, "An entry of `results` is not an object.");
    }
    if (!read_type(object, entry, problem)) return false;
    if (!read_difficulty(object, entry, problem)) return false;
    if (!read_string(object, "category", entry->line, &entry->category, problem)) return false;
    if (!read_string(object, "question", entry->line, &entry->question, problem)) return false;
    if (!read_choices(object, entry, problem)) return false;
    if (entry->is_boolean && !is_true_or_false(entry)) {
        return refuse(problem, entry->line, "The answers of a boolean must be True and False.");
    }
    return true;
}

/* --- The object around them. --- */

static bool take_entry(struct reader *reader)
{
    struct json_scan *scan = &reader->scan;
    json_skip_space(scan);
    size_t begin = scan->at;
    struct bank_entry entry = {.line = line_at(reader, begin)};
    scan->has_nul = false; /* What was ignored may hold one. */
    if (!json_scan_value(scan, DECODE_DEPTH_MAX)) return refuse_fault(reader);
    if (scan->has_nul) return refuse(reader->problem, entry.line, "A string holds \\u0000.");
    const cJSON *object = json_tree_parse(scan->text + begin, scan->at - begin);
    if (object == NULL) return refuse(reader->problem, entry.line, "The entry is too large.");
    if (!read_entry(object, &entry, reader->problem)) return false;
    return reader->on_entry(reader->context, &entry, reader->problem);
}

static bool take_results(struct reader *reader)
{
    struct json_scan *scan = &reader->scan;
    if (!json_take(scan, '[')) return refuse_here(reader, "`results` must be an array.");
    json_skip_space(scan);
    if (json_take(scan, ']')) return true;
    do {
        if (!take_entry(reader)) return false;
        json_skip_space(scan);
    } while (json_take(scan, ','));
    if (!json_take(scan, ']'))
        return refuse_here(reader, "A comma or the end of `results` is missing.");
    return true;
}

/* One member of the outer object. Names are compared as they are written: nobody escapes the
 * letters of `results`. */
static bool take_member(struct reader *reader, bool *has_results)
{
    static const char results[] = "\"results\"";
    struct json_scan *scan = &reader->scan;
    json_skip_space(scan);
    size_t begin = scan->at;
    if (!json_scan_key(scan)) return refuse_fault(reader);
    if (scan->at - begin < sizeof results - 1 ||
        memcmp(scan->text + begin, results, sizeof results - 1) != 0) {
        if (!json_scan_value(scan, DECODE_DEPTH_MAX)) return refuse_fault(reader);
        return true;
    }
    if (*has_results) return refuse_here(reader, "`results` is there twice.");
    *has_results = true;
    return take_results(reader);
}

static bool take_members(struct reader *reader)
{
    struct json_scan *scan = &reader->scan;
    bool has_results = false;
    json_skip_space(scan);
    if (!json_take(scan, '{')) return refuse_here(reader, "The file is not a JSON object.");
    json_skip_space(scan);
    if (!json_take(scan, '}')) {
        do {
            if (!take_member(reader, &has_results)) return false;
            json_skip_space(scan);
        } while (json_take(scan, ','));
        if (!json_take(scan, '}'))
            return refuse_here(reader, "A comma or the last brace is missing.");
    }
    json_skip_space(scan);
    if (scan->at < scan->bytes) return refuse_here(reader, "Something follows the JSON object.");
    if (!has_results) return refuse_here(reader, "`results` is missing.");
    return true;
}

bool bank_decode(const char *text, size_t bytes, struct bank_problem *reterr_problem,
                 bank_on_entry *on_entry, void *context)
{
    struct reader reader = {
        .scan = {.text = text, .bytes = bytes},
        .line = 1,
        .on_entry = on_entry,
        .context = context,
        .problem = reterr_problem,
    };
    if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        return refuse_here(&reader, "The file begins with a byte order mark.");
    }
    const uint8_t *invalid = u8_check((const uint8_t *)text, bytes);
    if (invalid != NULL) {
        reader.scan.at = (size_t)((const char *)invalid - text);
        return refuse_here(&reader, "The text is not UTF-8.");
    }
    return take_members(&reader);
}
