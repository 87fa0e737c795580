#include "sim_referee.h"

#include <stdlib.h>
#include <string.h>

#include "sim_failed.h"
#include "sim_referee_priv.h"
#include "sim_text.h"

static char *copy_of(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    SIM_EXPECT(copy != NULL);
    memcpy(copy, text, bytes);
    return copy;
}

static void *zeroed(size_t count, size_t size)
{
    void *items = calloc(count, size);
    SIM_EXPECT(items != NULL);
    return items;
}

/* --- Life. --- */

static void forget_connection(struct referee_client *client)
{
    memset(client, 0, sizeof(*client));
    client->match = client->player = -1;
}

void referee_init(struct referee *referee, uint32_t clients)
{
    SIM_EXPECT(clients <= REFEREE_CLIENTS_MAX);
    *referee = (struct referee){.client_count = clients};
    referee->clients = zeroed(clients, sizeof(*referee->clients));
    for (uint32_t i = 0; i < clients; i++) forget_connection(&referee->clients[i]);
    referee->matches = zeroed(REFEREE_MATCHES_MAX, sizeof(*referee->matches));
    referee->players = zeroed(REFEREE_PLAYERS_MAX, sizeof(*referee->players));
}

void referee_fini(struct referee *referee)
{
    for (uint32_t i = 0; i < referee->match_count; i++) {
        for (unsigned seq = 0; seq < REFEREE_SEQ_MAX; seq++) {
            free(referee->matches[i].texts[seq]);
        }
    }
    free(referee->matches);
    free(referee->players);
    free(referee->clients);
}

void referee_on_connect(struct referee *referee, unsigned client)
{
    forget_connection(&referee->clients[client]);
}

void referee_on_disconnect(struct referee *referee, unsigned client)
{
    forget_connection(&referee->clients[client]);
}

/* --- What is told the shards. --- */

/* Which player a session's text is of: its first half is the player's id in hexadecimal. */
static bool player_of_session(const char *text, struct id *ret_player)
{
    static const char key[] = "\"resume\":\"";
    const char *at = strstr(text, key);
    if (at == NULL) return false;
    at += sizeof(key) - 1;
    for (unsigned i = 0; i < sizeof(ret_player->bytes); i++) {
        char digits[3] = {at[2 * i], '\0', '\0'};
        if (digits[0] == '\0' || digits[0] == '"') return false;
        digits[1] = at[2 * i + 1];
        char *end;
        ret_player->bytes[i] = (uint8_t)strtoul(digits, &end, 16);
        if (end != digits + 2) return false;
    }
    return true;
}

/* Whom a hello speaks for, by its session or by its token. */
static bool player_of_hello(const char *text, struct id *ret_player)
{
    static const char key[] = "\"token\":\"guest.";
    if (player_of_session(text, ret_player)) return true;
    const char *at = strstr(text, key);
    return at != NULL && id_parse(at + sizeof(key) - 1, ID_TEXT_BYTES, ret_player);
}

static void note_session(struct referee *referee, const char *text, struct referee_hello *hello)
{
    struct id id;
    if (!player_of_hello(text, &id)) return;
    struct referee_player *player = &referee->players[referee_find_player(referee, &id)];
    const char *session = strstr(text, "\"resume\":\"");
    size_t length = strlen(player->session);
    hello->is_last = session != NULL && length > 0 && player->hellos == 0 &&
                     strncmp(session + strlen("\"resume\":\""), player->session, length) == 0;
    hello->player = id;
    hello->no = ++player->hello_no;
    player->hellos++;
}

static void note_claim(struct referee *referee, const char *text, const struct referee_hello *hello)
{
    struct id id;
    if (hello->seq == 0 || !player_of_session(text, &id)) return;
    struct referee_player *player = &referee->players[referee_find_player(referee, &id)];
    bool is_more = !id_equal(&player->claimed, &hello->match) || hello->seq > player->claimed_seq;
    if (!is_more) return;
    player->claimed = hello->match;
    player->claimed_seq = hello->seq;
}

void referee_on_said(struct referee *referee, unsigned client, const char *text)
{
    if (strstr(text, "\"type\":\"hello\"") == NULL) return;
    struct referee_client *at = &referee->clients[client];
    struct referee_hello *hello = &at->hellos[at->hello_count++ % REFEREE_HELLOS_MAX];
    *hello = (struct referee_hello){.id = text_number(text, "\"id\":"),
                                    .seq = text_number(text, "\"last_seq\":")};
    if (!text_id(text, "\"last_match\":\"", &hello->match)) hello->seq = 0;
    for (uint32_t i = 0; i < referee->match_count; i++) {
        const struct referee_match *match = &referee->matches[i];
        if (id_equal(&match->id, &hello->match)) hello->seq_max = match->seq_max;
    }
    note_claim(referee, text, hello);
    note_session(referee, text, hello);
}

void referee_on_request(struct referee *referee, unsigned client, uint32_t id)
{
    if (id == 0) return;
    SIM_EXPECT(id < REFEREE_IDS_MAX);
    referee->clients[client].pending[id]++;
    referee->clients[client].pending_count++;
}

static struct referee_player *player_of(struct referee *referee, struct referee_client *client)
{
    if (client->player < 0) return NULL;
    return &referee->players[client->player];
}

void referee_on_unread(struct referee *referee, unsigned client)
{
    referee->clients[client].is_slow = true;
}

void referee_on_heard(struct referee *referee, unsigned client, mono_time now)
{
    if (referee->clients[client].is_slow) referee->unread_at = now;
    struct referee_player *player = player_of(referee, &referee->clients[client]);
    if (player == NULL || player->match < 0) return;
    if (referee->matches[player->match].is_ended) player->is_heard = true;
}

/* --- Matches. --- */

int referee_find_match(struct referee *referee, const struct id *id)
{
    for (uint32_t i = 0; i < referee->match_count; i++) {
        if (id_equal(&referee->matches[i].id, id)) return (int)i;
    }
    SIM_EXPECT(referee->match_count < REFEREE_MATCHES_MAX);
    referee->matches[referee->match_count] = (struct referee_match){.id = *id};
    return (int)referee->match_count++;
}

void referee_on_started(struct referee *referee, const struct id *id, unsigned shard,
                        int64_t wall_offset_ms)
{
    struct referee_match *match = &referee->matches[referee_find_match(referee, id)];
    match->is_started = true;
    match->shard = shard;
    match->wall_offset_ms = wall_offset_ms;
}

int referee_seat(const struct referee_match *match, const struct referee *referee, int player)
{
    if (player < 0) return -1;
    for (int seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        if (id_equal(&match->players[seat], &referee->players[player].id)) return seat;
    }
    return -1;
}

void referee_on_saved(struct referee *referee, const struct id *match)
{
    struct referee_match *at = &referee->matches[referee_find_match(referee, match)];
    if (!at->is_saved) result_rules_on_saved(referee, at);
    at->is_saved = true;
}

void referee_on_ended(struct referee *referee, const struct id *id, const char *reason,
                      mono_time now)
{
    struct referee_match *match = &referee->matches[referee_find_match(referee, id)];
    match->is_ended = true;
    match->is_cancelled = strcmp(reason, "cancelled") == 0;
    match->ended_at = now;
}

/* --- What the shards say. --- */

static void every_request_gets_one_reply(struct referee *referee, struct referee_client *client,
                                         const char *text)
{
    uint32_t id = text_number(text, ",\"id\":");
    if (id == 0) return;
    SIM_EXPECT(id < REFEREE_IDS_MAX);
    if (client->pending[id] == 0)
        sim_failed("every request gets one reply: nobody asked, %s", text);
    client->pending[id]--;
    client->pending_count--;
    answers_on_reply(referee, client, id, text);
}

static void check_end(struct referee *referee, struct referee_client *client, const char *text)
{
    bool counts = strstr(text, "\"reason\":\"finished\"") != NULL ||
                  strstr(text, "\"reason\":\"forfeit\"") != NULL;
    if (counts && !referee->matches[client->match].is_saved) {
        sim_failed("end comes after the store's yes: %s", text);
    }
    struct referee_player *player = player_of(referee, client);
    if (player != NULL && player->match == client->match) player->has_end = true;
    client->match = -1;
    client->may_hear_clock = false;
    referee->ends++;
}

static void note_match(struct referee *referee, struct referee_client *client, int match)
{
    struct referee_player *player = player_of(referee, client);
    /* An older connection may still read of an older match. */
    if (player == NULL || player->match >= match) return;
    player->match = match;
    player->has_end = false;
    player->is_heard = false;
}

/* A client that claims more than it has may keep a message from everybody. */
void referee_judge_what_is_whole(struct referee *referee, struct referee_match *match)
{
    while (match->judged < REFEREE_SEQ_MAX && match->texts[match->judged] != NULL) {
        const char *text = match->texts[match->judged++];
        match_rules_on_news(referee, match, text, match->judged);
    }
}

static void queued_comes_before_match(struct referee_client *client, const char *text)
{
    if (!client->is_queued) sim_failed("queued comes before match: %s", text);
    client->is_queued = false;
}

static void begin_match(struct referee_client *client, bool is_back)
{
    client->is_back = is_back;
    client->left_count = 0;
    memset(client->answered, 0, sizeof(client->answered));
}

/* On the connection that has left: one that came back may be told of an earlier one's leave. */
static void left_comes_before_ones_own_gone(const struct referee *referee,
                                            const struct referee_client *client, const char *text)
{
    if (client->is_back || client->is_slow || !text_is_of(text, "peer")) return;
    if (strstr(text, "\"state\":\"gone\"") == NULL) return;
    int seat = referee_seat(&referee->matches[client->match], referee, client->player);
    if (seat < 0 || text_number(text, "\"player\":") != (uint32_t)seat) return;
    if (client->left_count == 0) sim_failed("left comes before one's own gone: %s", text);
}

static void check_numbered(struct referee *referee, struct referee_client *client, const char *text,
                           uint32_t seq)
{
    struct id id;
    SIM_EXPECT(text_id(text, "\"match\":\"", &id));
    int match = referee_find_match(referee, &id);
    if (client->match < 0 && text_is_of(text, "match")) {
        queued_comes_before_match(client, text);
        client->match = match;
        client->seq = 0;
        begin_match(client, false);
    }
    if (client->match != match) sim_failed("a player hears of its own match: not %s", text);
    if (client->is_anywhere) client->seq = seq - 1;
    client->is_anywhere = false;
    if (seq != client->seq + 1)
        sim_failed("a match's messages have no gap: after %u, %s", client->seq, text);
    client->seq = seq;
    SIM_EXPECT(seq <= REFEREE_SEQ_MAX);
    struct referee_match *at = &referee->matches[match];
    if (seq > at->seq_max) at->seq_max = seq;
    char **known = &at->texts[seq - 1];
    if (*known == NULL) {
        *known = copy_of(text);
        secret_rules_on_message(text);
        referee_judge_what_is_whole(referee, at);
    } else if (strcmp(*known, text) != 0) {
        sim_failed("all players get the same bytes: %s and %s", *known, text);
    }
    left_comes_before_ones_own_gone(referee, client, text);
    note_match(referee, client, match);
    if (text_is_of(text, "end")) check_end(referee, client, text);
}

int referee_find_player(struct referee *referee, const struct id *id)
{
    for (uint32_t i = 0; i < referee->player_count; i++) {
        if (id_equal(&referee->players[i].id, id)) return (int)i;
    }
    SIM_EXPECT(referee->player_count < REFEREE_PLAYERS_MAX);
    referee->players[referee->player_count] = (struct referee_player){.id = *id, .match = -1};
    return (int)referee->player_count++;
}

/* Where a welcome names no match, what the player was in must be over, and seen or old. */
static void expect_nothing_lost(const struct referee *referee, const struct referee_player *player,
                                const char *text, mono_time now)
{
    if (player->match < 0 || player->has_end || referee->is_draining) return;
    const struct referee_match *match = &referee->matches[player->match];
    if (!match->is_ended) sim_failed("who comes back is in the match: it runs, %s", text);
    /* Whom a slow one spoke for, and what it has done, it would say in time. */
    if (mono_is_before(match->ended_at, referee->unread_at)) return;
    bool is_old = mono_elapsed(match->ended_at, now) >= referee->kept_ms;
    /* A cancelled one goes on in the queue. */
    if (!is_old && !player->is_heard && !match->is_cancelled)
        sim_failed("who comes back hears of the end: %s", text);
}

static const struct referee_hello *find_hello(const struct referee_client *client, uint32_t id)
{
    for (unsigned i = 0; i < REFEREE_HELLOS_MAX; i++) {
        if (client->hellos[i].id == id) return &client->hellos[i];
    }
    return NULL;
}

/* Also one who has not: whoever says so is not told. */
static bool claims_all_of(const struct referee *referee, const struct referee_player *player)
{
    if (player->match < 0) return false;
    const struct referee_match *match = &referee->matches[player->match];
    return id_equal(&player->claimed, &match->id) && player->claimed_seq >= match->seq_max;
}

static void keep_session(struct referee_player *player, const struct referee_hello *hello,
                         const char *text)
{
    uint32_t no = hello != NULL ? hello->no : 0;
    player->session[0] = '\0';
    if (no < player->welcome_no) return; /* Read late: another one has been told since. */
    player->welcome_no = no;
    const char *at = text_behind(text, "\"session\":\"");
    size_t length = strcspn(at, "\"");
    SIM_EXPECT(length < sizeof(player->session));
    memcpy(player->session, at, length);
    player->session[length] = '\0';
}

static void check_welcome(struct referee *referee, unsigned number, const char *text, mono_time now)
{
    struct referee_client *client = &referee->clients[number];
    struct id id;
    SIM_EXPECT(text_id(text, "\"player\":\"", &id));
    client->player = referee_find_player(referee, &id);
    struct referee_player *player = &referee->players[client->player];
    const struct referee_hello *hello = find_hello(client, text_number(text, ",\"id\":"));
    if (strstr(text, "\"session\":") != NULL) keep_session(player, hello, text);
    if (!text_id(text, "\"match\":\"", &id)) {
        if (claims_all_of(referee, player)) {
            player->has_end = true; /* From then on, whatever its next connection says. */
        } else if (!client->is_slow) {
            expect_nothing_lost(referee, player, text, now);
        }
        return;
    }
    referee->welcomes_back++;
    client->match = referee_find_match(referee, &id);
    begin_match(client, true);
    client->seq = hello != NULL && id_equal(&hello->match, &id) ? hello->seq : 0;
    client->may_hear_clock = true;
    client->is_anywhere = client->seq > 0 && client->seq > hello->seq_max;
    note_match(referee, client, client->match);
}

static void hello_is_answered(struct referee *referee, const struct referee_client *client,
                              const char *text)
{
    static const struct id none;
    const struct referee_hello *hello = find_hello(client, text_number(text, ",\"id\":"));
    if (hello == NULL || id_equal(&hello->player, &none)) return;
    struct referee_player *player = &referee->players[referee_find_player(referee, &hello->player)];
    if (player->hellos > 0) player->hellos--;
}

/* Where nobody else has said hello for its player, or been lost before the reply. */
static void a_live_match_knows_its_sessions(struct referee *referee,
                                            const struct referee_client *client, const char *text)
{
    const struct referee_hello *hello = find_hello(client, text_number(text, ",\"id\":"));
    if (hello == NULL || !hello->is_last || strstr(text, "\"resume_expired\"") == NULL) return;
    const struct referee_player *player =
        &referee->players[referee_find_player(referee, &hello->player)];
    if (player->match < 0 || player->hellos > 0 || referee->is_draining) return;
    if (hello->no != player->hello_no) return;
    const struct referee_match *match = &referee->matches[player->match];
    if (!match->is_ended && !match->is_unjournaled)
        sim_failed("a live match knows its sessions: not that of %s", text);
}

static void check_clock(const struct referee *referee, struct referee_client *client,
                        const char *text)
{
    struct id id;
    SIM_EXPECT(text_id(text, "\"match\":\"", &id));
    bool is_expected = client->may_hear_clock && client->match >= 0 &&
                       id_equal(&referee->matches[client->match].id, &id);
    if (!is_expected) sim_failed("clock comes once after a welcome back: %s", text);
    client->may_hear_clock = false;
}

/* `clock` ends what was missed: what tells of now comes behind it. */
static void the_clock_ends_what_was_missed(const struct referee_client *client, const char *text)
{
    if (client->may_hear_clock) sim_failed("the clock ends what was missed: %s", text);
}

void referee_on_message(struct referee *referee, unsigned number, const char *text, mono_time now)
{
    struct referee_client *client = &referee->clients[number];
    if (client->has_bye) sim_failed("nothing comes after bye: %s", text);
    every_request_gets_one_reply(referee, client, text);
    if (text_is_of(text, "welcome") || text_is_of(text, "error"))
        hello_is_answered(referee, client, text);
    if (text_is_of(text, "error")) a_live_match_knows_its_sessions(referee, client, text);
    if (text_is_of(text, "welcome")) check_welcome(referee, number, text, now);
    if (text_is_of(text, "clock")) check_clock(referee, client, text);
    if (text_is_of(text, "answered")) {
        the_clock_ends_what_was_missed(client, text);
        answers_on_answered(referee, client, text);
    }
    if (text_is_of(text, "queued")) client->is_queued = true;
    if (text_is_of(text, "unqueued")) client->is_queued = false;
    if (text_is_of(text, "bye")) client->has_bye = true;
    uint32_t seq = text_number(text, ",\"seq\":");
    if (seq != 0) {
        check_numbered(referee, client, text, seq);
    } else {
        secret_rules_on_message(text);
    }
}

void referee_expect_all_answered(const struct referee *referee)
{
    for (uint32_t i = 0; i < referee->client_count; i++) {
        const struct referee_client *client = &referee->clients[i];
        for (uint32_t other = 0; other < i; other++) {
            if (client->player < 0 || client->player != referee->clients[other].player) continue;
            sim_failed("a player has one connection: clients %u and %u", other, i);
        }
        for (unsigned id = 0; client->pending_count > 0 && id < REFEREE_IDS_MAX; id++) {
            if (client->pending[id] > 0)
                sim_failed("every request gets one reply: client %u, request %u", i, id);
        }
    }
}
