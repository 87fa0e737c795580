/* A journal's records: what is written is read again, and nothing else is. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/journal.h"

enum { ROUNDS = 3, QUESTIONS = 8, NOW_MS = 7000 };

static const struct journal_side sides[MATCH_PLAYERS_MAX] = {
    {.secret = {{1, 2, 3}},
     .record = {.name = "Ada",
                .rating = {150000, 35000, 60000},
                .rated_at = {1780000000000},
                .recent = {{7, 8, 9}, 3},
                .opponents = {{{77, {1780000000000}}}, 1}}},
    {.secret = {{4, 5, 6}}, .record = {.name = "Ben", .rating = {160000, 20000, 60000}}},
};

static const struct bank *a_bank(void)
{
    static struct question questions[QUESTIONS];
    static uint16_t all[QUESTIONS];
    static struct bank bank;
    for (unsigned i = 0; i < QUESTIONS; i++) {
        questions[i] = (struct question){.id = {{(uint8_t)i, 9}},
                                         .text = "What is “it”?",
                                         .choices = {"right", "wrong", "worse"},
                                         .choice_count = 3,
                                         .category = (uint8_t)(i % 2),
                                         .difficulty = DIFFICULTY_HARD};
        all[i] = (uint16_t)i;
    }
    bank = (struct bank){.questions = questions,
                         .count = QUESTIONS,
                         .all = all,
                         .categories = {{"art", all, QUESTIONS}, {"film", all, QUESTIONS}},
                         .category_count = 2};
    return &bank;
}

static const struct match_entrant ada = {
    .player = {{1}},
    .record = {.name = "Ada", .rating = {150000, 35000, 60000}},
    .credit_ms = 40,
};
static const struct match_entrant ben = {
    .player = {{2}},
    .record = {.name = "Ben", .rating = {160000, 20000, 60000}},
};

static struct match a_match(void)
{
    struct match_setup setup = {
        .id = {{7}},
        .seed = {{0x5eed, 1}},
        .bank = a_bank(),
        .category = QUESTION_CATEGORY_ANY,
        .settings = {.mode = MATCH_MODE_DUEL,
                     .rounds = ROUNDS,
                     .start_ms = 3000,
                     .round_time_ms = 10000,
                     .reveal_time_ms = 4000,
                     .grace_ms = 10000,
                     .close_slack_ms = 20,
                     .tau_milli = 500},
        .player_count = 2,
        .entrants = {&ada, &ben},
        .now = {NOW_MS},
        .wall_now = {1790000000000},
    };
    struct match match;
    struct effects effects = {.count = 0};
    match_init(&match, &setup, &effects);
    return match;
}

static void step(struct match *match, struct match_event event)
{
    struct effects effects = {.count = 0};
    match_step(match, &event, &effects);
    assert_null(match->fault);
}

/* Ben leaves in round 1, which Ada has answered. */
static struct match a_settling_match(void)
{
    struct match match = a_match();
    step(&match, (struct match_event){.kind = MATCH_EVENT_PHASE_TIMER,
                                      .at = match.phase_at,
                                      .timer = {match.phase}});
    mono_time now = mono_after(match_began_at(&match, &match.rounds[0]), 700);
    step(&match, (struct match_event){.kind = MATCH_EVENT_ANSWER,
                                      .at = now,
                                      .answer = {.stamp = now, .round = 1, .choice = 2}});
    step(&match, (struct match_event){.kind = MATCH_EVENT_PRESENCE,
                                      .player = 1,
                                      .at = now,
                                      .presence = {.is_leaving = true, .names_match = true}});
    return match;
}

static struct journal_head head_of(const uint8_t *bytes, size_t size)
{
    struct journal_head head;
    assert_null(journal_read_head(bytes, size, &head));
    return head;
}

/* --- What is written is read. --- */

static void the_beginning_of_a_match_is_read_as_it_was_written(void **state)
{
    (void)state;
    static uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    static struct journal_begin begin;
    struct match match = a_match();
    size_t size = journal_write_begin(bytes, &match, sides);
    assert_int_equal(head_of(bytes, size).kind, JOURNAL_BEGIN);
    assert_null(journal_read_begin(bytes, size, &begin));
    assert_int_equal(begin.rules, MATCH_RULES_VERSION);
    assert_memory_equal(begin.sides, sides, sizeof(sides));
    struct match restored;
    struct effects effects = {.count = 0};
    match_restore(&restored, &begin.origin, &begin.bank.bank, &effects);
    for (unsigned i = 0; i < ROUNDS; i++) {
        const struct question *written = &match.bank->questions[match.rounds[i].question];
        const struct question *read = &restored.bank->questions[restored.rounds[i].question];
        assert_memory_equal(&read->id, &written->id, sizeof(read->id));
        assert_string_equal(read->text, written->text);
        assert_string_equal(read->choices[1], written->choices[1]);
        assert_string_equal(restored.bank->categories[read->category].name,
                            match.bank->categories[written->category].name);
        assert_memory_equal(restored.rounds[i].places, match.rounds[i].places,
                            QUESTION_CHOICES_MAX);
    }
    assert_memory_equal(restored.players, match.players, sizeof(match.players));
    assert_memory_equal(&restored.prng, &match.prng, sizeof(match.prng));
    assert_int_equal(restored.phase_at.ms, match.phase_at.ms);
}

static void a_session_that_takes_a_seat_is_read_as_it_was_written(void **state)
{
    (void)state;
    uint8_t bytes[JOURNAL_EVENT_BYTES_MAX];
    struct id match = {{7}};
    struct journal_seat seat = {.seat = 1, .secret = sides[1].secret, .shown = sides[0].secret},
                        read;
    size_t size = journal_write_seat(bytes, &match, &seat);
    struct journal_head head = head_of(bytes, size);
    assert_int_equal(head.kind, JOURNAL_SEAT);
    assert_true(id_equal(&head.match, &match));
    assert_null(journal_read_seat(bytes, size, &read));
    assert_memory_equal(&read, &seat, sizeof(seat));
}

static void expect_event_kept(struct match_event event)
{
    uint8_t bytes[JOURNAL_EVENT_BYTES_MAX];
    struct match match = a_match();
    struct journal_event read;
    event.at.ms = NOW_MS;
    size_t size = journal_write_event(bytes, &match, &event);
    assert_null(journal_read_event(bytes, size, &read));
    assert_int_equal(read.seq, match.seq);
    assert_memory_equal(&read.event, &event, sizeof(event));
    assert_non_null(journal_read_event(bytes, size - 1, &read));
}

static void every_event_that_counts_is_read_as_it_was_written(void **state)
{
    (void)state;
    expect_event_kept(
        (struct match_event){.kind = MATCH_EVENT_ANSWER,
                             .player = 1,
                             .answer = {.stamp = {NOW_MS - 1}, .round = 2, .choice = 3}});
    expect_event_kept((struct match_event){.kind = MATCH_EVENT_PRESENCE,
                                           .presence = {.is_leaving = true, .credit_ms = 250}});
    expect_event_kept((struct match_event){.kind = MATCH_EVENT_PHASE_TIMER, .timer = {77}});
    expect_event_kept(
        (struct match_event){.kind = MATCH_EVENT_GRACE_TIMER, .player = 1, .timer = {64}});
    expect_event_kept((struct match_event){.kind = MATCH_EVENT_SAVED});
    expect_event_kept((struct match_event){.kind = MATCH_EVENT_SAVE_FAILED});
    expect_event_kept(
        (struct match_event){.kind = MATCH_EVENT_CANCEL, .cancel = {MATCH_END_SHUTDOWN}});
    expect_event_kept((struct match_event){.kind = MATCH_EVENT_RECOVERED, .recovered = {-5}});
}

static void a_result_is_read_as_it_was_written(void **state)
{
    (void)state;
    static uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    static struct journal_result read;
    static struct match_result result;
    struct match match = a_settling_match();
    match_result_of(&match, &result);
    size_t size = journal_write_result(bytes, &result);
    assert_int_equal(head_of(bytes, size).kind, JOURNAL_RESULT);
    assert_null(journal_read_result(bytes, size, &read));
    assert_string_equal(read.result.rounds[0].question->text, result.rounds[0].question->text);
    assert_int_equal(read.result.rounds[0].answers[1].choice, MATCH_CHOICE_NONE);
    assert_int_equal(read.result.winner, 0);
    assert_int_equal(read.result.tau_milli, match.settings.tau_milli);
    /* The same bytes again: nothing was lost. */
    static uint8_t again[JOURNAL_RECORD_BYTES_MAX];
    assert_int_equal(journal_write_result(again, &read.result), size);
    assert_memory_equal(again, bytes, size);
}

static void the_clock_is_read_as_it_was_written(void **state)
{
    (void)state;
    uint8_t bytes[JOURNAL_EVENT_BYTES_MAX];
    struct journal_clock clock = {{NOW_MS}, {1790000000000}, 4096}, read;
    size_t size = journal_write_clock(bytes, &clock);
    assert_null(journal_read_clock(bytes, size, &read));
    assert_memory_equal(&read, &clock, sizeof(clock));
}

static void a_mark_is_its_head(void **state)
{
    (void)state;
    uint8_t bytes[JOURNAL_EVENT_BYTES_MAX];
    struct id match = {{7}};
    size_t size = journal_write_mark(bytes, JOURNAL_STORED, &match);
    assert_int_equal(head_of(bytes, size).kind, JOURNAL_STORED);
    assert_string_equal(journal_kind_name(JOURNAL_STORED), "stored");
}

/* --- And nothing else is. --- */

static void a_beginning_under_other_rules_is_known_as_such(void **state)
{
    (void)state;
    static uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    static struct journal_begin begin;
    struct match match = a_match();
    size_t size = journal_write_begin(bytes, &match, sides);
    bytes[17] = MATCH_RULES_VERSION + 1;
    assert_null(journal_read_begin(bytes, size, &begin));
    assert_int_equal(begin.rules, MATCH_RULES_VERSION + 1);
    assert_true(id_equal(&begin.origin.id, &match.id));
}

static void how_many_rounds_a_match_has_is_known_without_reading_all(void **state)
{
    (void)state;
    static uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    enum { SETTINGS_BYTES = 17 + 2 + 24 + 26 };
    struct match match = a_match();
    size_t size = journal_write_begin(bytes, &match, sides);
    assert_int_equal(journal_rounds_of(bytes, size), ROUNDS);
    for (size_t cut = 17; cut < SETTINGS_BYTES; cut++) {
        assert_int_equal(journal_rounds_of(bytes, cut), 0);
    }
    bytes[17] = MATCH_RULES_VERSION + 1;
    assert_int_equal(journal_rounds_of(bytes, size), 0);
}

static void a_beginning_that_is_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    static uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    static struct journal_begin begin;
    struct match match = a_match();
    size_t size = journal_write_begin(bytes, &match, sides);
    for (size_t cut = 17; cut < size; cut++) {
        assert_non_null(journal_read_begin(bytes, cut, &begin));
    }
    assert_non_null(journal_read_begin(bytes, size + 1, &begin));
}

static void a_result_that_no_rating_can_be_computed_with_is_refused(void **state)
{
    (void)state;
    static uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    static struct journal_result read;
    static struct match_result result;
    struct match match = a_settling_match();
    match_result_of(&match, &result);
    result.tau_milli = RATING_TAU_MIN_MILLI - 1;
    size_t size = journal_write_result(bytes, &result);
    assert_non_null(journal_read_result(bytes, size, &read));
    result.tau_milli = RATING_TAU_MAX_MILLI + 1;
    size = journal_write_result(bytes, &result);
    assert_non_null(journal_read_result(bytes, size, &read));
}

static void a_result_that_is_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    static uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    static struct journal_result read;
    static struct match_result result;
    struct match match = a_settling_match();
    match_result_of(&match, &result);
    size_t size = journal_write_result(bytes, &result);
    for (size_t cut = 17; cut < size; cut++) {
        assert_non_null(journal_read_result(bytes, cut, &read));
    }
}

/* What a checksum let through: read or refused, never followed out of the record. */
static void any_byte_may_be_another(void **state)
{
    (void)state;
    static uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    static struct journal_begin begin;
    static struct journal_result read;
    static struct match_result result;
    struct match match = a_match();
    size_t size = journal_write_begin(bytes, &match, sides);
    for (size_t i = 17; i < size; i++) {
        bytes[i] ^= 0x81;
        (void)!journal_read_begin(bytes, size, &begin); /* Either is fine. */
        bytes[i] ^= 0x81;
    }
    match = a_settling_match();
    match_result_of(&match, &result);
    size = journal_write_result(bytes, &result);
    for (size_t i = 17; i < size; i++) {
        bytes[i] ^= 0x81;
        (void)!journal_read_result(bytes, size, &read); /* Either is fine. */
        bytes[i] ^= 0x81;
    }
}

static void a_record_of_an_unknown_kind_is_refused(void **state)
{
    (void)state;
    struct journal_head head;
    uint8_t bytes[17] = {JOURNAL_KIND_COUNT};
    assert_string_equal(journal_read_head(bytes, sizeof(bytes), &head), "its kind is unknown");
    assert_string_equal(journal_read_head(bytes, 16, &head), "it is shorter than its head");
}

static void an_emote_is_no_event_that_counts(void **state)
{
    (void)state;
    uint8_t bytes[JOURNAL_EVENT_BYTES_MAX];
    struct match match = a_match();
    struct journal_event read;
    struct match_event emote = {.kind = MATCH_EVENT_EMOTE};
    size_t size = journal_write_event(bytes, &match, &emote);
    assert_non_null(journal_read_event(bytes, size, &read));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_beginning_of_a_match_is_read_as_it_was_written),
        cmocka_unit_test(a_session_that_takes_a_seat_is_read_as_it_was_written),
        cmocka_unit_test(every_event_that_counts_is_read_as_it_was_written),
        cmocka_unit_test(a_result_is_read_as_it_was_written),
        cmocka_unit_test(the_clock_is_read_as_it_was_written),
        cmocka_unit_test(a_mark_is_its_head),
        cmocka_unit_test(a_beginning_under_other_rules_is_known_as_such),
        cmocka_unit_test(how_many_rounds_a_match_has_is_known_without_reading_all),
        cmocka_unit_test(a_beginning_that_is_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_result_that_no_rating_can_be_computed_with_is_refused),
        cmocka_unit_test(a_result_that_is_cut_off_anywhere_is_refused),
        cmocka_unit_test(any_byte_may_be_another),
        cmocka_unit_test(a_record_of_an_unknown_kind_is_refused),
        cmocka_unit_test(an_emote_is_no_event_that_counts),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
