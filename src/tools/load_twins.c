#include "load_twins.h"

#include <stdlib.h>

void twins_create(struct twins *twins, uint32_t players, struct prng *prng)
{
    /* Each player is in one match at most, so one slot more than players always leaves one that
     * nobody is in. */
    uint32_t match_count = players + 1;
    uint32_t entry_count = map_entries_for(match_count);
    *twins = (struct twins){
        .matches = calloc(match_count, sizeof(struct twins_match)),
        .match_count = match_count,
        .entries = calloc(entry_count, sizeof(struct map_entry)),
        .key = {{prng_next(prng), prng_next(prng)}},
    };
    QR_ASSERT(twins->matches != NULL && twins->entries != NULL);
    map_init(&twins->map, twins->entries, entry_count, &twins->key);
}

void twins_destroy(struct twins *twins)
{
    free(twins->matches);
    free(twins->entries);
}

static struct twins_match *twins_find(struct twins *twins, const struct id *match)
{
    uint32_t slot;
    return map_find(&twins->map, match, &slot) ? &twins->matches[slot] : NULL;
}

/* One that nobody is in, the one left alone longest first: a second player may still come to a
 * match that the first has left. */
static struct twins_match *twins_take(struct twins *twins)
{
    QR_ASSERT(twins->matches != NULL);
    for (uint32_t tried = 0; tried < twins->match_count; tried++) {
        struct twins_match *slot = &twins->matches[twins->next];
        twins->next = (twins->next + 1) % twins->match_count;
        if (slot->is_used && slot->members > 0) continue;
        if (slot->is_used) (void)map_remove(&twins->map, &slot->match); /* It is there. */
        return slot;
    }
    QR_UNREACHABLE("more matches than players");
}

void twins_join(struct twins *twins, const struct id *match)
{
    struct twins_match *slot = twins_find(twins, match);
    if (slot == NULL) {
        slot = twins_take(twins);
        *slot = (struct twins_match){.match = *match, .is_used = true};
        bool is_put = map_put(&twins->map, match, (uint32_t)(slot - twins->matches));
        QR_ASSERT(is_put);
    }
    slot->members++;
}

bool twins_see(struct twins *twins, const struct id *match, uint32_t seq, const char *text,
               size_t bytes)
{
    struct twins_match *slot = twins_find(twins, match);
    QR_ASSERT(slot != NULL);
    uint64_t hash = siphash(&twins->key, text, bytes);
    uint32_t place = seq % TWINS_SEQ_MAX;
    if (slot->seqs[place] < seq) {
        slot->seqs[place] = seq;
        slot->hashes[place] = hash;
        return true;
    }
    if (slot->seqs[place] > seq) {
        twins->late++;
        return true;
    }
    if (slot->hashes[place] == hash) twins->same++;
    if (slot->hashes[place] != hash) twins->different++;
    return slot->hashes[place] == hash;
}

/* The match's slot, with nothing in it about an older round; NULL where a newer one has begun. */
static struct twins_match *twins_in_round(struct twins *twins, const struct id *match,
                                          uint32_t round)
{
    struct twins_match *slot = twins_find(twins, match);
    QR_ASSERT(slot != NULL);
    if (slot->round > round) return NULL;
    if (slot->round == round) return slot;
    slot->round = round;
    slot->answered = 0;
    slot->round_came_us = slot->last_answer_us = 0;
    return slot;
}

bool twins_round(struct twins *twins, const struct id *match, uint32_t round, uint64_t now_us,
                 uint64_t *ret_us)
{
    struct twins_match *slot = twins_in_round(twins, match, round);
    if (slot == NULL) return false;
    if (slot->round_came_us != 0) {
        *ret_us = slot->round_came_us;
        return slot->members == TWINS_MEMBERS;
    }
    slot->round_came_us = now_us;
    return false;
}

void twins_answer(struct twins *twins, const struct id *match, uint32_t round, unsigned player,
                  uint64_t due_us)
{
    struct twins_match *slot = twins_in_round(twins, match, round);
    if (slot == NULL) return;
    slot->answered |= UINT32_C(1) << (player % TWINS_MEMBERS);
    if (due_us > slot->last_answer_us) slot->last_answer_us = due_us;
}

bool twins_last_answer(struct twins *twins, const struct id *match, uint32_t round,
                       uint64_t *ret_us)
{
    const struct twins_match *slot = twins_find(twins, match);
    QR_ASSERT(slot != NULL);
    enum { BOTH = (1 << TWINS_MEMBERS) - 1 };
    if (slot->members != TWINS_MEMBERS || slot->round != round || slot->answered != BOTH)
        return false;
    *ret_us = slot->last_answer_us;
    return true;
}

void twins_leave(struct twins *twins, const struct id *match)
{
    struct twins_match *slot = twins_find(twins, match);
    QR_ASSERT(slot != NULL && slot->members > 0);
    slot->members--;
}
