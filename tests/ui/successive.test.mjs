// SPDX-License-Identifier: Apache-2.0
// One change after another, faster than the page can read anew what it shows: nothing that was just done from this page is taken
// for a change by somebody else, and what is there is shown from the answers. Every reading waits while the changes are made.
// What somebody else did change is told, and no form has to be filled in again for it.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { goOn, goTo, launch, open, rest, restAnswer, adminKey, settled, signIn } from './browser.mjs';
import { fill, newPublicKey } from './world.mjs';

let browser, page, done;

before(async () => {
  await fill(rest);
  browser = await launch();
  ({ page, done } = await open(browser, { expected: [/status of 412/] }));
  await signIn(page);
  await page.route(/\/v1\//, pass);
});
after(async () => {
  await browser?.close();
});

const dialog = () => page.getByRole('dialog');
const press = (name) => page.getByRole('button', { name, exact: true }).click();
const confirm = (name) => dialog().getByRole('button', { name, exact: true }).click();
const said = (text) => page.getByText(text, { exact: true }).waitFor();

/** While it is set, whatever the page reads waits for it, but what a dialog asks for. */
let held = null;

async function pass(route) {
  const isReading = route.request().method() === 'GET' && !route.request().url().endsWith('/key-sources');
  if (isReading) await held;
  await goOn(route);
}

/** Makes changes at an address where nothing is read again before they are made. */
async function unread(address, changes) {
  await goTo(page, address);
  let release;
  held = new Promise((resolve) => (release = resolve));
  try {
    await changes();
  } finally {
    held = null;
    release();
  }
  await settled(page);
}

async function toggle(name, disable = 'Disable', enable = 'Enable') {
  await press('Disable');
  await confirm(disable);
  await said(`${name} is disabled`);
  await press('Enable');
  await confirm(enable);
  await said(`${name} is enabled`);
}

async function removeNamed(name, action) {
  await press('Remove');
  await dialog().getByLabel(`Type ${name} to confirm`).fill(name);
  await confirm(action);
}

test('the timestamp authority', async () => {
  if ((await rest('GET', '/v1/tsa')).state === 'none')
    await rest('POST', '/v1/tsa', { type: 'p256', subject: 'CN=Sandbox Timestamps' });
  await unread('/timestamps', async () => {
    await press('Renew');
    await confirm('Issue a certificate');
    await said('The timestamp authority has a new certificate');
    await press('Disable');
    await dialog().getByLabel('Reason').fill('the clock is looked at');
    await confirm('Disable it');
    await page.getByText('it issues nothing').waitFor();
    await page.getByText('the clock is looked at').waitFor();
    await press('Enable');
    await confirm('Enable it');
    await page.getByText('Timestamps are issued.').waitFor();
  });
  assert.equal((await rest('GET', '/v1/tsa')).state, 'active');
});

test('a signing key, also after its certificate was revoked', async () => {
  const project = 'desktop';
  const body = { label: 'twice', type: 'p256', certificate: { subject: 'CN=Twice,O=Sandbox' } };
  await rest('POST', `/v1/projects/${project}/keys`, body);
  const { serial } = await rest('GET', '/v1/keys/desktop:twice/certificate');
  await unread('/keys/desktop:twice?tab=certificate', async () => {
    await toggle('desktop:twice', 'Disable the key', 'Enable the key');
    await press('Revoke');
    await dialog()
      .getByLabel(/to confirm$/)
      .fill(serial.slice(-8));
    await confirm('Revoke the certificate');
    await page.getByText(/^The certificate of .* is revoked$/).waitFor();
    await press('Retire');
    await dialog().getByLabel('Type desktop:twice to confirm').fill('desktop:twice');
    await confirm('Retire the key');
    await said('desktop:twice is retired');
  });
  assert.equal((await rest('GET', '/v1/keys/desktop:twice')).state, 'retired');
});

test('a user', async () => {
  await rest('POST', '/v1/users', { name: 'twice-user', role: 'user' });
  await unread('/users/twice-user', async () => {
    await press('Change role');
    await dialog().getByLabel('Role on the platform').selectOption('auditor');
    await confirm('Save');
    await said('twice-user is auditor');
    await toggle('twice-user');
    await removeNamed('twice-user', 'Remove the user');
    await said('twice-user is removed');
  });
});

test('a service account', async () => {
  await rest('POST', '/v1/service-accounts', { name: 'twice-build', public_key: newPublicKey() });
  await unread('/service-accounts/twice-build', async () => {
    await press('Change');
    await dialog()
      .getByLabel(/^Description/)
      .fill('builds twice');
    await confirm('Save');
    await page.getByText('builds twice').first().waitFor();
    await toggle('twice-build');
    await removeNamed('twice-build', 'Remove the account');
    await said('twice-build is removed');
  });
});

test('a team, whose members count as a change of it', async () => {
  await rest('POST', '/v1/teams', { name: 'twice-team', description: 'once' });
  await rest('POST', '/v1/teams/twice-team/members', { principal: 'sam' });
  await unread('/teams/twice-team', async () => {
    await page.getByTitle('Take sam out of twice-team').click();
    await confirm('Take out');
    await said('sam is no longer in twice-team');
    for (const [before, now] of [
      ['once', 'twice'],
      ['twice', 'three times'],
    ]) {
      await press('Change');
      const field = dialog().getByLabel(/^Description/);
      assert.equal(await field.inputValue(), before);
      await field.fill(now);
      await confirm('Save');
      await page.locator('header, .page-head').getByText(now, { exact: true }).first().waitFor();
    }
    await press('Add a member');
    await dialog()
      .getByLabel(/^User or service account/)
      .fill('sam');
    await confirm('Put into the team');
    await page.getByText('sam is in twice-team').waitFor();
    await removeNamed('twice-team', 'Remove the team');
    await said('Team twice-team is removed');
  });
});

test('a project', async () => {
  await unread('/projects/desktop', async () => {
    for (const text of ['first', 'second', 'third']) {
      await press('Describe');
      const field = dialog().getByLabel(/^Description/);
      await field.fill(text);
      await confirm('Save');
      await page.getByText(text, { exact: true }).first().waitFor();
    }
  });
  assert.equal((await rest('GET', '/v1/projects/desktop')).description, 'third');
});

test('a connector', async () => {
  await rest('POST', '/v1/connectors', { name: 'twice', type: 'manual', settings: {} });
  await unread('/connectors/twice', async () => {
    for (const name of ['one.pem', 'two.pem']) {
      await press('Change');
      const file = join(process.env.UI_WORK, name);
      copyFileSync(process.env.CHANCERY_CA, file);
      await dialog().getByLabel('Trust for certificates, a file').fill(file);
      await confirm('Save');
      await page.getByText(name).waitFor();
    }
    await removeNamed('twice', 'Remove the connector');
    await said('twice is removed');
  });
});

test('a certificate authority', async () => {
  const body = { name: 'twice', purpose: 'code_signing', subject: 'CN=Twice,O=Sandbox', key_type: 'p256' };
  await rest('POST', '/v1/cas', body);
  await unread('/cas/twice', async () => {
    await press('Retire');
    await confirm('Retire the CA');
    await said('twice is retired');
    await press('Use again');
    await confirm('Take it into use');
    await said('twice is in use again');
  });
});

test('what somebody else changed is still refused, and the page behind shows it', async () => {
  await unread('/projects/desktop', async () => {
    await press('Describe');
    await dialog()
      .getByLabel(/^Description/)
      .fill('mine');
    const answer = await restAnswer('PATCH', '/v1/projects/desktop', { description: 'theirs' }, adminKey);
    assert.equal(answer.status, 200);
    await confirm('Save');
    await page.getByText('Somebody else changed this meanwhile').waitFor();
  });
  await dialog().getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('theirs', { exact: true }).first().waitFor();
  assert.equal((await rest('GET', '/v1/projects/desktop')).description, 'theirs');
});

const elsewhere = {
  key: (days) => rest('PATCH', '/v1/keys/desktop:installer', { renew_before_days: days }),
  authority: async () => {
    await rest('POST', '/v1/tsa/disable', { reason: 'elsewhere' });
    await rest('POST', '/v1/tsa/enable', {});
  },
};

async function refusedThenLoaded(submit, done) {
  await confirm(submit);
  await dialog().getByText('Somebody else changed this meanwhile').waitFor();
  await confirm('Load the present state');
  await dialog().getByText('Somebody else changed this meanwhile').waitFor({ state: 'detached' });
  await confirm(submit);
  await page.getByText(done).waitFor();
}

test('after a change by somebody else a form loads the present state and goes on with what was typed', async () => {
  await goTo(page, '/keys/desktop:installer?tab=certificate');
  await press('Rotate');
  await dialog().getByLabel('Grace for the version before, in hours').fill('5');
  await elsewhere.key(11);
  await refusedThenLoaded('Make version 2', 'desktop:installer has version 2');
  await settled(page);
  const { items } = await rest('GET', '/v1/keys/desktop:installer/versions');
  assert.ok(items.some((v) => v.version === 1 && v.grace_until));

  await press('Renew');
  await elsewhere.key(12);
  await refusedThenLoaded('Issue a certificate', 'desktop:installer has a new certificate');
  await settled(page);

  const { serial } = await rest('GET', '/v1/keys/desktop:installer/certificate');
  await press('Revoke');
  await dialog()
    .getByLabel(/to confirm$/)
    .fill(serial.slice(-8));
  await elsewhere.key(13);
  await refusedThenLoaded('Revoke the certificate', /^The certificate of .* is revoked$/);

  await goTo(page, '/timestamps');
  await press('Renew');
  await elsewhere.authority();
  await refusedThenLoaded('Issue a certificate', 'The timestamp authority has a new certificate');
});

test('a question that was refused so shows the present state behind it, and has the reason when it is asked again', async () => {
  await goTo(page, '/keys/desktop:installer');
  await press('Disable');
  await dialog()
    .getByLabel(/^Reason/)
    .fill('typed before');
  await rest('POST', '/v1/keys/desktop:installer/disable', { reason: 'elsewhere' });
  await rest('POST', '/v1/keys/desktop:installer/enable', {});
  await confirm('Disable the key');
  await dialog().getByText('Close this to see what is there now.').waitFor();
  await settled(page);
  await confirm('Cancel');
  await press('Disable');
  const reason = dialog().getByLabel(/^Reason/);
  assert.equal(await reason.inputValue(), 'typed before');
  await confirm('Disable the key');
  await page.getByText('Reason: typed before').waitFor();
});

test('no page made an error on the console or asked another server', async () => {
  await done();
});
