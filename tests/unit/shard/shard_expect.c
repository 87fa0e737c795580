#include "shard_expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim_failed.h"

enum { WORD_BYTES = 64, WORDS_BYTES = 8192 };

/* --- A rule that the world found broken. --- */

void sim_failed(const char *format, ...)
{
    char text[WORDS_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments); /* Cut, it still tells. */
    va_end(arguments);
    fail_msg("%s", text);
    abort(); /* Not reached: the test was left. */
}

/* --- Builders. --- */

void is_idle(struct world *world, unsigned client, unsigned shard)
{
    comes(world, client, shard);
    greets(world, client);
    settle(world);
    expect_said(world, client, "welcome");
}

void is_queued(struct world *world, unsigned client, unsigned shard)
{
    is_idle(world, client, shard);
    joins(world, client);
    settle(world);
    expect_said(world, client, "queued");
}

void duel_begins(struct world *world, unsigned first_shard, unsigned second_shard)
{
    is_queued(world, ADA, first_shard);
    is_idle(world, BEN, second_shard);
    joins(world, BEN);
    settle(world);
    expect_said(world, ADA, "match");
    expect_said(world, BEN, "queued, match");
}

void duel_asks(struct world *world, unsigned first_shard, unsigned second_shard)
{
    duel_begins(world, first_shard, second_shard);
    run_ms(world, START_MS);
    expect_said(world, ADA, "round");
    expect_said(world, BEN, "round");
}

static void both_answer(struct world *world, unsigned round)
{
    answers(world, ADA, round, right_choice(world, ADA));
    answers(world, BEN, round, wrong_choice(world, BEN));
    settle(world);
}

void goes_to_round(struct world *world, unsigned round)
{
    for (unsigned i = 1; i < round; i++) {
        both_answer(world, i);
        run_ms(world, REVEAL_TIME_MS);
    }
    look_away(world, ADA);
    look_away(world, BEN);
}

void plays_to_the_end(struct world *world)
{
    goes_to_round(world, ROUNDS);
    both_answer(world, ROUNDS);
}

void is_back(struct world *world, unsigned client, unsigned shard)
{
    comes(world, client, shard);
    resumes(world, client);
    settle(world);
    expect_among(world, client, "welcome");
}

void is_known_to_the_store(struct world *world, unsigned client, int32_t rating_centi)
{
    assert_true(world->known_count < KNOWN_MAX);
    struct player_record *record = &world->records[world->known_count];
    player_record_init(record, "Stored");
    record->rating.rating_centi = rating_centi;
    world->known[world->known_count++] = world->clients[client].player;
}

/* --- Expectations. --- */

/* Copies the text behind `key` up to the closing quote. */
static void copy_word(const char *text, const char *key, char ret_word[WORD_BYTES])
{
    const char *at = strstr(text, key);
    size_t length = at == NULL ? 0 : strcspn(at + strlen(key), "\"");
    assert_true(length < WORD_BYTES);
    if (length > 0) memcpy(ret_word, at + strlen(key), length);
    ret_word[length] = '\0';
}

static void word_of(const char *text, char ret_word[2 * WORD_BYTES])
{
    static const char *const details[][2] = {{"error", ",\"code\":\""},
                                             {"peer", ",\"state\":\""},
                                             {"end", ",\"reason\":\""},
                                             {"bye", ",\"reason\":\""},
                                             {"unqueued", ",\"reason\":\""}};
    char type[WORD_BYTES], detail[WORD_BYTES] = "";
    copy_word(text, "{\"type\":\"", type);
    for (unsigned i = 0; i < sizeof(details) / sizeof(details[0]); i++) {
        if (strcmp(type, details[i][0]) == 0) copy_word(text, details[i][1], detail);
    }
    (void)snprintf(ret_word, 2 * (size_t)WORD_BYTES, "%s%s%s", type, detail[0] != '\0' ? " " : "",
                   detail); /* It fits. */
}

void expect_said(struct world *world, unsigned client, const char *words)
{
    struct client *at = &world->clients[client];
    char said[WORDS_BYTES] = "";
    for (; at->expected < at->message_count; at->expected++) {
        char word[2 * WORD_BYTES];
        word_of(at->messages[at->expected], word);
        size_t length = strlen(said);
        (void)snprintf(said + length, sizeof(said) - length, "%s%s", length > 0 ? ", " : "",
                       word); /* Cut, it is another text. */
    }
    assert_string_equal(said, words);
}

void expect_nothing_said(struct world *world, unsigned client)
{
    expect_said(world, client, "");
}

const char *expect_among(struct world *world, unsigned client, const char *word)
{
    struct client *at = &world->clients[client];
    const char *found = NULL;
    for (; at->expected < at->message_count; at->expected++) {
        char said[2 * WORD_BYTES];
        word_of(at->messages[at->expected], said);
        if (strcmp(said, word) == 0) found = at->messages[at->expected];
    }
    if (found == NULL) fail_msg("client %u was told no `%s`", client, word);
    return found;
}

void look_away(struct world *world, unsigned client)
{
    world->clients[client].expected = world->clients[client].message_count;
}

void expect_reply(const struct world *world, unsigned client, const char *type, uint32_t id)
{
    assert_int_equal(number_in(last_said(world, client, type), "id"), id);
}

void expect_closed(const struct world *world, unsigned client, unsigned code)
{
    assert_int_equal(world->clients[client].close_code, code);
}

void expect_open(const struct world *world, unsigned client)
{
    assert_true(world->clients[client].is_connected);
    assert_int_equal(world->clients[client].close_code, 0);
}

void expect_same_bytes(const struct world *world, unsigned first, unsigned second, const char *type)
{
    assert_string_equal(last_said(world, first, type), last_said(world, second, type));
}
