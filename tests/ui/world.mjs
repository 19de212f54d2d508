// SPDX-License-Identifier: Apache-2.0
// What the pages show in the tests: a company's projects, people and keys, made through the REST interface. The sandbox has
// the project demo with a key of each kind and the service account demo-signer already.

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';

/** PEM, of a service account whose private key nobody has. */
export const newPublicKey = () => generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' });

/** Usage of the last 30 days as if it had been, written past the server: days cannot be waited for. */
function usage() {
  const day = (i) => new Date(Date.now() - i * 86_400_000).toISOString().slice(0, 10);
  const rows = Array.from({ length: 30 }, (_, i) => {
    const busy = (i + 4) % 7 < 5 ? 40 + ((i * 37) % 50) : (i * 13) % 9;
    return ['p256', 'rsa3072'].map(
      (label, n) =>
        `INSERT OR REPLACE INTO key_usage (key_id, day, principal_id, success, refused, failed) SELECT id, '${day(i + 1)}', '', ${busy >> n}, ${(i * 7) % 11}, ${i % 9 === 0 ? 3 : 0} FROM signing_key WHERE label = '${label}';`,
    );
  });
  execFileSync('sqlite3', ['-cmd', '.timeout 10000', process.env.SANDBOX_DB, rows.flat().join('\n')]);
}

/** Some signatures, so that the log has their records: the files are this one. */
function signatures() {
  const env = { ...process.env };
  for (const key of ['demo:p256', 'demo:rsa3072', 'demo:p256'])
    execFileSync(
      `${process.env.CHANCERY_BUILD}/cli/chancery`,
      [
        '--config',
        process.env.CHANCERY_CONF,
        '--passphrase-file',
        `${process.env.CHANCERY_CONF.replace(/client\/client.conf$/, 'passphrase')}`,
        'sign',
        import.meta.url.slice(7),
        '--key',
        key,
        '--output',
        '-',
      ],
      { env, stdio: ['ignore', 'ignore', 'pipe'] },
    );
}

/** Can be called again on the same server: what is there stays. */
export async function fill(rest) {
  const there = await rest('GET', '/v1/projects?name=firmware');
  if (there.items.length > 0) return;
  usage();
  signatures();

  await rest('POST', '/v1/projects', {
    name: 'firmware',
    description: 'Boot loaders and firmware images of all boards',
  });
  await rest('POST', '/v1/projects', { name: 'desktop', description: 'Installers for Windows and macOS' });
  for (const [name, role] of [
    ['olga', 'user'],
    ['sam', 'user'],
    ['ada', 'user'],
    ['audrey', 'auditor'],
  ])
    await rest('POST', '/v1/users', { name, role });
  await rest('POST', '/v1/teams', { name: 'release', description: 'Who makes releases' });
  await rest('POST', '/v1/teams/release/members', { principal: 'sam' });

  for (const [principal, role] of [
    ['olga', 'owner'],
    ['ada', 'approver'],
    ['release', 'signer'],
    ['demo-signer', 'signer'],
  ])
    await rest('POST', '/v1/projects/firmware/members', { principal, role });
  for (const [label, type] of [
    ['bootloader', 'p384'],
    ['update', 'ed25519'],
  ])
    await rest('POST', '/v1/projects/firmware/keys', {
      label,
      type,
      certificate: { subject: `CN=Firmware ${label},O=Sandbox` },
    });
  await rest('POST', '/v1/projects/firmware/keys', {
    label: 'later',
    type: 'p256',
    generate: 'later',
    certificate: { subject: 'CN=Later,O=Sandbox' },
  });
  await rest('POST', '/v1/projects/desktop/keys', {
    label: 'installer',
    type: 'p256',
    certificate: { subject: 'CN=Installer,O=Sandbox', days: 12 },
  });
  await rest('POST', '/v1/keys/firmware:update/disable', { reason: 'under investigation' });
  await rest('POST', '/v1/keys/firmware:bootloader/rotate', { grace_hours: 48 });
}
