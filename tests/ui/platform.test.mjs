// SPDX-License-Identifier: Apache-2.0
// HSMs with what was found when they were compared with the store, and the settings.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminKey, goTo, inspect, launch, open, rest, server, settled, signIn } from './browser.mjs';

let browser, watched, page;
before(async () => {
  browser = await launch();
  watched = await open(browser, { expected: [/status of (404|503)/] });
  page = watched.page;
  await signIn(page, adminKey, '/ui/hsms');
});
after(async () => {
  await browser?.close();
});

const go = (address) => goTo(page, address);
/** Changes what the server answers: for what a healthy server with one token does not show. */
const answering = (address, change) =>
  page.route(`**${address}`, async (route) => {
    if (route.request().method() !== 'GET') return route.continue();
    const answer = await route.fetch();
    return route.fulfill({ response: answer, json: change(await answer.json()) });
  });

test('one HSM, with what it is and can do', async () => {
  await go('/hsms');
  await page.getByRole('link', { name: 'default' }).click();
  await page.getByRole('heading', { name: 'default', level: 1 }).waitFor();
  await page.getByText('software, not for publicly trusted keys').waitFor();
});

test('store and HSM are compared on demand', async () => {
  await page.getByRole('tab', { name: 'Compared with the store' }).click();
  await page.getByRole('button', { name: 'Compare now' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Compare now' }).click();
  await page.getByText('default was compared').waitFor();
  await settled(page);
  await inspect(page, 'hsm-compared');
});

test('what was found is listed, and a loss is accepted only with the name typed', async () => {
  const finding = (i) => ({
    key: `key_${i}`,
    project: 'firmware',
    label: `seal-${i}`,
    version: 1,
    cka_id: '00'.repeat(20),
    findings: i % 2 ? 'extractable' : null,
  });
  const many = Array.from({ length: 1000 }, (_, i) => finding(i));
  await answering('/v1/hsms/default/reconcile', (r) => ({
    ...r,
    counts: { ...r.counts, missing: 4321, weakened: 1, orphan: 2, undestroyed: 1, withheld: 120 },
    missing: many,
    weakened: [finding(1)],
    undestroyed: [finding(2)],
    orphan: [
      { hsm_label: 'left behind', cka_id: 'ab'.repeat(20) },
      { hsm_label: '', cka_id: null },
    ],
  }));
  await go('/hsms/default?tab=compared');
  await page.getByText('The first 1,000 of 4,321 are shown.').waitFor();
  await page.getByRole('button', { name: 'Accept the loss' }).click();
  const dialog = page.getByRole('dialog');
  assert.ok(await dialog.getByRole('button', { name: 'Accept the loss' }).isDisabled());
  await page.keyboard.press('Escape');
  await page.unroute('**/v1/hsms/default/reconcile');
  await answering('/v1/hsms/default/reconcile', (r) => ({
    ...r,
    counts: { ...r.counts, missing: 3, weakened: 1, orphan: 2, undestroyed: 1, withheld: 120 },
    missing: many.slice(0, 3),
    weakened: [finding(1)],
    undestroyed: [finding(2)],
    orphan: [{ hsm_label: 'left behind', cka_id: 'ab'.repeat(20) }],
  }));
  await go('/hsms/default?tab=compared');
  await inspect(page, 'hsm-findings');
  await page.unroute('**/v1/hsms/default/reconcile');
});

test('an HSM that does not answer, one of several, and the limits of a token', async () => {
  const away = (h) => ({
    ...h,
    name: 'vault',
    state: 'unavailable',
    reason: 'the token is not present',
    mechanism_limits: [
      { mechanism: 'CKM_RSA_PKCS', min_bits: 2048, max_bits: 4096 },
      { mechanism: 'CKM_ECDSA', min_bits: 256, max_bits: 521 },
      { mechanism: '0x80000001', min_bits: null, max_bits: null },
    ],
  });
  await answering('/v1/hsms', (list) => ({ ...list, items: [...list.items, away(list.items[0])] }));
  await go('/hsms');
  await page.getByRole('link', { name: 'vault' }).waitFor();
  await inspect(page, 'hsms-two');
  await answering('/v1/hsms/default', away);
  await go('/hsms/default');
  await page.getByText('vault does not answer').waitFor();
  await page.getByRole('tab', { name: 'Mechanisms' }).click();
  await page.getByText('CKM_ECDSA').waitFor();
  await inspect(page, 'hsm-limits');
  await answering('/v1/hsms', (list) => ({ ...list, items: [] }));
  await go('/hsms');
  await page.getByText('The server has no HSM').waitFor();
  await inspect(page, 'hsms-none');
  await page.unrouteAll({ behavior: 'wait' });
});

test('settings tell what the server is and who looks', async () => {
  await go('/settings');
  await page.getByText('It can sign', { exact: true }).waitFor();
  await page.getByText('Code Signing Root CA').first().waitFor();
  await inspect(page, 'settings');
  await page.route('**/readyz', (route) =>
    route.fulfill({ status: 503, json: { status: 'not_ready', checks: { store: 'ok', hsm: 'hsm_unavailable' } } }),
  );
  await go('/settings');
  await page.getByText('It cannot sign now').waitFor();
  await page.unrouteAll({ behavior: 'wait' });
});

test('a user without a platform role sees what concerns them, and nothing that fails', async () => {
  await rest('POST', '/v1/users', { name: 'settings-user', role: 'user' });
  const { api_key } = await rest('POST', '/v1/users/settings-user/api-keys', { name: 'test', scopes: ['read'] });
  const other = await open(browser);
  await signIn(other.page, api_key, '/ui/settings');
  await other.page.getByText('It can sign', { exact: true }).waitFor();
  await settled(other.page);
  const nav = other.page.getByRole('navigation', { name: 'Pages' });
  assert.equal(await nav.getByRole('link', { name: 'HSMs' }).count(), 0);
  assert.equal(await nav.getByRole('link', { name: 'Set-up' }).count(), 0);
  await other.done();
});

test('no page made an error on the console or asked another server', async () => {
  await watched.done();
});
