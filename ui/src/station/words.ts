import type { Refusal } from '../shared/bindings/refusal';
import type { Board } from '../shared/bindings/views';

/** The board's own moment with its seconds: "02:47:10". Zones differ by whole minutes, so the seconds are the same. */
export function moment(board: Board): string {
  return `${board.clock}:${String(Math.floor(board.now / 1000) % 60).padStart(2, '0')}`;
}

/** The browser's title. Anybody may see it, in a task bar or a shared screen: numbers and the ward, nobody's name. */
export function title(board: Board | null, stale: boolean): string {
  if (board === null) return `${stale ? '◌ does not know the ward · ' : ''}Lamplight station`;
  if (stale) return `◌ no update · ${board.ward_name}`;
  const said = [
    board.emergencies.length > 0 ? `■ ${String(board.emergencies.length)} emergency` : '',
    board.overdue > 0 ? `▲ ${String(board.overdue)} overdue` : '',
    board.not_known > 0 ? `◌ ${String(board.not_known)} not known` : '',
  ].filter((one) => one !== '');
  return `${said.length > 0 ? said.join(' ') : '✓'} · ${board.ward_name}`;
}

/** "107 s", then whole minutes: how long a page has been without an update. */
export function howLong(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return seconds < 120 ? `${String(seconds)} s` : `${String(Math.floor(seconds / 60))} min`;
}

/** "1:43" */
export function countdown(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}`;
}

/** The server's rule for passwords, in words. The server decides. */
export const PASSWORD_RULE =
  'At least 15 characters. Three or four words that have nothing to do with each other are easy to keep in mind.';

/** Refused by the page itself, before anything is sent. */
export const NOT_TWICE: Refusal = {
  code: 'password.again',
  what: 'The two are not the same.',
  next: 'Type the password once more.',
};
