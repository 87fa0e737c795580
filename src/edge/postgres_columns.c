#include "postgres_columns_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

struct writer {
    struct answer_columns *columns;
    size_t sizes[ANSWER_COLUMNS];
};

static void add(struct writer *writer, enum answer_column column, int64_t value)
{
    char *text = writer->columns->texts[column];
    size_t used = writer->sizes[column];
    char before = used == 0 ? '{' : ',';
    int size = snprintf(text + used, ANSWER_COLUMN_BYTES - used, "%c%" PRId64, before, value);
    QR_ASSERT(size > 0 && used + (size_t)size + sizeof "}" <= ANSWER_COLUMN_BYTES);
    writer->sizes[column] += (size_t)size;
}

static void add_answer(struct writer *writer, unsigned number, unsigned place,
                       const struct result_answer *answer)
{
    add(writer, ANSWER_ROUND, number);
    add(writer, ANSWER_PLACE, place);
    add(writer, ANSWER_CHOICE, answer->choice);
    add(writer, ANSWER_IS_RIGHT, answer->is_right);
    add(writer, ANSWER_AT, answer->at_ms);
    add(writer, ANSWER_CREDIT, answer->credit_ms);
    add(writer, ANSWER_POINTS, answer->points);
    add(writer, ANSWER_RECEIVED_AT, answer->received_at.ms);
}

bool answer_columns_of(const struct match_result *result, struct answer_columns *ret_columns)
{
    struct writer writer = {.columns = ret_columns};
    for (unsigned number = 1; number <= result->round_count; number++) {
        const struct result_answer *answers = result->rounds[number - 1].answers;
        for (unsigned place = 0; place < result->player_count; place++) {
            if (answers[place].choice == MATCH_CHOICE_NONE) continue;
            add_answer(&writer, number, place, &answers[place]);
        }
    }
    for (unsigned i = 0; i < ANSWER_COLUMNS && writer.sizes[i] > 0; i++) {
        memcpy(ret_columns->texts[i] + writer.sizes[i], "}", sizeof "}");
    }
    return writer.sizes[ANSWER_ROUND] > 0;
}
