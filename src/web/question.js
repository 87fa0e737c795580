/* The question, its choices, and what became of them. */

import { byId, icon, initial, make, setText } from './dom.js';
import { secondsLeft } from './clock.js';
import { lastReveal } from './match.js';
import { feedback, sentence } from './words.js';

const stillness = globalThis.matchMedia('(prefers-reduced-motion: reduce)');

let shown = ''; /* Match and round whose choices the document holds. */

export function drawQuestion(state) {
  const { match, screen } = state;
  if (screen !== 'round' && screen !== 'reveal') return;
  const { round } = match;
  const key = `${match.id}/${round.round}`;
  if (key !== shown) {
    shown = key;
    putQuestion(round);
  }
  const reveal = screen === 'reveal' ? lastReveal(match) : null;
  round.choices.forEach((_, index) => drawChoice(index, match, reveal));
  drawFeedback(match, reveal);
}

/* The time that is left, once per frame. */
export function tickQuestion(state, now) {
  const { match, screen } = state;
  const isAsking = screen === 'round';
  const total = match?.round?.time_ms ?? 1;
  const left = isAsking ? Math.max(0, Math.min(total, match.roundEndsAt - now)) : 0;
  const steady = stillness.matches ? Math.ceil(left / 1000) * 1000 : left;
  byId('timer').style.transform = `scaleX(${Math.min(1, steady / total).toFixed(4)})`;
  byId('timer').classList.toggle('urgent', isAsking && left < Math.min(3000, total / 3));
  if (isAsking) setText(byId('seconds'), `${secondsLeft(match.roundEndsAt, now)} s`);
  byId('seconds').hidden = !isAsking;
}

export function forgetQuestion() {
  shown = '';
}

function putQuestion(round) {
  setText(byId('category'), sentence(round.category));
  setText(byId('difficulty'), sentence(round.difficulty));
  byId('difficulty').dataset.level = round.difficulty;
  byId('double').hidden = round.weight < 2;
  setText(byId('question'), round.question);
  byId('question').classList.toggle('long', round.question.length > 110);
  byId('choices').replaceChildren(...round.choices.map((text, index) => {
    const label = make('bdi', 'label', text);
    const button = make('button', 'choice', make('span', 'key', String(index + 1)), label,
      make('span', 'marks'));
    button.type = 'button';
    button.dataset.choice = String(index);
    return button;
  }));
}

function drawChoice(index, match, reveal) {
  const button = byId('choices').children[index];
  const state = stateOfChoice(index, match, reveal);
  const isPicked = match.answer?.choice === index;
  button.setAttribute('aria-disabled', String(state !== 'open'));
  button.setAttribute('aria-pressed', String(isPicked));
  if (button.dataset.state === state) return;
  button.dataset.state = state;
  button.querySelector('.marks').replaceChildren(...marksOf(index, match, reveal));
}

function stateOfChoice(index, match, reveal) {
  if (reveal !== null) {
    if (index === reveal.correct) return 'right';
    return index === reveal.results[match.me].choice ? 'wrong' : 'dim';
  }
  if (match.answer === null) return 'open';
  return match.answer.choice === index ? 'picked' : 'shut';
}

/* Who chose this, and whether it is right: as marks, and as words for those who do not see them. */
function marksOf(index, match, reveal) {
  if (reveal === null) return [];
  const marks = [];
  for (const which of ['me', 'them']) {
    const player = match[which];
    if (reveal.results[player].choice !== index) continue;
    const { name } = match.players[player];
    const dot = make('span', `dot ${which}`, initial(name));
    dot.setAttribute('aria-hidden', 'true');
    marks.push(dot, make('span', 'hidden', which === 'me' ? 'your answer,' : `${name}’s answer,`));
  }
  if (index === reveal.correct) marks.push(icon('check'), make('span', 'hidden', 'right'));
  else if (marks.length > 0) marks.push(icon('cross'), make('span', 'hidden', 'wrong'));
  return marks;
}

function drawFeedback(match, reveal) {
  const line = byId('feedback');
  if (reveal !== null) {
    const result = reveal.results[match.me];
    const isRight = result.choice === reveal.correct;
    line.dataset.tone = isRight ? 'right' : 'wrong';
    line.replaceChildren(feedback(match, result, reveal.correct));
    if (isRight && result.streak > 1) line.prepend(icon('flame'));
    if (match.isSaving) line.append(' · saving the result');
    return;
  }
  line.dataset.tone = '';
  const { answer } = match;
  if (answer?.status === 'late') setText(line, 'Too late this time');
  else if (answer !== null) setText(line, 'Your answer is in');
  else setText(line, '');
}
