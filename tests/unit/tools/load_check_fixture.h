/* A player named Ada, her view of the protocol, and the messages of a duel against Bob: two rounds,
 * of which Ada answers the first. */
#pragma once

#include <stdint.h>

#define ADA     "01920000-0000-7000-8000-000000000001"
#define BOB     "01920000-0000-7000-8000-000000000002"
#define DUEL    "01920000-0000-7000-8000-00000000000a"
#define OTHER   "01920000-0000-7000-8000-00000000000b"
#define IN_DUEL "\"match\":\"" DUEL "\""

#define WELCOME                                                                                    \
    "{\"type\":\"welcome\",\"id\":1,\"player\":\"" ADA "\",\"name\":\"Ada\",\"rating\":1500,"      \
    "\"session\":\"s\",\"now_ms\":1790000000000,\"ping_ms\":25000,\"modes\":[\"duel\"],"           \
    "\"categories\":[\"science\"],\"emotes\":[\"gg\"]}"
#define WELCOME_BACK_AS(player, session, more)                                                     \
    "{\"type\":\"welcome\",\"id\":9,\"player\":\"" player "\",\"name\":\"Ada\",\"rating\":1500,"   \
    "\"session\":\"" session "\",\"now_ms\":1790000005000,\"ping_ms\":25000,"                      \
    "\"modes\":[\"duel\"],\"categories\":[\"science\"],\"emotes\":[\"gg\"]" more "}"
#define WELCOME_BACK         WELCOME_BACK_AS(ADA, "t", "")
#define WELCOME_BACK_TO_DUEL WELCOME_BACK_AS(ADA, "t", "," IN_DUEL)
/* Two seconds into the first round, where the wall clock shows 5000. */
#define CLOCK_OF(round, left)                                                                      \
    "{\"type\":\"clock\"," IN_DUEL ",\"round\":" round ",\"left_ms\":" left                        \
    ",\"now_ms\":1790000005000}"
#define CLOCK_1 CLOCK_OF("1", "8000")
#define QUEUED  "{\"type\":\"queued\",\"id\":2,\"mode\":\"duel\",\"waiting\":1}"
#define MATCH                                                                                      \
    "{\"type\":\"match\"," IN_DUEL ",\"mode\":\"duel\",\"rated\":false,\"seq\":1,\"players\":["    \
    "{\"player\":\"" BOB "\",\"name\":\"Bob\",\"rating\":1500},"                                   \
    "{\"player\":\"" ADA "\",\"name\":\"Ada\",\"rating\":1500}],\"rounds\":2,"                     \
    "\"starts_at_ms\":1790000003000}"
#define ROUND_BODY                                                                                 \
    "\"rounds\":2,\"question_id\":\"q\",\"category\":\"science\",\"difficulty\":\"easy\","         \
    "\"question\":\"Which?\",\"choices\":[\"A\",\"B\",\"C\"],\"time_ms\":10000,"                   \
    "\"deadline_ms\":1790000013000"
#define ROUND_1 "{\"type\":\"round\"," IN_DUEL ",\"seq\":2,\"round\":1," ROUND_BODY ",\"weight\":1}"
#define ACCEPTED_1                                                                                 \
    "{\"type\":\"accepted\",\"id\":3,\"round\":1,\"choice\":2,\"at_ms\":2310,\"rtt_ms\":0,"        \
    "\"dup\":false}"
#define ANSWERED_1 "{\"type\":\"answered\"," IN_DUEL ",\"round\":1,\"player\":1}"
#define NOBODYS    "{\"choice\":null,\"at_ms\":null,\"points\":0,\"score\":0,\"streak\":0}"
#define REVEAL_1_OF(bobs, adas)                                                                    \
    "{\"type\":\"reveal\"," IN_DUEL ",\"seq\":3,\"round\":1,\"correct\":2,"                        \
    "\"next_at_ms\":1790000009000,\"results\":[" bobs "," adas "]}"
#define ADAS_904 "{\"choice\":2,\"at_ms\":2310,\"points\":904,\"score\":904,\"streak\":1}"
#define REVEAL_1 REVEAL_1_OF(NOBODYS, ADAS_904)
#define ROUND_2  "{\"type\":\"round\"," IN_DUEL ",\"seq\":4,\"round\":2," ROUND_BODY ",\"weight\":2}"
#define REVEAL_2                                                                                   \
    "{\"type\":\"reveal\"," IN_DUEL ",\"seq\":5,\"round\":2,\"correct\":0,\"next_at_ms\":null,"    \
    "\"results\":[{\"choice\":0,\"at_ms\":0,\"points\":2000,\"score\":2000,\"streak\":1},"         \
    "{\"choice\":null,\"at_ms\":null,\"points\":0,\"score\":904,\"streak\":0}]}"
#define END_OF(reason, winner, scores)                                                             \
    "{\"type\":\"end\"," IN_DUEL ",\"seq\":6,\"reason\":\"" reason "\",\"winner\":" winner ","     \
    "\"scores\":" scores ",\"ratings\":null}"
#define END       END_OF("finished", "0", "[2000,904]")
#define GONE(seq) "{\"type\":\"peer\"," IN_DUEL ",\"seq\":" seq ",\"player\":0,\"state\":\"gone\"}"

struct check;
struct news;
struct verdict;

/* The player whose messages are checked, and what the last one brought. */
extern struct check check;
extern struct news news;
extern struct verdict verdict;

/* Ada sends a request; kind: enum check_request_kind. */
void ask(uint8_t kind, uint32_t id);
void answer(uint32_t id, uint8_t round, int8_t choice);

/* Ada's connection is gone, and on a new one she says hello with id 9: by resume, and where
 * last_seq is not 0 with that of the match she holds; or by enum check_proof. */
void come_back(uint32_t last_seq);
void come_back_by(uint8_t proof);

/* A message comes, and must be fine, or must be found wrong for this reason. */
void fine(const char *text);
void wrong(const char *text, const char *why);

/* Setups: where a test begins. */
int connected(void **state);
int greeted(void **state);
int queued(void **state);
int in_the_first_round(void **state);
int answered(void **state);
int all_revealed(void **state);
int back_in_the_first_round(void **state); /* The clock is still to come. */

/* The teardown of all of them. */
int disconnected(void **state);
