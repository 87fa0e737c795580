#include "bank_builder_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "bank_text_priv.h"
#include "base/map.h"

enum {
    DRAFTS_FIRST = 256,
    TEXT_BYTES_FIRST = 64 * 1024,
    SHA256_BYTES = 32,
    CATEGORY_SEPARATOR = 0x1f, /* In no text: a control character. */
};

/* A question whose strings are offsets into the text, which moves as it grows. */
struct draft {
    struct id id;
    size_t text;
    size_t choices[QUESTION_CHOICES_MAX];
    uint8_t choice_count;
    uint8_t category; /* In the order in which they came. */
    uint8_t difficulty;
};

struct bank_builder {
    struct draft *drafts;
    uint32_t count;
    uint32_t capacity;
    char *text; /* Strings, each with its NUL. */
    size_t text_bytes;
    size_t text_capacity;
    char categories[CATEGORIES_MAX][CATEGORY_BYTES_MAX + 1];
    uint32_t category_counts[CATEGORIES_MAX];
    uint32_t category_count;
    struct map seen; /* The questions' ids. */
    struct map_entry *seen_entries;
    bool is_out_of_memory;
    struct bank_text scratch;
};

/* --- Taking entries. --- */

struct bank_builder *bank_builder_create(void)
{
    struct bank_builder *builder = calloc(1, sizeof *builder);
    if (builder == NULL) return NULL;
    uint32_t entry_count = map_entries_for(QUESTIONS_MAX);
    builder->seen_entries = calloc(entry_count, sizeof *builder->seen_entries);
    builder->capacity = DRAFTS_FIRST;
    builder->drafts = calloc(builder->capacity, sizeof *builder->drafts);
    builder->text_capacity = TEXT_BYTES_FIRST;
    builder->text = malloc(builder->text_capacity);
    if (builder->seen_entries == NULL || builder->drafts == NULL || builder->text == NULL) {
        bank_builder_destroy(builder);
        return NULL;
    }
    /* The keys are digests of a file that the operator chose: nobody plays against this map. */
    static const struct siphash_key key;
    map_init(&builder->seen, builder->seen_entries, entry_count, &key);
    return builder;
}

void bank_builder_destroy(struct bank_builder *builder)
{
    if (builder == NULL) return;
    free(builder->seen_entries);
    free(builder->drafts);
    free(builder->text);
    free(builder);
}

bool bank_builder_is_out_of_memory(const struct bank_builder *builder)
{
    return builder->is_out_of_memory;
}

bool bank_builder_is_empty(const struct bank_builder *builder)
{
    return builder->count == 0;
}

__attribute__((format(printf, 3, 4))) static bool refuse(struct bank_problem *reterr_problem,
                                                         uint32_t line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    reterr_problem->line = line;
    (void)vsnprintf(reterr_problem->reason, sizeof reterr_problem->reason, format, arguments);
    va_end(arguments);
    return false;
}

static bool refuse_memory(struct bank_builder *builder, struct bank_problem *reterr_problem)
{
    builder->is_out_of_memory = true;
    return refuse(reterr_problem, 0, "There is not enough memory.");
}

/* Room for one more draft with all its strings. */
static bool reserve(struct bank_builder *builder)
{
    if (builder->count == builder->capacity) {
        size_t capacity = (size_t)builder->capacity * 2;
        struct draft *drafts = realloc(builder->drafts, capacity * sizeof *drafts);
        if (drafts == NULL) return false;
        builder->drafts = drafts;
        builder->capacity = (uint32_t)capacity;
    }
    size_t entry_bytes_max = (1 + QUESTION_CHOICES_MAX) * (BANK_TEXT_BYTES_MAX + 1);
    if (builder->text_capacity - builder->text_bytes < entry_bytes_max) {
        size_t capacity = builder->text_capacity * 2;
        char *text = realloc(builder->text, capacity);
        if (text == NULL) return false;
        builder->text = text;
        builder->text_capacity = capacity;
    }
    return true;
}

/* Copies the scratch; reserve() has made room. */
static size_t keep_scratch(struct bank_builder *builder)
{
    size_t offset = builder->text_bytes;
    memcpy(builder->text + offset, builder->scratch.bytes, builder->scratch.size + 1);
    builder->text_bytes += builder->scratch.size + 1;
    return offset;
}

static bool take_category(struct bank_builder *builder, const struct bank_entry *entry,
                          uint8_t *ret_category, struct bank_problem *reterr_problem)
{
    char reason[BANK_TEXT_REASON_BYTES];
    if (!bank_text_normalise(entry->category, CATEGORY_BYTES_MAX, &builder->scratch, reason)) {
        return refuse(reterr_problem, entry->line, "`category` %s", reason);
    }
    if (builder->scratch.size > CATEGORY_BYTES_MAX) {
        return refuse(reterr_problem, entry->line,
                      "`category` has %zu bytes; at most %d are allowed.", builder->scratch.size,
                      (int)CATEGORY_BYTES_MAX);
    }
    uint32_t category = 0;
    while (category < builder->category_count &&
           strcmp(builder->categories[category], builder->scratch.bytes) != 0) {
        category++;
    }
    if (category == CATEGORIES_MAX) {
        return refuse(reterr_problem, entry->line,
                      "`category` is one more than the %d that are allowed.", (int)CATEGORIES_MAX);
    }
    if (category == builder->category_count) {
        memcpy(builder->categories[category], builder->scratch.bytes, builder->scratch.size + 1);
        builder->category_count++;
    }
    *ret_category = (uint8_t)category;
    return true;
}

/* docs/protocol.md, Question ids. False where libcrypto has no memory. */
static bool question_id(const char *category, const struct bank_text *text, struct id *ret_id)
{
    char bytes[CATEGORY_BYTES_MAX + 1 + BANK_TEXT_BYTES_MAX];
    size_t category_bytes = strlen(category);
    memcpy(bytes, category, category_bytes);
    bytes[category_bytes] = CATEGORY_SEPARATOR;
    memcpy(bytes + category_bytes + 1, text->bytes, text->size);
    unsigned char digest[SHA256_BYTES];
    size_t size = category_bytes + 1 + text->size;
    if (EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL) != 1) return false;
    memcpy(ret_id->bytes, digest, sizeof ret_id->bytes);
    return true;
}

static bool take_question(struct bank_builder *builder, const struct bank_entry *entry,
                          struct draft *draft, struct bank_problem *reterr_problem)
{
    char reason[BANK_TEXT_REASON_BYTES];
    if (!bank_text_normalise(entry->question, QUESTION_CHARACTERS_MAX, &builder->scratch, reason)) {
        return refuse(reterr_problem, entry->line, "`question` %s", reason);
    }
    if (!question_id(builder->categories[draft->category], &builder->scratch, &draft->id)) {
        return refuse_memory(builder, reterr_problem);
    }
    uint32_t other;
    if (map_find(&builder->seen, &draft->id, &other)) {
        return refuse(reterr_problem, entry->line, "`question` is there twice in category %s.",
                      builder->categories[draft->category]);
    }
    draft->text = keep_scratch(builder);
    return true;
}

static void name_choice(unsigned choice, char ret_field[32])
{
    if (choice == 0) (void)snprintf(ret_field, 32, "correct_answer");
    if (choice > 0) (void)snprintf(ret_field, 32, "incorrect_answers[%u]", choice - 1);
}

static bool take_choice(struct bank_builder *builder, const struct bank_entry *entry,
                        unsigned choice, struct draft *draft, struct bank_problem *reterr_problem)
{
    char field[32];
    name_choice(choice, field);
    char reason[BANK_TEXT_REASON_BYTES];
    if (!bank_text_normalise(entry->choices[choice], CHOICE_CHARACTERS_MAX, &builder->scratch,
                             reason)) {
        return refuse(reterr_problem, entry->line, "`%s` %s", field, reason);
    }
    for (unsigned i = 0; i < choice; i++) {
        if (strcmp(builder->text + draft->choices[i], builder->scratch.bytes) != 0) continue;
        char equal[32];
        name_choice(i, equal);
        return refuse(reterr_problem, entry->line, "`%s` equals `%s`.", field, equal);
    }
    draft->choices[choice] = keep_scratch(builder);
    return true;
}

bool bank_builder_add(void *context, const struct bank_entry *entry,
                      struct bank_problem *reterr_problem)
{
    struct bank_builder *builder = context;
    if (builder->count == QUESTIONS_MAX) {
        return refuse(reterr_problem, entry->line, "There are more than %d questions.",
                      (int)QUESTIONS_MAX);
    }
    if (entry->choice_count < QUESTION_CHOICES_MIN || entry->choice_count > QUESTION_CHOICES_MAX) {
        return refuse(reterr_problem, entry->line, "There are %u choices; %d to %d are allowed.",
                      (unsigned)entry->choice_count, (int)QUESTION_CHOICES_MIN,
                      (int)QUESTION_CHOICES_MAX);
    }
    if (!reserve(builder)) return refuse_memory(builder, reterr_problem);
    struct draft draft = {
        .difficulty = entry->difficulty,
        .choice_count = entry->choice_count,
    };
    if (!take_category(builder, entry, &draft.category, reterr_problem)) return false;
    if (!take_question(builder, entry, &draft, reterr_problem)) return false;
    for (unsigned i = 0; i < draft.choice_count; i++) {
        if (!take_choice(builder, entry, i, &draft, reterr_problem)) return false;
    }
    bool is_put = map_put(&builder->seen, &draft.id, builder->count);
    QR_ASSERT(is_put); /* It is sized for QUESTIONS_MAX. */
    builder->category_counts[draft.category]++;
    builder->drafts[builder->count++] = draft;
    return true;
}

/* --- Laying out the block: bank, questions, all indices, each category's indices, strings. --- */

struct block {
    struct bank bank;
    struct question questions[];
};

/* The categories' numbers in alphabetical order of their names: of the bytes, so that it is the
 * same everywhere. */
static void sort_categories(const struct bank_builder *builder, uint8_t ret_order[CATEGORIES_MAX])
{
    for (uint32_t i = 0; i < builder->category_count; i++) {
        uint32_t place = i;
        while (place > 0 &&
               strcmp(builder->categories[ret_order[place - 1]], builder->categories[i]) > 0) {
            ret_order[place] = ret_order[place - 1];
            place--;
        }
        ret_order[place] = (uint8_t)i;
    }
}

static void fill_question(struct question *question, const struct draft *draft, const char *text,
                          uint8_t category)
{
    *question = (struct question){
        .id = draft->id,
        .text = text + draft->text,
        .choice_count = draft->choice_count,
        .category = category,
        .difficulty = draft->difficulty,
    };
    for (unsigned i = 0; i < draft->choice_count; i++) {
        question->choices[i] = text + draft->choices[i];
    }
}

struct bank *bank_builder_finish(struct bank_builder *builder)
{
    size_t count = builder->count;
    size_t names_bytes = builder->category_count * sizeof builder->categories[0];
    struct block *block =
        calloc(1, sizeof *block + count * sizeof block->questions[0] +
                      2 * count * sizeof(uint16_t) + names_bytes + builder->text_bytes);
    if (block == NULL) return NULL;
    uint16_t *all = (uint16_t *)(void *)(block->questions + count);
    uint16_t *next = all + count;
    char *names = (char *)(next + count);
    char *text = names + names_bytes;
    memcpy(text, builder->text, builder->text_bytes);

    uint8_t order[CATEGORIES_MAX];
    uint8_t new_of_old[CATEGORIES_MAX];
    uint16_t *fill[CATEGORIES_MAX];
    sort_categories(builder, order);
    for (uint32_t i = 0; i < builder->category_count; i++) {
        char *name = names + i * sizeof builder->categories[0];
        memcpy(name, builder->categories[order[i]], sizeof builder->categories[0]);
        new_of_old[order[i]] = (uint8_t)i;
        fill[i] = next;
        block->bank.categories[i] = (struct bank_category){
            .name = name, .questions = next, .count = builder->category_counts[order[i]]};
        next += builder->category_counts[order[i]];
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct draft *draft = &builder->drafts[i];
        uint8_t category = new_of_old[draft->category];
        fill_question(&block->questions[i], draft, text, category);
        all[i] = (uint16_t)i;
        *fill[category]++ = (uint16_t)i;
    }
    block->bank.questions = block->questions;
    block->bank.count = builder->count;
    block->bank.all = all;
    block->bank.category_count = builder->category_count;
    return &block->bank;
}
