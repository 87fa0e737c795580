#include "daemon/storage.h"

#include <stdio.h>
#include <string.h>

#include "edge/log.h"
#include "edge/null_store.h"
#include "edge/postgres_store.h"
#include "edge/sqlite_store.h"

bool storage_keeps(const struct conf *conf)
{
    return strcmp(conf->store, "none") != 0;
}

static bool is_embedded(const struct conf *conf)
{
    return strcmp(conf->store, "sqlite") == 0;
}

static struct postgres_store_options postgres_options(const struct conf *conf)
{
    return (struct postgres_store_options){
        .uri = conf->store,
        .password_file = conf->store_password_file,
        .shards = conf->workers,
        .queue_slots = conf->store_queue_slots,
        .connections = conf->store_connections,
        .keep = {.matches_days = conf->keep_matches_days, .answers_days = conf->keep_answers_days},
        .timeout_ms = conf->store_timeout_ms};
}

static int open_sqlite(const struct conf *conf, store_wake *wake, void *wake_context,
                       struct store **ret_store)
{
    char path[CONF_TEXT_BYTES + 32];
    int size = snprintf(path, sizeof(path), "%s/quizrush.db", conf->data_dir);
    QR_ASSERT(size > 0 && (size_t)size < sizeof(path));
    struct sqlite_store_options options = {
        .path = path,
        .shards = conf->workers,
        .queue_slots = conf->store_queue_slots,
        .keep = {.matches_days = conf->keep_matches_days, .answers_days = conf->keep_answers_days},
        .wake = wake,
        .wake_context = wake_context};
    return sqlite_store_create(&options, ret_store);
}

static int open_null(const struct conf *conf, store_wake *wake, void *wake_context,
                     struct store **ret_store)
{
    log_event(LOG_LEVEL_WARNING, "store_none", "nothing is kept: this is for benchmarks");
    struct null_store_options options = {.shards = conf->workers,
                                         .queue_slots = conf->store_queue_slots,
                                         .wake = wake,
                                         .wake_context = wake_context};
    return null_store_create(&options, ret_store);
}

int storage_open(const struct conf *conf, store_wake *wake, void *wake_context,
                 struct store **ret_store)
{
    if (!storage_keeps(conf)) return open_null(conf, wake, wake_context, ret_store);
    if (is_embedded(conf)) return open_sqlite(conf, wake, wake_context, ret_store);
    struct postgres_store_options options = postgres_options(conf);
    return postgres_store_create(&options, ret_store);
}

size_t storage_bytes(const struct conf *conf)
{
    if (!storage_keeps(conf)) return null_store_bytes(conf->store_queue_slots, conf->workers);
    if (is_embedded(conf)) return sqlite_store_bytes(conf->store_queue_slots, conf->workers);
    struct postgres_store_options options = postgres_options(conf);
    return postgres_store_bytes(&options);
}

int storage_migrate(const struct conf *conf)
{
    if (!storage_keeps(conf)) return 0;
    if (!is_embedded(conf)) {
        struct postgres_store_options options = postgres_options(conf);
        return postgres_store_migrate(&options);
    }
    /* Opening the file is what brings it up to date. */
    struct store *store = NULL;
    int error = open_sqlite(conf, NULL, NULL, &store);
    if (error == 0) store->class->destroy(store);
    return error;
}
