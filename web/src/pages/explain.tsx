// SPDX-License-Identifier: Apache-2.0
// Who may sign what, and why: the rules of the signing path asked without a signature.
import { useEffect, useState } from 'preact/hooks';
import { api, path } from '../api/client';
import { session } from '../api/session';
import type { Explanation, Hash, Key, Mechanism } from '../api/types';
import { currentQuery, href, setQuery } from '../app/router';
import { digestOf } from '../lib/hash';
import { hashes, mechanisms } from '../lib/policy';
import { keyName } from '../lib/keys';
import { remedies, ruleQuestion, ruleTitle } from '../lib/rules';
import { nameOf, plural } from '../lib/text';
import { fromInput } from '../lib/time';
import { Badge, Card, Grid, Note, PageHead, classes } from '../ui/basic';
import { Form, SelectField, TextField, useForm } from '../ui/form';
import { KeyField } from '../ui/key_field';
import { AccountLink, PrincipalField } from '../ui/principal';
import { useQuery } from '../ui/query';

interface Question {
  principal: string;
  key: string;
  mechanism: string;
  hash: string;
  digest: string;
  address: string;
  time: string;
  context: string;
}

/** "build_id = 7", a line each; what is wrong is told by its line. */
function contextOf(text: string): Record<string, string> | { wrong: string } {
  const context: Record<string, string> = {};
  for (const line of text
    .split('\n')
    .map((l) => l.trim())
    .filter(Boolean)) {
    const at = line.indexOf('=');
    if (at < 1) return { wrong: line };
    context[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return context;
}

function Steps({ steps }: { steps: Explanation['steps'] }) {
  const first = steps.findIndex((s) => s.verdict === 'refuses');
  return (
    <ol class="steps">
      {steps.map((s, i) => (
        <li key={i} class={classes('step', i === first && 'first')}>
          <Badge state={s.verdict}>{{ allows: 'Allows', refuses: 'Refuses', notes: 'Note' }[s.verdict]}</Badge>
          <div>
            <strong>{ruleTitle(s.rule)}</strong>
            {s.reason ? <p>{s.reason}</p> : <p class="muted">{ruleQuestion(s.rule)}</p>}
          </div>
          <code class="small muted">{s.code ?? s.rule}</code>
        </li>
      ))}
    </ol>
  );
}

interface Answer {
  of: Question;
  /** The one asked about; there may be none. */
  key?: Key;
  explanation: Explanation;
}

/** What would have to change, for each rule that refuses. */
function Remedies({ of: { of, key, explanation } }: { of: Answer }) {
  const rules = explanation.steps.filter((s) => s.verdict === 'refuses').map((s) => s.rule);
  const links = new Map(key ? rules.flatMap((r) => remedies(r, key.project, keyName(key))) : []);
  const hasAccount = rules.includes('principal');
  if (links.size === 0 && !hasAccount) return null;
  return (
    <div>
      <h3>Where it could be changed</h3>
      <ul class="plain-list">
        {hasAccount && (
          <li>
            <AccountLink name={of.principal} />
          </li>
        )}
        {[...links].map(([to, text]) => (
          <li key={to}>
            <a href={to}>{text}</a>
          </li>
        ))}
      </ul>
    </div>
  );
}

function AnswerCard({ answer }: { answer: Answer }) {
  const { of, explanation } = answer;
  const refusing = explanation.steps.filter((s) => s.verdict === 'refuses');
  const first = refusing[0];
  return (
    <Card title="The answer">
      {explanation.allowed ? (
        <Note tone="good" title={`${of.principal} may sign with ${of.key}`}>
          Every rule allows it.
        </Note>
      ) : (
        <Note tone="bad" title={`${of.principal} may not sign with ${of.key}`}>
          {first ? `${ruleTitle(first.rule)} refuses it${first.reason ? `: ${first.reason}` : ''}.` : 'It is refused'}
          {refusing.length > 1 && ` So do ${plural(refusing.length - 1, 'more rule')}.`}
        </Note>
      )}
      {!explanation.allowed && <Remedies of={answer} />}
      <Steps steps={explanation.steps} />
    </Card>
  );
}

export function Explain() {
  const query = currentQuery.value;
  const form = useForm<Question>({
    principal: query.get('principal') ?? session.value?.user ?? '',
    key: query.get('key') ?? '',
    mechanism: query.get('mechanism') ?? '',
    hash: query.get('hash') ?? '',
    digest: '',
    address: '',
    time: '',
    context: '',
  });
  const [answer, setAnswer] = useState<Answer | null>(null);
  const named = /.:./.test(form.values.key) || form.values.key.startsWith('key_');
  const key = useQuery<Key>(named ? path`/v1/keys/${form.values.key}` : null).data;

  // What the key can do is filled in; what was chosen stays while the key allows it.
  useEffect(() => {
    if (!key) return;
    if (!key.mechanisms.includes(form.values.mechanism as Mechanism)) form.set('mechanism', key.mechanisms[0] ?? '');
    if (!key.hashes.includes(form.values.hash as Hash)) form.set('hash', key.hashes[0] ?? '');
  }, [key?.id]);

  const ask = async (v: Question) => {
    const context = contextOf(v.context);
    if ('wrong' in context) return form.fail('context', `name = value is expected, not “${context.wrong}”`);
    const digest = v.digest ? digestOf(v.digest) : undefined;
    if (digest === null) return form.fail('digest', 'Hexadecimal digits are expected');
    const body = {
      principal: v.principal.trim(),
      key: v.key.trim(),
      mechanism: v.mechanism,
      hash: v.mechanism === 'eddsa' ? undefined : v.hash || undefined,
      digest,
      address: v.address.trim() || undefined,
      time: fromInput(v.time),
      context: Object.keys(context).length ? context : undefined,
    };
    const explanation = await api.ask<Explanation>('/v1/access/explain', body);
    setAnswer({ of: v, key, explanation });
    setQuery({ principal: body.principal, key: body.key, mechanism: body.mechanism, hash: body.hash ?? null });
  };

  const choices = (known: readonly string[], allowed: readonly string[] | undefined): [string, string][] =>
    known.map((k) => [k, allowed && !allowed.includes(k) ? `${nameOf(k)} (not of this key)` : nameOf(k)]);
  return (
    <>
      <PageHead
        title="Explain access"
        lead="May this account sign with this key? Each rule is asked as for a real signature, and answers why. Nothing is signed and nothing counted."
      />
      <Grid>
        <Card title="The question">
          <Form form={form} submit="Explain" onSubmit={ask}>
            <PrincipalField
              form={form}
              types={['user', 'service_account']}
              label="Who"
              help="A user or a service account."
            />
            <KeyField form={form} label="Key" />
            <div class="fields">
              <SelectField
                form={form}
                name="mechanism"
                label="Mechanism"
                required
                none="Choose one"
                choices={choices(mechanisms, key?.mechanisms)}
              />
              <SelectField form={form} name="hash" label="Hash" none="None" choices={choices(hashes, key?.hashes)} />
            </div>
            <div class="fields">
              <TextField
                form={form}
                name="address"
                label="From the address"
                machine
                placeholder="10.1.2.3"
                help="Empty: a rule about networks is not met."
              />
              <TextField
                form={form}
                name="time"
                type="datetime-local"
                label="At"
                help="In your time zone. Empty: now."
              />
            </div>
            <TextField
              form={form}
              name="digest"
              label="Digest"
              machine
              help="Counts where only listed or approved digests may be signed."
            />
            <TextField
              form={form}
              name="context"
              label="Context"
              machine
              rows={2}
              placeholder="build_id = 1234"
              help="What the client says of itself: program, host, user and fields of its own, one a line."
            />
          </Form>
        </Card>
        <div class="stack" aria-live="polite">
          {answer ? (
            <AnswerCard answer={answer} />
          ) : (
            <Card title="The answer">
              <p class="muted">
                Here stands what each rule says: the account, its role in the project, freeze, state of the key, the
                platform’s policy and the key’s or the project’s.
              </p>
              <p class="muted">
                To see what a changed policy would refuse, open the <a href={href('/policy')}>policy editor</a>: it
                tries a policy on the signatures of the last month before it is saved.
              </p>
            </Card>
          )}
        </div>
      </Grid>
    </>
  );
}
