// Plays duels, comes back when cut off, misses nothing, answers once. For Node: client.mjs URL NAME [MATCHES]
const [url, name, matches = 1] = process.argv.slice(2);
const Socket = globalThis.WebSocket ?? (await import('ws')).default;
let socket, watch, session, token, match, answer, isOver, isReplaying; // A page stores session and token.
let seq = 0, lastId = 0, played = 0, attempts = 0, notBefore = 0, heardAt = 0, endsAt = 0;
const asked = new Map(), now = () => performance.now(), settle = () => { answer = undefined; };
const hello = () => ask('hello', { name, token, resume: session, last_match: match, last_seq: seq });
const join = () => ask('join', { mode: 'duel' });
function ask(type, fields) {
  asked.set(++lastId, { type, fields }); socket.send(JSON.stringify({ type, id: lastId, ...fields }));
}
function letGo(code) { clearInterval(watch); asked.clear(); socket?.close(code); socket = undefined; }
function stop(why) { letGo(1000); console.error(`over: ${why}`); }
function lost(code) {
  letGo();
  if (code === 4500 && token) token = session = undefined; // The name is left.
  else if ([1002, 1003, 1007, 1009].includes(code) || code >= 4500) return stop(code);
  setTimeout(open, Math.max(notBefore - now(), Math.random() * Math.min(30000, 500 * 2 ** attempts++)));
}
const on = {
  welcome(message) {
    [session, token, attempts] = [message.session, message.token ?? token, 0];
    isReplaying = message.match !== undefined && !(isOver && message.match === match);
    if (!isReplaying) join(); // Refused with bad_state where the place in the queue was kept.
  },
  round(message) {
    answer = { match, round: message.round, choice: Math.floor(Math.random() * message.choices.length) };
    endsAt = now() + message.time_ms;
    if (!isReplaying) ask('answer', answer);
  },
  // All that was missed has come; an answer without a receipt is sent again.
  clock({ left_ms }) { isReplaying = false; endsAt = now() + left_ms; if (answer) ask('answer', answer); },
  accepted: settle, reveal: settle, unqueued: join,
  end() { [isOver, isReplaying] = [true, false]; if (++played < matches) join(); else stop('played'); },
  bye(message) { notBefore = now() + (message.retry_ms ?? 0); },
  error({ code, retry_ms }, request, from = socket) {
    if (code === 'resume_expired') { session = undefined; hello(); }
    else if (code === 'bad_message' && request?.type === 'hello' && seq > 0) { seq = 0; hello(); }
    else if (code === 'bad_name') stop(code);
    else if (retry_ms && request) setTimeout(() => from === socket && ask(request.type, request.fields), retry_ms);
  },
};
function hear(message, request = asked.get(message.id)) {
  asked.delete(message.id); heardAt = now();
  if (message.seq && message.match !== match) [match, seq, isOver, answer] = [message.match, 0];
  if (message.seq <= seq) return; // It was sent again.
  if (message.seq > seq + 1) return lost(); // Something is missing: a resume brings it.
  seq = message.seq ?? seq;
  console.log(JSON.stringify(message)); // A page shows it, and counts down to endsAt.
  on[message.type]?.(message, request);
}
function quiet() { if (now() - heardAt > 10000) lost(); else if (socket.readyState === 1) ask('ping', { at: lastId }); }
function open() {
  const mine = socket = new Socket(url, 'quizrush.v1'), ifMine = (then) => (event) => mine === socket && then(event);
  [heardAt, watch] = [now(), setInterval(quiet, 4000)];
  Object.assign(mine, { onopen: ifMine(hello), onmessage: ifMine((event) => hear(JSON.parse(event.data))),
    onclose: ifMine((event) => lost(event.code)), onerror() {} }); // A close follows an error.
}
open();
