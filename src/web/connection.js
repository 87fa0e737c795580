/* One WebSocket to the server, opened again when it is lost.
 *
 * Knows requests, replies and close codes, and nothing of the game. Whoever owns it says `hello`
 * when told that a socket is open, and calls settled() when that was answered. */

const SUBPROTOCOL = 'quizrush.v1';
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 30_000;
const CONNECT_MAX_MS = 10_000;
const PONG_MAX_MS = 4_000;
const WATCH_EVERY_MS = 1_000;

/* docs/protocol.md, Close codes. 1001 and 1005 come from servers and proxies that just go away. */
const COME_BACK = new Set([1001, 1005, 1006, 1012, 1013]);
const comesBack = (code) => COME_BACK.has(code) || (code >= 4000 && code < 4500);

/* The server's `error`; code 'lost' where the connection ended before the answer came. */
export class RequestError extends Error {
  constructor(code, message, retryMs) {
    super(message);
    this.code = code;
    this.retryMs = retryMs ?? 0;
  }
}

export class Connection {
  /* listener: onOpen(), onMessage(message), onLost(waitMs), onStopped(code). */
  constructor(url, listener) {
    this.url = url;
    this.listener = listener;
    this.socket = null;
    this.isSettled = false;
    this.quietMs = 20_000;
    this.pending = new Map();
    this.lastId = 0;
    this.attempts = 0;
    this.notBefore = 0;
    this.retryTimer = 0;
    this.watchTimer = 0;
    /* A device that wakes up or finds its network again need not wait for a timer. */
    window.addEventListener('online', () => this.#hurry());
    document.addEventListener('visibilitychange', () => document.hidden || this.#hurry());
  }

  open() {
    clearTimeout(this.retryTimer);
    this.retryTimer = 0;
    if (this.socket !== null) return;
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    this.socket = socket;
    this.isSettled = false;
    this.startedAt = performance.now();
    this.heardAt = this.startedAt;
    this.pingedAt = 0;
    /* A socket that was let go may still speak; what it says is of no interest. */
    socket.onopen = () => socket === this.socket && this.listener.onOpen();
    socket.onmessage = (event) => socket === this.socket && this.#hear(event.data);
    socket.onclose = (event) => socket === this.socket && this.#ended(event.code);
    this.watchTimer = setInterval(() => this.#watch(), WATCH_EVERY_MS);
  }

  /* For good, until open() is called again. Nothing is reported. */
  close() {
    clearTimeout(this.retryTimer);
    this.retryTimer = 0;
    this.attempts = 0;
    this.#letGo(1000);
  }

  /* Gives the socket up and opens another one after the usual wait. */
  drop() {
    this.#letGo();
    this.#lost();
  }

  /* hello was answered: the next loss begins with the short wait again. */
  settled() {
    this.isSettled = true;
    this.attempts = 0;
  }

  /* No new attempt before that many ms are over. */
  holdOff(ms) {
    this.notBefore = Math.max(this.notBefore, performance.now() + ms);
  }

  /* Resolves with the reply; rejects with a RequestError. */
  request(type, fields = {}) {
    if (this.socket?.readyState !== WebSocket.OPEN) {
      return Promise.reject(new RequestError('lost', 'not connected'));
    }
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ type, id, ...fields }));
    });
  }

  /* For what gets no answer. */
  send(type, fields = {}) {
    if (this.isSettled && this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ type, ...fields }));
    }
  }

  #hear(text) {
    this.heardAt = performance.now();
    this.pingedAt = 0;
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (message === null || typeof message.type !== 'string') return;
    if (message.type === 'bye' && message.retry_ms) this.holdOff(message.retry_ms);

    const waiting = this.pending.get(message.id);
    this.pending.delete(message.id);
    if (message.type === 'error') {
      waiting?.reject(new RequestError(message.code, message.message, message.retry_ms));
    } else {
      waiting?.resolve(message);
      this.listener.onMessage(message);
    }
  }

  #ended(code) {
    this.#letGo();
    if (comesBack(code)) {
      this.#lost();
    } else {
      this.listener.onStopped(code);
    }
  }

  #letGo(code) {
    const socket = this.socket;
    this.socket = null;
    this.isSettled = false;
    clearInterval(this.watchTimer);
    socket?.close(code);
    for (const { reject } of this.pending.values()) {
      reject(new RequestError('lost', 'connection lost'));
    }
    this.pending.clear();
  }

  /* Full jitter: anywhere between nothing and the backoff, so that those who were cut off
     together do not come back together. */
  #lost() {
    const backoff = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.attempts);
    this.attempts += 1;
    const floor = Math.max(0, this.notBefore - performance.now());
    const wait = Math.max(Math.random() * backoff, floor);
    this.retryTimer = setTimeout(() => this.open(), wait);
    this.listener.onLost(wait);
  }

  #hurry() {
    if (this.retryTimer !== 0 && performance.now() >= this.notBefore) this.open();
    else if (this.isSettled && this.pingedAt === 0) this.#ping();
  }

  /* A page does not see the protocol's own pings, so it asks where it has heard nothing. */
  #watch() {
    const now = performance.now();
    if (!this.isSettled) {
      if (now - this.startedAt > CONNECT_MAX_MS) this.drop();
    } else if (this.pingedAt > 0) {
      if (now - this.pingedAt > PONG_MAX_MS) this.drop();
    } else if (now - this.heardAt > this.quietMs) {
      this.#ping();
    }
  }

  #ping() {
    this.pingedAt = performance.now();
    this.request('ping', { at: Math.round(this.pingedAt) }).catch(() => {});
  }
}
