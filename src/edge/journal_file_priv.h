/* A segment's file, for who writes and who reads it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JOURNAL_NAME_BYTES = 32 };

struct journal_file_head {
    char magic[8]; /* journal_magic. */
    uint32_t shard;
    uint32_t number; /* From 1. */
    uint64_t before; /* Where the records of the segment before it end; 0: none has begun here. */
    uint64_t spare;
};

extern const char journal_magic[8];

/* Its first record is about to be written. */
void journal_file_begin(uint8_t *map, uint64_t before);

/* "00-00000001.qrj" */
void journal_file_name(unsigned shard, uint32_t number, char ret_name[JOURNAL_NAME_BYTES]);
bool journal_file_parse(const char *name, unsigned *ret_shard, uint32_t *ret_number);

/* A record with its frame. */
size_t journal_frame_bytes(size_t record_bytes);

/* Writes it at `at`, which has the room and is zero from there on. The size goes last, so that a record which a crash
 * has cut is none. */
void journal_frame_write(uint8_t *at, const uint8_t *record, size_t bytes);

/* What is at `at`, where `left` bytes follow. */
enum journal_frame { FRAME_RECORD, FRAME_END, FRAME_BROKEN };
enum journal_frame journal_frame_read(const uint8_t *at, size_t left, const uint8_t **ret_record,
                                      size_t *ret_bytes);
