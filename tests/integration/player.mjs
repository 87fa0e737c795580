// One player over Node's `ws`, independent of the tests' other client: says hello, joins, answers every round, and
// prints what it was told, a line each: the server's text as it came. Ends with 0 after `end` and a close with 1000.
//
//     node player.mjs ws://127.0.0.1:8080/ws NAME

import WebSocket from 'ws';

const DEADLINE_MS = 30000;
const [url, name] = process.argv.slice(2);
const socket = new WebSocket(url, 'quizrush.v1', { perMessageDeflate: false });
let id = 0;

function fail(why) {
  console.error(why);
  process.exit(1);
}

function ask(type, fields) {
  id += 1;
  socket.send(JSON.stringify({ type, id, ...fields }));
}

const handlers = {
  welcome: () => ask('join', { mode: 'duel' }),
  round: (message) => ask('answer', { round: message.round, choice: message.choices.length - 1 }),
  end: () => socket.close(1000),
  error: (message) => fail(`refused: ${message.code}: ${message.message}`),
};

const deadline = setTimeout(() => fail('no end in time'), DEADLINE_MS);
socket.on('open', () => ask('hello', { name }));
socket.on('message', (data, isBinary) => {
  if (isBinary) fail('a binary message');
  const text = data.toString();
  console.log(text);
  const message = JSON.parse(text);
  handlers[message.type]?.(message);
});
socket.on('error', (error) => fail(String(error)));
socket.on('close', (code) => {
  clearTimeout(deadline);
  if (code !== 1000) fail(`closed with ${code}`);
});
