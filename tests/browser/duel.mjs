/* Two browsers play a duel against each other on the player's page.
 *
 *   QUIZRUSH_URL   where the server's page is, as http://127.0.0.1:8080/
 *   QUIZRUSH_OUT   a directory for screenshots (made if it is not there)
 *   CHROMIUM       the browser, /usr/bin/chromium by default
 *
 * Waits for what the page says it has seen (the data attributes described in src/web/index.html),
 * never for a time, so that the server's phases may be as short as they like. What is on the page
 * only for a moment is photographed where it is met, and not relied upon.
 *
 * Exit status 0: everything held. 1: something did not, and stderr says what. 2: the deadline for
 * the whole program passed. */

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const PROGRAM_DEADLINE_MS = 120_000;
const KILL_AFTER_MS = 3_000;
const STEP_DEADLINE_MS = 20_000;

const CHROMIUM_FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/* A phone by day and a desk by night. */
const ADA = {
  name: 'Ada',
  look: { viewport: { width: 390, height: 844 }, colorScheme: 'light', deviceScaleFactor: 2 },
};
const BEA = {
  name: 'Bea',
  look: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
};

function expect(holds, claim) {
  if (!holds) throw new Error(`does not hold: ${claim}`);
}

const sameList = (left, right) => left.length === right.length && left.every((one, at) => one === right[at]);

/* One player: a context and a page of its own, and everything that goes wrong in it. */
class Player {
  constructor(who, url, out) {
    this.name = who.name;
    this.look = who.look;
    this.url = url;
    this.out = out;
    this.complaints = [];
    this.shots = 0;
  }

  async open(browser) {
    this.context = await browser.newContext(this.look);
    this.context.setDefaultTimeout(STEP_DEADLINE_MS);
    this.page = await this.context.newPage();
    this.#listen();
    await this.page.addInitScript(() => {
      window.violations = [];
      document.addEventListener('securitypolicyviolation', (event) => {
        window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
      });
    });
    const response = await this.page.goto(this.url.href);
    expect(response.ok(), `${this.name}: the page is served (status ${response.status()})`);
    const policy = response.headers()['content-security-policy'] ?? '';
    expect(policy.includes("default-src 'none'"), `${this.name}: the page has its security policy ("${policy}")`);
    await this.screen('home');
  }

  #listen() {
    const { page, complaints } = this;
    page.on('console', (line) => {
      if (line.type() === 'error') complaints.push(`console: ${line.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
    page.on('requestfailed', (request) => complaints.push(`request failed: ${request.url()}`));
    page.on('request', (request) => this.#staysHome(request.url()));
    page.on('websocket', (socket) => this.#staysHome(socket.url()));
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`status ${response.status()}: ${response.url()}`);
    });
  }

  #staysHome(address) {
    const { host, protocol } = new URL(address);
    if (host !== this.url.host && protocol !== 'data:') this.complaints.push(`left the origin: ${address}`);
  }

  async photograph(what) {
    this.shots += 1;
    const file = `${this.name.toLowerCase()}-${String(this.shots).padStart(2, '0')}-${what}.png`;
    await this.page.screenshot({ path: join(this.out, file) });
  }

  screen(which) {
    return this.page.waitForSelector(`body[data-screen="${which}"]`);
  }

  /* Until round has begun, or the match is over. */
  async round(round) {
    await this.page.waitForFunction(
      (wanted) => Number(document.body.dataset.round) >= wanted || document.body.dataset.end !== undefined,
      round,
    );
  }

  async revealed(round) {
    await this.page.waitForFunction(
      (wanted) => (document.body.dataset.revealed ?? '').split(',').includes(String(wanted))
        || document.body.dataset.end !== undefined,
      round,
    );
  }

  /* By key in every second round, by click in the others: the first choice or the last, at once when
     the page asks, and not at all if it has gone on meanwhile. */
  async answer(round, which) {
    const choice = await this.page.waitForFunction(([wanted, end, isClicked]) => {
      const { dataset } = document.body;
      if (Number(dataset.round) > wanted || dataset.end !== undefined) return 'passed';
      const open = document.querySelectorAll('.choice[data-state="open"]');
      if (Number(dataset.round) < wanted || dataset.screen !== 'round') return false;
      if (open.length === 0) return 'passed';
      const button = end === 'first' ? open[0] : open[open.length - 1];
      if (isClicked) button.click();
      return button.dataset.choice;
    }, [round, which, round % 2 === 1]);
    const key = await choice.jsonValue();
    if (key !== 'passed' && round % 2 === 0) await this.page.keyboard.press(String(Number(key) + 1));
  }

  /* At one moment. */
  question() {
    return this.page.evaluate(() => ({
      round: Number(document.body.dataset.round),
      text: document.querySelector('#question').textContent.trim(),
    }));
  }

  /* Two numbers that the page shows as text, and says as data. */
  async score(which) {
    const output = this.page.locator(`#score-${which}`);
    const said = Number(await output.getAttribute('data-score'));
    const shown = Number((await output.textContent()).replace(/\D/g, ''));
    expect(said === shown, `${this.name}: the score shown, ${shown}, is the score known, ${said}`);
    return said;
  }

  async list(attribute) {
    const text = await this.page.evaluate((key) => document.body.dataset[key] ?? '', attribute);
    return text === '' ? [] : text.split(',').map(Number);
  }

  attribute(selector, name) {
    return this.page.locator(selector).getAttribute(name);
  }

  async isContent() {
    const violations = await this.page.evaluate(() => window.violations);
    this.complaints.push(...violations.map((one) => `policy: ${one}`));
    expect(this.complaints.length === 0, `${this.name}: nothing went wrong on the page (see above)`);
  }
}

async function enter(ada, bea) {
  for (const player of [ada, bea]) await player.photograph('home');
  await ada.page.fill('#name', ada.name);
  await ada.page.click('#play');
  await ada.screen('queue');
  await ada.page.waitForSelector('body[data-connection="open"]');
  await ada.photograph('queue');
  await bea.page.fill('#name', bea.name);
  await bea.page.click('#play');
  for (const player of [ada, bea]) await player.page.waitForSelector('body[data-match]');
  await Promise.all([ada.photograph('found'), bea.photograph('found')]);
  const [mine, theirs] = await Promise.all([ada, bea].map((player) => player.attribute('body', 'data-match')));
  expect(mine === theirs, 'both are in the same match');
}

/* Plays every round. The match does not wait: where this program is slow, rounds pass it by. So it
   takes its time for photographs in the last two, when there are answers enough to judge by. */
async function play(ada, bea) {
  const rounds = Number(await ada.attribute('body', 'data-rounds'));
  const both = (what) => Promise.all([what(ada), what(bea)]);
  for (let round = 1; round <= rounds; round = Math.max(round + 1, (await ada.question()).round)) {
    if (round < rounds - 1) {
      await Promise.all([ada.answer(round, 'first'), bea.answer(round, 'last')]);
    } else {
      await playShown(ada, bea, round, both);
    }
    await both((player) => player.revealed(round));
    if (round >= rounds - 1) await both((player) => player.photograph('reveal'));
  }
  return rounds;
}

async function playShown(ada, bea, round, both) {
  await both((player) => player.round(round));
  const [hers, theirs] = await both((player) => player.question());
  expect(hers.text !== '', 'a question is asked');
  expect(hers.round !== theirs.round || hers.text === theirs.text, 'both are asked the same question');
  await both((player) => player.photograph('round'));
  await ada.answer(round, 'first');
  await bea.page.click('#emotes [data-emote]', { timeout: 1000 }).catch(() => {});
  await both((player) => player.photograph('answered'));
  await bea.answer(round, 'last');
}

async function check(ada, bea, rounds) {
  const expected = Array.from({ length: rounds }, (_, index) => index + 1);
  expect(rounds > 0, 'at least one round was played');
  for (const player of [ada, bea]) {
    const end = await player.attribute('body', 'data-end');
    expect(end === 'finished', `${player.name}: the match was finished (it ended as ${end})`);
    const revealed = await player.list('revealed');
    expect(sameList(revealed, expected), `${player.name}: every round was revealed, in order (${revealed})`);
    const answered = await player.list('answered');
    expect(answered.length > 0, `${player.name}: the server received an answer`);
  }

  const [adaMe, adaThem] = [await ada.score('me'), await ada.score('them')];
  const [beaMe, beaThem] = [await bea.score('me'), await bea.score('them')];
  expect(adaMe === beaThem, `Ada's score is the same on both pages (${adaMe}, ${beaThem})`);
  expect(beaMe === adaThem, `Bea's score is the same on both pages (${beaMe}, ${adaThem})`);

  const outcome = (mine, theirs) => (mine === theirs ? 'draw' : mine > theirs ? 'won' : 'lost');
  for (const [player, mine, theirs] of [[ada, adaMe, adaThem], [bea, beaMe, beaThem]]) {
    const shown = await player.attribute('#result', 'data-outcome');
    expect(shown === outcome(mine, theirs), `${player.name}: ${mine} to ${theirs} is shown as ${shown}`);
  }
  return `${adaMe} to ${beaMe} after ${rounds} rounds`;
}

async function duel() {
  expect(process.env.QUIZRUSH_URL, 'QUIZRUSH_URL is set');
  expect(process.env.QUIZRUSH_OUT, 'QUIZRUSH_OUT is set');
  const url = new URL(process.env.QUIZRUSH_URL);
  const out = process.env.QUIZRUSH_OUT;
  mkdirSync(out, { recursive: true });

  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: CHROMIUM_FLAGS,
  });
  const [ada, bea] = [ADA, BEA].map((who) => new Player(who, url, out));
  try {
    await Promise.all([ada.open(browser), bea.open(browser)]);
    await enter(ada, bea);
    const rounds = await play(ada, bea);
    await Promise.all([ada.screen('result'), bea.screen('result')]);
    await Promise.all([ada.photograph('result'), bea.photograph('result')]);
    const story = await check(ada, bea, rounds);
    await ada.isContent();
    await bea.isContent();
    console.log(`duel: ${story}`);
  } catch (error) {
    await Promise.allSettled([ada, bea].map((player) => player.page && player.photograph('failed')));
    for (const { name, complaints } of [ada, bea]) {
      for (const complaint of complaints) console.error(`duel: ${name}: ${complaint}`);
    }
    throw error;
  } finally {
    await browser.close();
  }
}

/* The same program as a child, so that nothing that hangs inside it outlives the deadline. The
   browser hangs on a pipe of the child and ends with it. */
function underDeadline() {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--play'], { stdio: 'inherit' });
  let isOver = false;
  const deadline = setTimeout(() => {
    isOver = true;
    console.error(`duel: not done within ${PROGRAM_DEADLINE_MS / 1000} s`);
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
  }, PROGRAM_DEADLINE_MS);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => {
    clearTimeout(deadline);
    process.exitCode = isOver ? 2 : code ?? 1;
  });
}

if (process.argv.includes('--play')) {
  try {
    await duel();
  } catch (error) {
    console.error(`duel: ${error.message}`);
    process.exitCode = 1;
  }
} else {
  underDeadline();
}
