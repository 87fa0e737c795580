/* What the files of this folder share: who calls whom. The shard's own structs: shard_state_priv.h.
 *
 *     shard.c       memory, the iteration, timers, drain
 *     post.c        records out, records in
 *     session.c     a connection's life: its states, deadlines, closing, the end
 *     speak.c       frames to one connection, and when reading from it stops
 *     debts.c       what a session owes other shards
 *     dispatch.c    one request of a client
 *     outbox.c      frames that wait for one connection
 *     profile.c     what a session knows of its player
 *     throttle.c    how much a client may say
 *     hello.c       who a new connection speaks for, until welcome
 *     ghost.c       a player whose connection is gone, and the next one taking over
 *     liveness.c    pings, pongs, and the delay that is credited
 *     presence.c    the home shard's part: who speaks for a player
 *     lobby.c       the matchmaking actor (shard 0): tickets and offers
 *     lobby_say.c   what the lobby owes to sessions and match owners
 *     pairing.c     the session's side of tickets and offers
 *     playing.c     the session's side of a match
 *     hosted.c      a match and its seats, live or ended: who comes back, and what is kept how long
 *     live_match.c  a match while it runs here: ring, timers, tokens
 *     apply.c       a step's effects, each carried out once
 *     seat.c        what one player is owed, in order
 *     journaling.c  what of a match is written to the journal
 *     restore.c     matches that come back from it after a crash
 *     stats.c       a snapshot of the figures
 */
#pragma once

#include "shard_state_priv.h"

/* shard.c */
/* What an iteration did not come to: first in the next one, and that at once where it can get anywhere. */
void shard_put_off(struct shard *shard, struct list *rest, struct list *list, bool is_moving);

/* post.c */
/* False: the mailbox is full, nothing was sent. `record` begins with its kind. */
QR_MUST_USE bool post(struct shard *shard, unsigned to, const void *record, size_t record_bytes);
QR_MUST_USE bool post_with_body(struct shard *shard, unsigned to, const void *record,
                                size_t record_bytes, const void *body, size_t body_bytes);
/* Takes what the mailboxes hold, bounded. True: there is more. */
bool post_receive(struct shard *shard);
void post_wake(struct shard *shard);

/* session.c */
/* Of nobody yet, without a connection; its timer is not armed. NULL: no slot. */
struct session *session_acquire(struct shard *shard, enum session_state state);
void session_move(struct shard *shard, struct session *session, enum session_state next);
void session_on_timer(struct shard *shard, struct handle handle);
/* Arms the timer for the earliest deadline. */
void session_rearm(struct shard *shard, struct session *session);
/* bye (with retry_ms where it is not 0), then the close. */
void session_dismiss(struct shard *shard, struct session *session, enum close_code code,
                     const char *reason, uint32_t retry_ms);
/* Closes without bye, and not later than now. */
void session_abandon(struct shard *shard, struct session *session, enum close_code code,
                     const char *reason);
/* It has come back, or is over: what was kept free for it may be another's. Idempotent. */
void session_end_return(struct shard *shard, struct session *session);
/* A session without a connection that stands nowhere and owes nothing is released in this iteration's last phase. */
void session_retire_if_done(struct shard *shard, struct session *session);
void session_release(struct shard *shard, struct session *session);

/* hello.c */
/* What session->hello holds from here to hello_forget, all zero. */
struct hello *hello_borrow(struct shard *shard, struct session *session);
/* It is answered; a claim, or a coming, that was to be said once more has had its answer, and nobody asks for it again.
 * Idempotent. */
void hello_forget(struct shard *shard, struct session *session);
void hello_on_request(struct shard *shard, struct session *session, const struct request *request);
void hello_on_grant(struct shard *shard, const struct record_grant *record);
void hello_on_deny(struct shard *shard, const struct record_deny *record);
void hello_on_place(struct shard *shard, const struct record_place *record);
/* Asks again for what may have been lost. */
void hello_ask_again(struct shard *shard, struct session *session);
/* The session is over, or its player another one's: what it has asked for serves nobody. */
void hello_cancel(struct shard *shard, struct session *session);
/* A message of the client: it has its welcome. */
void hello_on_message(struct shard *shard, struct session *session);
/* What has ended is nothing to come back to any more. */
void hello_see_end(struct shard *shard, struct session *session);

/* ghost.c */
/* The connection is no use any more: the player stays in the queue or the match for the time the protocol gives. */
void ghost_begin(struct shard *shard, struct session *session);
/* The player is no business of this session any more. Requires: idle or queued, and over. */
void ghost_forget(struct shard *shard, struct session *session);
/* The same, once the time is over. */
void ghost_look(struct shard *shard, struct session *session);
/* Where few slots are left: the oldest of those who are kept for an end not seen are forgotten. */
void ghost_make_room(struct shard *shard);
/* Where an answer was due and has come: what was wished meanwhile (to leave, to be forgotten, to hand over). */
void ghost_settle(struct shard *shard, struct session *session);
void ghost_on_let_go(struct shard *shard, const struct record_let_go *record);
struct standing ghost_standing(const struct session *session);
void ghost_adopt(struct shard *shard, struct session *session, const struct standing *standing);

/* liveness.c */
mono_time liveness_due(const struct shard *shard, const struct session *session);
void liveness_look(struct shard *shard, struct session *session);
/* With what is sent to the connection in this iteration, and behind it. */
void liveness_ping(struct shard *shard, struct session *session);
/* Behind what is sent now: one that is due, or the one behind `end`. */
bool liveness_wants_ping(const struct session *session);
void liveness_on_pinged(struct shard *shard, struct session *session);
/* From here on the shorter intervals of a match count. */
void liveness_begin_match(struct shard *shard, struct session *session);
/* A pong that came while the match was on its way changed what it was told. */
void liveness_tell_credit(struct shard *shard, struct session *session);

/* speak.c */
wall_time shard_wall(const struct shard *shard);
/* A wire over the shard's scratch bytes; one at a time. */
struct wire shard_wire(struct shard *shard);
/* Replies and news of the session's own. */
void session_say(struct shard *shard, struct session *session, const struct wire *wire);
/* False: there is no room. To a connection that is gone everything can be said. */
QR_MUST_USE bool session_try_say(struct shard *shard, struct session *session,
                                 const struct wire *wire);
void session_say_left(struct shard *shard, struct session *session, uint32_t request_id);
void session_say_droppable(struct shard *shard, struct session *session, const struct wire *wire);
void session_refuse(struct shard *shard, struct session *session, uint32_t request_id,
                    enum refusal refusal, const char *message, uint32_t retry_ms);
/* Closes without bye: what the player must be told finds no room. */
void session_overload(struct shard *shard, struct session *session);
void session_mark_flush(struct shard *shard, struct session *session);
/* False: no room. Takes a reference. */
QR_MUST_USE bool session_push(struct shard *shard, struct session *session, struct frame *frame,
                              bool is_droppable, unsigned slots);
/* Reading stops where the client may not be heard now, and goes on where it may. */
void session_update_pause(struct shard *shard, struct session *session);
/* This and the …_all and …_owed below take as many in an iteration as shard_state_priv.h says. */
void session_flush_all(struct shard *shard);

/* debts.c */
void session_owe(struct shard *shard, struct session *session, unsigned debts);
void session_pay_all(struct shard *shard);
/* Pays at once what can be paid. */
void session_pay(struct shard *shard, struct session *session);

/* dispatch.c */
void dispatch(struct shard *shard, struct session *session, const char *text, size_t bytes,
              mono_time stamp);

/* outbox.c */
/* Takes a reference. False: no room (for a droppable one: it is counted as dropped). A critical one pushes droppable
 * ones out. `slots`: how many of OUTBOX_SLOTS this kind may fill. */
QR_MUST_USE bool outbox_push(struct outbox *outbox, struct outboxes *all, struct frame *frame,
                             bool is_droppable, unsigned slots);
void outbox_drop_sent(struct outbox *outbox, struct outboxes *all, unsigned count);
void outbox_clear(struct outbox *outbox, struct outboxes *all);
unsigned outbox_gather(const struct outbox *outbox, struct frame *ret_frames[OUTBOX_SLOTS]);

/* profile.c */
/* Slots of the pool of a class. */
size_t profile_class_bytes(unsigned class_index);
void profile_set(struct shard *shard, struct session *session, const struct player_record *record);
/* All zero where none was set. */
struct player_record profile_get(const struct session *session);
void profile_forget(struct shard *shard, struct session *session); /* Idempotent. */

/* throttle.c */
enum throttle_verdict { THROTTLE_PASS, THROTTLE_REFUSE, THROTTLE_STOP, THROTTLE_CLOSE };
void throttle_init(struct throttle *throttle, uint32_t burst, mono_time now);
/* One message. REFUSE: over the rate, ret_wait_ms until the next may pass. STOP: over twice the rate, refused, and
 * reading stops for ret_wait_ms. CLOSE: that has lasted FLOOD_MAX_MS. */
enum throttle_verdict throttle_message(struct throttle *throttle, uint32_t rate, uint32_t burst,
                                       mono_time now, uint32_t *ret_wait_ms);
/* Of a message that was read: each further THROTTLE_STRETCH_BYTES of it weigh as much as one more, for what stops and
 * closes; what is refused counts messages. */
void throttle_size(struct throttle *throttle, size_t bytes);
/* One unreadable message. True: that was one too many. */
bool throttle_unreadable(struct throttle *throttle, mono_time now);

/* presence.c */
unsigned presence_home(const struct shard *shard, const struct id *player);
void presence_on_claim(struct shard *shard, const struct record_claim *record);
void presence_on_confirm(struct shard *shard, const struct record_confirm *record);
void presence_on_release(struct shard *shard, const struct record_release *record);
void presence_on_standing(struct shard *shard, const struct record_standing *record);
void presence_on_keep(struct shard *shard, const struct record_keep *record);
void presence_pay_all(struct shard *shard);
bool presence_is_known(const struct shard *home, const struct id *player);
/* The player is this session's, as it was before a crash. False: it is another's already. */
QR_MUST_USE bool presence_restore(struct shard *home, const struct id *player,
                                  const struct session_ref *holder, const struct digest *secret,
                                  const struct digest *before);

/* lobby.c */
void lobby_init(struct shard *shard);
void lobby_on_join(struct shard *shard, const struct record_join *record);
void lobby_on_unjoin(struct shard *shard, const struct record_unjoin *record);
void lobby_on_away(struct shard *shard, const struct record_away *record);
void lobby_on_reticket(struct shard *shard, const struct record_reticket *record);
void lobby_on_attach(struct shard *shard, const struct record_attach *record);
void lobby_on_start_refused(struct shard *shard, const struct record_start *record);
void lobby_on_timer(struct shard *shard, struct handle ticket);
void lobby_on_figures_timer(struct shard *shard);
struct lobby_ticket *lobby_beside(struct lobby *lobby, struct handle ticket);
void lobby_owe_ticket(struct lobby *lobby, struct lobby_ticket *ticket);
void lobby_forget_ticket(struct lobby *lobby, struct handle ticket);

/* lobby_say.c */
void lobby_pay_all(struct shard *shard);

/* pairing.c */
void pairing_join(struct shard *shard, struct session *session, const struct request *request,
                  mono_time stamp);
void pairing_leave_queue(struct shard *shard, struct session *session);
void pairing_on_queued(struct shard *shard, const struct record_queued *record);
void pairing_on_unqueued(struct shard *shard, const struct record_unqueued *record);
void pairing_on_offer(struct shard *shard, const struct record_offer *record);
void pairing_on_requeued(struct shard *shard, const struct record_requeued *record);
void pairing_requeue(struct shard *shard, struct session *session, mono_time since);
void pairing_on_house_refused(struct shard *shard, const struct record_start *record);
void pairing_on_figures(struct shard *shard, const struct record_figures *record);
void pairing_say_ticket(struct shard *shard, struct session *session);
/* One more leave before round 1. */
void pairing_note_dodge(struct shard *shard, struct session *session);

/* playing.c: the session's side of a match. */
/* Sends a client's request to the match, or refuses it (busy). */
void playing_request(struct shard *shard, struct session *session, const struct request *request,
                     mono_time stamp);
/* Tells the match of session->leave_id. */
void playing_leave(struct shard *shard, struct session *session);
void playing_on_deliver(struct shard *shard, const struct record_deliver *record, const char *text,
                        uint32_t bytes);
/* The same with a frame of this shard: shared, not copied. */
void playing_on_frame(struct shard *shard, const struct record_deliver *record,
                      struct frame *frame);
/* The outbox has room again: asks for what it could not take. */
void playing_replay(struct shard *shard, struct session *session);
/* Now and then, whether there is something it has missed: also that the match is gone. */
void playing_ask_again(struct shard *shard, struct session *session);
void playing_on_place(struct shard *shard, struct session *session,
                      const struct record_place *record);

/* hosted.c */
/* By its handle while it lives, by its id after; NULL: gone. */
struct hosted *hosted_find(struct shard *shard, struct handle live, const struct id *match);
struct live_match *hosted_live(struct hosted *hosted); /* Requires: it has not ended. */
void hosted_on_come(struct shard *shard, const struct record_come *record);
void hosted_on_level(struct shard *shard, const struct record_level *record);
void hosted_deliver_owed(struct shard *shard);
/* Keeps what has ended for who has not seen it; the live slot can go. False: not now, for want of room. */
QR_MUST_USE bool hosted_keep_ended(struct shard *shard, struct live_match *live);
void hosted_expire_ended(struct shard *shard);
void hosted_forget_if_seen(struct shard *shard, struct hosted *hosted);

/* journaling.c */
/* False: there is no room, and the match does not begin. */
QR_MUST_USE bool journaling_begin(struct shard *shard, struct live_match *live,
                                  const struct record_start *record);
/* match_step(), and then the event, where it counts. */
void journaling_step(struct shard *shard, struct live_match *live, struct match_event *event,
                     struct effects *effects);
void journaling_seat(struct shard *shard, struct live_match *live,
                     const struct record_come *record);
void journaling_over(struct shard *shard, struct live_match *live);

/* live_match.c */
/* With its ring, timers and tokens, and nobody in its seats. NULL: no slot. */
struct live_match *live_match_acquire(struct shard *shard);
/* False: not now (no slot, and no room to say so): the record stays in its mailbox. */
QR_MUST_USE bool live_match_on_start(struct shard *shard, const struct record_start *record);
void live_match_on_request(struct shard *shard, const struct record_request *record);
void live_match_on_timer(struct shard *shard, const struct wheel_timer *timer);
void live_match_push(struct shard *shard, struct live_match *live, const struct match_event *event);
/* The seat's level has changed: a PRESENCE event, unless one is queued. */
void live_match_push_level(struct shard *shard, struct live_match *live, unsigned seat);
/* The match tries again by itself; the log tells of each time. */
void live_match_note_save_failed(struct shard *shard, const struct live_match *live);
void live_match_cancel(struct shard *shard, struct live_match *live, enum match_end_reason reason);
void live_match_run_all(struct shard *shard);
void live_match_release(struct shard *shard, struct live_match *live);

/* apply.c */
void apply_effects(struct shard *shard, struct live_match *live, const struct effects *effects);
/* The effect, where it is one of the match's timers or the end of its play. */
void apply_timer(struct shard *shard, struct live_match *live, const struct effect *effect);

/* seat.c */
/* Hands on what is due to one seat: messages up to announced_seq and replies, in order. `frame`, if not NULL, is the
 * message of `announced_seq`, encoded already. */
void seat_flush(struct shard *shard, struct hosted *hosted, unsigned seat, struct frame *frame);
void seat_reply(struct shard *shard, struct hosted *hosted, unsigned seat,
                const struct seat_reply *reply);
/* Something has not been handed on yet. */
bool seat_is_owed(const struct hosted *hosted, unsigned seat);
/* A droppable message to everybody who is up to date. */
void seats_say_droppable(struct shard *shard, struct hosted *hosted, const struct wire *wire);
