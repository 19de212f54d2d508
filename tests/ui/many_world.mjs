// SPDX-License-Identifier: Apache-2.0
// What the lists of many.test.mjs hold: nothing, then one of each by the REST interface, then many written past the server.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { adminKey, rest } from './browser.mjs';
import { records, write } from './many.mjs';
import { signFile } from './signing.mjs';
import { newPublicKey } from './world.mjs';

const now = Date.now();
const day = new Date(now).toISOString().slice(0, 10);

/** CAs and an account's keys are made one by one, with keys of an HSM and of machines; a key's versions are rotations. */
export const few = 200;
/** HSM_SET_MAX of server/hsm/hsm.h and APPROVAL_DIGESTS_MAX of server/store/approval.h: the server takes no more. */
export const hsmsMost = 16;
export const digestsMost = 100;

/** What addresses name in braces. */
export const words = { unsigned: 'cd'.repeat(32), today: day };
/** By who looks. */
export const keys = { administrator: adminKey };
const digestOf = (i) => ({ hash: 'sha256', digest: String(i).padStart(64, '0') });
const ask = async (digests) =>
  (await rest('POST', '/v1/approvals', { key: 'asked:seal', reason: 'a release', digests }, keys.asker)).id;

export async function makeNone() {
  for (const name of ['empty', 'single', 'lone', 'asked']) await rest('POST', '/v1/projects', { name });
  for (const name of ['nobody', 'asker', 'approver', 'busy', 'lonely']) await rest('POST', '/v1/users', { name });
  for (const name of ['asker', 'approver', 'busy'])
    keys[name] = (await rest('POST', `/v1/users/${name}/api-keys`, { name: 'browser' })).api_key;
  for (const name of ['keyless', 'many-keys'])
    await rest('POST', '/v1/service-accounts', { name, public_key: newPublicKey() });
  const { keys: mine } = await rest('GET', '/v1/service-accounts/keyless');
  await rest('DELETE', `/v1/service-accounts/keyless/keys/${mine[0].id}`);
  await rest('POST', '/v1/teams', { name: 'lone-team' });
  const none = { issuer: 'none' };
  await rest('POST', '/v1/projects/lone/keys', { label: 'later', type: 'p256', generate: 'later', certificate: none });
  await rest('POST', '/v1/projects/single/keys', { label: 'one', type: 'p256', certificate: none });
  await rest('POST', '/v1/projects/asked/keys', { label: 'seal', type: 'p256', certificate: none });
  await rest('POST', '/v1/projects/asked/members', { principal: 'asker', role: 'signer' });
  await rest('POST', '/v1/projects/asked/members', { principal: 'approver', role: 'approver' });
  await rest('PUT', '/v1/projects/asked/policy', { approval: { needed: 1 } });
}

export async function makeOne() {
  await rest('POST', '/v1/teams/lone-team/members', { principal: 'busy' });
  await rest('POST', '/v1/projects/single/members', { principal: 'lone-team', role: 'signer' });
  await rest('POST', '/v1/projects/lone/members', { principal: 'lonely', role: 'signer' });
  await rest('PUT', '/v1/policy', { quota: { day: 1_000_000 } });
  await rest('PUT', '/v1/projects/lone/policy', { quota: { day: 10 } });
  await rest('PUT', '/v1/keys/demo:rsa2048/policy', { quota: { day: 5 } });
  await rest('POST', '/v1/keys/demo:rsa2048/digests', digestOf(1));
  words.byDigest = await ask([digestOf(1)]);
  const { items } = await rest('GET', '/v1/cas/issuing/certificates');
  const { serial } = items.find((c) => /rsa4096/.test(c.subject));
  await rest('POST', `/v1/cas/issuing/certificates/${serial}/revoke`, { reason: 'superseded' });
  await rest('POST', '/v1/connectors/builtin/test', {});
  write(jobs('1', 'renew', 'rsa2048', 'done', 'i = 1'));
  const file = join(process.env.UI_WORK, 'signed');
  writeFileSync(file, 'signed once');
  signFile(file, process.env.P11_EC);
  words.signed = createHash('sha256').update(readFileSync(file)).digest('hex');
}

const jobs = (id, kind, key, state, which = 'true') => `
  INSERT INTO job (id, kind, connector_id, key_id, version, subject, days, state, attempts, next_ms, lease_owner, lease_until_ms,
    transaction_state, last_error, result, requested_by, created_ms, finished_ms)
  SELECT printf('job_${id}%08d', i), '${kind}', 'con_manual', COALESCE((SELECT id FROM signing_key WHERE label = '${key}'), ''), 1, '',
    0, '${state}', 1, 0, '', 0, '', 'no answer', '', '', ${now} - i, ${now} - i FROM n WHERE ${which};`;

const policies = (scope, id) => `
  INSERT INTO policy (scope, scope_id, version, document, author_id, created_ms)
  SELECT '${scope}', ${id}, i + 1, printf('{"quota":{"day":%d}}', 1000000 + i), (SELECT id FROM principal WHERE name = 'admin'),
    ${now} + i FROM n;`;

const requests = (id, state) => `
  INSERT INTO approval_request SELECT printf('apr_${id}%016d', i), (SELECT id FROM signing_key WHERE label = 'seal'),
    (SELECT id FROM principal WHERE name = 'asker'), 'number ' || i, 1, 1, 1, 0, '${state}', 1, ${now} + i, ${now} + 86400000 FROM n;`;

/** Written past the server: ten thousand RSA keys would take an HSM hours. Each is a copy of demo:p256's rows. */
const ofKey = (label) => `(SELECT id FROM signing_key WHERE label = '${label}')`;
const demo = `(SELECT id FROM project WHERE name = 'demo')`;
const columnsOf = (names) => names.trim().split(/\s+/).join(', ');
const keyColumns = columnsOf('state disabled_reason hashes mechanisms version');
const versionColumns = columnsOf('type spki hsm_attributes certificate created_ms ca not_after_ms');
const caColumns = columnsOf(
  'hsm_id certificate parent purpose state subject chain policy leaf_days crl_days created_ms revision revocations crl_number crl_revocations crl_this_ms crl_next_ms crl',
);
const issuedColumns = columnsOf('ca profile key_id version not_before_ms not_after_ms certificate issued_ms');

const things = [
  `INSERT INTO project (id, name, description, created_ms)
    SELECT printf('prj_many%08d', i), printf('many-%05d', i), 'One of many', 1700000000000 + i FROM n;`,
  `INSERT INTO signing_key (id, project_id, label, created_ms, ${keyColumns})
    SELECT printf('key_many%08d', i), k.project_id, printf('many-%05d', i), k.created_ms, ${keyColumns.replace(/\w+/g, 'k.$&')}
    FROM n, signing_key k WHERE k.id = ${ofKey('p256')};`,
  `INSERT INTO key_version (key_id, version, hsm_id, ${versionColumns})
    SELECT m.id, 1, randomblob(20), ${versionColumns.replace(/\w+/g, 'v.$&')}
    FROM signing_key m, key_version v WHERE m.id LIKE 'key_many%' AND v.key_id = ${ofKey('p256')};`,
  `INSERT INTO key_version (key_id, version, hsm_id, ${versionColumns})
    SELECT v.key_id, i + 1, randomblob(20), ${versionColumns.replace(/\w+/g, 'v.$&')}
    FROM n, key_version v WHERE v.key_id = ${ofKey('p384')} AND i < ${few};`,
  `UPDATE signing_key SET version = ${few} WHERE label = 'p384';`,
  `INSERT INTO key_usage (key_id, day, principal_id, success, refused, failed)
    SELECT printf('key_many%08d', i), '${day}', (SELECT id FROM principal WHERE name = 'demo-signer'), i, i % 7, i % 3 FROM n;`,
  policies('platform', "''"),
  policies('project', demo),
  policies('key', ofKey('p256')),
  requests('a', 'denied'),
  requests('b', 'pending'),
  `INSERT INTO listed_digest (key_id, hash, digest, remaining, expires_ms, note, author_id, created_ms)
    SELECT ${ofKey('p256')}, 'sha256', printf('%064x', i), -1, 0, printf('many %05d', i), (SELECT id FROM principal WHERE name = 'admin'),
    1700000000000 + i FROM n;`,
];

const people = [
  ...[
    ['usr_many', 'many', 'user'],
    ['svc_many', 'machine', 'service_account'],
  ].map(
    ([id, name, type]) =>
      `INSERT INTO principal (id, name, type, role, disabled, expires_ms, created_ms)
        SELECT printf('${id}%08d', i), printf('${name}-%05d', i), '${type}', 'user', 0, 0, 1700000000000 + i FROM n;`,
  ),
  `INSERT INTO team (id, name, description, created_ms) SELECT printf('team_many%08d', i), printf('team-%05d', i), '', 1 FROM n;`,
  `INSERT INTO team_member SELECT 'team_many00000001', printf('usr_many%08d', i), 1 FROM n;`,
  `INSERT INTO member SELECT ${demo}, printf('usr_many%08d', i), NULL, 2, 1700000000000, 0, 0 FROM n;`,
  `INSERT INTO member SELECT printf('prj_many%08d', i), NULL, 'team_many00000001', 2, 1, 0, 0 FROM n;`,
  `INSERT INTO member SELECT printf('prj_many%08d', i), p.id, NULL, 2, 1, 0, 0 FROM n, principal p
    WHERE p.name IN ('many-00001', 'busy', 'many-keys');`,
  `INSERT INTO api_key (id, user_id, name, secret_sha256, created_ms, expires_ms, last_used_ms, scopes)
    SELECT 'key' || p.name || i, p.id, printf('many-%05d', i), randomblob(32), 1700000000000 + i, 0, 0, 1 FROM n, principal p
    WHERE p.name IN ('many-00001', 'busy');`,
  `INSERT INTO web_session (id, user_id, sha256, address, created_ms, last_used_ms, expires_ms, confirmed_until_ms, is_limited)
    SELECT 'ses' || p.name || i, p.id, randomblob(32), printf('10.1.%d.%d', i / 100, i % 100), ${now} + i, ${now} + i, ${now} + 36000000, 0, 0
    FROM n, principal p WHERE p.name IN ('many-00001', 'busy');`,
  `INSERT INTO account_key (id, account_id, algorithm, spki, created_ms, last_used_ms)
    SELECT printf('ak_many%08d', i), p.id, k.algorithm, k.spki, 1, 0 FROM n, principal p, account_key k
    WHERE p.name = 'many-keys' AND k.account_id = p.id AND i < ${few};`,
];

const platform = [
  `INSERT INTO certificate_authority (name, ${caColumns}) SELECT printf('many-%05d', i), ${caColumns} FROM n, certificate_authority
    WHERE name = 'issuing' AND i <= ${few};`,
  `INSERT INTO issued_certificate (serial, subject, ${issuedColumns})
    SELECT printf('%032X', 1000000 + i), printf('CN=many %05d', i), ${issuedColumns}
    FROM n, (SELECT * FROM issued_certificate WHERE profile <> 'tsa' AND ca = 'issuing' LIMIT 1);`,
  `INSERT INTO connector (id, name, type, settings, revision, created_ms)
    SELECT printf('con_many%08d', i), printf('many-%05d', i), 'manual', '{}', 1, 1700000000000 + i FROM n;`,
  jobs('many', 'test', '', 'failed'),
  jobs('key', 'renew', 'p256', 'done'),
];

export async function makeMany() {
  words.byDigests = await ask(Array.from({ length: digestsMost }, (_, i) => digestOf(i)));
  await rest('PATCH', '/v1/projects/demo', { description: 'Of many' });
  write(...things);
  write(...people, ...platform);
  records('project.update');
  records('signature.outcome');
}
