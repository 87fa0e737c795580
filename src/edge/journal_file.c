#include "journal_file_priv.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/assert.h"
#include "edge/journal.h"

enum { ALIGNMENT = 8, SUFFIX_BYTES = 4 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "numbers lie in the file as they lie in memory");
_Static_assert(sizeof(struct journal_file_head) == JOURNAL_HEAD_BYTES, "as the format says");

const char journal_magic[8] = {'Q', 'R', 'J', 'O', 'U', 'R', 'N', '1'};

void journal_file_name(unsigned shard, uint32_t number, char ret_name[JOURNAL_NAME_BYTES])
{
    (void)snprintf(ret_name, JOURNAL_NAME_BYTES, "%02u-%08x.qrj", shard, number); /* It fits. */
}

bool journal_file_parse(const char *name, unsigned *ret_shard, uint32_t *ret_number)
{
    char again[JOURNAL_NAME_BYTES];
    if (sscanf(name, "%2u-%8x.qrj", ret_shard, ret_number) != 2) return false;
    journal_file_name(*ret_shard, *ret_number, again);
    return strcmp(name, again) == 0;
}

void journal_file_begin(uint8_t *map, uint64_t before)
{
    memcpy(map + offsetof(struct journal_file_head, before), &before, sizeof(before));
}

size_t journal_frame_bytes(size_t record_bytes)
{
    return (JOURNAL_FRAME_BYTES + record_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static uint32_t checksum(uint32_t size, const uint8_t *record)
{
    uLong crc = crc32(0, (const Bytef *)&size, sizeof(size));
    return (uint32_t)crc32(crc, record, size);
}

void journal_frame_write(uint8_t *at, const uint8_t *record, size_t bytes)
{
    QR_ASSERT(bytes > 0 && bytes <= UINT32_MAX);
    uint32_t size = (uint32_t)bytes;
    uint32_t crc = checksum(size, record);
    memcpy(at + sizeof(size), &crc, sizeof(crc));
    memcpy(at + JOURNAL_FRAME_BYTES, record, bytes);
    /* Against the compiler: the process may be killed anywhere, and its stores reach the page in their order. */
    atomic_signal_fence(memory_order_release);
    memcpy(at, &size, sizeof(size));
}

enum journal_frame journal_frame_read(const uint8_t *at, size_t left, const uint8_t **ret_record,
                                      size_t *ret_bytes)
{
    uint32_t size, crc;
    if (left < JOURNAL_FRAME_BYTES) return FRAME_END;
    memcpy(&size, at, sizeof(size));
    memcpy(&crc, at + sizeof(size), sizeof(crc));
    /* A record that a crash has cut has no size, whatever lies behind it. */
    if (size == 0) return FRAME_END;
    if (size > left - JOURNAL_FRAME_BYTES) return FRAME_BROKEN;
    if (checksum(size, at + JOURNAL_FRAME_BYTES) != crc) return FRAME_BROKEN;
    *ret_record = at + JOURNAL_FRAME_BYTES;
    *ret_bytes = size;
    return FRAME_RECORD;
}
