// SPDX-License-Identifier: Apache-2.0
// What a job has found so far.
import type { Job } from '../api/types';
import { capital } from '../lib/text';
import { Note, Time } from './basic';

export const isOver = (job: Job) => job.state === 'done' || job.state === 'failed';

export function JobResult({ of: job }: { of: Job }) {
  const findings = job.result?.findings ?? [];
  const certificates = job.result?.certificates ?? [];
  return (
    <>
      {job.state === 'failed' && (
        <Note tone="bad" title={job.kind === 'test' ? 'The test failed.' : 'The job failed.'}>
          {job.error && capital(job.error)}
        </Note>
      )}
      {job.state === 'done' && <Note tone="good" title={job.kind === 'test' ? 'The CA answers.' : 'Done.'} />}
      {!isOver(job) && (
        <Note title={job.state === 'waiting' ? 'The CA has not decided yet.' : 'It is under way.'}>
          {job.error && <p>The last attempt: {job.error}</p>}
          {job.next && job.attempts > 0 && (
            <p>
              Next attempt <Time at={job.next} style="ago" />.
            </p>
          )}
        </Note>
      )}
      {findings.length > 0 && (
        <>
          <h3>Findings</h3>
          <ul class="plain-list">
            {findings.map((f) => (
              <li key={f}>{capital(f)}</li>
            ))}
          </ul>
        </>
      )}
      {certificates.length > 0 && (
        <>
          <h3>Certificates of the CA</h3>
          <ul class="plain-list">
            {certificates.map((c) => (
              <li key={c.subject}>
                {c.subject}
                {c.not_after && (
                  <span class="muted">
                    , until <Time at={c.not_after} style="date" />
                  </span>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
