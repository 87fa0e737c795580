/* A question bank's file: edge/bank_file.h.
 *
 * A refusal gives no bank and names a line and a reason. What is taken is within the limits of
 * docs/protocol.md, and written as a file again it is read as the same bank.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <unistr.h>

#include "edge/bank_file.h"
#include "fuzz.h"
#include "proto/decode.h"
#include "wire_priv.h"

enum {
    INPUT_BYTES_MAX = 16384,
    /* NFC makes a byte three, and JSON makes each of these six or HTML four. */
    WRITTEN_BYTES_MAX = 24 * INPUT_BYTES_MAX,
    TEXT_BYTES_MAX = QUESTION_CHARACTERS_MAX * 4,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    decode_init();
    return 0;
}

/* --- Looking at a bank. --- */

static void check_text(const char *text, size_t characters_max)
{
    size_t size = strlen(text);
    QR_ASSERT(size > 0);
    QR_ASSERT(u8_check((const uint8_t *)text, size) == NULL);
    QR_ASSERT(u8_mbsnlen((const uint8_t *)text, size) <= characters_max);
    QR_ASSERT(text[0] != ' ' && text[size - 1] != ' ');
    for (size_t i = 0; i < size; i++) QR_ASSERT((unsigned char)text[i] >= ' ');
}

static void check_question(const struct bank *bank, const struct question *question)
{
    check_text(question->text, QUESTION_CHARACTERS_MAX);
    QR_ASSERT(!id_is_none(&question->id));
    QR_ASSERT(question->category < bank->category_count);
    QR_ASSERT(question->difficulty <= DIFFICULTY_HARD);
    QR_ASSERT(question->choice_count >= QUESTION_CHOICES_MIN);
    QR_ASSERT(question->choice_count <= QUESTION_CHOICES_MAX);
    for (unsigned i = 0; i < question->choice_count; i++) {
        check_text(question->choices[i], CHOICE_CHARACTERS_MAX);
        for (unsigned j = 0; j < i; j++) {
            QR_ASSERT(strcmp(question->choices[i], question->choices[j]) != 0);
        }
    }
}

static void check_categories(const struct bank *bank)
{
    uint32_t sum = 0;
    QR_ASSERT(bank->category_count >= 1 && bank->category_count <= CATEGORIES_MAX);
    for (unsigned i = 0; i < bank->category_count; i++) {
        const struct bank_category *category = &bank->categories[i];
        check_text(category->name, CATEGORY_BYTES_MAX);
        QR_ASSERT(strlen(category->name) <= CATEGORY_BYTES_MAX);
        QR_ASSERT(i == 0 || strcmp(bank->categories[i - 1].name, category->name) < 0);
        QR_ASSERT(category->count >= 1);
        for (unsigned j = 0; j < category->count; j++) {
            QR_ASSERT(category->questions[j] < bank->count);
            QR_ASSERT(bank->questions[category->questions[j]].category == i);
        }
        sum += category->count;
    }
    QR_ASSERT(sum == bank->count);
}

static void check_bank(const struct bank *bank)
{
    QR_ASSERT(bank->count >= 1);
    check_categories(bank);
    for (uint32_t i = 0; i < bank->count; i++) {
        check_question(bank, &bank->questions[i]);
        QR_ASSERT(bank->all[i] == i);
        for (uint32_t j = 0; j < i; j++) {
            QR_ASSERT(!id_equal(&bank->questions[i].id, &bank->questions[j].id));
        }
    }
}

/* --- A bank as a file again. --- */

/* What HTML would read as a reference or markup is a reference itself. */
static const char *as_html(const char *text)
{
    static char html[6 * TEXT_BYTES_MAX];
    size_t size = 0;
    for (; *text != '\0'; text++) {
        const char *piece = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : NULL;
        if (piece == NULL) {
            html[size++] = *text;
            continue;
        }
        memcpy(html + size, piece, strlen(piece));
        size += strlen(piece);
    }
    html[size] = '\0';
    return html;
}

static void write_question(const struct bank *bank, const struct question *question,
                           struct wire *wire)
{
    wire_open_object(wire);
    wire_member_string(wire, "type", "multiple");
    wire_member_string(wire, "difficulty", difficulty_name((enum difficulty)question->difficulty));
    wire_member_string(wire, "category", as_html(bank->categories[question->category].name));
    wire_member_string(wire, "question", as_html(question->text));
    wire_member_string(wire, "correct_answer", as_html(question->choices[0]));
    wire_member_array(wire, "incorrect_answers");
    for (unsigned i = 1; i < question->choice_count; i++) {
        wire_string(wire, as_html(question->choices[i]));
    }
    wire_close_array(wire);
    wire_close_object(wire);
}

static struct wire write_bank(const struct bank *bank)
{
    static char text[WRITTEN_BYTES_MAX];
    struct wire wire;
    wire_init(&wire, text, sizeof text);
    wire_open_object(&wire);
    wire_member_array(&wire, "results");
    for (uint32_t i = 0; i < bank->count; i++) write_question(bank, &bank->questions[i], &wire);
    wire_close_array(&wire);
    wire_close_object(&wire);
    QR_ASSERT(!wire.is_overflown);
    return wire;
}

static void check_equal(const struct bank *bank, const struct bank *again)
{
    QR_ASSERT(again->count == bank->count && again->category_count == bank->category_count);
    for (uint32_t i = 0; i < bank->count; i++) {
        const struct question *question = &bank->questions[i];
        const struct question *other = &again->questions[i];
        QR_ASSERT(id_equal(&question->id, &other->id));
        QR_ASSERT(strcmp(question->text, other->text) == 0);
        QR_ASSERT(question->category == other->category);
        QR_ASSERT(question->difficulty == other->difficulty);
        QR_ASSERT(question->choice_count == other->choice_count);
        for (unsigned choice = 0; choice < question->choice_count; choice++) {
            QR_ASSERT(strcmp(question->choices[choice], other->choices[choice]) == 0);
        }
    }
}

static void check_round_trip(const struct bank *bank)
{
    struct wire written = write_bank(bank);
    struct bank *again = NULL;
    struct bank_problem problem;
    QR_ASSERT(bank_file_load(fuzz_file(written.bytes, written.size), &again, &problem) == 0);
    check_equal(bank, again);
    bank_destroy(again);
}

/* --- The file. --- */

static void check_problem(const struct bank_problem *problem, const uint8_t *bytes, size_t size)
{
    uint32_t lines = 1;
    for (size_t i = 0; i < size; i++) lines += bytes[i] == '\n';
    size_t length = strnlen(problem->reason, sizeof problem->reason);
    QR_ASSERT(length > 0 && length < sizeof problem->reason);
    QR_ASSERT(problem->line <= lines);
    QR_ASSERT(problem->line >= 1 || strcmp(problem->reason, "There are no questions.") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > INPUT_BYTES_MAX) return 0;
    struct bank *bank = NULL;
    struct bank_problem problem = {.line = UINT32_MAX};
    int error = bank_file_load(fuzz_file(bytes, size), &bank, &problem);
    if (error != 0) {
        QR_ASSERT(error == -EINVAL);
        QR_ASSERT(bank == NULL);
        check_problem(&problem, bytes, size);
        return 0;
    }
    check_bank(bank);
    check_round_trip(bank);
    bank_destroy(bank);
    return 0;
}
