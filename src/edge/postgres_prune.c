/* Deleting what has been kept for long enough: the first shard's, on an idle connection for results,
 * a slice at a time. */

#include <string.h>

#include "edge/clock.h"
#include "postgres_shard_priv.h"

enum {
    DAY_MS = 24 * 60 * 60 * 1000,
    PAUSE_MS = 1000,
    LOOK_MS = 60000, /* After a slice that found nothing. */
};

void prune_init(struct postgres_shard *shard, const struct postgres_store_options *options)
{
    if (shard->index == 0) shard->keep = options->keep;
    shard->now = options->now != NULL ? options->now : clock_wall;
    shard->prune_pause_ms = options->prune_pause_ms > 0 ? options->prune_pause_ms : PAUSE_MS;
}

bool prune_oldest_kept(uint32_t keep_days, wall_time now, struct id *ret_id)
{
    static const uint8_t any[ID_RANDOM_BYTES];
    int64_t since_ms = now.ms - (int64_t)keep_days * DAY_MS;
    if (keep_days == 0 || since_ms <= 0) return false;
    *ret_id = id_make((wall_time){since_ms}, any);
    /* Not greater than any of that millisecond. */
    memset(ret_id->bytes + sizeof ret_id->bytes - ID_RANDOM_BYTES, 0, ID_RANDOM_BYTES);
    return true;
}

/* Those for results have odd numbers. NULL: none is idle. */
static struct link *find_idle(const struct postgres_shard *shard)
{
    for (unsigned i = 1; i < shard->link_count; i += 2) {
        if (shard->links[i].state == STORE_LINK_READY) return &shard->links[i];
    }
    return NULL;
}

bool prune_is_wanted(const struct postgres_shard *shard, mono_time *ret_at)
{
    if (shard->keep.matches_days == 0 && shard->keep.answers_days == 0) return false;
    if (shard->breaker.state != BREAKER_CLOSED || find_idle(shard) == NULL) return false;
    if (calls_first(shard, STORE_SAVED) != NULL) return false;
    *ret_at = shard->prune_at;
    return true;
}

void prune_run(struct postgres_shard *shard, mono_time now)
{
    mono_time at;
    if (!prune_is_wanted(shard, &at) || mono_is_before(now, at)) return;
    struct link *link = find_idle(shard);
    shard->prune_at = mono_after(now, shard->prune_pause_ms); /* Also where it is lost. */
    link->state = STORE_LINK_BUSY;
    link->due = mono_after(now, shard->timeout_ms);
    bool is_begun = job_begin_prune(link);
    if (is_begun) link_flush(link, now);
    if (!is_begun) link_lose(link, now, "the connection is gone");
}

void prune_on_done(struct postgres_shard *shard, int64_t rows, const char *problem)
{
    if (problem != NULL) {
        shard->stats.prunes_failed++;
        store_report_pruning_failing(&shard->report, problem);
        return;
    }
    store_report_pruning_recovered(&shard->report);
    if (rows > 0) shard->stats.pruned += (uint64_t)rows;
    if (rows <= 0) shard->prune_at = mono_after(clock_mono(), LOOK_MS);
}
