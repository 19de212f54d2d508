// SPDX-License-Identifier: Apache-2.0
// A file that the browser works on: chosen or dropped, with progress, and stopped at will. It is not sent anywhere.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { number } from '../lib/text';
import { Button, Problem, classes } from './basic';
import { Icon } from './icons';

export function FileDrop({
  label,
  help,
  disabled,
  onFile,
}: {
  label: string;
  help?: string;
  disabled?: boolean;
  onFile: (file: File) => void;
}) {
  const id = useId();
  const [over, setOver] = useState(false);
  const take = (files: FileList | null | undefined) => files?.[0] && !disabled && onFile(files[0]);
  return (
    <div
      class={classes('drop', over && 'over')}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(e) => {
        e.preventDefault();
        setOver(false);
        take(e.dataTransfer?.files);
      }}
    >
      <Icon name="file" />
      <label for={id}>{label}</label>
      <input
        id={id}
        type="file"
        disabled={disabled}
        aria-describedby={help ? `${id}-help` : undefined}
        onChange={(e) => {
          take(e.currentTarget.files);
          e.currentTarget.value = '';
        }}
      />
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}

export interface FileWork<T> {
  start: (file: File) => void;
  cancel: () => void;
  /** The file being worked on. */
  file: File | null;
  fraction: number;
  result: T | null;
  error: unknown;
}

type Work<T> = (
  file: File,
  watch: { signal: AbortSignal; progress: (done: number, total: number) => void },
) => Promise<T>;

export function useFileWork<T>(work: Work<T>): FileWork<T> {
  const [state, setState] = useState<Omit<FileWork<T>, 'start' | 'cancel'>>({
    file: null,
    fraction: 0,
    result: null,
    error: null,
  });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const start = (file: File) => {
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    const end = (changed: { result?: T; error?: unknown }) => {
      if (control.signal.aborted) return;
      setState({ file: null, fraction: 0, result: null, error: null, ...changed });
    };
    setState({ file, fraction: 0, result: null, error: null });
    const progress = (done: number, total: number) =>
      !control.signal.aborted && setState((s) => ({ ...s, fraction: total ? done / total : 1 }));
    work(file, { signal: control.signal, progress }).then(
      (result) => end({ result }),
      (error) => end({ error }),
    );
  };
  const cancel = () => {
    running.current?.abort();
    setState({ file: null, fraction: 0, result: null, error: null });
  };
  return { ...state, start, cancel };
}

export function sizeOf(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let i = 0;
  for (; bytes >= 1000 && i < units.length - 1; i++) bytes /= 1000;
  return `${i === 0 || bytes >= 100 ? number(Math.round(bytes)) : bytes.toFixed(1)} ${units[i]}`;
}

export function FileProgress<T>({ work }: { work: FileWork<T> }) {
  const percent = Math.round(work.fraction * 100);
  if (work.error)
    return <Problem error={new Error(`The file could not be read: ${(work.error as Error).message ?? work.error}`)} />;
  if (!work.file) return null;
  return (
    <div class="file-progress">
      <div>
        <span>
          Hashing <strong>{work.file.name}</strong>, {sizeOf(work.file.size)}
        </span>
        <progress max={100} value={percent} aria-label="Hashed so far">
          {percent} %
        </progress>
      </div>
      <Button icon="cross" onClick={work.cancel}>
        Cancel
      </Button>
    </div>
  );
}
