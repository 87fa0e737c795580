#include "daemon/storage.h"

#include <stdio.h>
#include <string.h>

#include "edge/postgres_store.h"
#include "edge/sqlite_store.h"

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

int storage_open(const struct conf *conf, store_wake *wake, void *wake_context,
                 struct store **ret_store)
{
    if (is_embedded(conf)) return open_sqlite(conf, wake, wake_context, ret_store);
    struct postgres_store_options options = postgres_options(conf);
    return postgres_store_create(&options, ret_store);
}

size_t storage_bytes(const struct conf *conf)
{
    if (is_embedded(conf)) return sqlite_store_bytes(conf->store_queue_slots, conf->workers);
    struct postgres_store_options options = postgres_options(conf);
    return postgres_store_bytes(&options);
}

int storage_migrate(const struct conf *conf)
{
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
