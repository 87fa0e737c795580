/* One message written, compared with its literal bytes, and read back by another reader. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "proto/wire.h"

static char wire_bytes[WIRE_MESSAGE_BYTES_MAX + 1];

static inline struct wire empty_wire(void)
{
    struct wire wire;
    memset(wire_bytes, '!', sizeof wire_bytes);
    wire_init(&wire, wire_bytes, WIRE_MESSAGE_BYTES_MAX);
    return wire;
}

/* Requires: `wire` comes from empty_wire(). The caller deletes the tree. */
static inline cJSON *tree_of(const struct wire *wire)
{
    const char *end;
    assert_false(wire->is_overflown);
    assert_int_equal(wire_bytes[wire->size], '!'); /* Nothing was written behind it. */
    cJSON *tree = cJSON_ParseWithLengthOpts(wire->bytes, wire->size, &end, 0);
    assert_true(cJSON_IsObject(tree));
    assert_ptr_equal(end, wire->bytes + wire->size);
    assert_string_equal(tree->child->string, "type");
    return tree;
}

static inline void assert_message(const struct wire *wire, const char *expected)
{
    cJSON_Delete(tree_of(wire));
    wire_bytes[wire->size] = '\0';
    assert_string_equal(wire_bytes, expected);
}
