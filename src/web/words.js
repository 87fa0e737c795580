/* What the page says, in one place. */

const number = new Intl.NumberFormat('en');

export const points = (value) => number.format(value);
export const plural = (count, one, many) => (count === 1 ? `1 ${one}` : `${points(count)} ${many}`);
export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
export const sentence = (word) => word.charAt(0).toUpperCase() + word.slice(1);

/* Codes the server offers and this page does not know are shown as they are. */
const EMOTES = {
  hi: ['👋', 'Hi!'],
  gg: ['🤝', 'Good game'],
  wow: ['🤯', 'Wow'],
  nice: ['👏', 'Nice one'],
  oops: ['🙈', 'Oops'],
  thinking: ['🤔', 'Thinking'],
  hurry: ['⏰', 'Hurry up'],
  thanks: ['💛', 'Thanks'],
};

export function emote(code) {
  const [sign, label] = EMOTES[code] ?? ['', sentence(code)];
  return { sign, label };
}

export const nameProblem = (code, message) => ({
  empty: 'Please type a name.',
  long: 'At most 24 characters, please.',
  bad_name: 'This name cannot be used. Up to 24 letters, digits and the like, please.',
}[code] ?? `That did not work (${message || code}).`);

export const noRematch = (reason, them) => ({
  timeout: `${them} did not ask for a rematch.`,
  opponent_left: `${them} has left.`,
}[reason] ?? 'There is no rematch now.');

export function resultTitle(match, outcome) {
  const titles = { won: 'You won!', lost: 'You lost', draw: 'A draw', cancelled: 'Match cancelled' };
  return titles[outcome];
}

export function resultNote(match, outcome) {
  const them = match.players[match.them].name;
  const [mine, theirs] = [match.scores[match.me], match.scores[match.them]];
  const { reason } = match.end;
  if (reason === 'shutdown') return 'The server had to stop this match.';
  if (reason === 'cancelled') {
    return match.hasLeft ? 'You left before it began.' : 'It does not count for anyone.';
  }
  if (reason === 'forfeit') {
    if (match.hasLeft) return 'You left the match.';
    return outcome === 'won' ? `${them} left the match.` : 'You were away for too long.';
  }
  const gap = plural(Math.abs(mine - theirs), 'point', 'points');
  if (outcome === 'won') return `${gap} ahead of ${them}.`;
  return outcome === 'lost' ? `${gap} behind ${them}.` : 'Not a point between you.';
}

export function ratingChange({ before, after }) {
  const change = after - before;
  return `Rating ${before} → ${after} (${change < 0 ? '−' : '+'}${Math.abs(change)})`;
}

/* What happened to me in the round just revealed. */
export function feedback(match, result, correct) {
  if (result.choice === null) {
    return match.answer?.status === 'late' ? 'Too late this time' : 'No answer in time';
  }
  if (result.choice !== correct) return 'Not this time';
  const streak = result.streak > 1 ? `, ${result.streak} in a row` : '';
  return `Right in ${seconds(result.at_ms)}${streak}: ${plural(result.points, 'point', 'points')}`;
}

export const stopped = (code) => (code === 4509
  ? {
    title: 'Playing in another tab',
    note: 'This player is connected somewhere else now. Only one place at a time can play.',
    action: 'Play here instead',
  }
  : {
    title: 'The connection has ended',
    note: `The server closed it and does not expect you back by yourself (code ${code}).`,
    action: 'Back to the start',
  });
