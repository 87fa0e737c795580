/* Two browsers play a duel against each other on the player's page.
 *
 * Waits for what the page says it has seen (the data attributes described in src/web/index.html),
 * never for a time, so that the server's phases may be as short as they like. What is on the page
 * only for a moment is photographed where it is met, and not relied upon. */

import { expect, run, sameList } from './player.mjs';

/* A phone by day and a desk by night. */
const ADA = {
  name: 'Ada',
  look: { viewport: { width: 390, height: 844 }, colorScheme: 'light', deviceScaleFactor: 2 },
};
const BEA = {
  name: 'Bea',
  look: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
};

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

await run('duel', import.meta.url, async ({ browser, player }) => {
  const [ada, bea] = [player(ADA), player(BEA)];
  await Promise.all([ada.open(browser), bea.open(browser)]);
  await enter(ada, bea);
  const rounds = await play(ada, bea);
  await Promise.all([ada.screen('result'), bea.screen('result')]);
  await Promise.all([ada.photograph('result'), bea.photograph('result')]);
  return check(ada, bea, rounds);
});
