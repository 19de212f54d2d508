// SPDX-License-Identifier: Apache-2.0
// Certificates from elsewhere: a connector made, tested, changed and removed in the page; keys whose certificates come by an EST
// server and by hand; jobs that fail, are tried again and given up; the timestamp authority.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminKey, goTo, inspect, launch, open, rest, server, settled, signIn } from './browser.mjs';
import { startEst, until } from './est.mjs';

const ca = join(process.env.UI_WORK, 'ca');
let browser, watched, page, est;

before(async () => {
  est = await startEst(ca);
  browser = await launch();
  watched = await open(browser, { expected: [/status of (400|409)/] });
  page = watched.page;
  await signIn(page, adminKey, '/ui/connectors');
});
after(async () => {
  est?.stop();
  await browser?.close();
});

const go = (address) => goTo(page, address);
const dialog = () => page.getByRole('dialog');

test('the two connectors that are always there are shown, and no job yet', async () => {
  await go('/connectors');
  await page.getByRole('link', { name: 'manual' }).waitFor();
  await inspect(page, 'connectors');
  await go('/connectors?name=nothing');
  await page.getByText('No connector fits these filters').waitFor();
  await go('/connectors/manual');
  assert.equal(await page.getByRole('button', { name: 'Remove' }).count(), 0);
  await inspect(page, 'connector-manual');
  await go('/jobs');
  await page.getByText('There was no job yet').waitFor();
  await inspect(page, 'jobs-none');
});

test('each type asks for its own settings, and what the server refuses stands at the field', async () => {
  await go('/connectors');
  await page.getByRole('button', { name: 'New connector' }).click();
  await dialog().getByLabel('Type').selectOption('cmp');
  await dialog().getByLabel('Shared secret, a file').waitFor();
  await inspect(page, 'connector-new-cmp');
  await dialog().getByLabel('Type').selectOption('est');
  assert.equal(await dialog().getByLabel('Shared secret, a file').count(), 0);
  await dialog().getByLabel('Name', { exact: true }).fill('corporate');
  await dialog().getByLabel('Address').fill(est.settings.url);
  await dialog().getByLabel('Trust for TLS, a file').fill(join(ca, 'nothing.pem'));
  await dialog().getByLabel('User name').fill('est');
  await dialog().getByLabel('Password, a file').fill(join(ca, 'password'));
  await dialog().getByRole('button', { name: 'Make the connector' }).click();
  await dialog().locator('.field-error').waitFor();
  assert.match(await dialog().locator('.field.faulty').innerText(), /Trust for TLS/);
  await inspect(page, 'connector-refused');
  await dialog().getByLabel('Trust for TLS, a file').fill(join(ca, 'root.pem'));
  await dialog().getByRole('button', { name: 'Make the connector' }).click();
  await page.getByRole('heading', { name: 'corporate', level: 1 }).waitFor();
});

test('a connector is tested, and the certificates of its CA are shown', async () => {
  await page.getByRole('button', { name: 'Test now' }).click();
  await page.getByText('The CA answers.').waitFor();
  await page.getByText('Test Root CA').first().waitFor();
  await settled(page);
  await inspect(page, 'connector-tested');
});

test('a key made with the connector gets its certificate by a job', async () => {
  await rest('POST', '/v1/projects', { name: 'outside' });
  await go('/projects/outside');
  await page.getByRole('button', { name: 'New key' }).click();
  await dialog().getByLabel('Label').fill('release');
  await dialog().getByLabel('Certificate').selectOption('corporate');
  await dialog().getByLabel('Subject').fill('CN=Release,O=Outside');
  await inspect(page, 'new-key-connector');
  await dialog().getByRole('button', { name: 'Create and make it in the HSM' }).click();
  await page.getByRole('heading', { name: 'outside:release', level: 1 }).waitFor();
  await until('the certificate', async () => (await rest('GET', '/v1/keys/outside:release')).certificates.length > 0);
  await go('/keys/outside:release?tab=certificate');
  await page.getByText('CN=Test Issuing CA').first().waitFor();
  await page.getByRole('link', { name: 'First certificate by corporate' }).waitFor();
  await inspect(page, 'key-connector');
  await page.getByRole('link', { name: 'First certificate' }).click();
  await page.getByRole('heading', { name: 'First certificate by corporate' }).waitFor();
  await page.getByRole('link', { name: 'outside:release' }).waitFor();
  await settled(page);
  await inspect(page, 'job-done');
});

test('a request is taken out and the certificate brought back, with what is to be said of it', async () => {
  await rest('POST', '/v1/projects/outside/keys', {
    label: 'hand',
    type: 'p256',
    certificate: { connector: 'manual', subject: 'CN=By Hand,O=Outside' },
  });
  await go('/keys/outside:hand?tab=certificate');
  await inspect(page, 'key-manual-none');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Request' }).click();
  const csr = join(ca, 'hand.csr');
  await (await download).saveAs(csr);
  est.testCa('issue', csr, join(ca, 'hand.pem'));
  est.testCa('pkcs7', ...['hand.p7b', 'root.pem', 'hand.pem', 'issuing.pem'].map((name) => join(ca, name)));

  await page.getByRole('button', { name: 'Bring a certificate' }).click();
  await dialog().getByLabel('File with the certificates').setInputFiles(join(ca, 'issuing.key'));
  await dialog().getByText('is a private key. It was not sent').waitFor();
  await dialog()
    .getByLabel('Or paste them')
    .fill(readFileSync(join(ca, 'tls.pem'), 'utf8'));
  await dialog().getByRole('button', { name: 'Take the certificate' }).click();
  await dialog().getByRole('alert').or(dialog().locator('.field-error')).first().waitFor();
  await inspect(page, 'key-certificate-refused');
  await dialog().getByLabel('File with the certificates').setInputFiles(join(ca, 'hand.p7b'));
  await dialog().getByRole('button', { name: 'Take the certificate' }).click();
  await page.getByRole('heading', { name: 'outside:hand has its certificate' }).waitFor();
  await inspect(page, 'key-certificate-taken');
  await dialog().getByRole('button', { name: 'Close' }).last().click();
  await page.getByText('CN=By Hand').first().waitFor();
});

test('where the next certificate comes from, and when, is changed on the key', async () => {
  await page.getByRole('button', { name: 'Change' }).click();
  await dialog().getByLabel('Certificate').selectOption('corporate');
  await dialog().getByLabel('Renewed by itself so many days before its end').fill('45');
  await inspect(page, 'key-next-certificate');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await page.getByText('45 days before its end').waitFor();
  await page.getByRole('link', { name: 'corporate' }).first().waitFor();
});

const appears = (what) =>
  what.waitFor({ timeout: 5000 }).then(
    () => true,
    () => false,
  );

/**
 * A job that begins to run just then is left alone: its buttons cease to work, maybe between the press and the release of the
 * mouse, and what was asked is refused. Then it is asked again.
 */
async function insist(button, action, done) {
  await until(done, async () => {
    if (!(await dialog().isVisible())) await page.getByRole('button', { name: button }).click();
    if (!(await appears(dialog()))) return false;
    const answer = page.waitForResponse((r) => /\/v1\/jobs\/\w+\/(retry|cancel)$/.test(new URL(r.url()).pathname));
    await dialog().locator('.form-end').getByRole('button', { name: action }).click();
    return (await answer).ok();
  });
  await page.getByText(done).waitFor();
}

test('a job that fails says why, is tried again, and is given up', async () => {
  writeFileSync(join(ca, 'mode'), 'busy');
  await page.getByRole('button', { name: 'Renew' }).click();
  await dialog().getByRole('button', { name: 'Issue a certificate' }).click();
  await page.getByText('waits for its new certificate').waitFor();
  const job = await until('the attempt', async () => {
    const { items } = await rest('GET', '/v1/jobs?kind=renew');
    return items.find((j) => j.attempts > 0 && j.error);
  });
  await go(`/jobs/${job.id}`);
  await page.getByText('The last attempt').waitFor();
  await inspect(page, 'job-waiting');
  await insist('Try again', 'Try again', 'The job is tried again');
  await insist('Give up', 'Give it up', 'The job is given up');
  await page.getByText('The job failed.').waitFor();
  await inspect(page, 'job-failed');
  writeFileSync(join(ca, 'mode'), 'normal');
  await go('/jobs');
  const keys = await page.locator('td[data-label=Key]').allInnerTexts();
  assert.ok(keys.includes('none') && keys.includes('outside:hand, version 1'), keys.join('; '));
  await inspect(page, 'jobs');
  await go('/jobs?state=failed');
  await page.getByRole('link', { name: 'Renewal' }).waitFor();
});

test('a connector is changed and removed by its name; one that a key has is not', async () => {
  await rest('POST', '/v1/connectors', { name: 'spare', type: 'manual', settings: {} });
  await go('/connectors/spare');
  await page.getByRole('button', { name: 'Change' }).click();
  await dialog().getByLabel('Trust for certificates, a file').fill(join(ca, 'root.pem'));
  await dialog().getByRole('button', { name: 'Save' }).click();
  await page.getByText('root.pem').waitFor();
  const remove = async (name) => {
    await page.getByRole('button', { name: 'Remove' }).click();
    await dialog().getByLabel(`Type ${name} to confirm`).fill(name);
    await dialog().getByRole('button', { name: 'Remove the connector' }).click();
  };
  await remove('spare');
  await page.getByRole('heading', { name: 'Connectors', level: 1 }).waitFor();
  await go('/connectors/corporate');
  await remove('corporate');
  await dialog().getByRole('alert').waitFor();
});

test('the timestamp authority is made, renewed, disabled and enabled', async () => {
  const tsa = await rest('GET', '/v1/tsa');
  await go('/timestamps');
  if (tsa.state === 'none') {
    await inspect(page, 'timestamps-none');
    await page.getByRole('button', { name: 'Make the authority' }).click();
    await dialog().getByLabel('Subject').fill('CN=Sandbox Timestamps');
    await inspect(page, 'timestamps-make');
    await dialog().getByRole('button', { name: 'Make it' }).click();
  }
  await page.getByText('Timestamps are issued.').waitFor();
  await settled(page);
  await inspect(page, 'timestamps');
  await page.getByRole('button', { name: 'Renew' }).click();
  await dialog().getByRole('button', { name: 'Issue a certificate' }).click();
  await page.getByText('The timestamp authority has a new certificate').waitFor();
  await page.getByRole('button', { name: 'Disable' }).click();
  await dialog().getByLabel('Reason').fill('the clock is looked at');
  await dialog().getByRole('button', { name: 'Disable it' }).click();
  await page.getByText('it issues nothing').waitFor();
  await inspect(page, 'timestamps-disabled');
  await page.getByRole('button', { name: 'Enable' }).click();
  await dialog().getByRole('button', { name: 'Enable it' }).click();
  await page.getByText('Timestamps are issued.').waitFor();
});

test('a key from outside waits for its certificate, which is brought by hand', async () => {
  await page.getByRole('button', { name: 'New key' }).click();
  await dialog().getByLabel('Certificate').selectOption('external');
  await dialog().getByRole('button', { name: 'Make a new key' }).click();
  await page.getByText('It waits for its certificate').waitFor();
  await settled(page);
  await inspect(page, 'timestamps-pending');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Request' }).click();
  const csr = join(ca, 'tsa.csr');
  await (await download).saveAs(csr);
  assert.match(readFileSync(csr, 'utf8'), /BEGIN CERTIFICATE REQUEST/);
});

test('outside authorities of a relay are shown with their states', async () => {
  await page.route('**/v1/tsa', async (route) => {
    const answer = await route.fetch();
    const json = {
      ...(await answer.json()),
      mode: 'relay',
      ready: false,
      reason: 'no authority outside answers',
      relay: [
        { url: 'http://timestamp.example/tsa', state: 'available', failures: 0, granted: 1234 },
        { url: 'http://other.example/', state: 'paused', failures: 5, granted: 0 },
      ],
    };
    return route.fulfill({ response: answer, json });
  });
  await go('/timestamps');
  await page.getByText('No authority outside answers').waitFor();
  await inspect(page, 'timestamps-relay');
  await page.unrouteAll({ behavior: 'wait' });
});

test('no page made an error on the console or asked another server', async () => {
  await watched.done();
});
