/* A PostgreSQL server for a test: made in a temporary directory, started, disturbed, stopped.
 *
 * It listens on a Unix socket in that directory, and on a free port of 127.0.0.1 with passwords and
 * TLS. It never syncs: these tests are about the program. As root it runs as the user `postgres`.
 * It ends with the test, however that ends. One at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SERVER_PATH_BYTES = 96, SERVER_PID_MAX = 256 };

struct postgres_server {
    char directory[SERVER_PATH_BYTES];
    unsigned port;
    pid_t pid; /* 0: it does not run. */
    int log;   /* What it says, to be read until it is ready. */
};

/* Makes the cluster and starts it; false after saying why. */
bool server_begin(struct postgres_server *server);
void server_end(struct postgres_server *server);

bool server_start(struct postgres_server *server);
/* SIGINT: it closes all connections. SIGKILL, with all its processes: it says nothing. */
void server_stop(struct postgres_server *server, int signal);
/* SIGSTOP or SIGCONT, to all its processes. */
void server_signal(const struct postgres_server *server, int signal);

/* By the Unix socket, as the superuser. */
void server_uri(const struct postgres_server *server, const char *database, char *ret_uri,
                size_t size);
