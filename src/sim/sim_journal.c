#include "sim_journal.h"

#include <stdlib.h>
#include <string.h>

#include "proto/journal.h"
#include "sim_failed.h"

bool sim_journal_append(struct sim_journal *journal, const uint8_t *record, size_t bytes)
{
    if (journal->is_full && record[0] != JOURNAL_OVER) return false;
    size_t needed = journal->size + sizeof(bytes) + bytes;
    if (needed > journal->capacity) {
        journal->capacity = 2 * needed;
        journal->bytes = realloc(journal->bytes, journal->capacity);
        SIM_EXPECT(journal->bytes != NULL);
    }
    memcpy(journal->bytes + journal->size, &bytes, sizeof(bytes));
    memcpy(journal->bytes + journal->size + sizeof(bytes), record, bytes);
    journal->size = needed;
    return true;
}

void sim_journal_cut(struct sim_journal *journal)
{
    journal->size = journal->synced;
}

void sim_journal_free(struct sim_journal *journal)
{
    free(journal->bytes);
    *journal = (struct sim_journal){.bytes = NULL};
}

bool sim_journal_next(const struct sim_journal *journal, size_t *at, struct sim_record *ret_record)
{
    if (*at == journal->size) return false;
    memcpy(&ret_record->size, journal->bytes + *at, sizeof(ret_record->size));
    ret_record->bytes = journal->bytes + *at + sizeof(ret_record->size);
    *at += sizeof(ret_record->size) + ret_record->size;
    return true;
}
