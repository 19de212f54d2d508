// SPDX-License-Identifier: Apache-2.0
// Ten thousand of each kind, written past the server: through it, it would take hours.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';

export const count = 10_000;

function sqlite(sql, ...options) {
  const args = ['-bail', ...options, '-cmd', '.timeout 60000', process.env.SANDBOX_DB];
  return execFileSync('sqlite3', args, { input: sql, maxBuffer: 64 * 1024 * 1024 }).toString();
}

/** Runs this in one transaction, and has the server read rights anew. `n`: the table of numbers from 1. */
export function write(...statements) {
  const numbers = `CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ${count}) SELECT i FROM c;`;
  const all = [
    'BEGIN IMMEDIATE;',
    numbers,
    ...statements,
    'UPDATE log_head SET generation = generation + 1;',
    'COMMIT;',
  ];
  sqlite(all.join('\n'));
}

/**
 * Records on the log's chain, each a copy of the newest one of `type`: as ARCHITECTURE has it, `previous` is the hash of the one
 * before, and `record_hash` that of the line's bytes without itself.
 */
export function records(type) {
  const one = (sql) => JSON.parse(sqlite(sql, '-json'))[0];
  const model = one(`SELECT * FROM record WHERE type = '${type}' ORDER BY seq DESC LIMIT 1;`);
  const [, body] = /^{"v":1,"seq":\d+,"time":"[^"]+"(.*),"previous":"/.exec(model.line);
  const quoted = (text) => (text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`);
  const head = one('SELECT seq, lower(hex(record_hash)) AS hash FROM log_head;');
  const now = Date.now();
  const time = new Date(now).toISOString();
  const copies = Array.from({ length: count }, () => {
    head.seq++;
    const bare = `{"v":1,"seq":${head.seq},"time":"${time}"${body},"previous":"${head.hash}"`;
    head.hash = createHash('sha256').update(`${bare}}`).digest('hex');
    const line = `${bare},"record_hash":"${head.hash}"}`;
    const columns = ['principal_id', 'key_id', 'outcome', 'request_id', 'digest'].map((c) => quoted(model[c]));
    return `INSERT INTO record VALUES (${head.seq}, ${quoted(line)}, '${type}', ${columns}, ${model.intent_seq}, ${model.server});`;
  });
  write(...copies, `UPDATE log_head SET seq = ${head.seq}, record_hash = x'${head.hash}', time_ms = ${now};`);
  return head.seq;
}
