// SPDX-License-Identifier: Apache-2.0
// Dialogs: the browser's own <dialog>, which keeps the focus inside and closes with Escape. Opened from anywhere with
// openDialog; confirmAction is the one for whatever has consequences.
import { signal } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Form, TextField, useForm } from './form';
import { IconButton, Note } from './basic';
import { toast } from './toast';

interface Opened {
  id: number;
  view: VNode;
}
const opened = signal<Opened[]>([]);
let last = 0;

/** By the question: the reason that was typed for what then was refused. Who asks again finds it. */
const reasons = new Map<string, string>();

/** Shows what `make` returns, usually a <Dialog>; it gets the function that closes it. */
export function openDialog(make: (close: () => void) => VNode) {
  const id = ++last;
  const close = () => {
    opened.value = opened.value.filter((o) => o.id !== id);
  };
  opened.value = [...opened.value, { id, view: make(close) }];
}

export const closeDialogs = () => {
  opened.value = [];
  reasons.clear();
};

export function Dialogs() {
  return (
    <>
      {opened.value.map((o) => (
        <div key={o.id}>{o.view}</div>
      ))}
    </>
  );
}

export function Dialog({
  title,
  onClose,
  wide,
  children,
}: {
  title: string;
  onClose: () => void;
  wide?: boolean;
  children: ComponentChildren;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    element.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? 'wide' : undefined}
      aria-labelledby={id}
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
    >
      <div class="dialog-head">
        <h2 id={id}>{title}</h2>
        <IconButton icon="cross" label="Close" onClick={onClose} />
      </div>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

export interface Confirmation {
  /** A question that names the object: "Retire demo:rsa?" */
  title: string;
  /** What will be different afterwards, a sentence each. */
  consequences: ComponentChildren[];
  /** The verb on the button. */
  action: string;
  danger?: boolean;
  /** Must be typed before the button works: for what cannot be undone. */
  typeName?: string;
  /** It asks for the name because much depends on it, and can be undone all the same. */
  canBeUndone?: boolean;
  /** A text that goes with the action. */
  reason?: { label: string; help?: string; required?: boolean };
  run: (reason: string) => Promise<unknown>;
  /** Said when it went well. */
  done: string;
}

function ConfirmDialog({ c, close }: { c: Confirmation; close: () => void }) {
  const form = useForm({ reason: reasons.get(c.title) ?? '', typed: '' });
  return (
    <Dialog title={c.title} onClose={close}>
      {c.consequences.length > 0 && (
        <ul class="consequences">
          {c.consequences.map((text, i) => (
            <li key={i}>{text}</li>
          ))}
        </ul>
      )}
      {c.typeName && !c.canBeUndone && <Note tone="warn" title="This cannot be undone." />}
      <Form
        form={form}
        submit={c.action}
        danger={c.danger}
        disabled={!!c.typeName && form.values.typed !== c.typeName}
        onCancel={close}
        onSubmit={async (v) => {
          reasons.set(c.title, v.reason);
          await c.run(v.reason.trim());
          reasons.delete(c.title);
          close();
          toast(c.done);
        }}
      >
        {c.reason && (
          <TextField
            form={form}
            name="reason"
            label={c.reason.label}
            help={c.reason.help}
            required={c.reason.required}
            maxLength={255}
            autofocus={!c.typeName || c.canBeUndone}
          />
        )}
        {c.typeName && (
          <TextField
            form={form}
            name="typed"
            label={`Type ${c.typeName} to confirm`}
            required
            machine
            autofocus={!c.canBeUndone}
          />
        )}
      </Form>
    </Dialog>
  );
}

export function confirmAction(c: Confirmation) {
  openDialog((close) => <ConfirmDialog c={c} close={close} />);
}
