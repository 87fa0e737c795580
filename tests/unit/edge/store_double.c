#include "store_double.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"

static const struct question questions[] = {
    {.id = {{0xa1, 1}}, .text = "What is H2O?", .choices = {"Water", "Salt"}, .choice_count = 2}};
static const struct bank bank = {
    .questions = questions, .count = 1, .categories = {{.name = "science"}}, .category_count = 1};

struct id double_player(unsigned number)
{
    struct id id = {.bytes = {1}};
    id.bytes[sizeof(id.bytes) - 1] = (uint8_t)number;
    return id;
}

struct match_result double_result(unsigned number)
{
    struct rating rating = {150000, 35000, 60000};
    struct match_result result = {
        .match = {{2, (uint8_t)(number >> 8), (uint8_t)number}},
        .mode = MATCH_MODE_DUEL,
        .reason = MATCH_END_FINISHED,
        .player_count = 2,
        .round_count = 1,
        .tau_milli = 500,
        .created_at = {1790000000000},
        .ended_at = {1790000030000},
        .bank = &bank,
        .players = {{double_player(0), "Ada", rating, rating, 904, false, false},
                    {double_player(1), "Ben", rating, rating, 0, false, false}},
        .rounds = {{.question = &questions[0],
                    .places = {1, 0},
                    .choice_count = 2,
                    .weight = 2,
                    .is_revealed = true,
                    .time_ms = 10000}},
    };
    result.rounds[0].answers[1].choice = MATCH_CHOICE_NONE;
    return result;
}

static struct store_double *of(struct store *store)
{
    return (struct store_double *)store;
}

static void answer(struct store_double *database, const struct double_answer *answer)
{
    bool is_held = database->mode == DOUBLE_SILENT;
    QR_ASSERT(database->held_count < DOUBLE_ANSWERS_MAX);
    QR_ASSERT(database->ready_count < DOUBLE_ANSWERS_MAX);
    if (is_held) database->held[database->held_count++] = *answer;
    if (!is_held) database->ready[database->ready_count++] = *answer;
    database->saved += !is_held && answer->answer.kind == STORE_SAVED && answer->answer.is_saved;
}

void store_double_answer_all(struct store_double *database)
{
    database->mode = DOUBLE_PROMPT;
    for (unsigned i = 0; i < database->held_count; i++) answer(database, &database->held[i]);
    database->held_count = 0;
}

static int save(struct store *store, unsigned shard, struct handle match,
                const struct match_result *result)
{
    struct store_double *database = of(store);
    if (database->mode == DOUBLE_FULL) return -EAGAIN;
    database->handed++;
    bool is_refused = database->mode == DOUBLE_FAILING || database->mode == DOUBLE_DOWN;
    database->last = *result;
    strncpy(database->last_question, result->rounds[0].question->text, DOUBLE_QUESTION_BYTES - 1);
    struct store_answer saved = {.kind = STORE_SAVED, .handle = match, .is_saved = !is_refused};
    answer(database, &(struct double_answer){shard, saved});
    return 0;
}

static int load(struct store *store, unsigned shard, struct handle session, const struct id *player)
{
    struct store_double *database = of(store);
    (void)player;
    if (database->mode == DOUBLE_FULL) return -EAGAIN;
    database->loads++;
    struct store_answer loaded = {
        .kind = STORE_LOADED, .handle = session, .loaded = {.outcome = LOAD_UNKNOWN}};
    answer(database, &(struct double_answer){shard, loaded});
    return 0;
}

static unsigned take_answers(struct store *store, unsigned shard, struct store_answer answers[],
                             unsigned max)
{
    struct store_double *database = of(store);
    unsigned count = 0, kept = 0;
    for (unsigned i = 0; i < database->ready_count; i++) {
        const struct double_answer ready = database->ready[i];
        if (ready.shard == shard && count < max) {
            answers[count++] = ready.answer;
        } else {
            database->ready[kept++] = ready;
        }
    }
    database->ready_count = kept;
    return count;
}

static void stats(struct store *store, struct store_stats *ret_stats)
{
    (void)store;
    memset(ret_stats, 0, sizeof(*ret_stats));
}

static bool is_healthy(struct store *store)
{
    return of(store)->mode != DOUBLE_DOWN;
}

static void destroy(struct store *store)
{
    of(store)->is_destroyed = true;
}

void store_double_init(struct store_double *database)
{
    static const struct store_class class = {.save = save,
                                             .load = load,
                                             .take_answers = take_answers,
                                             .stats = stats,
                                             .is_healthy = is_healthy,
                                             .destroy = destroy};
    memset(database, 0, sizeof(*database));
    database->store.class = &class;
}
