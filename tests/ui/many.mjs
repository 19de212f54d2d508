// SPDX-License-Identifier: Apache-2.0
// Ten thousand of each kind, written past the server: through it, it would take an hour.
import { execFileSync } from 'node:child_process';

const count = 10_000;

const users = (id, name, type) =>
  `INSERT OR IGNORE INTO principal (id, name, type, role, disabled, expires_ms, created_ms) SELECT printf('${id}%020d', n), printf('${name}-%06d', n), '${type}', 'user', 0, 0, 1 FROM number;`;

/** Can be called again. */
export function many(...more) {
  const numbers = `CREATE TEMP TABLE number AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${count}) SELECT n FROM c;`;
  const sql = [
    numbers,
    users('usr_', 'many', 'user'),
    users('svc_', 'machine', 'service_account'),
    `INSERT OR IGNORE INTO team (id, name, description, created_ms) SELECT printf('team_%020d', n), printf('team-%06d', n), '', 1 FROM number;`,
    ...more,
    'UPDATE log_head SET generation = generation + 1;',
  ];
  execFileSync('sqlite3', ['-cmd', '.timeout 10000', process.env.SANDBOX_DB, `BEGIN; ${sql.join('\n')} COMMIT;`]);
}
