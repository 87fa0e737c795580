#include "json_tree_priv.h"

#include <stdalign.h>
#include <stddef.h>

#include "base/limits.h"
#include "proto/decode.h"

enum { ARENA_ALIGNMENT = alignof(max_align_t) };

/* The densest text is an array of digits: a node for every two bytes. (A string of n bytes takes
 * two quotes and a comma, and gives a node and n + 2 bytes, rounded up: less per byte. Nested
 * arrays give a node per byte, but only DECODE_DEPTH_MAX of them.) So no message is too large for
 * the arena. */
_Static_assert((MESSAGE_BYTES_MAX / 2 + DECODE_DEPTH_MAX) * (int)sizeof(cJSON) <=
                   DECODE_ARENA_BYTES,
               "every message fits the arena");
_Static_assert(sizeof(cJSON) % ARENA_ALIGNMENT == 0, "a node wastes nothing");

static _Thread_local struct {
    alignas(max_align_t) unsigned char bytes[DECODE_ARENA_BYTES];
    size_t used;
} arena;

static void *arena_allocate(size_t bytes)
{
    size_t left = sizeof arena.bytes - arena.used;
    if (bytes > left) return NULL;
    void *memory = arena.bytes + arena.used;
    size_t padding = (ARENA_ALIGNMENT - bytes % ARENA_ALIGNMENT) % ARENA_ALIGNMENT;
    arena.used +=
        bytes + padding; /* The size of the arena is a multiple: the padding is always there. */
    return memory;
}

static void arena_free(void *memory)
{
    (void)memory; /* The next parse takes everything back. */
}

_Static_assert(DECODE_ARENA_BYTES % ARENA_ALIGNMENT == 0, "no padding reaches over the end");

void json_tree_init(void)
{
    cJSON_Hooks hooks = {.malloc_fn = arena_allocate, .free_fn = arena_free};
    cJSON_InitHooks(&hooks);
}

/* Every parse resets cJSON's process-wide error position, which nobody here reads. */
cJSON *json_tree_parse(const char *text, size_t bytes)
{
    arena.used = 0;
    cJSON *tree = cJSON_ParseWithLengthOpts(text, bytes, NULL, 0);
    QR_ASSERT(tree == NULL ||
              arena.used > 0); /* Else json_tree_init() was forgotten and the heap was used. */
    return tree;
}
