/* Players who are a burden: slow ones, which play against the house and take only some bytes a
 * second of what they are told, and ones that send garbage as fast as the server takes it. Thrown
 * out, they come back.
 *
 * Nothing of theirs is held against the protocol; what the server does to them is counted, in
 * the run's statistics. A struct player each, of which they use the link and one timer; they play
 * with no other player. Belongs to a run.
 */
#pragma once

#include <stdint.h>

#include "load_player.h"

struct run;

/* What becomes of a player with this index; of each hundred in a row as many as the options say. */
enum player_kind rough_kind_of(uint32_t index, uint32_t slow_percent, uint32_t garbage_percent);

void rough_start(struct player *player, struct run *run, uint64_t due_us);
void rough_on_ready(struct player *player, struct run *run, uint32_t epoll_events);
void rough_on_timer(struct player *player, struct run *run);

/* Called a few times a second: they are done when the run is over. */
void rough_look(struct player *player, struct run *run);
