/* A bank in the making: entries are normalised, checked against each other and kept; then all is
 * laid out in one block.
 *
 * Only while a bank is loaded: its memory grows with the file, up to the bounds of base/limits.h
 * and QUESTIONS_MAX.
 */
#pragma once

#include "core/question.h"
#include "proto/bank_decode.h"

struct bank_builder;

struct bank_builder *bank_builder_create(void);          /* NULL where memory is short. */
void bank_builder_destroy(struct bank_builder *builder); /* NULL is fine. */

/* A bank_on_entry: takes the entry, or refuses it with the reason and its line. */
bool bank_builder_add(void *context, const struct bank_entry *entry,
                      struct bank_problem *reterr_problem);

bool bank_builder_is_out_of_memory(const struct bank_builder *builder);
bool bank_builder_is_empty(const struct bank_builder *builder);

/* The bank, in one block that free() takes; NULL where memory is short. The builder may be
 * destroyed then. */
struct bank *bank_builder_finish(struct bank_builder *builder);
