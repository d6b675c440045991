import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Refusal } from '../shared/bindings/refusal';
import type { Commands } from '../shared/bindings/table';

/** A refusal that the program gave, thrown. */
export class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.code);
  }
}

/** The only way to the program. Throws [`Refused`], never anything else. */
export async function call<K extends keyof Commands>(
  command: K,
  args: Commands[K]['args'],
): Promise<Commands[K]['reply']> {
  try {
    return await invoke<Commands[K]['reply']>('call', { command, args });
  } catch (thrown) {
    throw new Refused(asRefusal(thrown));
  }
}

/** Calls back when the program has news: a record from another tablet, contact gained or lost, a lock. */
export async function onChanged(news: () => void): Promise<void> {
  await listen('changed', news);
}

/** What is not a refusal came from the window itself: its text is for a programmer, so it is not shown. */
export function asRefusal(thrown: unknown): Refusal {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'what' in thrown && 'next' in thrown) {
    const { code, what, next } = thrown;
    if (typeof code === 'string' && typeof what === 'string' && typeof next === 'string') return { code, what, next };
  }
  return {
    code: 'program.no_answer',
    what: 'The program behind this screen gave no answer.',
    next: 'Close Lamplight and open it again; write on paper until it answers.',
  };
}
