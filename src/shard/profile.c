/* What a session knows of its player, packed: names are short, and most players have met few others. */

#include <string.h>

#include "shard_priv.h"

/* Behind it: the opponents, the questions, the name, each as many as there are. */
struct profile {
    wall_time rated_at;
    struct rating rating;
    uint8_t opponent_count;
    uint8_t question_count;
    uint8_t name_bytes;
    uint8_t class_index;
    uint8_t bytes[];
};

enum {
    OPPONENT_BYTES = sizeof(struct recent_opponent),
    QUESTION_BYTES = sizeof(((struct recent_questions *)NULL)->fingerprints[0]),
};

_Static_assert(sizeof(struct profile) + RECENT_OPPONENTS_MAX * OPPONENT_BYTES +
                       RECENT_QUESTIONS_MAX * QUESTION_BYTES + NAME_BYTES_MAX <=
                   PROFILE_BYTES_MAX,
               "any player's fits in the last class");

size_t profile_class_bytes(unsigned class_index)
{
    /* A guest; after two matches; with all that is remembered; and with the longest name. */
    static const uint16_t bytes[PROFILE_CLASSES] = {48, 112, 240, PROFILE_BYTES_MAX};
    QR_ASSERT(class_index < PROFILE_CLASSES);
    return bytes[class_index];
}

static unsigned class_of(size_t bytes)
{
    unsigned class_index = 0;
    while (profile_class_bytes(class_index) < bytes) class_index++;
    return class_index;
}

void profile_forget(struct shard *shard, struct session *session)
{
    if (session->profile == NULL) return;
    struct pool *pool = &shard->profiles[session->profile->class_index];
    pool_release(pool, pool_handle_of(pool, session->profile));
    session->profile = NULL;
}

/* The one it has, where it is of that class. */
static struct profile *take(struct shard *shard, struct session *session, unsigned class_index)
{
    struct handle handle = HANDLE_NONE;
    struct profile *profile = session->profile;
    if (profile != NULL && profile->class_index == class_index) return profile;
    profile_forget(shard, session);
    profile = pool_acquire_unset(&shard->profiles[class_index], &handle);
    QR_ASSERT(profile != NULL); /* Of each class one per session. */
    profile->class_index = (uint8_t)class_index;
    session->profile = profile;
    return profile;
}

void profile_set(struct shard *shard, struct session *session, const struct player_record *record)
{
    size_t opponents = (size_t)record->opponents.count * OPPONENT_BYTES;
    size_t questions = (size_t)record->recent.count * QUESTION_BYTES;
    size_t name = strlen(record->name);
    struct profile *profile =
        take(shard, session, class_of(sizeof(*profile) + opponents + questions + name));
    profile->rated_at = record->rated_at;
    profile->rating = record->rating;
    profile->opponent_count = record->opponents.count;
    profile->question_count = record->recent.count;
    profile->name_bytes = (uint8_t)name;
    memcpy(profile->bytes, record->opponents.items, opponents);
    memcpy(profile->bytes + opponents, record->recent.fingerprints, questions);
    memcpy(profile->bytes + opponents + questions, record->name, name);
}

struct player_record profile_get(const struct session *session)
{
    struct player_record record = {.name = ""};
    const struct profile *profile = session->profile;
    if (profile == NULL) return record;
    size_t opponents = (size_t)profile->opponent_count * OPPONENT_BYTES;
    size_t questions = (size_t)profile->question_count * QUESTION_BYTES;
    record.rated_at = profile->rated_at;
    record.rating = profile->rating;
    record.opponents.count = profile->opponent_count;
    record.recent.count = profile->question_count;
    memcpy(record.opponents.items, profile->bytes, opponents);
    memcpy(record.recent.fingerprints, profile->bytes + opponents, questions);
    memcpy(record.name, profile->bytes + opponents + questions, profile->name_bytes);
    return record;
}
