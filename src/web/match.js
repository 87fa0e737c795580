/* What a player knows of one match, made from the server's messages alone.
 *
 * Pure: no page, no socket, no clock (the time is a parameter). Phases:
 *
 *   starting -> asking <-> revealed -> ended        (any phase may end)
 */

export function createMatch(message, playerId) {
  const me = Math.max(0, message.players.findIndex((one) => one.player === playerId));
  return {
    id: message.match,
    seq: message.seq,
    mode: message.mode,
    rated: message.rated,
    players: message.players,
    me,
    them: me === 0 ? 1 : 0,
    rounds: message.rounds,
    startsAtMs: message.starts_at_ms,
    phase: 'starting',
    round: null, /* The latest `round`. */
    roundEndsAt: 0, /* Local time. */
    revealMs: null, /* How long this match shows a reveal. */
    history: [], /* Per round revealed: {round, category, correct, results}. */
    answer: null, /* Mine: {round, choice, status: sent | accepted | late, atMs}. */
    hasAnswered: [false, false],
    received: [], /* Rounds whose answer the server has confirmed. */
    awayUntil: [null, null], /* Local time. */
    scores: message.players.map(() => 0),
    isSaving: false,
    hasLeft: false,
    end: null,
  };
}

/* True where something changed. clock turns the server's wall time into local time. */
export function applyToMatch(match, message, now, clock) {
  if (message.match !== undefined && message.match !== match.id) return false;
  if (message.seq !== undefined) {
    if (message.seq <= match.seq) return false; /* Sent again after a resume. */
    match.seq = message.seq;
  }
  const apply = appliers[message.type];
  if (apply === undefined) return false;
  apply(match, message, now, clock);
  return true;
}

const appliers = {
  round(match, message, now) {
    match.phase = 'asking';
    match.round = message;
    match.roundEndsAt = now + message.time_ms;
    match.answer = null;
    match.hasAnswered = [false, false];
  },

  accepted(match, message) {
    if (!match.received.includes(message.round)) match.received.push(message.round);
    if (match.phase !== 'asking' || match.round.round !== message.round) return;
    match.answer = {
      round: message.round,
      choice: message.choice,
      status: 'accepted',
      atMs: message.at_ms,
    };
    match.hasAnswered[match.me] = true;
  },

  answered(match, message) {
    if (match.round?.round === message.round) match.hasAnswered[message.player] = true;
  },

  reveal(match, message, now, clock) {
    match.phase = 'revealed';
    match.scores = message.results.map((one) => one.score);
    match.history.push({
      round: message.round,
      category: match.round?.category ?? '',
      correct: message.correct,
      results: message.results,
    });
    if (message.next_at_ms !== null) match.revealMs = clock.toLocal(message.next_at_ms) - now;
  },

  peer(match, message, now) {
    match.awayUntil[message.player] = message.state === 'away' ? now + message.grace_ms : null;
  },

  clock(match, message, now) {
    if (match.phase === 'asking' && message.round === match.round.round) {
      match.roundEndsAt = now + message.left_ms;
    }
  },

  saving(match) {
    match.isSaving = true;
  },

  end(match, message) {
    match.phase = 'ended';
    match.end = message;
    match.scores = message.scores;
    match.awayUntil = [null, null];
  },
};

export const lastReveal = (match) => match.history.at(-1) ?? null;

/* The screen that shows this phase. */
export const screenOf = (match) => ({
  starting: 'found',
  asking: 'round',
  revealed: 'reveal',
  ended: 'result',
}[match.phase]);

/* won, lost, draw or cancelled, as this player sees it. */
export function outcomeOf(match) {
  const { reason, winner } = match.end;
  if (winner !== null) return winner === match.me ? 'won' : 'lost';
  return reason === 'finished' ? 'draw' : 'cancelled';
}
