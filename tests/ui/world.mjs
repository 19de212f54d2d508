// SPDX-License-Identifier: Apache-2.0
// What the pages show in the tests: a company's projects, people and keys, made through the REST interface. The sandbox has
// the project demo with a key of each kind and the service account demo-signer already.

/** Can be called again on the same server: what is there stays. */
export async function fill(rest) {
  const there = await rest('GET', '/v1/projects?name=firmware');
  if (there.items.length > 0) return;

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
