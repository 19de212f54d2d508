// SPDX-License-Identifier: Apache-2.0
// Jobs: what the servers do, or wait for, to get certificates.
import { api, path } from '../api/client';
import { isAdministrator, readsAll } from '../api/session';
import type { Job, JobState } from '../api/types';
import type { PageProps } from '../app/page';
import { href } from '../app/router';
import { jobKinds } from '../lib/connectors';
import { capital, number } from '../lib/text';
import { Badge, Button, Card, Code, Empty, Facts, Grid, Loading, PageHead, Problem, Time } from '../ui/basic';
import { confirmAction } from '../ui/dialog';
import { Filters, SelectFilter, useFilter } from '../ui/filter';
import { JobResult, isOver } from '../ui/job';
import { PrincipalOf } from '../ui/principal';
import { usePages, useQuery } from '../ui/query';
import { PagedTable, type Column } from '../ui/table';

const states: JobState[] = ['queued', 'running', 'waiting', 'done', 'failed'];

const jobText = (j: Job) => `${jobKinds[j.kind]} by ${j.connector}`;

const JobKey = ({ of: job }: { of: Job }) => (
  <span class="sentence">
    <a href={href('/keys', job.key!, { tab: 'certificate' })}>{job.key_name ?? job.key}</a>, version {job.version}
  </span>
);

export const jobColumns: Column<Job>[] = [
  {
    head: 'Job',
    kind: 'main',
    cell: (j) => (readsAll.value ? <a href={href('/jobs', j.id)}>{jobText(j)}</a> : jobText(j)),
  },
  { head: 'State', cell: (j) => <Badge state={j.state} /> },
  {
    head: 'Key',
    cell: (j) => (j.key ? <JobKey of={j} /> : <span class="muted">none</span>),
  },
  { head: 'Attempts', kind: 'number', cell: (j) => number(j.attempts) },
  { head: 'Made', cell: (j) => <Time at={j.created} style="ago" /> },
  { head: 'Next attempt', cell: (j) => <Time at={j.next} style="ago" /> },
];

export function Jobs() {
  const filter = useFilter('state', 'kind');
  const pages = usePages<Job>('/v1/jobs', filter, { name: (j) => j.id });
  const isFiltered = Object.values(filter).some(Boolean);
  return (
    <>
      <PageHead title="Jobs" lead="What the server does, or waits for, to get certificates from CAs elsewhere." />
      <Filters>
        <SelectFilter name="state" label="State" choices={states.map((s) => [s, capital(s)])} />
        <SelectFilter name="kind" label="For" choices={Object.entries(jobKinds)} />
      </Filters>
      <Card flush>
        <PagedTable
          caption="Jobs, newest first"
          pages={pages}
          id={(j) => j.id}
          columns={jobColumns}
          empty={
            <Empty icon="clock" title={isFiltered ? 'No job fits these filters' : 'There was no job yet'}>
              {!isFiltered && 'A connector is tested by a job, and fetches certificates by one.'}
            </Empty>
          }
        />
      </Card>
    </>
  );
}

function retry(of: Job) {
  confirmAction({
    title: 'Try this job again at once?',
    consequences: [`${capital(of.connector)} asks its CA again now, and goes on trying as a new job would.`],
    action: 'Try again',
    run: () => api.post(path`/v1/jobs/${of.id}/retry`),
    done: 'The job is tried again',
  });
}

function cancel(of: Job) {
  confirmAction({
    title: `Give up this job of ${of.connector}?`,
    consequences: [
      'The CA is not asked any more. What it may have issued already is not fetched.',
      'The certificate that the key has now stays.',
    ],
    action: 'Give it up',
    danger: true,
    run: () => api.post(path`/v1/jobs/${of.id}/cancel`),
    done: 'The job is given up',
  });
}

const requester = (id: string) => (id.startsWith('svc_') ? path`/v1/service-accounts/${id}` : path`/v1/users/${id}`);

export function JobPage({ params }: PageProps) {
  const found = useQuery<Job>(path`/v1/jobs/${params.job!}`, { every: 3000 });
  const crumbs: [string, string][] = [['Jobs', href('/jobs')]];
  const job = found.data;
  const who = useQuery<{ name: string }>(job?.requested_by ? requester(job.requested_by) : null);
  if (!job)
    return (
      <>
        <PageHead title="Job" crumbs={crumbs} />
        {found.error ? <Problem error={found.error} retry={found.reload} /> : <Loading lines={6} />}
      </>
    );
  return (
    <>
      <PageHead title={jobText(job)} crumbs={crumbs} badge={<Badge state={job.state} />}>
        {isAdministrator.value && job.state !== 'done' && (
          <>
            <Button icon="reload" onClick={() => retry(job)} disabled={job.state === 'running'}>
              Try again
            </Button>
            {!isOver(job) && (
              <Button kind="danger" onClick={() => cancel(job)} disabled={job.state === 'running'}>
                Give up
              </Button>
            )}
          </>
        )}
      </PageHead>
      {!!found.error && <Problem error={found.error} retry={found.reload} />}
      <Grid>
        <Card title="Outcome">
          <JobResult of={job} />
        </Card>
        <Card title="Job">
          <Facts
            rows={[
              ['Connector', <a href={href('/connectors', job.connector)}>{job.connector}</a>],
              ['Key', job.key ? <JobKey of={job} /> : undefined],
              [
                'Asked for by',
                job.requested_by ? (
                  <PrincipalOf id={job.requested_by} name={who.data?.name ?? job.requested_by} />
                ) : (
                  'the server, of itself'
                ),
              ],
              ['Attempts', number(job.attempts)],
              ['Made', <Time at={job.created} style="exact" />],
              ['Next attempt', job.next ? <Time at={job.next} style="exact" /> : undefined],
              ['Finished', job.finished ? <Time at={job.finished} style="exact" /> : undefined],
              ['Id', <Code text={job.id} label="id of the job" />],
            ]}
          />
        </Card>
      </Grid>
    </>
  );
}
