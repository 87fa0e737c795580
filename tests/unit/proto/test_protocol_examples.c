/* docs/protocol.md holds to the server: its examples are decoded and written again, its lists
 * compared with those that the server has. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode_fixture.h"
#include "example_fixture.h"
#include "wire_fixture.h"

enum { DOCUMENT_BYTES_MAX = 128 * 1024, WORD_BYTES_MAX = 64, WORDS_MAX = 64 };

/* shard_io.h's close codes, and those that the edge closes with (docs/protocol.md, Close codes). */
static const char *const close_codes[] = {"1000", "1002", "1003", "1007", "1009", "1012",
                                          "1013", "4003", "4008", "4009", "4500", "4509"};

static char page[DOCUMENT_BYTES_MAX];
static char client[DOCUMENT_BYTES_MAX];

static void read_document(const char *name, char text[DOCUMENT_BYTES_MAX])
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/docs/%s", QR_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) fail_msg("cannot read %s", path);
    size_t bytes = fread(text, 1, DOCUMENT_BYTES_MAX, file);
    assert_in_range(bytes, 1, DOCUMENT_BYTES_MAX - 1);
    text[bytes] = '\0';
    (void)fclose(file); /* Only read. */
}

static int read_documents(void **state)
{
    (void)state;
    read_document("protocol.md", page);
    read_document("client.mjs", client);
    return 0;
}

/* The decoder has cJSON work in an arena that holds one message. */
static int give_back_heap(void **state)
{
    (void)state;
    cJSON_InitHooks(NULL);
    return 0;
}

/* --- The page's lines. --- */

/* The next line from *at on, as a copy; NULL at the end. Valid until the next. */
static const char *next_line(const char **at)
{
    static char line[DOCUMENT_BYTES_MAX];
    if (**at == '\0') return NULL;
    size_t bytes = strcspn(*at, "\n");
    memcpy(line, *at, bytes);
    line[bytes] = '\0';
    *at += bytes + ((*at)[bytes] == '\n' ? 1 : 0);
    return line;
}

/* Each line of a fenced block that begins with this letter and a space, without them. */
static void each_example(char side, void (*check)(const char *message, uint32_t *seen),
                         uint32_t *seen)
{
    bool is_fenced = false;
    const char *at = page;
    for (const char *line = next_line(&at); line != NULL; line = next_line(&at)) {
        if (strncmp(line, "```", 3) == 0) is_fenced = !is_fenced;
        if (is_fenced && line[0] == side && line[1] == ' ') check(line + 2, seen);
    }
}

/* The words in backticks that stand in the first cells of the table under these words. */
struct words {
    unsigned count;
    char items[WORDS_MAX][WORD_BYTES_MAX];
};

static void take_words(const char *line, const char *marks, struct words *words)
{
    const char *end = strchr(line + 1, '|');
    const char *at = line + 1;
    while (at < end) {
        at += strcspn(at, marks);
        size_t bytes = strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");
        if (*marks == '`') bytes = strcspn(++at, "`");
        if (at >= end) break;
        assert_in_range(bytes, 1, WORD_BYTES_MAX - 1);
        assert_in_range(words->count, 0, WORDS_MAX - 1);
        (void)snprintf(words->items[words->count++], WORD_BYTES_MAX, "%.*s", (int)bytes, at);
        at += bytes + 1;
    }
}

/* `marks`: what a word begins with. */
static struct words first_cells(const char *heading, const char *marks)
{
    struct words words = {.count = 0};
    const char *at = strstr(page, heading);
    if (at == NULL) fail_msg("no table has the heading %s", heading);
    (void)next_line(&at); /* The heading, and the line under it. */
    (void)next_line(&at);
    for (const char *line = next_line(&at); line != NULL && line[0] == '|'; line = next_line(&at)) {
        take_words(line, marks, &words);
    }
    return words;
}

/* --- Examples. --- */

static void is_decoded(const char *message, uint32_t *seen)
{
    *seen |= UINT32_C(1) << accepted(message).type;
}

static void is_written_again(const char *message, uint32_t *seen)
{
    cJSON *example = cJSON_Parse(message);
    if (example == NULL) fail_msg("no JSON: %s", message);
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(example, "type");
    unsigned index = 0;
    if (!example_find_type(type->valuestring, &index)) fail_msg("unknown: %s", message);
    struct wire wire = empty_wire();
    example_write(index, example, &wire);
    assert_false(wire.is_overflown);
    wire_bytes[wire.size] = '\0';
    assert_string_equal(message, wire_bytes);
    *seen |= UINT32_C(1) << index;
    cJSON_Delete(example);
}

static void every_clients_example_is_a_request_and_every_request_has_one(void **state)
{
    (void)state;
    uint32_t seen = 0;
    each_example('C', is_decoded, &seen);
    assert_int_equal(seen, (UINT32_C(1) << REQUEST_TYPE_COUNT) - 1);
}

static void every_servers_example_is_what_the_server_writes_and_every_message_has_one(void **state)
{
    (void)state;
    uint32_t seen = 0;
    each_example('S', is_written_again, &seen);
    for (unsigned i = 0; example_type(i) != NULL; i++) {
        if ((seen >> i & 1) == 0) fail_msg("%s has no example", example_type(i));
    }
}

/* --- Lists. --- */

static void the_table_of_messages_names_what_the_server_writes(void **state)
{
    (void)state;
    struct words types = first_cells("| server sends |", "`");
    unsigned index = 0;
    for (unsigned i = 0; i < types.count; i++) {
        if (!example_find_type(types.items[i], &index)) fail_msg("unknown: %s", types.items[i]);
    }
    while (example_type(index) != NULL) index++;
    assert_int_equal(types.count, index);
}

static void the_table_of_requests_has_as_many_as_there_are(void **state)
{
    (void)state;
    assert_int_equal(first_cells("| client sends |", "`").count, REQUEST_TYPE_COUNT);
}

static void the_table_of_errors_is_the_list_of_refusals(void **state)
{
    (void)state;
    struct words codes = first_cells("| `code` | when |", "`");
    assert_int_equal(codes.count, REFUSAL_COUNT - 1);
    for (unsigned i = 0; i < codes.count; i++) {
        assert_string_equal(codes.items[i], refusal_code((enum refusal)(i + 1)));
    }
}

static void the_table_of_close_codes_has_those_of_the_server(void **state)
{
    (void)state;
    struct words codes = first_cells("| code | meaning |", "0123456789");
    assert_int_equal(codes.count, sizeof close_codes / sizeof close_codes[0]);
    for (unsigned i = 0; i < codes.count; i++) {
        assert_string_equal(codes.items[i], close_codes[i]);
    }
}

/* --- The client. --- */

static void the_client_in_the_page_is_the_one_beside_it(void **state)
{
    (void)state;
    const char *block = strstr(page, "\n```js\n");
    assert_non_null(block);
    block += strlen("\n```js\n");
    const char *end = strstr(block, "```\n");
    assert_non_null(end);
    assert_int_equal(end - block, strlen(client));
    assert_memory_equal(block, client, strlen(client));
}

static void the_client_has_at_most_60_lines(void **state)
{
    (void)state;
    unsigned lines = 0;
    for (const char *at = client; *at != '\0'; at++) lines += *at == '\n';
    assert_in_range(lines, 1, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_clients_example_is_a_request_and_every_request_has_one, setup, give_back_heap),
        cmocka_unit_test(every_servers_example_is_what_the_server_writes_and_every_message_has_one),
        cmocka_unit_test(the_table_of_messages_names_what_the_server_writes),
        cmocka_unit_test(the_table_of_requests_has_as_many_as_there_are),
        cmocka_unit_test(the_table_of_errors_is_the_list_of_refusals),
        cmocka_unit_test(the_table_of_close_codes_has_those_of_the_server),
        cmocka_unit_test(the_client_in_the_page_is_the_one_beside_it),
        cmocka_unit_test(the_client_has_at_most_60_lines),
    };
    return cmocka_run_group_tests_name("protocol_examples", tests, read_documents, NULL);
}
