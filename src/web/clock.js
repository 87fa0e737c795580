/* Time for display. What counts is decided by the server. */

/* The server's wall clock, told by messages and carried on by this page's own monotonic clock, so
   that a wrong or a changed clock of the device does not matter. */
export class WallClock {
  #offsetMs = null;

  /* A message that took longer makes the server's clock look late: the largest difference is the
     best, unless the server's clock was set. */
  told(serverMs) {
    const offset = serverMs - performance.now();
    if (this.#offsetMs === null || offset > this.#offsetMs || this.#offsetMs - offset > 2000) {
      this.#offsetMs = offset;
    }
  }

  /* When that will be on performance.now()'s scale. */
  toLocal(serverMs) {
    return serverMs - (this.#offsetMs ?? Date.now() - performance.now());
  }
}

/* Calls draw(now) once per frame while it runs. */
export class Frames {
  #draw;
  #handle = 0;

  constructor(draw) {
    this.#draw = draw;
  }

  run(isWanted) {
    if (isWanted && this.#handle === 0) {
      const frame = () => {
        this.#handle = requestAnimationFrame(frame);
        this.#draw(performance.now());
      };
      this.#handle = requestAnimationFrame(frame);
    } else if (!isWanted && this.#handle !== 0) {
      cancelAnimationFrame(this.#handle);
      this.#handle = 0;
    }
  }
}

export const secondsLeft = (until, now) => Math.max(0, Math.ceil((until - now) / 1000));

export const asMinutes = (ms) => {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
};
