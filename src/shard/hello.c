/* Who a new connection speaks for: a new guest, one who proves to be an old one by a token, or one who resumes a
 * session. hello is answered when the home shard has granted the player and, where there is a match, the match has
 * said how far it is. Until then nothing else is read from the connection. */

#include <string.h>

#include "proto/name.h"
#include "shard_priv.h"

enum { SECRET_BYTES = 16, SESSION_TEXT_BYTES = 2 * (16 + SECRET_BYTES) };

struct hello *hello_borrow(struct shard *shard, struct session *session)
{
    hello_forget(shard, session);
    struct handle handle = HANDLE_NONE;
    session->hello = pool_acquire(&shard->hellos, &handle);
    QR_ASSERT(session->hello != NULL); /* One per session. */
    return session->hello;
}

void hello_forget(struct shard *shard, struct session *session)
{
    if (session->hello == NULL) return;
    memset(session->hello, 0, sizeof(*session->hello)); /* A secret does not stay. */
    pool_release(&shard->hellos, pool_handle_of(&shard->hellos, session->hello));
    session->hello = NULL;
    session->debts = (uint16_t)(session->debts & ~(unsigned)(DEBT_CLAIM | DEBT_COME));
    session->ask_at = (mono_time){UINT64_MAX};
}

/* --- The session's text: the player's id and the secret, in hexadecimal. --- */

static void hex(char *to, const uint8_t *bytes, unsigned count)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < count; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    *to = '\0';
}

static int nibble(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    return -1;
}

static bool unhex(const char *text, uint8_t *ret_bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int high = nibble(text[2 * i]);
        int low = high < 0 ? -1 : nibble(text[2 * i + 1]);
        if (low < 0) return false;
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool parse_session(struct shard *shard, const char *text, struct id *ret_player,
                          struct digest *ret_proof)
{
    uint8_t secret[SECRET_BYTES];
    if (strlen(text) != SESSION_TEXT_BYTES ||
        !unhex(text, ret_player->bytes, sizeof(ret_player->bytes)) ||
        !unhex(text + 2 * sizeof(ret_player->bytes), secret, sizeof(secret))) {
        return false;
    }
    shard->io.digest(shard->io.context, secret, sizeof(secret), ret_proof->bytes);
    return true;
}

/* --- Claiming. --- */

static void begin_claim(struct shard *shard, struct session *session, enum claim_kind claim)
{
    struct hello *hello = session->hello;
    hello->claim = (uint8_t)claim;
    hello->is_claimed = false;
    session->claim_no++;
    shard->io.random(shard->io.context, hello->secret_bytes, sizeof(hello->secret_bytes));
    shard->io.digest(shard->io.context, hello->secret_bytes, sizeof(hello->secret_bytes),
                     session->secret.bytes);
    if (session->state == SESSION_NEW) session_move(shard, session, SESSION_GREETING);
    session->ask_at = mono_after(shard->now, ASK_AGAIN_MS);
    session_owe(shard, session, DEBT_CLAIM);
    session_update_pause(shard, session);
    session_rearm(shard, session);
}

void hello_ask_again(struct shard *shard, struct session *session)
{
    if (session->state == SESSION_PLAYING) {
        playing_ask_again(shard, session);
        return;
    }
    session->ask_at = mono_after(shard->now, ASK_AGAIN_MS);
    if (session->is_loading) return; /* The store answers in any case. */
    if (session->state == SESSION_JOINING) {
        session_owe(shard, session, DEBT_RETICKET);
    } else {
        session_owe(shard, session, session->generation == 0 ? DEBT_CLAIM : DEBT_COME);
    }
}

/* The connection may say hello again. */
static void back_to_new(struct shard *shard, struct session *session)
{
    session_move(shard, session, SESSION_NEW);
    hello_forget(shard, session);
    /* The time for hello runs on, with a moment for the next one. */
    mono_time soon = mono_after(shard->now, HELLO_AGAIN_MS);
    if (mono_is_before(session->hello_by, soon)) session->hello_by = soon;
    if (session->is_over) {
        ghost_begin(shard, session);
        return;
    }
    session_update_pause(shard, session);
    session_rearm(shard, session);
}

static void refuse_token(struct shard *shard, struct session *session)
{
    session_refuse(shard, session, session->hello->request_id, REFUSAL_AUTH_FAILED, NULL, 0);
    session_dismiss(shard, session, CLOSE_AUTH, "auth_failed", 0);
}

/* Whether only those are served who come back to a match. */
static bool is_closed(const struct shard *shard, const struct session *session)
{
    return shard->is_draining || session->is_for_return;
}

static void refuse_newcomer(struct shard *shard, struct session *session)
{
    bool is_full = !shard->is_draining;
    uint32_t retry_ms = is_full ? FULL_RETRY_MS : RESTART_RETRY_MS;
    if (is_full) shard->counters.turned_away++;
    session_refuse(shard, session, session->hello->request_id, REFUSAL_UNAVAILABLE,
                   is_full ? "The server is full." : "The server restarts.", retry_ms);
    session_dismiss(shard, session, is_full ? CLOSE_FULL : CLOSE_RESTART,
                    is_full ? "full" : "restart", retry_ms);
}

static void set_name(struct shard *shard, struct session *session, const char *name)
{
    struct player_record record;
    player_record_init(&record, name);
    profile_set(shard, session, &record);
}

static void hello_with_name(struct shard *shard, struct session *session, const char *text)
{
    char name[NAME_BYTES_MAX + 1];
    if (!name_normalise(text, strlen(text), name)) {
        session_refuse(shard, session, session->hello->request_id, REFUSAL_BAD_NAME, NULL, 0);
        return;
    }
    uint8_t random[ID_RANDOM_BYTES];
    shard->io.random(shard->io.context, random, sizeof(random));
    session->player = id_make(shard_wall(shard), random);
    set_name(shard, session, name);
    begin_claim(shard, session, CLAIM_NEW);
}

static void hello_with_token(struct shard *shard, struct session *session)
{
    if (session->hello->has_token) {
        begin_claim(shard, session, CLAIM_TOKEN);
    } else {
        refuse_token(shard, session);
    }
}

static void hello_with_resume(struct shard *shard, struct session *session,
                              const struct request *request)
{
    struct hello *hello = session->hello;
    struct id player;
    if (!parse_session(shard, request->hello.resume, &player, &hello->proof)) {
        if (shard->is_draining) {
            refuse_newcomer(shard, session);
        } else if (request->hello.token != NULL) {
            hello_with_token(shard, session);
        } else if (session->is_for_return) {
            refuse_newcomer(shard, session);
        } else {
            session_refuse(shard, session, hello->request_id, REFUSAL_RESUME_EXPIRED, NULL, 0);
        }
        return;
    }
    /* Two players are a contradiction where both are proven: the home shard knows. */
    hello->token_player = session->player;
    hello->is_conflict = hello->has_token && !id_equal(&player, &session->player);
    session->player = player;
    hello->last_match =
        request->hello.has_last_match ? request->hello.last_match : (struct id){{0}};
    hello->last_seq = request->hello.last_seq;
    begin_claim(shard, session, CLAIM_RESUME);
}

static const struct standing nobody;

void hello_on_request(struct shard *shard, struct session *session, const struct request *request)
{
    if (session->state != SESSION_NEW) {
        session_refuse(shard, session, request->id, REFUSAL_BAD_STATE,
                       "This connection has said hello already.", 0);
        return;
    }
    if (session->debts != 0) session_pay(shard, session);
    if (session->debts != 0) { /* An earlier claim is still to be given back. */
        session_refuse(shard, session, request->id, REFUSAL_BUSY, NULL, BUSY_RETRY_MS);
        return;
    }
    hello_borrow(shard, session)->request_id = request->id;
    ghost_adopt(shard, session,
                &nobody); /* Of a hello that failed on this connection nothing stays. */
    if (request->hello.token != NULL) {
        char name[NAME_BYTES_MAX + 1];
        session->hello->has_token =
            shard->io.token_read(shard->io.context, request->hello.token, &session->player, name);
        session->hello->has_bad_token = !session->hello->has_token;
        if (session->hello->has_token) set_name(shard, session, name);
    }
    if (request->hello.resume != NULL) {
        hello_with_resume(shard, session, request);
    } else if (shard->is_draining) {
        refuse_newcomer(shard, session);
    } else if (request->hello.token != NULL) {
        hello_with_token(shard, session);
    } else if (session->is_for_return) {
        refuse_newcomer(shard, session);
    } else {
        hello_with_name(shard, session, request->hello.name);
    }
    if (session->state == SESSION_NEW) hello_forget(shard, session); /* It was refused. */
}

/* --- The answers. --- */

static void say_welcome(struct shard *shard, struct session *session, const struct id *match)
{
    char text[SESSION_TEXT_BYTES + 1];
    char token[HELLO_TOKEN_BYTES];
    struct player_record record = profile_get(session);
    hex(text, session->player.bytes, sizeof(session->player.bytes));
    hex(text + 2 * sizeof(session->player.bytes), session->hello->secret_bytes, SECRET_BYTES);
    shard->io.token_write(shard->io.context, &session->player, record.name, token, sizeof(token));
    struct wire wire = shard_wire(shard);
    encode_welcome(&wire, &(struct welcome){
                              .request_id = session->hello->request_id,
                              .player = session->player,
                              .name = record.name,
                              .rating_centi = record.rating.rating_centi,
                              .session = text,
                              .now = shard_wall(shard),
                              .ping_ms = shard->settings.ping_ms,
                              .bank = shard->settings.bank,
                              .rounds = shard->settings.match.rounds,
                              .token = token,
                              .match = match,
                          });
    session->ask_at = (mono_time){UINT64_MAX};
    session->is_unconfirmed = true;
    session_end_return(shard, session);
    session_say(shard, session, &wire);
    liveness_ping(shard, session);
    session_update_pause(shard, session);
    session_rearm(shard, session);
}

static void welcome_idle(struct shard *shard, struct session *session)
{
    session_move(shard, session, SESSION_IDLE);
    if (session->is_over || session->is_handing_over) {
        ghost_settle(shard, session);
    } else if (is_closed(shard, session)) {
        refuse_newcomer(shard, session);
    } else {
        say_welcome(shard, session, NULL);
    }
    hello_forget(shard, session);
}

static void welcome_queued(struct shard *shard, struct session *session)
{
    /* The lobby's `queued` follows. */
    session->join_id = 0;
    session_move(shard, session, SESSION_JOINING);
    session_owe(shard, session, DEBT_RETICKET);
    if (!session->is_over && is_closed(shard, session)) {
        refuse_newcomer(shard, session); /* QUEUED finds a session that is over. */
    } else if (!session->is_over) {
        say_welcome(shard, session, NULL);
    }
    hello_forget(shard, session);
    session->ask_at = mono_after(shard->now, ASK_AGAIN_MS);
    session_rearm(shard, session);
}

static void load(struct shard *shard, struct session *session)
{
    session->is_loading = true;
    if (shard->io.load(shard->io.context, session->self, &session->player) == 0) return;
    shard_on_loaded(shard, session->self, LOAD_FAILED, NULL);
}

void hello_cancel(struct shard *shard, struct session *session)
{
    if (!session->is_loading || session->state != SESSION_GREETING) return;
    shard->io.cancel_load(shard->io.context, session->self);
}

void hello_on_grant(struct shard *shard, const struct record_grant *record)
{
    struct session *session = pool_resolve(&shard->sessions, record->session);
    QR_ASSERT(session != NULL &&
              session->state == SESSION_GREETING); /* A claimant stays until it has an answer. */
    const struct standing *standing = &record->standing;
    session->generation = record->generation;
    if (standing->is_known) ghost_adopt(shard, session, standing);
    if (standing->has_match) {
        session->ask_at = mono_after(shard->now, ASK_AGAIN_MS);
        session_owe(shard, session, DEBT_COME);
        session_rearm(shard, session);
    } else if (standing->is_queued) {
        welcome_queued(shard, session);
    } else if (session->is_for_return && !standing->is_known) {
        welcome_idle(shard,
                     session); /* Nothing is there to come back to: the store need not be asked. */
    } else if (standing->needs_load ||
               (session->hello->claim == CLAIM_TOKEN && !standing->is_known)) {
        load(shard, session);
    } else {
        welcome_idle(shard, session);
    }
}

void shard_on_loaded(struct shard *shard, struct handle handle, enum load_outcome outcome,
                     const struct player_record *record)
{
    struct session *session = pool_resolve(&shard->sessions, handle);
    if (session == NULL || !session->is_loading) return; /* Handed over meanwhile, and gone. */
    /* Failed, it is still to be loaded by whoever takes the player over. */
    session->is_loading = outcome == LOAD_FAILED && (session->is_handing_over || session->is_over);
    if (session->state != SESSION_GREETING) return;
    if (outcome == LOAD_FOUND) profile_set(shard, session, record);
    if (outcome != LOAD_FAILED || session->is_over || session->is_handing_over) {
        welcome_idle(shard, session);
        return;
    }
    session_refuse(shard, session, session->hello->request_id, REFUSAL_UNAVAILABLE,
                   "The store does not answer.", ASK_AGAIN_MS);
    session->generation = 0;
    session_owe(shard, session, DEBT_RELEASE);
    back_to_new(shard, session);
}

void hello_on_deny(struct shard *shard, const struct record_deny *record)
{
    struct session *session = pool_resolve(&shard->sessions, record->session);
    bool is_awaited = session != NULL && session->state == SESSION_GREETING &&
                      session->generation == 0 && session->claim_no == record->claim_no;
    if (!is_awaited) return; /* Of an earlier claim: asked twice, it was denied twice. */
    struct hello *hello = session->hello;
    if (session->is_over) { /* Nobody is there to try the token, or to hear why. */
        back_to_new(shard, session);
        return;
    }
    switch ((enum deny_reason)record->reason) {
    case DENY_OVERTAKEN:
        session_dismiss(shard, session, CLOSE_TAKEN_OVER, "taken_over", 0);
        back_to_new(shard, session);
        return;
    case DENY_CONFLICT:
        session_refuse(shard, session, hello->request_id, REFUSAL_BAD_MESSAGE,
                       "`resume` and `token` name different players.", 0);
        break;
    case DENY_AHEAD:
        session_refuse(shard, session, hello->request_id, REFUSAL_BAD_MESSAGE,
                       "`last_seq` is ahead of the server.", 0);
        break;
    case DENY_UNKNOWN:
        if (hello->has_token && !shard->is_draining) {
            session->player = hello->token_player;
            begin_claim(shard, session, CLAIM_TOKEN);
            return;
        }
        if (shard->is_draining) {
            refuse_newcomer(shard, session);
        } else if (hello->has_bad_token) {
            refuse_token(shard, session);
        } else if (session->is_for_return) {
            refuse_newcomer(shard, session);
        } else {
            session_refuse(shard, session, hello->request_id, REFUSAL_RESUME_EXPIRED, NULL, 0);
        }
        break;
    }
    back_to_new(shard, session);
}

void hello_on_place(struct shard *shard, const struct record_place *record)
{
    struct session *session = pool_resolve(&shard->sessions, record->session);
    if (session != NULL && session->state == SESSION_PLAYING) {
        playing_on_place(shard, session, record);
        return;
    }
    if (session == NULL || session->state != SESSION_GREETING || session->generation == 0 ||
        session->is_loading || !id_equal(&session->match_id, &record->match_id)) {
        return; /* Asked twice. */
    }
    session->has_match = false;
    if (!record->is_known) {
        session->has_unseen = false;
        /* It ended, and was forgotten, while the player was on the way: what it has changed is in the store. */
        bool has_heard = id_equal(&session->last_match, &record->match_id);
        if (has_heard || session->is_over) {
            welcome_idle(shard, session);
        } else {
            load(shard, session);
        }
        return;
    }
    session->taken_seq = record->from_seq;
    session->is_settling = record->is_settling;
    session->has_unseen = false; /* Its `end` follows. */
    session_move(shard, session, SESSION_PLAYING);
    if (session->is_over || session->is_handing_over) {
        ghost_settle(shard, session);
    } else {
        say_welcome(shard, session, &session->match_id);
        liveness_tell_credit(shard, session);
    }
    hello_forget(shard, session);
    session->ask_at = mono_after(shard->now, shard->settings.ended_keep_ms);
    session_rearm(shard, session);
}

void hello_on_message(struct shard *shard, struct session *session)
{
    if (!session->is_unconfirmed) return;
    session->is_unconfirmed = false;
    session_owe(shard, session, DEBT_CONFIRM);
}

void hello_see_end(struct shard *shard, struct session *session)
{
    if (!session->has_unseen) return;
    session->has_unseen = false;
    session->level_flags |= LEVEL_SEEN;
    session_owe(shard, session, DEBT_LEVEL);
}
