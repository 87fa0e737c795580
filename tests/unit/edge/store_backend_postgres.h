/* What only PostgreSQL's tests need beside store_backend.h: its server, and another way to open. */
#pragma once

#include "edge/postgres_store.h"
#include "postgres_server.h"
#include "store_backend.h"

enum { URI_BYTES = 256 };

struct postgres_server *backend_server(void);
void backend_uri(char ret_uri[URI_BYTES]);
/* What backend_open() opens; a test changes what it is about. */
struct postgres_store_options backend_options(unsigned queue_slots);
/* Until so many connections of all shards are idle. */
void wait_for_links(struct world *world, uint32_t count);
/* As the superuser, outside the test's database. */
void backend_administer(const char *sql);
/* Once the server has been another one for a while: looks in by a new connection. */
void backend_look_anew(struct world *world);
