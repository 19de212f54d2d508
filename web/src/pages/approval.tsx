// SPDX-License-Identifier: Apache-2.0
// One request for approval: what, who, why, the votes, and the decision.
import { api, path, withQuery } from '../api/client';
import { isAdministrator, session } from '../api/session';
import type { Approval, Page } from '../api/types';
import type { PageProps } from '../app/page';
import { href } from '../app/router';
import { capital, nameOf, number, plural } from '../lib/text';
import {
  Badge,
  Button,
  Card,
  Code,
  Empty,
  Facts,
  Grid,
  Loading,
  Note,
  PageHead,
  Problem,
  Time,
  type Children,
} from '../ui/basic';
import { confirmAction } from '../ui/dialog';
import { useQuery } from '../ui/query';
import { Table } from '../ui/table';
import { BreakGlass, wanted } from './approvals';

const crumbs: [string, string][] = [['Approvals', href('/approvals')]];
const everyMs = 10_000;

type Step = 'approve' | 'deny' | 'cancel' | 'revoke';

const take = (a: Approval, step: Step) => (comment: string) =>
  api.post(`${path`/v1/approvals/${a.id}`}/${step}`, comment ? { comment } : {}, { revision: a.revision });

const howLong = (a: Approval) => plural(a.hours, 'hour');

function approve(a: Approval) {
  const isLast = a.approvals + 1 >= a.needed;
  confirmAction({
    title: `Approve the request of ${a.requester} for ${a.key}?`,
    consequences: [
      isLast
        ? `It is the last approval that is needed: ${a.requester} may then use the key for ${wanted(a)}, for ${howLong(a)}.`
        : `${number(a.needed - a.approvals - 1)} more must say yes before the key signs.`,
      ...(a.by_digest ? [] : ['It is by number: the key then signs whatever is given to it, so often.']),
      ...(a.break_glass ? ['This is break-glass: policy is set aside.'] : []),
    ],
    action: 'Approve',
    danger: a.break_glass,
    reason: { label: 'Comment' },
    run: take(a, 'approve'),
    done: `You approved the request of ${a.requester} for ${a.key}`,
  });
}

function deny(a: Approval) {
  confirmAction({
    title: `Deny the request of ${a.requester} for ${a.key}?`,
    consequences: ['One no ends the request, whatever others said.', `${a.requester} can ask again.`],
    action: 'Deny',
    danger: true,
    reason: { label: 'Comment', help: 'The requester reads it.' },
    run: take(a, 'deny'),
    done: `You denied the request of ${a.requester} for ${a.key}`,
  });
}

function cancel(a: Approval) {
  confirmAction({
    title: `Cancel your request for ${a.key}?`,
    consequences: ['Nobody can approve it any more. You can ask again.'],
    action: 'Cancel the request',
    danger: true,
    reason: { label: 'Comment' },
    run: take(a, 'cancel'),
    done: `Your request for ${a.key} is cancelled`,
  });
}

function revoke(a: Approval) {
  confirmAction({
    title: `Revoke the grant of ${a.requester} for ${a.key}?`,
    consequences: [
      `The ${plural(a.remaining ?? 0, 'signature')} left cannot be made any more, from the next one on.`,
      'Signatures made so far stay valid.',
    ],
    action: 'Revoke the grant',
    danger: true,
    reason: { label: 'Comment' },
    run: take(a, 'revoke'),
    done: `The grant of ${a.requester} for ${a.key} is revoked`,
  });
}

/** Whether it waits for who looks: the server's list says so. */
function useMayDecide(a: Approval | undefined): boolean {
  const isPending = a?.state === 'pending' && a.requester !== session.value?.user;
  const mine = useQuery<Page<Approval>>(
    isPending ? withQuery('/v1/approvals', { to_decide: true, key: a.key_id, limit: 1000 }) : null,
  );
  return isPending && !!mine.data?.items.some((i) => i.id === a.id);
}

function Actions({ of: a }: { of: Approval }) {
  const mayDecide = useMayDecide(a);
  const isMine = a.requester === session.value?.user;
  const mayRevoke = a.state === 'approved' && (isMine || isAdministrator.value || session.value?.role === 'user');
  return (
    <>
      {mayDecide && (
        <>
          <Button kind="primary" icon="check" onClick={() => approve(a)}>
            Approve
          </Button>
          <Button kind="danger" icon="cross" onClick={() => deny(a)}>
            Deny
          </Button>
        </>
      )}
      {isMine && a.state === 'pending' && <Button onClick={() => cancel(a)}>Cancel the request</Button>}
      {mayRevoke && (
        <Button kind="danger" onClick={() => revoke(a)}>
          Revoke the grant
        </Button>
      )}
    </>
  );
}

function Votes({ of: a }: { of: Approval }) {
  const decisions = a.decisions ?? [];
  return (
    <Card title={`${number(a.approvals)} of ${number(a.needed)} approvals`} flush>
      {decisions.length === 0 ? (
        <Empty icon="approval" title="Nobody has decided yet" />
      ) : (
        <ul class="list">
          {decisions.map((d) => (
            <li key={d.approver}>
              <span>
                <Badge state={d.decision}>{d.decision === 'approve' ? 'Yes' : 'No'}</Badge> {d.approver}
                {d.comment && <q class="comment">{d.comment}</q>}
              </span>
              <Time at={d.time} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Digests({ of: a }: { of: Approval }) {
  return (
    <Card title="Exactly these digests" flush>
      <Table
        caption="Digests asked for"
        rows={a.digests ?? []}
        id={(d) => `${d.hash} ${d.digest}`}
        columns={[
          { head: 'Digest', kind: 'main', cell: (d) => <Code text={d.digest} label="digest" /> },
          { head: 'Hash', cell: (d) => nameOf(d.hash) },
          { head: 'Signed', cell: (d) => (d.remaining > 0 ? <span class="muted">not yet</span> : 'yes') },
        ]}
      />
    </Card>
  );
}

function factsOf(a: Approval): [string, Children | undefined][] {
  return [
    ['Key', <a href={href('/keys', a.key_id)}>{a.key}</a>],
    ['Project', <a href={href('/projects', a.project)}>{a.project}</a>],
    [
      'Asked by',
      <span class="sentence">
        {a.requester} (<a href={href('/explain', { principal: a.requester, key: a.key })}>explain access</a>)
      </span>,
    ],
    ['Reason', a.reason],
    ['For', wanted(a)],
    ['Grant lives', howLong(a)],
    ['Asked', <Time at={a.created} />],
    ['To be decided until', a.state === 'pending' ? <Time at={a.expires} /> : undefined],
    [
      'Usable',
      a.valid_from ? (
        <>
          <Time at={a.valid_from} /> to <Time at={a.valid_until} />
        </>
      ) : undefined,
    ],
    ['Signatures left', a.remaining === null ? undefined : number(a.remaining)],
    ['Id', <Code text={a.id} label="id of the request" />],
  ];
}

export function ApprovalPage({ params }: PageProps) {
  const { data: a, error, reload } = useQuery<Approval>(path`/v1/approvals/${params.id!}`, { every: everyMs });
  if (!a)
    return (
      <>
        <PageHead title="Request" crumbs={crumbs} />
        {error ? <Problem error={error} retry={reload} /> : <Loading label="Request" />}
      </>
    );
  return (
    <>
      <PageHead
        title={`Use of ${a.key} by ${a.requester}`}
        crumbs={crumbs}
        badge={
          <>
            <Badge state={a.state}>{capital(a.state)}</Badge>
            {a.break_glass && <BreakGlass />}
          </>
        }
      >
        <Actions of={a} />
      </PageHead>
      {!!error && <Problem error={error} retry={reload} />}
      {a.break_glass && (
        <Note tone="bad" title="Break-glass: an emergency was declared">
          Any two administrators or owners may grant this for {howLong(a)}, whatever the key's policy needs. Ask{' '}
          {a.requester} before you say yes.
        </Note>
      )}
      {!a.by_digest && a.state === 'pending' && (
        <Note tone="warn" title="By number, not by file">
          Nobody can tell beforehand what will be signed.
        </Note>
      )}
      <Grid>
        <Card title="What was asked">
          <Facts rows={factsOf(a)} />
        </Card>
        <Votes of={a} />
      </Grid>
      {a.by_digest && <Digests of={a} />}
    </>
  );
}
