/* The page as a picture of the state: draw() after every change, tick() once per frame. */

import { drawArena, hideBubbles, tickArena } from './arena.js';
import { asMinutes, secondsLeft } from './clock.js';
import { byId, icon, make, setText } from './dom.js';
import { outcomeOf } from './match.js';
import { drawQuestion, forgetQuestion, tickQuestion } from './question.js';
import { emote, plural, points, ratingChange, resultNote, resultTitle, sentence, stopped } from './words.js';

const HEADINGS = {
  queue: 'queue-title',
  found: 'found-title',
  round: 'question',
  result: 'result',
  stopped: 'stopped-title',
};

const IN_MATCH = new Set(['found', 'round', 'reveal']);

let shownScreen = '';
let shownRound = 0;

export function draw(state) {
  const { match, screen } = state;
  publish(state);
  drawArena(state);
  drawQuestion(state);
  if (screen === 'home') drawHome(state);
  if (screen === 'queue') drawQueue(state);
  if (screen === 'found') drawFound(state);
  if (screen === 'result') drawResult(state);
  if (screen === 'stopped') drawStopped(state);
  drawNotice(state);
  drawDock(state);
  tick(state, performance.now());

  const round = match?.round?.round ?? 0;
  if (screen !== shownScreen || round !== shownRound) {
    turnTo(screen, shownScreen);
    shownScreen = screen;
    shownRound = round;
  }
}

export function tick(state, now) {
  tickArena(state, now);
  tickQuestion(state, now);
  if (state.screen === 'queue') tickQueue(state, now);
  if (state.connection === 'lost' && state.retryAt - now > 1500) {
    setText(byId('notice'), `${lossText(state)} Trying again in ${secondsLeft(state.retryAt, now)} s.`);
  }
}

function tickQueue({ queue, connection }, now) {
  setText(byId('elapsed'), queue.since === null ? '' : asMinutes(now - queue.since));
  const isHeldUp = queue.retryAt !== null && connection === 'open';
  setText(byId('queue-note'), isHeldUp ? `One moment: trying again in ${secondsLeft(queue.retryAt, now)} s.` : '');
}

/* The data attributes that index.html describes. */
function publish({ match, screen, connection }) {
  const { dataset } = document.body;
  dataset.screen = screen;
  dataset.connection = connection;
  dataset.round = String(match?.round?.round ?? 0);
  const begun = Array.from({ length: match?.round?.round ?? 0 }, (_, index) => index + 1);
  dataset.begun = begun.join();
  dataset.answered = (match?.received ?? []).join();
  dataset.revealed = (match?.history ?? []).map((one) => one.round).join();
  for (const [key, value] of [['match', match?.id], ['rounds', match?.rounds], ['end', match?.end?.reason]]) {
    if (value === undefined) delete dataset[key];
    else dataset[key] = String(value);
  }
}

function turnTo(screen, before) {
  document.title = {
    queue: 'Looking for an opponent · Quizrush',
    found: 'Opponent found! · Quizrush',
    round: `${byId('hub').textContent} ${byId('hub-of').textContent} · Quizrush`,
    result: `${byId('result').textContent} · Quizrush`,
  }[screen] ?? 'Quizrush';
  if (screen !== 'round' && screen !== 'reveal') forgetQuestion();
  if (screen === 'queue' || screen === 'home') hideBubbles();
  if (screen === 'reveal') return; /* The reader's place is among the choices. */
  globalThis.scrollTo(0, 0);
  if (screen === 'home') {
    /* Not on a phone, where it would raise the keyboard over the page. */
    if (globalThis.matchMedia('(pointer: fine)').matches || before !== '') byId('name').focus();
    return;
  }
  byId(HEADINGS[screen])?.focus({ preventScroll: true });
}

function drawHome({ nameError }) {
  setText(byId('name-error'), nameError);
  byId('name').setAttribute('aria-invalid', String(nameError !== ''));
}

function drawQueue({ queue, connection, modes }) {
  const isConnected = connection === 'open';
  const { again } = queue;
  const wish = again === null ? 'Looking for an opponent' : `Waiting for ${again.players[again.them].name}`;
  setText(byId('queue-title'), isConnected || queue.since !== null ? wish : 'Connecting …');
  const isCounted = queue.waiting !== null && again === null;
  setText(byId('waiting'), isCounted ? plural(queue.waiting, 'player waiting', 'players waiting') : '');
  byId('house').hidden = !(isConnected && queue.mode === 'duel' && again === null && modes.includes('house'));
}

function drawFound({ match }) {
  const them = match.players[match.them].name;
  const rounds = plural(match.rounds, 'round', 'rounds');
  setText(byId('found-note'), `${rounds} against ${them}${match.rated ? ', rated' : ''}. Get ready.`);
}

function drawResult({ match }) {
  const outcome = outcomeOf(match);
  byId('result').dataset.outcome = outcome;
  setText(byId('result'), resultTitle(match, outcome));
  setText(byId('result-note'), resultNote(match, outcome));

  const rating = match.end.ratings?.[match.me] ?? null;
  byId('ratings').hidden = rating === null;
  if (rating !== null) {
    setText(byId('ratings'), ratingChange(rating));
    byId('ratings').dataset.before = String(rating.before);
    byId('ratings').dataset.after = String(rating.after);
  }

  byId('again').hidden = match.mode === 'house'; /* The house is the house. */
  byId('rounds').hidden = match.history.length === 0;
  byId('head-them').replaceChildren(make('bdi', '', match.players[match.them].name));
  byId('rounds').tBodies[0].replaceChildren(...match.history.map((one) => {
    const head = make('th', '', make('b', '', String(one.round)), sentence(one.category));
    head.scope = 'row';
    return make('tr', '', head, roundCell(one, match.me), roundCell(one, match.them));
  }));
}

function roundCell({ correct, results }, player) {
  const result = results[player];
  if (result.choice === null) return make('td', 'none', 'no answer');
  const isRight = result.choice === correct;
  const cell = make('td', isRight ? 'right' : 'wrong', icon(isRight ? 'check' : 'cross'));
  cell.append(make('span', 'hidden', isRight ? 'right,' : 'wrong,'), points(result.points));
  return cell;
}

function drawStopped({ stoppedCode }) {
  const words = stopped(stoppedCode);
  setText(byId('stopped-title'), words.title);
  setText(byId('stopped-note'), words.note);
  setText(byId('takeover'), words.action);
}

function drawNotice({ connection, notice, screen, playerId }) {
  const line = byId('notice');
  line.classList.toggle('bad', connection === 'lost');
  if (connection === 'lost') setText(line, `${lossText({ playerId })} Reconnecting …`);
  else if (connection === 'connecting' && screen !== 'queue') setText(line, 'Connecting …');
  else setText(line, notice);
}

const lossText = ({ playerId }) => (playerId === null ? 'The server cannot be reached.' : 'Connection lost.');

function drawDock({ emotes, screen, isEmoteResting }) {
  const dock = byId('emotes');
  const shown = Array.from(dock.children, (button) => button.dataset.emote);
  if (shown.join() !== emotes.join()) dock.replaceChildren(...emotes.map(emoteButton));
  for (const button of dock.children) button.setAttribute('aria-disabled', String(isEmoteResting));
  setText(byId('leave-note'), screen === 'found'
    ? 'It has not begun yet, so nobody loses.'
    : 'Your opponent wins if you leave now.');
  if (!IN_MATCH.has(screen) && byId('leave-dialog').open) byId('leave-dialog').close();
}

function emoteButton(code) {
  const { sign, label } = emote(code);
  const button = make('button', sign ? 'emote' : 'emote words', sign || label);
  button.type = 'button';
  button.dataset.emote = code;
  button.title = label;
  button.setAttribute('aria-label', label);
  return button;
}
