/* The band on top: both players, their scores, and the seam between them, which leans towards the
   one who is behind. */

import { byId, initial, make, setText } from './dom.js';
import { secondsLeft } from './clock.js';
import { lastReveal, outcomeOf } from './match.js';
import { emote, points, sentence } from './words.js';

const BUBBLE_MS = 2600;
const FULL_LEAD = 3000; /* Points at which the seam leans as far as it goes. */

const sideOf = (which) => document.querySelector(`.side[data-side="${which}"]`);
const bubbleTimers = {};

export function drawArena(state) {
  const { match, screen } = state;
  drawPlayer('me', match?.players[match.me] ?? { name: state.name ?? '', rating: state.rating });
  drawPlayer('them', match?.players[match.them] ?? null);
  drawScore('me', state, match?.me);
  drawScore('them', state, match?.them);
  byId('me-answered').hidden = !(screen === 'round' && match.hasAnswered[match.me]);
  byId('peer-answered').hidden = !(screen === 'round' && match.hasAnswered[match.them]);
  drawHub(state);
  document.body.style.setProperty('--lead', String(leadOf(state)));
}

/* What changes by itself, once per frame. */
export function tickArena(state, now) {
  const { match, screen } = state;
  if (screen === 'found') {
    const left = secondsLeft(state.startsAt, now);
    setText(byId('hub'), left > 0 ? String(left) : 'Go!');
  }
  const away = byId('peer-away');
  const until = match?.awayUntil[match.them] ?? null;
  const isAway = until !== null && (screen === 'found' || screen === 'round' || screen === 'reveal');
  if (away.hidden === isAway) away.hidden = !isAway;
  if (isAway) setText(away, `Away · ${secondsLeft(until, now)} s`);
}

export function showBubble(match, player, code) {
  const which = player === match.me ? 'me' : 'them';
  const { sign, label } = emote(code);
  const bubble = byId(`bubble-${which}`);
  bubble.replaceChildren();
  if (sign) bubble.append(make('span', 'sign', sign));
  bubble.append(label);
  bubble.dataset.emote = code;
  /* Shown anew, so that its movement begins anew. */
  bubble.hidden = true;
  void bubble.offsetWidth;
  bubble.hidden = false;
  clearTimeout(bubbleTimers[which]);
  bubbleTimers[which] = setTimeout(() => { bubble.hidden = true; }, BUBBLE_MS);
}

export function hideBubbles() {
  for (const which of ['me', 'them']) byId(`bubble-${which}`).hidden = true;
}

function drawPlayer(which, player) {
  const side = sideOf(which);
  side.classList.toggle('unknown', player === null);
  setText(side.querySelector('.avatar'), player === null ? '?' : initial(player.name));
  setText(byId(`name-${which}`), player?.name ?? '');
  const facts = [player?.bot ? 'bot' : null, player?.rating ?? null];
  setText(side.querySelector('.rating'), facts.filter((fact) => fact !== null).join(' · '));
}

function drawScore(which, { match, screen }, index) {
  const side = sideOf(which);
  const score = match?.scores[index] ?? 0;
  const output = byId(`score-${which}`);
  setText(output, points(score));
  output.dataset.score = String(score);

  const gained = screen === 'reveal' ? lastReveal(match).results[index].points : 0;
  setText(side.querySelector('.gain'), gained > 0 ? `+${points(gained)}` : '');
  drawPips(side.querySelector('.pips'), match, index);
}

/* One mark per round: right, wrong, none, now, or still to come. */
function drawPips(list, match, index) {
  const rounds = match?.rounds ?? 0;
  while (list.children.length > rounds) list.lastChild.remove();
  while (list.children.length < rounds) list.append(make('li'));
  const pips = Array.from(list.children);
  list.classList.toggle('many', rounds > 10);
  pips.forEach((pip) => { pip.className = ''; });
  for (const { round, correct, results } of match?.history ?? []) {
    const { choice } = results[index];
    if (choice !== null) pips[round - 1].className = choice === correct ? 'right' : 'wrong';
    else pips[round - 1].className = 'none';
  }
  if (match?.phase === 'asking') pips[match.round.round - 1].className = 'now';
}

function drawHub({ screen, match }) {
  if (screen === 'found') return; /* The countdown: tickArena. */
  const isPlaying = screen === 'round' || screen === 'reveal';
  setText(byId('hub'), isPlaying ? String(match.round.round) : 'vs');
  setText(byId('hub-of'), isPlaying ? `of ${match.rounds}` : '');
}

function leadOf({ screen, match }) {
  if (!match || screen === 'queue') return 0;
  if (screen === 'result') return { won: 1, lost: -1 }[outcomeOf(match)] ?? 0;
  const lead = (match.scores[match.me] - match.scores[match.them]) / FULL_LEAD;
  return Math.max(-1, Math.min(1, lead));
}

export const peerText = (match, message) => {
  const { name } = match.players[message.player];
  return { away: `${name} is away.`, back: `${name} is back.`, gone: `${name} has left.` }[message.state]
    ?? sentence(message.state);
};
