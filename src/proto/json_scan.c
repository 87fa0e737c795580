#include "json_scan_priv.h"

#include <stdint.h>
#include <string.h>

const char *json_fault_text(enum json_fault fault)
{
    switch (fault) {
    case JSON_FAULT_SYNTAX: return "The text is not JSON.";
    case JSON_FAULT_DEPTH: return "Arrays and objects are nested too deeply.";
    case JSON_FAULT_CONTROL: return "A string has a control character that is not escaped.";
    case JSON_FAULT_NUMBER: return "A number is not written as JSON demands, or too long.";
    case JSON_FAULT_ESCAPE: return "A string has an escape that JSON does not know.";
    case JSON_FAULT_SURROGATE: return "A string has half of a surrogate pair.";
    case JSON_FAULT_NONE: break;
    }
    QR_UNREACHABLE("no fault has no text");
}

static bool fail(struct json_scan *scan, enum json_fault fault)
{
    scan->fault = fault;
    return false;
}

/* NUL at the end: it begins no token, so that the end needs no care of its own. */
static char peek(const struct json_scan *scan)
{
    return scan->at < scan->bytes ? scan->text[scan->at] : '\0';
}

bool json_take(struct json_scan *scan, char byte)
{
    if (scan->at >= scan->bytes || scan->text[scan->at] != byte) return false;
    scan->at++;
    return true;
}

void json_skip_space(struct json_scan *scan)
{
    while (json_take(scan, ' ') || json_take(scan, '\t') || json_take(scan, '\n') ||
           json_take(scan, '\r'))
        ;
}

/* The four digits of a \u escape, or -1. */
static int32_t take_hex4(struct json_scan *scan)
{
    int32_t value = 0;
    for (unsigned i = 0; i < 4; i++) {
        char digit = peek(scan);
        if (digit >= '0' && digit <= '9') {
            value = value * 16 + (digit - '0');
        } else if (digit >= 'a' && digit <= 'f') {
            value = value * 16 + (digit - 'a' + 10);
        } else if (digit >= 'A' && digit <= 'F') {
            value = value * 16 + (digit - 'A' + 10);
        } else {
            return -1;
        }
        scan->at++;
    }
    return value;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* What follows \u. */
static bool scan_unicode_escape(struct json_scan *scan)
{
    int32_t unit = take_hex4(scan);
    if (unit < 0) return fail(scan, JSON_FAULT_ESCAPE);
    if (unit == 0) scan->has_nul = true;
    if (is_low_surrogate(unit)) return fail(scan, JSON_FAULT_SURROGATE);
    if (!is_high_surrogate(unit)) return true;
    if (!json_take(scan, '\\') || !json_take(scan, 'u') || !is_low_surrogate(take_hex4(scan))) {
        return fail(scan, JSON_FAULT_SURROGATE);
    }
    return true;
}

static bool scan_escape(struct json_scan *scan)
{
    char letter = peek(scan);
    if (letter == '\0' || strchr("\"\\/bfnrtu", letter) == NULL) {
        return fail(scan, JSON_FAULT_ESCAPE);
    }
    scan->at++;
    return letter == 'u' ? scan_unicode_escape(scan) : true;
}

static bool scan_string(struct json_scan *scan)
{
    if (!json_take(scan, '"')) return fail(scan, JSON_FAULT_SYNTAX);
    while (scan->at < scan->bytes) {
        if (json_take(scan, '"')) return true;
        if (json_take(scan, '\\')) {
            if (!scan_escape(scan)) return false;
            continue;
        }
        if ((unsigned char)peek(scan) < 0x20) return fail(scan, JSON_FAULT_CONTROL);
        scan->at++;
    }
    return fail(scan, JSON_FAULT_SYNTAX);
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool take_digits(struct json_scan *scan)
{
    if (!is_digit(peek(scan))) return false;
    while (is_digit(peek(scan))) scan->at++;
    return true;
}

static bool scan_number(struct json_scan *scan)
{
    size_t begin = scan->at;
    json_take(scan, '-');
    if (!json_take(scan, '0') && !take_digits(scan)) return fail(scan, JSON_FAULT_NUMBER);
    if (json_take(scan, '.') && !take_digits(scan)) return fail(scan, JSON_FAULT_NUMBER);
    if (json_take(scan, 'e') || json_take(scan, 'E')) {
        if (!json_take(scan, '+')) json_take(scan, '-');
        if (!take_digits(scan)) return fail(scan, JSON_FAULT_NUMBER);
    }
    /* 01: a digit follows the number that it begins with. */
    if (is_digit(peek(scan))) return fail(scan, JSON_FAULT_NUMBER);
    if (scan->at - begin > JSON_NUMBER_BYTES_MAX) return fail(scan, JSON_FAULT_NUMBER);
    return true;
}

static bool scan_word(struct json_scan *scan, const char *word)
{
    size_t bytes = strlen(word);
    if (scan->bytes - scan->at < bytes || memcmp(scan->text + scan->at, word, bytes) != 0) {
        return fail(scan, JSON_FAULT_SYNTAX);
    }
    scan->at += bytes;
    return true;
}

static bool scan_scalar(struct json_scan *scan)
{
    switch (peek(scan)) {
    case '"': return scan_string(scan);
    case 't': return scan_word(scan, "true");
    case 'f': return scan_word(scan, "false");
    case 'n': return scan_word(scan, "null");
    /* These begin what others write for numbers (+1, .5, NaN, Infinity). */
    case '+':
    case '.':
    case 'N':
    case 'I': return fail(scan, JSON_FAULT_NUMBER);
    default: break;
    }
    if (peek(scan) == '-' || is_digit(peek(scan))) return scan_number(scan);
    return fail(scan, JSON_FAULT_SYNTAX);
}

bool json_scan_key(struct json_scan *scan)
{
    json_skip_space(scan);
    if (!scan_string(scan)) return false;
    json_skip_space(scan);
    if (!json_take(scan, ':')) return fail(scan, JSON_FAULT_SYNTAX);
    json_skip_space(scan);
    return true;
}

/* The arrays and objects that the cursor is in, by what closes them. */
struct nest {
    char closers[JSON_DEPTH_MAX];
    unsigned depth;
};

/* Closes what ends here, and steps over the comma to the next value, if there is one:
 * ret_is_complete tells. */
static bool scan_after_value(struct json_scan *scan, struct nest *nest, bool *ret_is_complete)
{
    while (nest->depth > 0) {
        char closer = nest->closers[nest->depth - 1];
        json_skip_space(scan);
        if (json_take(scan, closer)) {
            nest->depth--;
            continue;
        }
        if (!json_take(scan, ',')) return fail(scan, JSON_FAULT_SYNTAX);
        *ret_is_complete = false;
        return closer == '}' ? json_scan_key(scan) : true;
    }
    *ret_is_complete = true;
    return true;
}

bool json_scan_value(struct json_scan *scan, unsigned depth_max)
{
    QR_ASSERT(depth_max <= JSON_DEPTH_MAX);
    struct nest nest = {.depth = 0};
    for (bool is_complete = false; !is_complete;) {
        json_skip_space(scan);
        char opener = peek(scan);
        if (opener != '{' && opener != '[') {
            if (!scan_scalar(scan)) return false;
        } else {
            if (nest.depth == depth_max) return fail(scan, JSON_FAULT_DEPTH);
            char closer = opener == '{' ? '}' : ']';
            nest.closers[nest.depth++] = closer;
            scan->at++;
            json_skip_space(scan);
            if (peek(scan) != closer) {
                if (opener == '{' && !json_scan_key(scan)) return false;
                continue;
            }
        }
        if (!scan_after_value(scan, &nest, &is_complete)) return false;
    }
    return true;
}

void json_seek_member(struct json_scan *scan, unsigned index)
{
    json_skip_space(scan);
    bool is_sound = json_take(scan, '{') && json_scan_key(scan);
    for (unsigned i = 0; i < index; i++) {
        is_sound = is_sound && json_scan_value(scan, JSON_DEPTH_MAX);
        json_skip_space(scan);
        is_sound = is_sound && json_take(scan, ',') && json_scan_key(scan);
    }
    QR_ASSERT(is_sound);
}
