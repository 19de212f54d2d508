// SPDX-License-Identifier: Apache-2.0
// "Which of last month's signatures would this policy have refused?"
import { api } from '../api/client';
import type { Policy } from '../api/types';
import { href } from '../app/router';
import { ruleTitle } from '../lib/rules';
import { number, plural } from '../lib/text';
import { Loading, Note, Problem, Time } from '../ui/basic';
import { useQuery } from '../ui/query';
import { Table } from '../ui/table';

interface DryRun {
  judged: number;
  refused: number;
  complete: boolean;
  rules: { rule: string; refused: number }[];
  examples: { seq: number; time: string; key: string; principal: string; rule: string; reason: string }[];
}

export type DryRunScope = { project?: string; key?: string };

function Verdict({ of }: { of: DryRun }) {
  const judged = plural(of.judged, 'signature');
  if (of.judged === 0)
    return <Note title="Nothing was signed in the last 31 days">So there is nothing to try this policy on.</Note>;
  if (of.refused === 0)
    return <Note tone="good" title={`None of the ${judged} of the last 31 days would have been refused`} />;
  return (
    <Note tone="warn" title={`${number(of.refused)} of the ${judged} of the last 31 days would have been refused`}>
      {of.rules.map((r) => `${ruleTitle(r.rule)}: ${number(r.refused)}`).join(', ')}.
    </Note>
  );
}

export function DryRunView({ policy, of }: { policy: Policy; of: DryRunScope }) {
  const body = { ...of, policy };
  const run = useQuery<DryRun>(`/v1/policies/dry-run ${JSON.stringify(body)}`, {
    read: (_, signal) => api.ask<DryRun>('/v1/policies/dry-run', body, { signal }),
  });
  if (run.error && !run.data) return <Problem error={run.error} retry={run.reload} />;
  if (!run.data) return <Loading label="Trying it on the signatures on record" />;
  return (
    <div class="stack" aria-live="polite">
      <Verdict of={run.data} />
      {!run.data.complete && (
        <Note title="Not all records were looked at">The log of this time is too long for one answer.</Note>
      )}
      {run.data.examples.length > 0 && (
        <Table
          caption="Signatures that would have been refused"
          rows={run.data.examples}
          id={(e) => String(e.seq)}
          columns={[
            { head: 'When', kind: 'main', cell: (e) => <Time at={e.time} /> },
            { head: 'Who', cell: (e) => e.principal },
            { head: 'Key', cell: (e) => e.key },
            { head: 'Rule', cell: (e) => ruleTitle(e.rule) },
            { head: 'Why', cell: (e) => e.reason },
            { head: 'Record', cell: (e) => <a href={href('/audit', String(e.seq))}>No. {e.seq}</a> },
          ]}
        />
      )}
    </div>
  );
}
