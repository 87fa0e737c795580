/* The player's page: what the player does becomes requests, what the server says becomes state,
 * and every change of the state is drawn.
 *
 *   home -> queue -> found -> round <-> reveal -> result -> queue …
 *
 * stopped stands beside these: the connection ended and must not come back by itself. */

import { peerText, showBubble } from './arena.js';
import { Frames, WallClock } from './clock.js';
import { Connection } from './connection.js';
import { announce, byId } from './dom.js';
import { applyToMatch, createMatch, screenOf } from './match.js';
import { storage } from './storage.js';
import { draw, tick } from './view.js';
import { emote, feedback, nameProblem, noRematch } from './words.js';

const NAME_CHARACTERS_MAX = 24;
const NOTICE_MS = 6000;
const EMOTE_REST_MS = 1200;
const LAST_REVEAL_MS = 2500; /* Where the match has not shown how long its reveals are. */
const LAST_REVEAL_MAX_MS = 5000;
const RETRY_MS = 2000; /* Where the server does not say. */

const state = {
  screen: 'home',
  connection: 'idle',
  stoppedCode: 0,
  retryAt: 0,
  notice: '',
  nameError: '',
  name: storage.name ?? '',
  playerId: null,
  rating: null,
  modes: [],
  emotes: [],
  isEmoteResting: false,
  queue: emptyQueue('duel'),
  match: null,
  lastEnded: null, /* The match whose end was shown: {id, seq}. */
  startsAt: 0,
};

/* again: the match whose players are to meet once more; null: anybody. */
function emptyQueue(mode, again = null) {
  return { mode, again, since: null, waiting: null, retryAt: null };
}

const wall = new WallClock();
const timers = { notice: 0, join: 0, result: 0, emote: 0 };
const connection = new Connection(new URL('ws', location.href).href.replace(/^http/, 'ws'), {
  onOpen: sayHello,
  onMessage: receive,
  onLost(waitMs) {
    state.connection = 'lost';
    state.retryAt = performance.now() + waitMs;
    redraw();
  },
  onStopped: stop,
});
const frames = new Frames((now) => tick(state, now));

function redraw() {
  draw(state);
  const isMoving = state.screen !== 'home' && state.screen !== 'stopped' && state.screen !== 'result';
  frames.run(isMoving || state.connection === 'lost');
}

function goTo(screen) {
  state.screen = screen;
  redraw();
}

function say(notice) {
  clearTimeout(timers.notice);
  state.notice = notice;
  timers.notice = setTimeout(() => {
    state.notice = '';
    redraw();
  }, NOTICE_MS);
}

/* ---- Coming and going ---- */

function connect() {
  state.connection = 'connecting';
  connection.open();
  redraw();
}

function goHome(notice = '') {
  clearTimeout(timers.join);
  clearTimeout(timers.result);
  connection.close();
  storage.session = null;
  state.connection = 'idle';
  state.match = null;
  if (notice) say(notice);
  goTo('home');
}

function stop(code) {
  /* 4500: the token is no good. The name still is. */
  if (code === 4500 && storage.token !== null) {
    storage.token = null;
    storage.session = null;
    connect();
    return;
  }
  clearTimeout(timers.join);
  clearTimeout(timers.result);
  storage.session = null; /* Loading this tab again must not take the player from where it is now. */
  state.connection = 'stopped';
  state.stoppedCode = code;
  goTo('stopped');
}

/* Who we are, by the best proof there is. */
function identity() {
  const { token, session } = storage;
  if (session === null) return token === null ? { name: state.name } : { token };
  const proof = token === null ? { resume: session } : { resume: session, token };
  const known = state.match ?? state.lastEnded;
  return known === null ? proof : { ...proof, last_match: known.id, last_seq: known.seq };
}

async function sayHello() {
  const fields = identity();
  try {
    await connection.request('hello', fields);
  } catch (error) {
    helloRefused(error, fields);
  }
}

function helloRefused(error, fields) {
  switch (error.code) {
    case 'lost':
    case 'auth_failed': /* Close 4500 follows. */
      return;
    case 'resume_expired':
    case 'bad_message':
      if (fields.resume === undefined) break;
      storage.session = null;
      if (state.screen === 'home') goHome(); /* A reload found nothing to go on with. */
      else sayHello();
      return;
    case 'rate_limited':
    case 'busy':
    case 'unavailable':
      connection.holdOff(error.retryMs || RETRY_MS);
      connection.drop();
      return;
    default:
  }
  goHome();
  state.nameError = nameProblem(error.code, error.message);
  redraw();
}

function welcomed(message) {
  connection.settled();
  state.connection = 'open';
  state.playerId = message.player;
  state.name = message.name;
  state.rating = message.rating ?? null;
  state.modes = message.modes ?? [];
  state.emotes = message.emotes ?? [];
  storage.name = message.name;
  byId('name').value = message.name;
  storage.session = message.session ?? null;
  if (message.token !== undefined) storage.token = message.token;
  wall.told(message.now_ms);

  const { match } = state;
  const isLive = message.match !== undefined && message.match !== state.lastEnded?.id;
  if (isLive && match?.id === message.match) {
    state.screen = screenOf(match);
  } else if (isLive) {
    state.match = null; /* It follows, from its beginning. */
  } else if (match !== null && match.end === null) {
    goHome('That match is over: you were away for too long.');
    return;
  } else if (state.screen === 'queue') {
    join();
  }
  redraw();
}

/* ---- Waiting ---- */

function play(name) {
  const characters = Array.from(name).length;
  if (characters === 0 || characters > NAME_CHARACTERS_MAX) {
    state.nameError = nameProblem(characters === 0 ? 'empty' : 'long');
    redraw();
    byId('name').focus();
    return;
  }
  state.nameError = '';
  if (name !== storage.name) {
    /* Another name is another player. */
    connection.close();
    state.connection = 'idle';
    storage.token = null;
    storage.session = null;
  }
  state.name = name;
  enterQueue('duel');
  if (state.connection === 'open') join();
  else connect();
}

function enterQueue(mode, again = null) {
  clearTimeout(timers.result);
  state.match = null;
  state.queue = emptyQueue(mode, again);
  goTo('queue');
}

/* To what was there before the rematch was asked for. */
function giveUpRematch(why) {
  state.match = state.queue.again;
  say(why);
  goTo('result');
}

async function join() {
  clearTimeout(timers.join);
  state.queue.retryAt = null;
  const { mode, again } = state.queue;
  try {
    await connection.request('join', again === null ? { mode } : { mode, rematch: again.id });
  } catch (error) {
    joinRefused(error);
  }
}

function joinRefused(error) {
  if (error.code === 'lost') return; /* Said again after the next welcome. */
  if (error.code === 'bad_state') return; /* A resume found us waiting or playing already. */
  if (state.screen !== 'queue') return;
  if (error.code === 'busy' || error.code === 'unavailable' || error.code === 'rate_limited') {
    const wait = error.retryMs || RETRY_MS;
    state.queue.retryAt = performance.now() + wait;
    timers.join = setTimeout(join, wait);
    redraw();
    return;
  }
  if (state.queue.again !== null) giveUpRematch('There is no rematch any more.');
  else goHome(`That did not work (${error.code}).`);
}

function queued(message) {
  const now = performance.now();
  if (state.match !== null) {
    /* The opponent left before it began; the server searches on, for anybody. */
    state.match = null;
    state.queue.again = null;
    clearTimeout(timers.result);
    say('Your opponent left. Searching on.');
  }
  const isNews = state.queue.since === null;
  state.queue = {
    mode: message.mode,
    again: state.queue.again,
    since: message.waited_ms === undefined && !isNews ? state.queue.since : now - (message.waited_ms ?? 0),
    waiting: message.waiting,
    retryAt: null,
  };
  goTo('queue');
}

/* The wait is over without a match. */
function unqueued(message) {
  if (state.screen !== 'queue') return;
  const { again } = state.queue;
  if (again !== null) {
    giveUpRematch(noRematch(message.reason, again.players[again.them].name));
  } else if (message.reason === 'expired') {
    join(); /* We were away for longer than the place was kept. */
  } else {
    state.queue.retryAt = performance.now() + RETRY_MS;
    timers.join = setTimeout(join, RETRY_MS);
    redraw();
  }
}

function ticket(message) {
  state.queue.waiting = message.waiting;
  state.queue.since = performance.now() - message.waited_ms;
  redraw();
}

async function leaveQueue() {
  clearTimeout(timers.join);
  try {
    await connection.request('leave');
  } catch {
    /* Closing the connection leaves as well. */
  }
  if (state.screen === 'queue' && state.queue.again !== null) return giveUpRematch('');
  if (state.screen === 'queue' || state.screen === 'found') goHome();
}

async function playTheHouse() {
  enterQueue('house');
  try {
    await connection.request('leave');
    await join();
  } catch {
    /* Lost: joins after the next welcome. */
  }
}

/* ---- Playing ---- */

function matched(message) {
  if (message.match === state.match?.id || message.match === state.lastEnded?.id) return; /* Sent again. */
  clearTimeout(timers.join);
  clearTimeout(timers.result);
  state.match = createMatch(message, state.playerId);
  state.startsAt = wall.toLocal(message.starts_at_ms);
  connection.quietMs = 5_000;
  goTo('found');
  announce(`Opponent found: ${state.match.players[state.match.them].name}.`);
}

function playOn(message) {
  const { match } = state;
  const now = performance.now();
  if (match === null || !applyToMatch(match, message, now, wall)) return;
  if (message.type === 'clock') {
    if (match.phase === 'starting') state.startsAt = now + message.left_ms;
    if (match.phase === 'asking' && match.answer?.status === 'sent') sendAnswer(match); /* Its receipt was lost. */
  }
  if (message.type === 'end') return ended(match);

  if (match.phase !== 'ended') state.screen = screenOf(match);
  redraw();
  tell(match, message);
}

/* The last reveal stays for as long as the others did, although the end follows at once. */
function ended(match) {
  const isRevealed = match.end.reason === 'finished' && state.screen === 'reveal';
  const wait = isRevealed ? Math.max(0, Math.min(match.revealMs ?? LAST_REVEAL_MS, LAST_REVEAL_MAX_MS)) : 0;
  connection.quietMs = 20_000;
  state.lastEnded = { id: match.id, seq: match.seq };
  state.rating = match.end.ratings?.[match.me].after ?? state.rating;
  const show = () => state.match === match && goTo('result');
  redraw();
  if (wait === 0) show();
  else timers.result = setTimeout(show, wait);
}

function tell(match, message) {
  if (message.type === 'answered' && message.player === match.them) {
    announce(`${match.players[match.them].name} has answered.`);
  } else if (message.type === 'reveal') {
    const mine = message.results[match.me];
    const right = match.round.choices[message.correct];
    announce(`${feedback(match, mine, message.correct)}. The answer is ${right}.`);
  } else if (message.type === 'peer' && message.player === match.them) {
    announce(peerText(match, message));
  }
}

function answer(choice) {
  const { match } = state;
  if (state.screen !== 'round' || match.answer !== null) return;
  if (choice >= match.round.choices.length) return;
  match.answer = { round: match.round.round, choice, status: 'sent', atMs: null };
  redraw();
  sendAnswer(match);
}

async function sendAnswer(match) {
  const { answer: mine } = match;
  try {
    await connection.request('answer', { match: match.id, round: mine.round, choice: mine.choice });
  } catch (error) {
    if (error.code === 'lost' || match.answer !== mine) return;
    if (error.code === 'late_answer') {
      mine.status = 'late';
    } else {
      match.answer = null;
      say('The server did not take that answer. Please try again.');
    }
    redraw();
  }
}

function leaveMatch() {
  const { match } = state;
  byId('leave-dialog').close();
  if (match === null || match.end !== null) return;
  /* Before the first round a leave that names no match cancels it, and nobody loses. */
  const fields = match.phase === 'starting' ? {} : { match: match.id };
  connection.request('leave', fields).then(() => {
    match.hasLeft = true;
  }, () => {
    say('The server did not hear that. Please try again.');
    redraw();
  });
}

function sendEmote(code) {
  if (state.isEmoteResting) return;
  connection.send('emote', { code });
  state.isEmoteResting = true;
  timers.emote = setTimeout(() => {
    state.isEmoteResting = false;
    redraw();
  }, EMOTE_REST_MS);
  redraw();
}

function heardEmote(message) {
  const { match } = state;
  if (match?.id !== message.match) return;
  showBubble(match, message.player, message.code);
  if (message.player === match.them) {
    announce(`${match.players[match.them].name}: ${emote(message.code).label}`);
  }
}

/* ---- What the server says ---- */

function receive(message) {
  if (message.now_ms !== undefined) wall.told(message.now_ms);
  switch (message.type) {
    case 'welcome': return welcomed(message);
    case 'queued': return queued(message);
    case 'unqueued': return unqueued(message);
    case 'ticket': return ticket(message);
    case 'match': return matched(message);
    case 'emote': return heardEmote(message);
    case 'bye': return message.reason === 'restart' ? say('The server is going away for a moment.') : undefined;
    default: return playOn(message);
  }
}

/* ---- What the player does ---- */

byId('name').value = state.name;
byId('join').addEventListener('submit', (event) => {
  event.preventDefault();
  play(byId('name').value.trim().replace(/\s+/gu, ' '));
});
byId('cancel').addEventListener('click', leaveQueue);
byId('house').addEventListener('click', playTheHouse);
byId('choices').addEventListener('click', (event) => {
  const button = event.target.closest('.choice');
  if (button !== null) answer(Number(button.dataset.choice));
});
byId('emotes').addEventListener('click', (event) => {
  const button = event.target.closest('.emote');
  if (button !== null) sendEmote(button.dataset.emote);
});
byId('leave').addEventListener('click', () => byId('leave-dialog').showModal());
byId('leave-no').addEventListener('click', () => byId('leave-dialog').close());
byId('leave-yes').addEventListener('click', leaveMatch);
function playAgain(again) {
  enterQueue(state.match.mode, again);
  if (state.connection === 'open') join();
}

byId('rematch').addEventListener('click', () => playAgain(state.match));
byId('again').addEventListener('click', () => playAgain(null));
byId('quit').addEventListener('click', () => goHome());
byId('takeover').addEventListener('click', () => {
  if (state.stoppedCode !== 4509) return goHome();
  if (state.match === null || state.match.end !== null) enterQueue('duel');
  return connect();
});
document.addEventListener('keydown', (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  if (/^[1-6]$/.test(event.key) && !byId('leave-dialog').open) answer(Number(event.key) - 1);
});

redraw();
if (storage.session !== null) connect(); /* The tab was loaded again: go on where it was. */
