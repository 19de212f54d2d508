// SPDX-License-Identifier: Apache-2.0
// The editor of one policy: rules as forms or the whole as text, tried on the signatures of the last month, saved as a new
// version. What was typed survives a version that somebody else saves meanwhile: both are shown, and one is chosen.
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api/client';
import { ApiError } from '../api/problem';
import type { Policy, PolicyVersion } from '../api/types';
import { memberTitles, members, textOf, type Member } from '../lib/policy';
import { capital } from '../lib/text';
import { Button, Card, Note, Problem } from '../ui/basic';
import { Dialog, confirmAction, openDialog } from '../ui/dialog';
import { Diff } from '../ui/diff';
import { Form, useForm } from '../ui/form';
import { Icon } from '../ui/icons';
import { toast } from '../ui/toast';
import { DryRunView, type DryRunScope } from './dry_run';
import { rules } from './policy_rules';

export interface Place {
  /** "/v1/policy" and its likes. */
  base: string;
  /** "the project demo" */
  name: string;
  scope: DryRunScope;
  kind: 'platform' | 'project' | 'key';
}

interface Fault {
  member: Member | null;
  text: string;
}

/** "windows[2].from: a time of day …" belongs to the rule windows. */
function faultOf(e: unknown): Fault | null {
  const field = e instanceof ApiError ? e.field : null;
  if (!field) return null;
  const name = field.name.split(/[.[]/)[0]!;
  const member = (members as readonly string[]).includes(name) ? (name as Member) : null;
  return { member, text: `${member ? '' : `${field.name}: `}${capital(field.text)}` };
}

function RuleCard({
  member,
  policy,
  fault,
  set,
}: {
  member: Member;
  policy: Policy;
  fault: string | null;
  set: (policy: Policy) => void;
}) {
  const { [member]: value, ...others } = policy;
  return (
    <Card
      title={memberTitles[member]}
      actions={
        <Button icon="cross" kind="quiet" onClick={() => set(others)} title={`Remove the rule ${memberTitles[member]}`}>
          Remove
        </Button>
      }
    >
      <p class="muted">{rules[member].words}</p>
      {fault && (
        <p class="field-error" role="alert">
          <Icon name="warning" />
          {fault}
        </p>
      )}
      <div class="form">{rules[member].edit(value!, (changed) => set({ ...policy, [member]: changed }))}</div>
    </Card>
  );
}

function RuleForms({ policy, fault, set }: { policy: Policy; fault: Fault | null; set: (policy: Policy) => void }) {
  const held = members.filter((m) => policy[m] !== undefined);
  const others = members.filter((m) => policy[m] === undefined);
  // A rule that is added or removed takes the pressed button with it: the focus goes on with the rule.
  const [moved, setMoved] = useState<{ selector: string } | null>(null);
  useEffect(() => {
    if (moved) document.querySelector<HTMLElement>(moved.selector)?.focus();
  }, [moved]);
  const add = (m: Member) => {
    set({ ...policy, [m]: rules[m].initial() });
    setMoved({ selector: `[data-rule="${m}"] .form :is(input, select, textarea, button)` });
  };
  return (
    <>
      {held.length === 0 && (
        <Note title="There is no rule in this policy">It restricts nothing. Add the rules that are wanted.</Note>
      )}
      {held.map((m) => (
        <div key={m} data-rule={m}>
          <RuleCard
            member={m}
            policy={policy}
            set={(changed) => {
              set(changed);
              if (changed[m] === undefined) setMoved({ selector: `[data-add="${m}"] button` });
            }}
            fault={fault?.member === m ? fault.text : null}
          />
        </div>
      ))}
      {others.length > 0 && (
        <Card title="Rules that can be added" flush>
          <ul class="list">
            {others.map((m) => (
              <li key={m} data-add={m}>
                <span class="rule-words">
                  <strong>{memberTitles[m]}</strong>
                  <span class="muted">{rules[m].words}</span>
                </span>
                <Button icon="plus" title={`Add the rule ${memberTitles[m]}`} onClick={() => add(m)}>
                  Add
                </Button>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </>
  );
}

function parse(text: string): Policy | { wrong: string } {
  try {
    const policy: unknown = JSON.parse(text);
    if (typeof policy !== 'object' || policy === null || Array.isArray(policy))
      return { wrong: 'An object is expected' };
    return policy as Policy;
  } catch (e) {
    return { wrong: (e as Error).message };
  }
}

function SaveDialog({
  place,
  basis,
  policy,
  close,
  onSaved,
  onRefused,
}: {
  place: Place;
  basis: PolicyVersion;
  policy: Policy;
  close: () => void;
  onSaved: (now: PolicyVersion) => void;
  onRefused: (e: unknown) => void;
}) {
  const form = useForm({});
  return (
    <Dialog title={`Save the policy of ${place.name}?`} onClose={close} wide>
      <h3>What changes</h3>
      <Diff before={textOf(basis.document)} after={textOf(policy)} label="What changes" />
      <h3>What it would have done</h3>
      <DryRunView policy={policy} of={place.scope} />
      <Form
        form={form}
        submit={`Save as version ${basis.version + 1}`}
        onCancel={close}
        onSubmit={async () => {
          try {
            onSaved(await api.put<PolicyVersion>(place.base, policy, { revision: basis.version }));
            close();
          } catch (e) {
            if (!(e instanceof ApiError) || (e.status !== 412 && e.status !== 400)) throw e;
            close();
            onRefused(e);
          }
        }}
      >
        {null}
      </Form>
    </Dialog>
  );
}

function Conflict({
  place,
  basis,
  theirs,
  mine,
  keepMine,
  takeTheirs,
}: {
  place: Place;
  basis: PolicyVersion;
  theirs: PolicyVersion;
  mine: Policy;
  keepMine: () => void;
  takeTheirs: () => void;
}) {
  return (
    <Card title="Somebody else saved this policy meanwhile">
      <Note
        tone="warn"
        title={`Version ${theirs.version} of the policy of ${place.name} is by ${theirs.author ?? 'somebody'}`}
      >
        You began with version {basis.version}. What you typed is still here and nothing was saved.
      </Note>
      <h3>What {theirs.author ?? 'the other'} changed</h3>
      <Diff before={textOf(basis.document)} after={textOf(theirs.document)} label="What the other changed" />
      <h3>What yours would change now</h3>
      <Diff before={textOf(theirs.document)} after={textOf(mine)} label="What yours would change now" />
      <p class="actions">
        <Button onClick={keepMine}>Go on with mine</Button>
        <Button onClick={takeTheirs}>Take version {theirs.version} and drop mine</Button>
      </p>
    </Card>
  );
}

export interface Draft {
  policy: Policy;
  /** The version it began with. */
  basis: PolicyVersion;
}

export function PolicyEditor({
  place,
  now,
  reload,
  draft,
  setDraft,
}: {
  place: Place;
  /** As it is on the server. */
  now: PolicyVersion;
  reload: () => void;
  draft: Draft;
  setDraft: (draft: Draft) => void;
}) {
  const { policy, basis } = draft;
  const [text, setText] = useState<string | null>(null);
  const [wrong, setWrong] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [tried, setTried] = useState<Policy | null>(null);
  const isChanged = textOf(policy) !== textOf(basis.document);
  const fault = faultOf(error);

  // Nothing typed: what somebody else saved is simply shown.
  useEffect(() => {
    if (now.version > basis.version && !isChanged) setDraft({ policy: now.document ?? {}, basis: now });
  }, [now.version]);

  const set = (changed: Policy) => {
    setError(null);
    setDraft({ policy: changed, basis });
  };
  const setFromText = (typed: string) => {
    setText(typed);
    const parsed = parse(typed);
    setWrong('wrong' in parsed ? parsed.wrong : '');
    if (!('wrong' in parsed)) set(parsed);
  };
  const save = () =>
    openDialog((close) => (
      <SaveDialog
        place={place}
        basis={basis}
        policy={policy}
        close={close}
        onSaved={(saved) => {
          setDraft({ policy: saved.document ?? {}, basis: saved });
          setError(null);
          setTried(null);
          if (text !== null) setText(textOf(saved.document));
          toast(`The policy of ${place.name} is now version ${saved.version}`);
        }}
        onRefused={(e) => {
          setError(e);
          if (e instanceof ApiError && e.status === 412) reload();
        }}
      />
    ));
  const remove = () =>
    confirmAction({
      title: `Remove the policy of ${place.name}?`,
      consequences: [
        place.kind === 'key'
          ? 'The policy of its project counts for the key instead.'
          : 'It restricts nothing any more.',
        'The versions before stay on record, and can be saved again.',
      ],
      action: 'Remove the policy',
      danger: true,
      run: async () => {
        const { data } = await api.request<PolicyVersion>('DELETE', place.base, { revision: basis.version });
        setDraft({ policy: {}, basis: data });
      },
      done: `The policy of ${place.name} is removed`,
    });

  const isStale = now.version > basis.version && isChanged;
  const begin = (document: Policy, version: PolicyVersion) => {
    setError(null);
    setDraft({ policy: document, basis: version });
    if (text !== null) setText(textOf(document));
  };
  return (
    <div class="stack">
      {isStale && (
        <Conflict
          place={place}
          basis={basis}
          theirs={now}
          mine={policy}
          keepMine={() => begin(policy, now)}
          takeTheirs={() => begin(now.document ?? {}, now)}
        />
      )}
      <div class="editor-bar">
        <div class="segments" role="group" aria-label="How the policy is shown">
          <button
            type="button"
            aria-pressed={text === null}
            disabled={!!wrong}
            onClick={() => setText(null)}
            title={wrong ? 'The text must be right first' : undefined}
          >
            Forms
          </button>
          <button type="button" aria-pressed={text !== null} onClick={() => setText(textOf(policy))}>
            Text
          </button>
        </div>
        <div class="actions">
          {isChanged && (
            <Button
              onClick={() => {
                setWrong('');
                begin(basis.document ?? {}, basis);
              }}
            >
              Undo
            </Button>
          )}
          {now.document && !isChanged && (
            <Button kind="danger" onClick={remove}>
              Remove policy
            </Button>
          )}
          <Button icon="clock" disabled={!!wrong} onClick={() => setTried(policy)}>
            Try it
          </Button>
          <Button kind="primary" disabled={!!wrong || !isChanged || isStale} onClick={save}>
            Save…
          </Button>
        </div>
      </div>
      {fault && !fault.member && <Note tone="bad" title={fault.text} />}
      {fault?.member && (
        <Note tone="bad" title={`${memberTitles[fault.member]}: ${fault.text}`}>
          Nothing was saved, and what you typed is still here.
        </Note>
      )}
      {!!error && !fault && !isStale && <Problem error={error} reload={reload} />}
      {tried && (
        <Card
          title={textOf(tried) === textOf(policy) ? 'This policy, tried' : 'An earlier draft, tried'}
          actions={
            <Button kind="quiet" icon="cross" onClick={() => setTried(null)}>
              Close
            </Button>
          }
        >
          <DryRunView policy={tried} of={place.scope} />
        </Card>
      )}
      {text === null ? (
        <RuleForms policy={policy} fault={fault} set={set} />
      ) : (
        <Card title="As text">
          <div class="field">
            <label for="policy-text">Policy in JSON</label>
            <textarea
              id="policy-text"
              class="machine"
              rows={Math.min(Math.max(text.split('\n').length + 1, 12), 40)}
              spellcheck={false}
              value={text}
              aria-invalid={wrong ? true : undefined}
              aria-describedby="policy-text-help"
              onInput={(e) => setFromText(e.currentTarget.value)}
            />
            {wrong && (
              <p class="field-error" role="alert">
                <Icon name="warning" />
                {wrong}
              </p>
            )}
            <p class="help" id="policy-text-help">
              As <code>chancery policy</code> and the REST interface have it. A member that is absent restricts nothing.
            </p>
          </div>
        </Card>
      )}
    </div>
  );
}
