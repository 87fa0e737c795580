/* The emotes players may send: codes from one list, in the order in which welcome shows them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define EMOTES(X) X("hi") X("gg") X("wow") X("nice") X("oops") X("thinking") X("hurry") X("thanks")

#define EMOTE_ONE(code) +1
enum { EMOTE_COUNT = 0 EMOTES(EMOTE_ONE) };
#undef EMOTE_ONE

/* Requires: emote < EMOTE_COUNT. */
const char *emote_code(uint8_t emote);
bool emote_find(const char *code, uint8_t *ret_emote);
