// SPDX-License-Identifier: Apache-2.0
// The rules of a policy: what each is for, in plain words, and its inputs.
import type { ComponentChildren } from 'preact';
import type { Policy, Rate } from '../api/types';
import { hashes, mechanisms, weekDays, type Member } from '../lib/policy';
import { nameOf } from '../lib/text';
import { fromInput, toInput } from '../lib/time';
import { Button, IconButton } from '../ui/basic';
import { CheckInput, ChecksInput, LinesInput, NumberInput, SelectInput, TextInput } from '../ui/inputs';

type Edit<M extends Member> = (
  value: NonNullable<Policy[M]>,
  set: (value: NonNullable<Policy[M]>) => void,
) => ComponentChildren;

export interface Rule<M extends Member = Member> {
  words: string;
  /** What it holds when it is added. */
  initial: () => NonNullable<Policy[M]>;
  edit: Edit<M>;
}

const choices = <T extends string>(list: readonly T[]) => list.map((v) => [v, nameOf(v)] as const);

function RateInputs({ title, value, set }: { title: string; value?: Rate; set: (rate?: Rate) => void }) {
  return (
    <fieldset class="field">
      <legend>{title}</legend>
      {value ? (
        <div class="fields">
          <NumberInput
            label="Signatures"
            min={1}
            value={value.count}
            onChange={(count) => set({ ...value, count: count ?? 0 })}
          />
          <NumberInput
            label="In seconds"
            min={1}
            max={86400}
            value={value.seconds}
            onChange={(seconds) => set({ ...value, seconds: seconds ?? 0 })}
          />
          <Button icon="cross" onClick={() => set(undefined)}>
            No limit
          </Button>
        </div>
      ) : (
        <div>
          <Button icon="plus" onClick={() => set({ count: 10, seconds: 60 })}>
            Limit {title.toLowerCase()}
          </Button>
        </div>
      )}
    </fieldset>
  );
}

/** A list of groups of inputs, each of which can be removed. */
function Items<T>({
  items,
  set,
  name,
  make,
  children,
}: {
  items: T[];
  set: (items: T[]) => void;
  name: string;
  make: () => T;
  children: (item: T, change: (changed: Partial<T>) => void) => ComponentChildren;
}) {
  return (
    <>
      {items.map((item, i) => (
        <fieldset key={i} class="item">
          <legend>
            {name} {i + 1}
          </legend>
          {children(item, (changed) => set(items.map((o, at) => (at === i ? { ...o, ...changed } : o))))}
          <IconButton
            icon="cross"
            label={`Remove ${name.toLowerCase()} ${i + 1}`}
            onClick={() => set(items.filter((_, at) => at !== i))}
          />
        </fieldset>
      ))}
      <div>
        <Button icon="plus" onClick={() => set([...items, make()])}>
          Add a {name.toLowerCase()}
        </Button>
      </div>
    </>
  );
}

const zones = () => ['UTC', ...Intl.supportedValuesOf('timeZone')];
const localZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
const workday = (): NonNullable<Policy['windows']>[number] => ({
  days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  from: '08:00',
  to: '18:00',
  zone: localZone(),
});
const nextWeek = () => {
  const from = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000);
  return { from: from.toISOString(), to: new Date(from.getTime() + 7 * 86_400_000).toISOString(), name: '' };
};

const windows: Edit<'windows'> = (value, set) => (
  <>
    <datalist id="time-zones">
      {zones().map((z) => (
        <option key={z} value={z} />
      ))}
    </datalist>
    <Items items={value} set={set} name="Window" make={workday}>
      {(w, change) => (
        <>
          <ChecksInput
            label="Days"
            choices={weekDays}
            value={(w.days ?? weekDays.map(([d]) => d)) as (typeof weekDays)[number][0][]}
            onChange={(days) => change({ days })}
          />
          <div class="fields">
            <TextInput
              label="From"
              machine
              value={w.from ?? '00:00'}
              placeholder="08:00"
              onChange={(from) => change({ from })}
            />
            <TextInput
              label="To"
              machine
              value={w.to ?? '24:00'}
              placeholder="18:00"
              onChange={(to) => change({ to })}
            />
            <TextInput
              label="Time zone"
              machine
              list="time-zones"
              value={w.zone ?? 'UTC'}
              onChange={(zone) => change({ zone })}
            />
          </div>
        </>
      )}
    </Items>
  </>
);

const releases: Edit<'releases'> = (value, set) => (
  <Items items={value} set={set} name="Release" make={nextWeek}>
    {(r, change) => (
      <div class="fields">
        <TextInput label="Name" value={r.name ?? ''} maxLength={63} onChange={(name) => change({ name })} />
        <TextInput
          label="From"
          type="datetime-local"
          value={toInput(r.from)}
          onChange={(from) => change({ from: fromInput(from) ?? '' })}
        />
        <TextInput
          label="To"
          type="datetime-local"
          value={toInput(r.to)}
          onChange={(to) => change({ to: fromInput(to) ?? '' })}
        />
      </div>
    )}
  </Items>
);

const rule = <M extends Member>(r: Rule<M>) => r as unknown as Rule;

export const rules: Record<Member, Rule> = {
  mechanisms: rule<'mechanisms'>({
    words: 'Only these kinds of signature are made.',
    initial: () => ['rsa_pss', 'ecdsa', 'eddsa'],
    edit: (v, set) => <ChecksInput label="Allowed" choices={choices(mechanisms)} value={v} onChange={set} />,
  }),
  hashes: rule<'hashes'>({
    words: 'Only digests of these hashes are signed.',
    initial: () => ['sha256', 'sha384', 'sha512'],
    edit: (v, set) => <ChecksInput label="Allowed" choices={choices(hashes)} value={v} onChange={set} />,
  }),
  certificate: rule<'certificate'>({
    words: 'Nothing is signed whose certificate has ended or is about to end.',
    initial: () => ({ refuse_expired: true }),
    edit: (v, set) => (
      <>
        <CheckInput
          label="Refuse when the certificate is expired"
          value={!!v.refuse_expired}
          onChange={(refuse_expired) => set({ ...v, refuse_expired })}
        />
        <NumberInput
          label="Refuse when fewer days are left than"
          max={3650}
          value={v.min_days_left}
          onChange={(min_days_left) => set({ ...v, min_days_left })}
          help="Empty: no such limit."
        />
      </>
    ),
  }),
  quota: rule<'quota'>({
    words:
      'A key makes at most so many signatures. Exact, also with many signers at once; days and months are those of UTC.',
    initial: () => ({ day: 100 }),
    edit: (v, set) => (
      <div class="fields">
        <NumberInput label="A day" value={v.day} onChange={(day) => set({ ...v, day })} placeholder="no limit" />
        <NumberInput
          label="A month"
          value={v.month}
          onChange={(month) => set({ ...v, month })}
          placeholder="no limit"
        />
        <NumberInput label="In all" value={v.total} onChange={(total) => set({ ...v, total })} placeholder="no limit" />
      </div>
    ),
  }),
  rate: rule<'rate'>({
    words: 'Signatures that come too fast are refused until it is slower. Each server counts on its own.',
    initial: () => ({ per_principal: { count: 10, seconds: 60 } }),
    edit: (v, set) => (
      <>
        <RateInputs
          title="Of one signer"
          value={v.per_principal}
          set={(per_principal) => set({ ...v, per_principal })}
        />
        <RateInputs title="Of one key" value={v.per_key} set={(per_key) => set({ ...v, per_key })} />
      </>
    ),
  }),
  networks: rule<'networks'>({
    words: 'Requests from elsewhere are refused.',
    initial: () => [],
    edit: (v, set) => (
      <LinesInput
        label="Networks and addresses"
        value={v}
        onChange={set}
        placeholder={'10.1.0.0/16\n2001:db8::/32'}
        help="One a line, such as 10.1.0.0/16 or 2001:db8::1."
      />
    ),
  }),
  windows: rule<'windows'>({
    words: 'Signatures are made at these times of the week only. A time over midnight is two windows.',
    initial: () => [workday()],
    edit: windows,
  }),
  releases: rule<'releases'>({
    words: 'Signatures are made between these times only, such as while a release is built.',
    initial: () => [nextWeek()],
    edit: releases,
  }),
  context: rule<'context'>({
    words: 'A request must carry these fields, such as the id of the build; they go into the audit log.',
    initial: () => ['build_id'],
    edit: (v, set) => (
      <LinesInput label="Names of fields" value={v} onChange={set} placeholder="build_id" help="One a line." />
    ),
  }),
  programs: rule<'programs'>({
    words: 'Only these programs may ask. Advisory: the program is what the client says it is.',
    initial: () => ['osslsigncode'],
    edit: (v, set) => (
      <LinesInput label="Names of programs" value={v} onChange={set} placeholder="osslsigncode" help="One a line." />
    ),
  }),
  digests: rule<'digests'>({
    words: 'Only digests that were put on the key’s list are signed.',
    initial: () => 'listed',
    edit: (v, set) => (
      <SelectInput
        label="Which digests"
        value={v}
        onChange={(d) => set(d as 'any' | 'listed')}
        choices={[
          ['listed', 'Only those on the key’s list'],
          ['any', 'Any'],
        ]}
      />
    ),
  }),
  approval: rule<'approval'>({
    words: 'A signature needs an approval that was given before, by others than who signs.',
    initial: () => ({ needed: 1 }),
    edit: (v, set) => (
      <div class="fields">
        <NumberInput
          label="Approvers needed"
          max={16}
          value={v.needed}
          onChange={(needed) => set({ ...v, needed: needed ?? 0 })}
        />
        <NumberInput
          label="Signatures of one approval, at most"
          value={v.max_count}
          placeholder="no limit"
          onChange={(max_count) => set({ ...v, max_count })}
        />
        <NumberInput
          label="Hours it lasts, at most"
          value={v.max_hours}
          placeholder="no limit"
          onChange={(max_hours) => set({ ...v, max_hours })}
        />
      </div>
    ),
  }),
};
