/* Which answers count, when they were given, and what is said of those that do not count: docs/protocol.md, Answer time
 * and Which refusal. Judged by when a message has reached its shard's edge. */

#include <string.h>

#include "sim_failed.h"
#include "sim_referee_priv.h"
#include "sim_text.h"

/* --- Requests. --- */

static bool is_of_match(const struct referee_asked *asked)
{
    return asked->kind == REQUEST_OF_MATCH_ANSWER || asked->kind == REQUEST_OF_MATCH_EMOTE;
}

static enum referee_request kind_of(const char *text)
{
    if (text_is_of(text, "answer")) return REQUEST_OF_MATCH_ANSWER;
    if (text_is_of(text, "emote")) return REQUEST_OF_MATCH_EMOTE;
    if (text_is_of(text, "leave")) return REQUEST_LEFT;
    return REQUEST_ANY;
}

static bool has_two_outstanding(const struct referee_client *client)
{
    unsigned outstanding = 0;
    for (uint32_t i = 0; i < client->asked_count; i++)
        outstanding += is_of_match(&client->asked[i]);
    return outstanding >= CLIENT_EVENTS_PER_PLAYER;
}

/* Something of the player may still wait for the match's shard to read it. */
static bool has_others_under_way(const struct referee *referee, const struct referee_client *client)
{
    if (client->player < 0 || client->match < 0) return true; /* Not known here. */
    const struct referee_match *match = &referee->matches[client->match];
    if (!match->is_started) return true;
    mono_time last = referee->players[client->player].last_asked_at;
    return !mono_is_before(last, referee->emptied_at[match->shard]);
}

static bool names_another_match(const struct referee *referee, const struct referee_client *client,
                                const char *text)
{
    struct id named;
    if (!text_id(text, "\"match\":\"", &named)) return false;
    return client->match < 0 || !id_equal(&named, &referee->matches[client->match].id);
}

void referee_on_arrival(struct referee *referee, unsigned number, const char *text, mono_time now)
{
    struct referee_client *client = &referee->clients[number];
    struct referee_asked asked = {
        .id = text_number(text, "\"id\":"),
        .kind = (uint8_t)kind_of(text),
        .round = (uint8_t)text_number(text, "\"round\":"),
        .choice = (uint8_t)text_number(text, "\"choice\":"),
        .names_other = names_another_match(referee, client, text),
        .at = now,
    };
    if (is_of_match(&asked)) {
        asked.is_in_company = has_two_outstanding(client) || has_others_under_way(referee, client);
        if (client->player >= 0) referee->players[client->player].last_asked_at = now;
    }
    if (asked.id == 0) return;
    /* One that is on its way out is heard and not answered. */
    if (client->asked_count == REFEREE_ASKED_MAX) {
        client->asked_count--;
        memmove(&client->asked[0], &client->asked[1], client->asked_count * sizeof(asked));
    }
    for (uint32_t i = 0; i < client->asked_count; i++) {
        if (client->asked[i].id != asked.id) continue;
        client->asked[i].is_ambiguous = asked.is_ambiguous = true;
    }
    client->asked[client->asked_count++] = asked;
}

void referee_on_crowded(struct referee *referee, unsigned number)
{
    struct referee_client *client = &referee->clients[number];
    if (client->asked_count > 0) client->asked[client->asked_count - 1].is_crowded = true;
}

void referee_on_emptied(struct referee *referee, unsigned shard, mono_time now)
{
    referee->emptied_at[shard] = now;
}

/* The first that has this id. False: it is not known which. */
static bool take_asked(struct referee_client *client, uint32_t id, struct referee_asked *ret_asked)
{
    for (uint32_t i = 0; i < client->asked_count; i++) {
        if (client->asked[i].id != id) continue;
        *ret_asked = client->asked[i];
        client->asked_count--;
        memmove(&client->asked[i], &client->asked[i + 1],
                (client->asked_count - i) * sizeof(*ret_asked));
        return !ret_asked->is_ambiguous;
    }
    return false;
}

/* --- Rules of a receipt. --- */

/* What a receipt says, and of which request. */
struct receipt_seen {
    const char *text;
    const struct referee_asked *asked; /* NULL: several had its id. */
    uint8_t round;
    int8_t choice;
    uint32_t at_ms;
    uint16_t rtt_ms;
    bool is_dup;
};

static void a_receipt_is_of_what_was_asked(const struct receipt_seen *receipt)
{
    const struct referee_asked *asked = receipt->asked;
    if (asked == NULL) return;
    bool is_it = asked->kind == REQUEST_OF_MATCH_ANSWER && asked->round == receipt->round &&
                 !asked->names_other;
    if (!receipt->is_dup) is_it = is_it && asked->choice == (uint8_t)receipt->choice;
    if (!is_it) sim_failed("a receipt is of what was asked: not %s", receipt->text);
}

static void an_answer_is_timed_from_its_arrival(const struct referee_round *round,
                                                const struct receipt_seen *receipt)
{
    if (receipt->is_dup || receipt->asked == NULL) return;
    if (mono_is_before(receipt->asked->at, round->began_at))
        sim_failed("no answer counts before its round: %s", receipt->text);
    uint64_t raw_ms = mono_elapsed(round->began_at, receipt->asked->at);
    uint64_t at_ms = raw_ms > receipt->rtt_ms ? raw_ms - receipt->rtt_ms : 0;
    if (at_ms == receipt->at_ms) return;
    sim_failed("an answer is timed from its arrival: %u ms after the round began, %s",
               (unsigned)raw_ms, receipt->text);
}

static void no_answer_counts_after_its_deadline(const struct referee_round *round,
                                                const struct receipt_seen *receipt)
{
    if (receipt->at_ms <= round->time_ms) return;
    sim_failed("no answer counts after its deadline: %s", receipt->text);
}

static void a_credit_holds_for_its_round(const struct referee *referee,
                                         const struct referee_answer *known,
                                         const struct receipt_seen *receipt)
{
    bool is_other = known->has_credit && known->rtt_ms != receipt->rtt_ms;
    if (is_other || receipt->rtt_ms > referee->credit_max_ms)
        sim_failed("a credit holds for its round: %s", receipt->text);
}

static void one_answer_counts_per_player_and_round(const struct referee_answer *known,
                                                   const struct receipt_seen *receipt)
{
    if (!receipt->is_dup && known->is_counted)
        sim_failed("one answer counts per player and round: another one, %s", receipt->text);
}

static void a_receipt_repeats_the_first(const struct referee_answer *known,
                                        const struct receipt_seen *receipt)
{
    if (!known->is_known) return;
    if (known->choice == receipt->choice && known->at_ms == receipt->at_ms) return;
    sim_failed("a receipt repeats the first: choice %d at %u ms was known before %s", known->choice,
               known->at_ms, receipt->text);
}

static void accepted_comes_first(const struct referee_client *client, unsigned seat,
                                 const struct referee_round *round,
                                 const struct receipt_seen *receipt)
{
    if (receipt->is_dup) return;
    if (round->reveal_seq != 0 && client->seq >= round->reveal_seq)
        sim_failed("accepted comes before its reveal: %s", receipt->text);
    if ((client->answered[seat] >> receipt->round & 1) != 0)
        sim_failed("accepted comes before answered: %s", receipt->text);
}

static void keep_receipt(struct referee_answer *known, const struct receipt_seen *receipt)
{
    known->is_counted = known->is_counted || !receipt->is_dup;
    known->is_known = true;
    known->choice = receipt->choice;
    known->at_ms = receipt->at_ms;
    known->has_credit = true;
    known->rtt_ms = receipt->rtt_ms;
}

static void on_accepted(struct referee *referee, struct referee_client *client,
                        const struct referee_asked *asked, const char *text)
{
    if (client->match < 0) sim_failed("a receipt is of a match: %s", text);
    struct referee_match *match = &referee->matches[client->match];
    int seat = referee_seat(match, referee, client->player);
    struct receipt_seen receipt = {
        .text = text,
        .asked = asked,
        .round = (uint8_t)text_number(text, "\"round\":"),
        .choice = (int8_t)text_number(text, "\"choice\":"),
        .at_ms = text_number(text, "\"at_ms\":"),
        .rtt_ms = (uint16_t)text_number(text, "\"rtt_ms\":"),
        .is_dup = strstr(text, "\"dup\":true") != NULL,
    };
    if (client->is_slow || match->judged < client->seq) return; /* Replies may overtake the rest. */
    bool is_asked = receipt.round >= 1 && receipt.round <= match->round_count && seat >= 0 &&
                    match->rounds[receipt.round - 1].seq != 0;
    if (!is_asked) sim_failed("no answer counts before its round: %s", text);
    struct referee_round *round = &match->rounds[receipt.round - 1];
    struct referee_answer *known = &round->answers[seat];
    a_receipt_is_of_what_was_asked(&receipt);
    no_answer_counts_after_its_deadline(round, &receipt);
    an_answer_is_timed_from_its_arrival(round, &receipt);
    a_credit_holds_for_its_round(referee, known, &receipt);
    one_answer_counts_per_player_and_round(known, &receipt);
    a_receipt_repeats_the_first(known, &receipt);
    accepted_comes_first(client, (unsigned)seat, round, &receipt);
    keep_receipt(known, &receipt);
}

/* --- Rules of refusals. --- */

/* Of an answer, in the match that its client is in. */
static void late_is_said_of_late_answers(const struct referee_match *match,
                                         const struct referee_client *client,
                                         const struct referee_round *round,
                                         const struct referee_asked *asked, const char *text)
{
    /* A match that a player has left may be over, and its round with it. */
    bool is_over = (round->reveal_seq != 0 && client->seq >= round->reveal_seq) ||
                   match->gone_seq[0] != 0 || match->gone_seq[1] != 0;
    uint64_t raw_ms = mono_elapsed(round->began_at, asked->at);
    if (round->seq != 0 && (is_over || raw_ms > round->time_ms)) return;
    sim_failed("late is said of late answers: %u ms after the round began, %s", (unsigned)raw_ms,
               text);
}

static void wrong_round_is_said_of_rounds_to_come(const struct referee_client *client,
                                                  const struct referee_round *round,
                                                  const struct referee_asked *asked,
                                                  const char *text)
{
    bool has_begun =
        round->seq != 0 && client->seq >= round->seq && !mono_is_before(asked->at, round->began_at);
    if (has_begun) sim_failed("wrong_round is said of rounds to come: %s", text);
}

static void bad_choice_is_said_of_choices_that_are_none(const struct referee_round *round,
                                                        const struct referee_asked *asked,
                                                        const char *text)
{
    if (asked->choice >= round->choice_count) return;
    sim_failed("bad_choice is said of choices that are none: %s", text);
}

static void busy_is_of_ones_own_doing(const struct referee_asked *asked, const char *text)
{
    if (asked->is_crowded || asked->is_in_company) return;
    sim_failed("busy is of one's own doing: %s", text);
}

static bool is_refusal(const char *text, const char *code)
{
    const char *at = strstr(text, "\"code\":\"");
    size_t length = strlen(code);
    return at != NULL && strncmp(at + 8, code, length) == 0 && at[8 + length] == '"';
}

static void on_refused_answer(struct referee *referee, const struct referee_client *client,
                              const struct referee_asked *asked, const char *text)
{
    static const struct referee_round unknown;
    if (is_refusal(text, "busy")) busy_is_of_ones_own_doing(asked, text);
    if (client->match < 0 || client->is_slow) return;
    const struct referee_match *match = &referee->matches[client->match];
    if (match->judged < client->seq) return;
    bool is_one = asked->round >= 1 && asked->round <= match->round_count;
    const struct referee_round *round = is_one ? &match->rounds[asked->round - 1] : &unknown;
    if (is_refusal(text, "late_answer")) {
        late_is_said_of_late_answers(match, client, round, asked, text);
    } else if (is_refusal(text, "wrong_round")) {
        wrong_round_is_said_of_rounds_to_come(client, round, asked, text);
    } else if (is_refusal(text, "bad_choice")) {
        bad_choice_is_said_of_choices_that_are_none(round, asked, text);
    }
}

/* --- Replies. --- */

void answers_on_reply(struct referee *referee, struct referee_client *client, uint32_t id,
                      const char *text)
{
    struct referee_asked asked;
    bool is_known = take_asked(client, id, &asked);
    if (text_is_of(text, "accepted")) {
        on_accepted(referee, client, is_known ? &asked : NULL, text);
    } else if (text_is_of(text, "left")) {
        client->left_count++;
    } else if (text_is_of(text, "error") && is_known && asked.kind == REQUEST_OF_MATCH_ANSWER) {
        on_refused_answer(referee, client, &asked, text);
    }
}

void answers_on_answered(struct referee *referee, struct referee_client *client, const char *text)
{
    struct id id;
    bool is_here = client->match >= 0 && text_id(text, "\"match\":\"", &id) &&
                   id_equal(&id, &referee->matches[client->match].id);
    if (!is_here) sim_failed("answered is of one's own match: %s", text);
    const struct referee_match *match = &referee->matches[client->match];
    uint32_t number = text_number(text, "\"round\":");
    uint32_t player = text_number(text, "\"player\":");
    SIM_EXPECT(number >= 1 && number <= MATCH_ROUNDS_MAX && player < MATCH_PLAYERS_MAX);
    const struct referee_round *round = &match->rounds[number - 1];
    if ((client->answered[player] >> number & 1) != 0)
        sim_failed("answered is told once: %s", text);
    client->answered[player] |= UINT32_C(1) << number;
    if (round->reveal_seq != 0 && client->seq >= round->reveal_seq)
        sim_failed("answered comes before its reveal: %s", text);
}
