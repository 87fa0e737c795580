/* What the page remembers: name and token for another day, the session for a reload of this tab.
   Every access may fail (private windows, blocked storage); then there is nothing to remember. */

const read = (store, key) => {
  try {
    return globalThis[store].getItem(key);
  } catch {
    return null;
  }
};

const write = (store, key, value) => {
  try {
    if (value === null) {
      globalThis[store].removeItem(key);
    } else {
      globalThis[store].setItem(key, value);
    }
  } catch {
    /* Nothing depends on it. */
  }
};

export const storage = {
  get name() { return read('localStorage', 'quizrush.name'); },
  set name(value) { write('localStorage', 'quizrush.name', value); },
  get token() { return read('localStorage', 'quizrush.token'); },
  set token(value) { write('localStorage', 'quizrush.token', value); },
  get session() { return read('sessionStorage', 'quizrush.session'); },
  set session(value) { write('sessionStorage', 'quizrush.session', value); },
};
