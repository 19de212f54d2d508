// SPDX-License-Identifier: Apache-2.0
// What every test of the page needs: a browser, a person signed in, and an eye on what must never happen: an error on the
// console, a request to anywhere else, a violation of axe's rules.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(
  join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../web/package.json'),
);
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

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
  return chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: flags });
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
  const page = await context.newPage();
  const seen = [];
  const note = (text) => expected.some((e) => e.test(text)) || seen.push(text);
  page.on('console', (m) => m.type() === 'error' && note(`console: ${m.text()}`));
  page.on('pageerror', (e) => note(`exception: ${e.stack ?? e}`));
  page.on('request', (r) => {
    const url = r.url();
    if (!url.startsWith(`${server}/`) && !url.startsWith('data:') && !url.startsWith('blob:'))
      seen.push(`request to ${url}`);
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
export async function signIn(page, key = adminKey, at = '/') {
  await page.goto(server + at);
  await page.getByRole('button', { name: 'API key' }).click();
  await page.getByLabel('API key', { exact: true }).fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor({ state: 'attached' });
}

/** Nothing on the page is still being loaded. */
export async function settled(page) {
  await page.waitForLoadState('networkidle');
  await page.waitForFunction(() => !document.querySelector('.loading, .renewing'));
}

export async function axe(page, what) {
  // Evaluated, not added as a <script>: the page's policy would refuse that, as it should.
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations.map(
      (v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.html} (${n.failureSummary})`).join(' | ')}`,
    );
  });
  assert.deepEqual(found, [], `axe, ${what}`);
}

/** No part of the page is wider than the window. */
async function fits(page, what) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${what} is ${over} px wider than the window`);
}

/** A long page in a window that is as long, up to what is worth looking at: drawing more takes long. */
async function shoot(page, what, viewport) {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ ...viewport, height: Math.max(viewport.height, Math.min(height, 3000)) });
  await page.screenshot({ path: join(shots, `${what}.png`), animations: 'disabled' });
  await page.setViewportSize(viewport);
}

/**
 * The page as it is, in both sizes and both themes: a screenshot of each, axe's rules once in each size and each theme,
 * nothing beside the window. `behind`: what is behind a dialog still waits for it.
 */
export async function inspect(page, name, { behind = false } = {}) {
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      if (!behind) await settled(page);
      const what = `${name}-${size}-${colorScheme}`;
      await shoot(page, what, viewport);
      await fits(page, what);
      if ((size === 'wide') === (colorScheme === 'light')) await axe(page, what);
    }
  }
  await page.setViewportSize(sizes.wide);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
}

/** The REST interface, as the administrator: to make what a page shows. */
export async function rest(method, path, body, key = adminKey) {
  const answer = await restAnswer(method, path, body, key);
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.text ? JSON.parse(answer.text) : undefined;
}

/** The whole answer: status, headers, text. */
export async function restAnswer(method, path, body, key) {
  const https = await import('node:https');
  const ca = readFileSync(process.env.CHANCERY_CA);
  return new Promise((resolve, reject) => {
    const headers = {
      Authorization: `Bearer ${key}`,
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
