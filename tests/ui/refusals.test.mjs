// SPDX-License-Identifier: Apache-2.0
// What can come between a form and the server: an ended session, a lost connection, and refusals that are told in plain words.
// Each kind of form keeps what was typed, and goes through when the cause is gone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminKey, axe, inspect, launch, open, rest, server, settled, signIn } from './browser.mjs';
import { newPublicKey } from './world.mjs';

const publicKey = newPublicKey();
let browser;
before(async () => {
  await rest('POST', '/v1/projects', { name: 'edited', description: 'before' });
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

const dialog = (page) => page.getByRole('dialog').last();
const button = (where, name) => where.getByRole('button', { name, exact: true });
const step = (page) => page.locator('.setup > li').nth(2);

/**
 * Of each kind: where it stands, how it is opened and filled with a name, sent, what is typed in it, the request it makes, where its
 * errors are, and what tells that it went through.
 */
const forms = {
  'a form in a dialog': {
    at: '/projects',
    fill: async (page, name) => {
      await button(page, 'New project').click();
      await dialog(page).getByLabel('Name', { exact: true }).fill(name);
    },
    send: (page) => button(dialog(page), 'Create project').click(),
    typed: (page) => dialog(page).getByLabel('Name', { exact: true }).inputValue(),
    request: ['POST', '**/v1/projects'],
    errors: dialog,
    through: (page, name) => page.getByText(`Project ${name} is there`).waitFor(),
    made: (name) => rest('GET', `/v1/projects/${name}`),
  },
  'a form in a dialog that changes what is there': {
    at: '/projects/edited',
    fill: async (page, name) => {
      await button(page, 'Describe').click();
      await dialog(page)
        .getByLabel(/^Description/)
        .fill(name);
    },
    send: (page) => button(dialog(page), 'Save').click(),
    typed: (page) =>
      dialog(page)
        .getByLabel(/^Description/)
        .inputValue(),
    request: ['PATCH', '**/v1/projects/*'],
    errors: dialog,
    through: (page) => page.getByText('edited is described anew').waitFor(),
    made: async (name) => assert.equal((await rest('GET', '/v1/projects/edited')).description, name),
  },
  'a confirmation with a reason': {
    at: '/projects/edited',
    fill: async (page, name) => {
      await button(page, 'Freeze').click();
      await dialog(page).getByLabel('Reason').fill(name);
    },
    send: (page) => button(dialog(page), 'Freeze signing').click(),
    typed: (page) => dialog(page).getByLabel('Reason').inputValue(),
    request: ['POST', '**/v1/projects/*/freeze'],
    errors: dialog,
    through: (page) => page.getByText('Signing in edited is frozen.', { exact: true }).waitFor(),
    made: async (name) => assert.equal((await rest('GET', '/v1/projects/edited/freeze')).reason, name),
  },
  'a page that is a form': {
    at: '/new-service-account',
    fill: async (page, name) => {
      await page.getByLabel('Name', { exact: true }).fill(name);
      await button(page, 'I have a public key').click();
      await page.locator('textarea').fill(publicKey);
    },
    send: (page) => button(page, 'Register the account').click(),
    typed: async (page) => {
      assert.equal((await page.locator('textarea').inputValue()).trim(), publicKey.trim());
      return page.getByLabel('Name', { exact: true }).inputValue();
    },
    request: ['POST', '**/v1/service-accounts'],
    errors: (page) => page.locator('main'),
    through: (page, name) => page.getByRole('heading', { name: `${name} is registered` }).waitFor(),
    made: (name) => rest('GET', `/v1/service-accounts/${name}`),
  },
  'the policy editor': {
    at: '/projects/edited/policy',
    fill: async (page, name) => {
      await page.locator('[data-add=programs]').getByRole('button').click();
      await page.locator('[data-rule=programs] textarea').fill(name);
    },
    // It is tried while the dialog opens: that asks the server already.
    open: (page) => button(page, 'Save…').click(),
    send: async (page) => {
      if ((await dialog(page).count()) === 0) await button(page, 'Save…').click();
      await button(dialog(page), 'Save as version 1').click();
    },
    typed: (page) => page.locator('[data-rule=programs] textarea').inputValue(),
    request: ['PUT', '**/v1/projects/*/policy'],
    // A 412 is told beside what was saved meanwhile: policy.test.mjs has it with a version that really is another one.
    without: [412],
    errors: dialog,
    through: (page) => page.getByText('is now version 1').waitFor(),
    made: async (name) =>
      assert.deepEqual((await rest('GET', '/v1/projects/edited/policy')).document, { programs: [name] }),
  },
  'a step of the set-up': {
    at: '/setup',
    fill: (page, name) => step(page).getByLabel('Name of the project').fill(name),
    send: (page) => button(step(page), 'Create the project').click(),
    typed: (page) => step(page).getByLabel('Name of the project').inputValue(),
    request: ['POST', '**/v1/projects'],
    errors: step,
    through: (page) => step(page).locator('.badge', { hasText: 'Done' }).waitFor(),
    made: (name) => rest('GET', `/v1/projects/${name}`),
  },
};

const refusals = [
  [409, 'conflict', 'a project of this name exists', /This does not go with what is there/],
  [412, 'stale', 'the object has changed since it was read', /Somebody else changed this meanwhile/],
  [428, 'precondition_required', 'If-Match is needed', /Somebody else changed this meanwhile/],
  [429, 'rate_limited', 'too many requests', /Too many requests.*Try again in 7 seconds/s],
  [503, 'unavailable', 'the service is not available', /The server is busy or stopping.*Try again in 7 seconds/s],
];

const problem = (status, code, detail) => ({
  status,
  contentType: 'application/problem+json',
  headers: { 'Retry-After': '7', 'X-Request-Id': 'req_test' },
  body: JSON.stringify({ type: 'about:blank', title: code, status, code, detail, request_id: 'req_test' }),
});

/** Answers the form's request by `answer` instead of the server, until that is taken back. */
async function instead(page, [method, pattern], answer) {
  const handler = (route) => (route.request().method() === method ? answer(route) : route.continue());
  await page.route(pattern, handler);
  return () => page.unroute(pattern, handler);
}

for (const [kind, form] of Object.entries(forms)) {
  const name = kind.replaceAll(' ', '-');
  const begin = async (expected) => {
    const watched = await open(browser, { expected: [expected] });
    await signIn(watched.page, adminKey, `/ui${form.at}`);
    await settled(watched.page);
    await form.fill(watched.page, name);
    return watched;
  };

  test(`${kind}: refusals are told in plain words and lose nothing that was typed`, async () => {
    const { page, done } = await begin(/status of (409|412|428|429|503)/);
    for (const [status, code, detail, words] of refusals) {
      if (form.without?.includes(status)) continue;
      const end = await instead(page, form.request, (route) => route.fulfill(problem(status, code, detail)));
      await form.send(page);
      const alert = form.errors(page).getByRole('alert').filter({ hasText: words });
      await alert.waitFor();
      assert.equal(await form.typed(page), name, `${status} in ${kind}`);
      await axe(page, `${kind}, ${status}`);
      await end();
    }
    await done();
  });

  test(`${kind}: a lost connection loses nothing`, async () => {
    const { page, done } = await begin(/ERR_FAILED|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/);
    await page.route('**/livez', (route) => route.abort());
    const end = await instead(page, form.request, (route) => route.abort());
    await form.send(page);
    await page.locator('.banner', { hasText: 'No connection to the server' }).waitFor();
    assert.equal(await form.typed(page), name);
    await page.unroute('**/livez');
    await end();
    await page.locator('.banner').waitFor({ state: 'detached' });
    assert.equal(await form.typed(page), name);
    await done();
  });

  test(`${kind}: a session that ends in the middle of it loses nothing, and it goes through after the sign-in`, async () => {
    const { page, done } = await begin(/status of 401/);
    const { id } = await page.evaluate(async () => (await fetch('/v1/session')).json());
    await rest('DELETE', `/v1/users/admin/sessions/${id}`);
    await (form.open ?? form.send)(page);
    const again = page.getByRole('dialog', { name: 'Your session has ended' });
    await again.waitFor();
    if (kind === 'a form in a dialog') await inspect(page, 'session-ended');
    await again.getByLabel('API key', { exact: true }).fill(adminKey);
    await button(again, 'Sign in').click();
    await again.waitFor({ state: 'detached' });
    if (form.open) await form.send(page);
    await form.through(page, name);
    await form.made(name);
    await done();
  });
}

test('a create whose answer was lost makes one object when it is sent again', async () => {
  const { page, done } = await open(browser, { expected: [/ERR_FAILED|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/] });
  await signIn(page, adminKey, '/ui/projects');
  await button(page, 'New project').click();
  await dialog(page).getByLabel('Name', { exact: true }).fill('sent-twice');
  // The server does it, and its answer is lost.
  await page.route('**/livez', (route) => route.abort());
  const end = await instead(page, ['POST', '**/v1/projects'], async (route) => {
    await route.fetch();
    return route.abort();
  });
  await button(dialog(page), 'Create project').click();
  await dialog(page).getByText('No connection to the server').waitFor();
  await inspect(page, 'connection-lost');
  await page.unroute('**/livez');
  await end();
  await button(dialog(page), 'Try again').click();
  await page.getByText('Project sent-twice is there').waitFor();
  await page.getByText('No connection to the server').waitFor({ state: 'detached' });
  assert.equal((await rest('GET', '/v1/projects?name=sent-twice')).items.length, 1);
  await done();
});
