/* Two tabs of one player: the newer wins, the older says so and leaves it at that. And what else
 * brings a player back: a reload, a rematch, the house. */

import { expect, run } from './player.mjs';

const ADA = { name: 'Ada', look: { viewport: { width: 1100, height: 800 }, colorScheme: 'light' } };
const TAB = { ...ADA, name: 'Tab' };
const BEA = { name: 'Bea', look: { viewport: { width: 390, height: 844 }, colorScheme: 'dark', deviceScaleFactor: 2 } };

/* Longer than any wait before a first attempt to come back. */
const PEACE_MS = 3000;

async function enter(player, name) {
  await player.page.fill('#name', name);
  await player.page.click('#play');
}

const matchOf = (player) => player.attribute('body', 'data-match');

async function another(player, before) {
  await player.page.waitForFunction((old) => ![undefined, old].includes(document.body.dataset.match), before);
  return matchOf(player);
}

/* Gives way to the newer tab, and stays where it is. */
async function givesWay(older, newer) {
  await older.screen('stopped');
  const sockets = [older.sockets, newer.sockets];
  const title = await older.page.locator('#stopped-title').textContent();
  expect(title === 'Playing in another tab', `${older.name} says why it stopped ("${title}")`);
  expect((await older.page.locator('#notice').textContent()) === '', `${older.name} says nothing else`);
  await older.photograph('another-tab');
  const comesBack = older.page.waitForEvent('websocket', { timeout: PEACE_MS }).then(() => true, () => false);
  expect(!await comesBack, `${older.name} gives peace`);
  expect(older.sockets === sockets[0], `${older.name} does not come back by itself`);
  expect(newer.sockets === sockets[1], `${newer.name} is left alone`);
  expect((await newer.attribute('body', 'data-connection')) === 'open', `${newer.name} is connected`);
}

async function fight(ada, tab, bea) {
  const match = await matchOf(ada);
  await tab.openBeside(ada);
  expect((await tab.page.inputValue('#name')) === ADA.name, 'the new tab knows the name');
  await tab.page.click('#play');
  await tab.round(1);
  expect((await matchOf(tab)) === match, 'the new tab has the match');
  await tab.photograph('took-over');
  await givesWay(ada, tab);

  const sockets = ada.sockets;
  await ada.page.click('#takeover');
  await ada.screen('round');
  expect((await matchOf(ada)) === match, 'the older tab has the match again');
  expect(ada.sockets === sockets + 1, 'by one connection');
  await givesWay(tab, ada);
  expect(ada.sockets === sockets + 1, 'and no other');
  expect(await bea.page.locator('#peer-away').isHidden(), 'the other player has noticed nothing');
}

async function reload(ada) {
  const match = await matchOf(ada);
  await ada.answer(1, 'first');
  await ada.page.waitForSelector('body[data-answered="1"]');
  await ada.page.reload();
  await ada.screen('round');
  expect((await matchOf(ada)) === match, 'after a reload it is the same match');
  await ada.photograph('reloaded');
}

async function playOut(ada, bea) {
  const rounds = Number(await ada.attribute('body', 'data-rounds'));
  await bea.answer(1, 'last');
  for (let round = 2; round <= rounds; round += 1) {
    await Promise.all([ada.answer(round, 'first'), bea.answer(round, 'last')]);
  }
  await Promise.all([ada.screen('result'), bea.screen('result')]);
  const [mine, theirs] = [await ada.score('me'), await bea.score('them')];
  expect(mine === theirs, `Ada's score is the same on both pages (${mine}, ${theirs})`);
  for (const player of [ada, bea]) {
    const [before, after] = await Promise.all(['data-before', 'data-after'].map(
      (name) => player.attribute('#ratings', name)));
    const shown = await player.page.locator('#ratings').textContent();
    expect(before === '1500', `${player.name}: the rating before was a new player's (${before})`);
    expect(shown.includes(`1500 → ${after}`), `${player.name}: the ratings are shown ("${shown}")`);
    await player.photograph('result');
  }
}

async function rematch(ada, bea) {
  const first = await matchOf(ada);
  await ada.page.click('#rematch');
  await ada.screen('queue');
  await ada.photograph('waits-for-rematch');
  await ada.screen('result'); /* Bea did not ask. */
  const notice = await ada.page.locator('#notice').textContent();
  expect(notice === 'Bea did not ask for a rematch.', `Ada is told why ("${notice}")`);
  await ada.photograph('no-rematch');

  await ada.page.click('#rematch');
  await bea.page.click('#rematch');
  const [mine, theirs] = await Promise.all([another(ada, first), another(bea, first)]);
  expect(mine === theirs, 'both are in the same new match');
}

async function playTheHouse(ada) {
  await ada.page.waitForSelector('body[data-screen="round"]');
  await ada.page.click('#leave');
  await ada.page.click('#leave-yes');
  await ada.screen('result');
  const last = await matchOf(ada);
  await ada.page.click('#again');
  await ada.screen('queue');
  await ada.page.click('#house');
  await another(ada, last);
  await ada.screen('round');
  const facts = await ada.page.locator('.side[data-side="them"] .rating').textContent();
  expect(facts.includes('bot'), `the house is named as one ("${facts}")`);
  await ada.photograph('house');
}

await run('tabs', import.meta.url, async ({ browser, player }) => {
  const [ada, tab, bea] = [player(ADA), player(TAB), player(BEA)];
  await Promise.all([ada.open(browser), bea.open(browser)]);
  await enter(ada, ADA.name);
  await ada.page.waitForSelector('body[data-connection="open"]');
  await enter(bea, BEA.name);
  await Promise.all([ada.round(1), bea.round(1)]);
  await fight(ada, tab, bea);
  await reload(ada);
  await playOut(ada, bea);
  await rematch(ada, bea);
  await playTheHouse(ada);
  return 'gave way, took back, reloaded, met again';
});
