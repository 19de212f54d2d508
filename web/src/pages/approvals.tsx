// SPDX-License-Identifier: Apache-2.0
// Requests for approval: what waits for me, what I asked for, all of them; and the form that asks.
import type { VNode } from 'preact';
import { api, withQuery } from '../api/client';
import { session } from '../api/session';
import type { Approval, ApprovalState, Page } from '../api/types';
import { href, navigate } from '../app/router';
import { capital, number, plural } from '../lib/text';
import { Badge, Button, Card, Empty, PageHead, Time } from '../ui/basic';
import { Dialog, openDialog } from '../ui/dialog';
import { Filters, SelectFilter, TextFilter, useFilter } from '../ui/filter';
import { CheckField, Form, SelectField, TextField, useForm } from '../ui/form';
import { usePages, useQuery } from '../ui/query';
import { PagedTable } from '../ui/table';
import { toast } from '../ui/toast';
import { Tabs, type Tab } from '../ui/tabs';

const states: ApprovalState[] = ['pending', 'approved', 'denied', 'cancelled', 'revoked', 'expired', 'used'];
const countMost = 99;
const countEveryMs = 60_000;

/** How many requests wait for who looks, beside the entry in the navigation. */
export function WaitingCount() {
  const waiting = useQuery<Page<Approval>>(withQuery('/v1/approvals', { to_decide: true, limit: countMost }), {
    every: countEveryMs,
  });
  const count = waiting.data?.items.length ?? 0;
  if (count === 0) return null;
  return (
    <span class="count attention">
      {waiting.data?.next ? `${countMost}+` : count}
      <span class="hidden"> waiting for you</span>
    </span>
  );
}

export const wanted = (a: Approval) =>
  a.by_digest ? plural(a.count, 'exact digest') : plural(a.count, 'signature of any file', 'signatures of any files');

/** Loud: nobody shall take one for an ordinary request. */
export function BreakGlass() {
  return <span class="break-glass">Break-glass</span>;
}

function Votes({ of }: { of: Approval }) {
  return (
    <>
      {number(of.approvals)} of {number(of.needed)}
    </>
  );
}

function List({
  filter,
  caption,
  empty,
}: {
  filter: Record<string, string | undefined>;
  caption: string;
  empty: VNode;
}) {
  const pages = usePages<Approval>('/v1/approvals', filter, { name: (a) => a.id });
  return (
    <Card flush>
      <PagedTable
        caption={caption}
        pages={pages}
        id={(a) => a.id}
        empty={empty}
        columns={[
          {
            head: 'Key',
            kind: 'main',
            cell: (a) => (
              <>
                <a href={href('/approvals', a.id)}>{a.key}</a> {a.break_glass && <BreakGlass />}
              </>
            ),
          },
          { head: 'Asked by', cell: (a) => a.requester },
          { head: 'Reason', cell: (a) => a.reason },
          { head: 'What', cell: (a) => wanted(a) },
          { head: 'State', cell: (a) => <Badge state={a.state} /> },
          { head: 'Approvals', kind: 'number', cell: (a) => <Votes of={a} /> },
          { head: 'Asked', cell: (a) => <Time at={a.created} style="ago" /> },
        ]}
      />
    </Card>
  );
}

// ---- asking

const digestLengths: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };

/** "sha256:…", or what sha256sum prints: a digest in front, a name behind. null: it is neither. */
function digestOf(line: string): { hash: string; digest: string } | null {
  const match = /^(?:(sha256|sha384|sha512):)?([0-9a-fA-F]+)(?:\s.*)?$/.exec(line.trim());
  if (!match) return null;
  const digest = match[2]!.toLowerCase();
  const hash = match[1] ?? Object.keys(digestLengths).find((h) => digestLengths[h] === digest.length);
  return hash && digestLengths[hash] === digest.length ? { hash, digest } : null;
}

export function NewRequest({ close }: { close: () => void }) {
  const form = useForm({ key: '', reason: '', by: 'digests', digests: '', count: '1', hours: '', break_glass: false });
  const v = form.values;
  return (
    <Dialog title="Ask for an approval" onClose={close}>
      <Form
        form={form}
        submit={v.break_glass ? 'Break the glass' : 'Ask'}
        danger={v.break_glass}
        onCancel={close}
        onSubmit={async () => {
          const lines = v.digests.split('\n').filter((l) => l.trim());
          const digests = lines.map(digestOf);
          const bad = digests.indexOf(null);
          if (v.by === 'digests' && bad >= 0) return form.fail('digests', `"${lines[bad]!.slice(0, 40)}" is no digest`);
          const body = {
            key: v.key.trim(),
            reason: v.reason.trim(),
            ...(v.by === 'digests' ? { digests } : { count: Number(v.count) }),
            ...(v.hours ? { hours: Number(v.hours) } : {}),
            ...(v.break_glass ? { break_glass: true } : {}),
          };
          const made = await api.create<Approval>('/v1/approvals', body, form.once);
          close();
          toast(`The request for ${made.key} is made`);
          navigate(href('/approvals', made.id));
        }}
      >
        <TextField form={form} name="key" label="Key" required machine autofocus placeholder="project:label" />
        <TextField
          form={form}
          name="reason"
          label="Reason"
          required
          maxLength={255}
          help="The approvers read it, and it stays on record."
        />
        <SelectField
          form={form}
          name="by"
          label="For"
          required
          choices={[
            ['digests', 'exact files, by their digests'],
            ['count', 'a number of signatures'],
          ]}
        />
        {v.by === 'digests' ? (
          <TextField
            form={form}
            name="digests"
            label="Digests"
            required
            machine
            rows={4}
            help="One a line, as sha256sum prints them, or sha384:… and so on."
          />
        ) : (
          <TextField form={form} name="count" label="Signatures" required type="number" min={1} max={1000000000} />
        )}
        <TextField
          form={form}
          name="hours"
          label="Hours"
          type="number"
          min={1}
          help="How long the grant lives once it is given. Empty: 24, or what policy allows."
        />
        <CheckField
          form={form}
          name="break_glass"
          label="Break-glass: an emergency"
          help="Any two administrators or owners decide, whatever policy needs, for a short time. It is loud: log, record and pages show it."
        />
      </Form>
    </Dialog>
  );
}

// ---- the page

export function Approvals() {
  const filter = useFilter('state', 'project', 'break_glass');
  const isReader = session.value?.role === 'auditor';
  const waits: Tab = {
    id: 'waiting',
    label: 'Waiting for me',
    view: () => (
      <List
        filter={{ to_decide: 'true' }}
        caption="Requests that wait for your decision"
        empty={
          <Empty icon="approval" title="Nothing waits for you">
            Requests come here when you are approver of their project, and are not your own.
          </Empty>
        }
      />
    ),
  };
  const mine: Tab = {
    id: 'mine',
    label: 'My requests',
    view: () => (
      <List
        filter={{ mine: 'true' }}
        caption="Your requests"
        empty={
          <Empty icon="approval" title="You have asked for nothing">
            Ask when the policy of a key wants approvals before it signs.
          </Empty>
        }
      />
    ),
  };
  const all: Tab = {
    id: 'all',
    label: 'All',
    view: () => (
      <>
        <Filters>
          <SelectFilter name="state" label="State" choices={states.map((s) => [s, capital(s)])} />
          <TextFilter name="project" label="Project" />
          <SelectFilter
            name="break_glass"
            label="Break-glass"
            choices={[
              ['true', 'Only these'],
              ['false', 'Others'],
            ]}
          />
        </Filters>
        <List
          filter={filter}
          caption="All requests you may see"
          empty={<Empty icon="approval" title="There is no such request" />}
        />
      </>
    ),
  };
  return (
    <>
      <PageHead
        title="Approvals"
        lead="Where a key's policy wants it, people say yes to each use of the key before it signs."
      >
        {!isReader && (
          <Button icon="plus" onClick={() => openDialog((close) => <NewRequest close={close} />)}>
            Ask for an approval
          </Button>
        )}
      </PageHead>
      <Tabs label="Requests" tabs={isReader ? [all] : [waits, mine, all]} />
    </>
  );
}
