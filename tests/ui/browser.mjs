// SPDX-License-Identifier: Apache-2.0
// What every test of the page needs: a browser, a person signed in, and an eye on what must never happen: an error on the
// console, a request to anywhere else, a violation of axe's rules.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(
  join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../web/package.json'),
);
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** With UI_TIMES=1, what the time of a test went into is told at its end. */
const spent = new Map();
export async function timed(what, work) {
  const begun = performance.now();
  try {
    return await work();
  } finally {
    const so = spent.get(what) ?? { times: 0, ms: 0 };
    spent.set(what, { times: so.times + 1, ms: so.ms + performance.now() - begun });
  }
}
if (process.env.UI_TIMES)
  process.on('exit', () => {
    for (const [what, { times, ms }] of spent)
      console.log(`time: ${what}: ${times} times, ${(ms / 1000).toFixed(1)} s`);
    console.log(`time: all: ${(performance.now() / 1000).toFixed(1)} s`);
  });

export const server = process.env.CHANCERY_URL;
export const adminKey = process.env.CHANCERY_ADMIN_TOKEN;
const shots = process.env.UI_SHOTS;

export const sizes = { wide: { width: 1280, height: 900 }, narrow: { width: 390, height: 844 } };

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser for one test file; its profile is a new, empty one. */
export function launch() {
  return timed('launch', () => chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: flags }));
}

/** By page: the requests that have no answer yet, and how many there were. */
const traffic = new WeakMap();

function watchTraffic(page) {
  const seen = { open: new Set(), begun: 0 };
  traffic.set(page, seen);
  const over = (r) => seen.open.delete(r);
  page.on('request', (r) => {
    if (r.isNavigationRequest() && r.frame() === page.mainFrame()) seen.open.clear();
    seen.open.add(r);
    seen.begun++;
  });
  page.on('requestfinished', over);
  page.on('requestfailed', over);
}

/** UI_DELAY=1000: each request waits for so many ms, as on a bad line; what relies on an answer in time then fails. */
const delay = Number(process.env.UI_DELAY ?? 0);

async function delayed(route) {
  await pause(delay);
  await goOn(route);
}

/** Of a request that was held up; it may have been given up meanwhile. */
export async function goOn(route) {
  await route.continue().catch((e) => {
    if (!/already handled|closed/.test(e.message)) throw e;
  });
}

/**
 * A page with storage and cookies of its own, watched. `expected` are patterns of console errors that the test provokes,
 * such as /status of 401/.
 */
export async function open(browser, { expected = [] } = {}) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: sizes.wide,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
  });
  context.setDefaultTimeout(60_000);
  if (delay > 0) await context.route(/\/v1\//, delayed);
  const page = await context.newPage();
  watchTraffic(page);
  const seen = [];
  const note = (text) => expected.some((e) => e.test(text)) || seen.push(`${page.url()}: ${text}`);
  page.on('console', (m) => m.type() === 'error' && note(`console: ${m.text()}`));
  page.on('pageerror', (e) => note(`exception: ${e.stack ?? e}`));
  page.on('request', (r) => {
    const url = r.url();
    if (!url.startsWith(`${server}/`) && !url.startsWith('data:') && !url.startsWith('blob:'))
      seen.push(`${page.url()}: request to ${url}`);
  });
  return {
    context,
    page,
    /** Ends it; fails when anything was seen that must not be. */
    done: async () => {
      await context.close();
      assert.deepEqual(seen, []);
    },
  };
}

/** Signs in through the form, by an API key. */
export async function signInByForm(page, key = adminKey, at = '/') {
  await page.goto(server + at);
  await page.getByRole('button', { name: 'API key' }).click();
  await page.getByLabel('API key', { exact: true }).fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor({ state: 'attached' });
}

/** What the form leaves behind, in a page that was not used yet: a session, and that the browser had one. */
export function signIn(page, key = adminKey, at = '/') {
  return timed('sign in', async () => {
    const answer = await restAnswer('POST', '/v1/session', { api_key: key });
    assert.equal(answer.status, 201, answer.text);
    const [, name, value] = /^([^=]+)=([^;]+)/.exec(answer.headers['set-cookie'][0]);
    await page.context().addCookies([{ name, value, url: server, httpOnly: true, secure: true, sameSite: 'Strict' }]);
    await page.addInitScript(() => {
      if (localStorage.getItem('test.signed-in')) return;
      for (const [name, value] of Object.entries({ session: '1', way: 'api_key' }))
        localStorage.setItem(`chancery.${name}`, value);
      localStorage.setItem('test.signed-in', '1');
    });
    await page.goto(server + at);
    await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor({ state: 'attached' });
  });
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A frame later, when what an answer changed is drawn and what that asks for is under way: is anything being loaded? */
const isLoading = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) =>
        requestAnimationFrame(() => setTimeout(() => resolve(!!document.querySelector('.loading, .renewing')))),
      ),
  );

/** Nothing on the page is still being loaded: no request, twice in a row. */
export function settled(page) {
  return timed('settled', async () => {
    const { open } = traffic.get(page);
    const end = Date.now() + 60_000;
    for (let calm = 0; calm < 2;) {
      const { begun } = traffic.get(page);
      // While the page changes to another address, there is nothing to ask.
      const loading = await isLoading(page).catch((e) => {
        if (/context was destroyed|navigat/i.test(e.message)) return true;
        throw e;
      });
      calm = !loading && open.size === 0 && traffic.get(page).begun === begun ? calm + 1 : 0;
      const waiting = () => [...open].map((r) => r.url()).join() || 'its .loading or .renewing';
      assert.ok(Date.now() < end, `${page.url()} is still loading ${calm ? '' : waiting()}`);
      if (calm === 0) await pause(15);
    }
  });
}

/** The page below /ui at an address, with all it loads. `heading`: more that is known of its heading. */
export async function goTo(page, address, heading = {}) {
  await page.goto(`${server}/ui${address}`);
  await page.getByRole('heading', { level: 1, ...heading }).waitFor();
  await settled(page);
}

export function axe(page, what) {
  return timed('axe', async () => {
    // Evaluated, not added as a <script>: the page's policy would refuse that, as it should. Once in a document.
    if (!(await page.evaluate(() => !!window.axe))) await page.evaluate(axeSource);
    const found = await page.evaluate(async () => {
      // Sheets and media are loaded anew only for rules on audio, video and the turn of a phone.
      if (document.querySelector('audio, video')) return ['axe needs preload for <audio> and <video>'];
      // Rows after so many are like those before them.
      const looked = { include: document, exclude: 'tbody tr:nth-child(n+51)' };
      const { violations } = await window.axe.run(looked, { resultTypes: ['violations'], preload: false });
      return violations.map(
        (v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.html} (${n.failureSummary})`).join(' | ')}`,
      );
    });
    assert.deepEqual(found, [], `axe, ${what}: ${found.join('; ')}`); // node 18 adds nothing to a message
  });
}

/** No part of the page is wider than the window. */
async function fits(page, what) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${what} is ${over} px wider than the window`);
}

const protocols = new WeakMap();

/**
 * The whole page, up to what is worth looking at; of one with thousands of rows, which Chromium takes minutes to draw, the window.
 * By the protocol: playwright's own way takes three times as long.
 */
function shoot(page, what, viewport) {
  return timed('screenshot', async () => {
    if (!protocols.has(page)) protocols.set(page, await page.context().newCDPSession(page));
    const protocol = protocols.get(page);
    const { cssContentSize: size } = await protocol.send('Page.getLayoutMetrics');
    const height = Math.min(size.height, size.height > 30_000 ? viewport.height : 3000);
    const { data } = await protocol.send('Page.captureScreenshot', {
      ...{ format: 'png', optimizeForSpeed: true, captureBeyondViewport: height > viewport.height },
      clip: { x: 0, y: 0, width: size.width, height, scale: 1 },
    });
    await writeFile(join(shots, `${what}.png`), data, 'base64');
  });
}

/**
 * The page as it is, in both sizes and both themes: a screenshot of each, axe's rules once in each size and each theme,
 * nothing beside the window. `behind`: what is behind a dialog still waits for it.
 */
export async function inspect(page, name, { behind = false } = {}) {
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    if (!behind) await settled(page);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await isLoading(page); // charts are drawn anew
      const what = `${name}-${size}-${colorScheme}`;
      await shoot(page, what, viewport);
      await fits(page, what);
      if ((size === 'wide') === (colorScheme === 'light')) await axe(page, what);
    }
  }
  await page.setViewportSize(sizes.wide);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
}

/** Less than `inspect`, for what differs little from a page that is inspected: axe in the one size, the other seen to fit. */
export async function glance(page, what) {
  await axe(page, what);
  await fits(page, what);
  await page.setViewportSize(sizes.narrow);
  await settled(page);
  await shoot(page, what, sizes.narrow);
  await fits(page, `${what}, narrow,`);
  await page.setViewportSize(sizes.wide);
}

/** The REST interface, as the administrator: to make what a page shows. */
export async function rest(method, path, body, key = adminKey) {
  const answer = await restAnswer(method, path, body, key);
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.text ? JSON.parse(answer.text) : undefined;
}

/** The whole answer: status, headers, text. Without a key, nobody asks. */
export async function restAnswer(method, path, body, key) {
  const https = await import('node:https');
  const ca = readFileSync(process.env.CHANCERY_CA);
  return new Promise((resolve, reject) => {
    const headers = {
      ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    };
    const request = https.request(server + path, { method, ca, headers, timeout: 60_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (d) => (text += d));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error(`${method} ${path}: no answer`)));
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
