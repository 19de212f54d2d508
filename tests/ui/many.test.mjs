// SPDX-License-Identifier: Apache-2.0
// Lists of nothing, of one, and of ten thousand: rendered, paged, never all at once.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { adminKey, inspect, launch, open, rest, server, settled, signIn } from './browser.mjs';

const count = 10_000;
const counting = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

/** Written past the server: ten thousand RSA keys would take an HSM hours. Each is a copy of demo:p256's rows. */
const sql = `
BEGIN;
${counting} INSERT INTO project (id, name, description, created_ms)
  SELECT printf('prj_many%08d', i), printf('many-%05d', i), 'One of many', 1700000000000 + i FROM n;
${counting} INSERT INTO signing_key (id, project_id, label, state, disabled_reason, hashes, mechanisms, version, created_ms)
  SELECT printf('key_many%08d', i), k.project_id, printf('many-%05d', i), 'active', '', hashes, mechanisms, 1, k.created_ms
  FROM n, signing_key k WHERE k.label = 'p256';
INSERT INTO key_version (key_id, version, type, hsm_id, spki, hsm_attributes, certificate, created_ms)
  SELECT m.id, 1, v.type, randomblob(20), v.spki, v.hsm_attributes, v.certificate, v.created_ms
  FROM signing_key m, key_version v, signing_key k WHERE m.id LIKE 'key_many%' AND k.label = 'p256' AND v.key_id = k.id;
${counting} INSERT INTO principal (id, name, type, role, disabled, expires_ms, created_ms)
  SELECT printf('usr_many%08d', i), printf('many-%05d', i), 'user', 'user', 0, 0, 1700000000000 + i FROM n;
INSERT INTO member SELECT p.id, u.id, NULL, 2, 1700000000000, 0, 0 FROM principal u, project p WHERE u.id LIKE 'usr_many%' AND p.name = 'demo';
${counting} INSERT INTO connector (id, name, type, settings, revision, created_ms)
  SELECT printf('con_many%08d', i), printf('many-%05d', i), 'manual', '{}', 1, 1700000000000 + i FROM n;
${counting} INSERT INTO job (id, kind, connector_id, key_id, version, subject, days, state, attempts, next_ms, lease_owner,
    lease_until_ms, transaction_state, last_error, result, requested_by, created_ms, finished_ms)
  SELECT printf('job_many%08d', i), 'test', printf('con_many%08d', i), '', 0, '', 0, 'failed', 1, 0, '', 0, '', 'no answer', '', '',
    ${Date.now()} - i, ${Date.now()} - i FROM n;
${counting} INSERT INTO issued_certificate (ca, serial, profile, key_id, version, subject, not_before_ms, not_after_ms, certificate,
    issued_ms)
  SELECT c.ca, printf('%032X', 1000000 + i), c.profile, c.key_id, c.version, printf('CN=many %05d', i), c.not_before_ms,
    c.not_after_ms, c.certificate, c.issued_ms + i
  FROM n, (SELECT * FROM issued_certificate WHERE profile <> 'tsa' AND ca = 'issuing' LIMIT 1) c;
${counting} INSERT INTO listed_digest (key_id, hash, digest, remaining, expires_ms, note, author_id, created_ms)
  SELECT k.id, 'sha256', printf('%064x', i), -1, 0, printf('many %05d', i), (SELECT id FROM principal WHERE name = 'admin'), 1700000000000 + i
  FROM n, signing_key k WHERE k.label = 'p256';
COMMIT;
`;

let browser;
before(async () => {
  await rest('POST', '/v1/projects', { name: 'empty' });
  await rest('POST', '/v1/projects', { name: 'single' });
  await rest('POST', '/v1/projects/single/keys', { label: 'one', type: 'p256', certificate: { issuer: 'none' } });
  await rest('POST', '/v1/projects/single/members', { principal: 'admin', role: 'owner' });
  execFileSync('sqlite3', ['-cmd', '.timeout 60000', process.env.SANDBOX_DB], { input: sql });
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

async function look(name, address, heading) {
  const { page, done } = await open(browser);
  await signIn(page, adminKey, `/ui${address}`);
  await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
  await settled(page);
  await inspect(page, name);
  return { page, done };
}

for (const [name, address, heading] of [
  ['none-keys', '/projects/empty', 'empty'],
  ['none-members', '/projects/empty?tab=members', 'empty'],
  ['none-usage', '/projects/empty?tab=about', 'empty'],
  ['one-keys', '/projects/single', 'single'],
  ['one-members', '/projects/single?tab=members', 'single'],
  ['none-jobs', '/jobs?state=waiting', 'Jobs'],
  ['none-connectors', '/connectors?name=nothing', 'Connectors'],
  ['one-connector', '/connectors?name=builtin', 'Connectors'],
])
  test(`${name} renders`, async () => {
    const { done } = await look(name, address, heading);
    await done();
  });

for (const [name, address, heading] of [
  ['many-projects', '/projects?name=many', 'Projects'],
  ['many-keys', '/keys?label=many', 'Keys'],
  ['many-members', '/projects/demo?tab=members', 'demo'],
  ['many-connectors', '/connectors?type=manual', 'Connectors'],
  ['many-jobs', '/jobs?state=failed', 'Jobs'],
  ['many-issued', '/cas/issuing?tab=issued', 'issuing'],
  ['many-digests', '/keys/demo:p256/digests', /demo:p256/],
])
  test(`${name}: ten thousand are shown a page at a time, forth and back`, async () => {
    const { page, done } = await look(name, address, heading);
    const pager = page.getByRole('navigation', { name: /^Pages: / }).first();
    const rows = () => page.locator('tbody').first().locator('tr td.main').allInnerTexts();
    const first = await rows();
    assert.equal(first.length, 50);
    await pager.getByRole('button', { name: 'Next' }).click();
    await pager.getByText('51–100 and more').waitFor();
    await settled(page);
    const second = await rows();
    assert.equal(second.length, 50);
    assert.equal(second.filter((r) => first.includes(r)).length, 0);
    await pager.getByRole('button', { name: 'Previous' }).click();
    await pager.getByText('1–50 and more').waitFor();
    await settled(page);
    assert.deepEqual(await rows(), first);
    await done();
  });

test('the overview of ten thousand keys says how many exactly, without a request for keys or usage', async () => {
  const { page, done } = await open(browser);
  const asked = [];
  page.on('request', (r) => asked.push(new URL(r.url()).pathname));
  await signIn(page, adminKey, '/ui');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const sql = "SELECT COUNT(*) FROM signing_key WHERE lifecycle = 'active'";
  const active = execFileSync('sqlite3', ['-cmd', '.timeout 60000', process.env.SANDBOX_DB, sql], { encoding: 'utf8' });
  assert.ok(Number(active) > count);
  const shown = await page.getByRole('link', { name: /Active keys/ }).innerText();
  assert.equal(shown.replace(/[^0-9]/g, ''), active.trim());
  assert.equal(asked.filter((path) => path === '/v1/overview').length, 1);
  for (const path of ['/v1/keys', '/v1/usage']) assert.ok(!asked.includes(path), path);
  await settled(page);
  await inspect(page, 'many-overview');
  await done();
});

test('a click is answered with one round trip: the requests of a page do not wait for one another', async () => {
  const { page, done } = await open(browser);
  await signIn(page, adminKey, '/ui/keys');
  await settled(page);
  for (const [link, heading] of [
    ['Projects', 'Projects'],
    ['Overview', 'Overview'],
    ['Audit log', 'Audit log'],
  ]) {
    const begun = [];
    const ended = [];
    const onBegin = (r) => begun.push({ url: r.url(), before: ended.length });
    const onEnd = (r) => ended.push(r.url());
    page.on('request', onBegin);
    page.on('requestfinished', onEnd);
    await page
      .getByRole('navigation', { name: 'Pages', exact: true })
      .getByRole('link', { name: link, exact: true })
      .click();
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    await settled(page);
    page.off('request', onBegin);
    page.off('requestfinished', onEnd);
    assert.ok(begun.length > 0);
    for (const r of begun)
      assert.equal(r.before, 0, `${heading}: ${r.url.slice(server.length)} was asked for after another answer`);
  }
  await done();
});
