// SPDX-License-Identifier: Apache-2.0
// Where keys and certificates come from, as an owner sees it who may list neither HSMs nor connectors: chosen from lists, moved
// from one CA to another, revoked; and from a refused access to what would have to change.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminKey, goTo, inspect, launch, open, rest, restAnswer, server, settled, signIn } from './browser.mjs';
import { startEst, until } from './est.mjs';

const root = new URL('../..', import.meta.url).pathname;
const sandbox = process.env.UI_SANDBOX;
let browser, watched, page, est, olga;

/** One process opens a token: the second one, with a key from elsewhere in it, is made while the server does not run. */
function addHsm() {
  const run = (action) => execFileSync(join(root, 'scripts/sandbox'), [action, sandbox], { stdio: 'ignore' });
  const configuration = join(sandbox, 'server');
  run('down');
  const pin = ['--pin', 'vault-user-pin'];
  const softhsm = (...args) =>
    execFileSync('softhsm2-util', [...args, ...pin], {
      env: { ...process.env, SOFTHSM2_CONF: join(configuration, 'softhsm2.conf') },
      stdio: 'ignore',
    });
  writeFileSync(join(configuration, 'vault.pin'), 'vault-user-pin\n', { mode: 0o600 });
  softhsm('--init-token', '--free', '--label', 'vault token', '--so-pin', 'vault-officer-pin');
  const file = join(process.env.UI_WORK, 'brought.pem');
  execFileSync('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file]);
  softhsm('--import', file, '--token', 'vault token', '--label', 'brought', '--id', 'b0');
  appendFileSync(
    join(configuration, 'chanceryd.conf'),
    '\n[hsm.vault]\nuri = pkcs11:token=vault%20token?pin-source=file:vault.pin\n',
  );
  run('restart');
}

before(async () => {
  addHsm();
  est = await startEst(join(process.env.UI_WORK, 'ca'));
  await rest('POST', '/v1/connectors', { name: 'corporate', type: 'est', settings: est.settings });
  await rest('POST', '/v1/projects', { name: 'firmware' });
  for (const name of ['olga', 'sam']) await rest('POST', '/v1/users', { name, role: 'user' });
  await rest('POST', '/v1/projects/firmware/members', { principal: 'olga', role: 'owner' });
  olga = (await rest('POST', '/v1/users/olga/api-keys', { name: 'browser', scopes: ['read', 'admin'] })).api_key;
  browser = await launch();
  watched = await open(browser);
  page = watched.page;
  await signIn(page, olga, '/ui/projects/firmware');
});
after(async () => {
  est?.stop();
  await browser?.close();
});

const go = (address) => goTo(page, address);
const dialog = () => page.getByRole('dialog');
const press = (name) => page.getByRole('button', { name, exact: true }).click();
const choices = (label) => dialog().getByLabel(label).locator('option').allInnerTexts();
const inMain = (of, name) => of.getByRole('main').getByRole('link', { name });
const get = (path) => rest('GET', path);

test('an owner makes a key and chooses HSM and connector from lists, which they may not look at otherwise', async () => {
  for (const path of ['/v1/hsms', '/v1/connectors'])
    assert.equal((await restAnswer('GET', path, undefined, olga)).status, 403, path);
  await press('New key');
  await dialog().getByLabel('Label').fill('release');
  await dialog().getByLabel('HSM').waitFor();
  assert.deepEqual(await choices('HSM'), ['default', 'default (SoftHSM v2)', 'vault (SoftHSM v2)']);
  assert.deepEqual(await choices('Certificate'), [
    'From the built-in CA',
    'Brought by a person',
    'corporate (EST)',
    'None: a bare key pair',
  ]);
  await dialog().getByLabel('HSM').selectOption('vault');
  await dialog().getByLabel('Certificate').selectOption('corporate');
  await dialog().getByLabel('Subject').fill('CN=Release,O=Firmware');
  await inspect(page, 'owner-new-key');
  await press('Create and make it in the HSM');
  await page.getByRole('heading', { name: 'firmware:release', level: 1 }).waitFor();
  const made = await until('the certificate', async () => {
    const key = await get('/v1/keys/firmware:release');
    return key.certificates.length > 0 && key;
  });
  assert.deepEqual([made.hsm_name, made.connector_name], ['vault', 'corporate']);
});

test('a certificate of another CA is revoked, and it is said that its CA has to be asked', async () => {
  await go('/keys/firmware:release?tab=certificate');
  await page.getByText('the connector corporate').waitFor();
  await page.getByRole('cell', { name: 'no error' }).waitFor();
  assert.equal(await page.getByRole('link', { name: /corporate/ }).count(), 0);
  await press('Revoke');
  await dialog().getByText('Its CA is not asked.').waitFor();
  const revoke = dialog().getByRole('button', { name: 'Revoke the certificate' });
  assert.ok(await revoke.isDisabled());
  const { serial } = await get('/v1/keys/firmware:release/certificate');
  await dialog()
    .getByLabel(/to confirm$/)
    .fill(serial.slice(-8));
  await dialog().getByLabel('Reason').selectOption('superseded');
  await inspect(page, 'key-revoke');
  await revoke.click();
  await page.getByText('its CA is to be asked').waitFor();
  await page.getByText('This certificate is revoked.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Revoke', exact: true }).count(), 0);
  assert.ok((await get('/v1/keys/firmware:release/certificate')).revoked);
  await inspect(page, 'key-revoked');
});

test('where the connector can, a job asks the CA, and that is told before', async () => {
  await rest('POST', '/v1/keys/firmware:release/renew', {});
  await until('the new certificate', async () => !(await get('/v1/keys/firmware:release/certificate')).revoked);
  await page.route('**/key-sources', async (route) => {
    const answer = await route.fetch();
    const sources = await answer.json();
    sources.connectors.find((c) => c.name === 'corporate').capabilities.push('revoke');
    return route.fulfill({ response: answer, json: sources });
  });
  await go('/keys/firmware:release?tab=certificate');
  await press('Revoke');
  await dialog().getByText('A job asks the CA of corporate to revoke it').waitFor();
  assert.equal(await dialog().getByText('Its CA is not asked').count(), 0);
  await dialog().getByRole('button', { name: 'Cancel' }).click();
  await page.unrouteAll({ behavior: 'wait' });
});

test('a rotation takes the certificate from another CA, and a renewal brings the key back', async () => {
  await press('Rotate');
  await dialog().getByLabel('HSM').waitFor();
  assert.equal((await choices('Certificate'))[0], 'As before: by corporate');
  await dialog().getByLabel('Certificate').selectOption('builtin');
  await dialog().getByText('All certificates of the key come from there from now on.').waitFor();
  await inspect(page, 'owner-rotate');
  await press('Make version 2');
  await page.getByText('firmware:release has version 2').waitFor();
  const { ca, subject } = await get('/v1/keys/firmware:release/certificate');
  assert.equal(ca, 'issuing');
  assert.match(subject, /CN=Release/);

  await press('Renew');
  await dialog().getByLabel('Certificate').locator('option', { hasText: 'corporate' }).waitFor({ state: 'attached' });
  assert.deepEqual(await choices('Certificate'), [
    'As before: from the built-in CA',
    'From the built-in CA',
    'corporate (EST)',
  ]);
  await dialog().getByLabel('Certificate').selectOption('corporate');
  await inspect(page, 'owner-renew');
  await press('Issue a certificate');
  await page.getByText('waits for its new certificate').waitFor();
  await until('the certificate', async () => (await get('/v1/keys/firmware:release/certificate')).connector);
  assert.equal((await get('/v1/keys/firmware:release')).connector_name, 'corporate');
});

test('the certificate of an earlier version is revoked among the versions, and the present one is left', async () => {
  await go('/keys/firmware:release?tab=versions');
  const version = (n) =>
    page.locator('section', { has: page.getByRole('heading', { name: new RegExp(`^Version ${n} `) }) });
  await version(1).getByRole('button', { name: 'Revoke certificate' }).click();
  await dialog().getByRole('heading', { name: 'Revoke the certificate of version 1 of firmware:release?' }).waitFor();
  await dialog().getByText('version 2 goes on signing').waitFor();
  await dialog().getByText('Its CA is not asked.').waitFor();
  const label = await dialog()
    .getByText(/to confirm$/)
    .innerText();
  await dialog()
    .getByLabel(/to confirm$/)
    .fill(/Type (\w+),/.exec(label)[1]);
  await inspect(page, 'version-revoke');
  await dialog().getByRole('button', { name: 'Revoke the certificate' }).click();
  await page.getByText('The certificate of version 1 of firmware:release is revoked here').waitFor();
  await version(1)
    .getByText(/^revoked/)
    .waitFor();
  assert.equal(await version(1).getByRole('button', { name: 'Revoke' }).count(), 0);
  assert.equal(await version(2).getByRole('button', { name: 'Revoke' }).count(), 1);
  const { items } = await get('/v1/keys/firmware:release/versions');
  assert.deepEqual(
    items.map((v) => [v.version, v.connector, !!v.revoked]),
    [
      [2, 'corporate', false],
      [1, 'corporate', true],
    ],
  );
  await inspect(page, 'versions-revoked');
});

test('a key that is in an HSM already is imported, and gets its certificate from another CA', async () => {
  const other = await open(browser, { expected: [/status of 409/] });
  const form = other.page.getByRole('dialog');
  await signIn(other.page, adminKey, '/ui/projects/firmware');
  await other.page.getByRole('button', { name: 'Import' }).click();
  await form.getByLabel('Label here').fill('brought');
  await form.getByLabel(/^HSM/).selectOption('vault');
  await form.getByLabel('CKA_LABEL', { exact: true }).fill('brought');
  await form.getByLabel('Certificate').selectOption('corporate');
  await form.getByLabel('Subject').fill('CN=Brought,O=Firmware');
  await form.getByRole('button', { name: 'Import the key' }).click();
  await form.getByText('the key is weaker than required').waitFor();
  await inspect(other.page, 'import-weak');
  await form.getByLabel('Take it even if').check();
  await form.getByRole('button', { name: 'Import the key' }).click();
  await other.page.getByRole('heading', { name: 'firmware:brought', level: 1 }).waitFor();
  await until('the certificate', async () => (await get('/v1/keys/firmware:brought')).certificates.length > 0);
  const { connector, subject } = await get('/v1/keys/firmware:brought/certificate');
  assert.equal(connector, 'corporate');
  assert.match(subject, /CN=Brought/);
  assert.equal((await get('/v1/keys/firmware:brought')).hsm_name, 'vault');
  await other.done();
});

test('a certificate of the built-in CA is revoked by the owner on the key’s page', async () => {
  await rest('POST', '/v1/projects/firmware/keys', { label: 'lost', type: 'p256' });
  await go('/keys/firmware:lost?tab=certificate');
  await press('Revoke');
  await dialog().getByText('stands on the CRL').waitFor();
  const { serial } = await get('/v1/keys/firmware:lost/certificate');
  await dialog()
    .getByLabel(/to confirm$/)
    .fill(serial.slice(-8).toLowerCase());
  await dialog().getByRole('button', { name: 'Revoke the certificate' }).click();
  await page.getByText('This certificate is revoked.').waitFor();
});

test('from a project and a key to the explanation, and from a refusal to what would have to change', async () => {
  await go('/projects/firmware?tab=policy');
  await inMain(page, 'Explain access').click();
  await page.getByLabel('Key', { exact: true }).waitFor();
  assert.equal(await page.getByLabel('Key', { exact: true }).inputValue(), 'firmware:');
  await settled(page);

  await go('/keys/firmware:lost');
  await inMain(page, 'Explain access').click();
  await page.getByLabel('Key', { exact: true }).waitFor();
  assert.equal(await page.getByLabel('Key', { exact: true }).inputValue(), 'firmware:lost');
  await page.getByLabel('Who').fill('sam');
  await settled(page);
  await press('Explain');
  await page.getByText('sam may not sign with firmware:lost').waitFor();
  await inspect(page, 'explain-remedies');
  await page.getByRole('link', { name: 'Certificate of firmware:lost' }).waitFor();
  await page.getByRole('link', { name: 'Roles in firmware' }).click();
  await page.getByRole('button', { name: 'Give a role' }).waitFor();
});

test('a signer sees where certificates come from, without the lists, which are not his', async () => {
  await rest('POST', '/v1/projects/firmware/members', { principal: 'sam', role: 'signer' });
  const sam = (await rest('POST', '/v1/users/sam/api-keys', { name: 'browser', scopes: ['read', 'admin'] })).api_key;
  assert.equal((await restAnswer('GET', '/v1/projects/firmware/key-sources', undefined, sam)).status, 403);
  const other = await open(browser);
  other.page.on('request', (r) => assert.ok(!r.url().includes('key-sources'), r.url()));
  await signIn(other.page, sam, '/ui/keys/firmware:release?tab=certificate');
  await other.page.getByText('the connector corporate').waitFor();
  await settled(other.page);
  await other.done();
});

test('an administrator is led from a refused signature to its rules and to its digest', async () => {
  const digest = 'ab'.repeat(32);
  const refused = await restAnswer(
    'POST',
    '/v1/signing/keys/demo:p256/signatures',
    { mechanism: 'ecdsa', hash: 'sha256', digest: Buffer.from(digest, 'hex').toString('base64') },
    adminKey,
  );
  assert.ok(refused.status >= 400, refused.text);
  const { items } = await get(`/v1/audit?digest=${digest}`);
  const other = await open(browser);
  await signIn(other.page, adminKey, `/ui/audit/${items[0].seq}`);
  await inMain(other.page, 'Explain access').waitFor();
  await inspect(other.page, 'record-refused');
  await inMain(other.page, 'Was it signed?').click();
  await other.page.getByText('No signature of this digest was given out').waitFor();
  await other.page.goBack();
  await inMain(other.page, 'Explain access').click();
  await other.page.getByLabel('Who').waitFor();
  await settled(other.page);
  await other.page.getByRole('button', { name: 'Explain', exact: true }).click();
  await other.page.getByText(/may not sign with/).waitFor();
  await other.page.getByRole('link', { name: 'Roles in demo' }).waitFor();
  await other.done();
});

test('no page made an error on the console or asked another server', async () => {
  await watched.done();
});
