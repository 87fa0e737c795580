/* A player in a browser, and the frame of every program that plays with some:
 *
 *   QUIZRUSH_URL   where the server's page is, as http://127.0.0.1:8080/
 *   QUIZRUSH_OUT   a directory for screenshots (made if it is not there)
 *   CHROMIUM       the browser, /usr/bin/chromium by default
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

export function expect(holds, claim) {
  if (!holds) throw new Error(`does not hold: ${claim}`);
}

export const sameList = (left, right) => left.length === right.length && left.every((one, at) => one === right[at]);

/* One player: a context and a page of its own, and everything that goes wrong in it. */
export class Player {
  constructor(who, url, out) {
    this.name = who.name;
    this.look = who.look;
    this.url = url;
    this.out = out;
    this.complaints = [];
    this.sockets = 0; /* Opened so far. */
    this.shots = 0;
  }

  async open(browser) {
    this.context = await browser.newContext(this.look);
    this.context.setDefaultTimeout(STEP_DEADLINE_MS);
    await this.#openPage();
  }

  /* Beside another one's tab, in the same browser. */
  async openBeside(other) {
    this.context = other.context;
    await this.#openPage();
  }

  async #openPage() {
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
    page.on('websocket', (socket) => {
      this.sockets += 1;
      this.#staysHome(socket.url());
    });
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

/* Runs tell({browser, player}) under a deadline; player(who) makes a Player. What tell() returns is
   said at the end. */
export async function run(name, address, tell) {
  if (process.argv.includes('--play')) {
    try {
      console.log(`${name}: ${await play(name, tell)}`);
    } catch (error) {
      console.error(`${name}: ${error.message}`);
      process.exitCode = 1;
    }
  } else {
    underDeadline(name, fileURLToPath(address));
  }
}

async function play(name, tell) {
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
  const players = [];
  const player = (who) => {
    players.push(new Player(who, url, out));
    return players.at(-1);
  };
  try {
    const story = await tell({ browser, player });
    for (const one of players) await one.isContent();
    return story;
  } catch (error) {
    await Promise.allSettled(players.map((one) => one.page && one.photograph('failed')));
    for (const { name: whose, complaints } of players) {
      for (const complaint of complaints) console.error(`${name}: ${whose}: ${complaint}`);
    }
    throw error;
  } finally {
    await browser.close();
  }
}

/* The same program as a child, so that nothing that hangs inside it outlives the deadline. The
   browser hangs on a pipe of the child and ends with it. */
function underDeadline(name, program) {
  const child = spawn(process.execPath, [program, '--play'], { stdio: 'inherit' });
  let isOver = false;
  const deadline = setTimeout(() => {
    isOver = true;
    console.error(`${name}: not done within ${PROGRAM_DEADLINE_MS / 1000} s`);
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
  }, PROGRAM_DEADLINE_MS);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => {
    clearTimeout(deadline);
    process.exitCode = isOver ? 2 : code ?? 1;
  });
}
