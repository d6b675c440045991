import type { Level } from '../shared/bindings/level';

/** Minutes of "Q15"; 0 of a level with a person who stays with the patient; null of none, or of something else. */
export function closeness(level: string): number | null {
  const limit = /^Q(\d+)$/.exec(level)?.[1];
  if (limit !== undefined) return Number(limit);
  return /^\d:\d/.test(level) ? 0 : null;
}

/** "Q5", "1:1" */
export function shortOf(level: Level): string {
  return level.how === 'intermittent' ? `Q${String(level.limit_minutes)}` : level.ratio.join(':');
}

/** What the order means beside the one in force, as the board names that ("Q15"). The server decides; this forewarns. */
export function meaning(before: string, ordered: Level): string {
  const [was, is] = [closeness(before), ordered.how === 'intermittent' ? ordered.limit_minutes : 0];
  if (ordered.how === 'continuous') {
    return was === 0
      ? `Takes the place of ${before}. Somebody stays with the patient all the time.`
      : 'Stricter: somebody has to be with the patient at once, and stay.';
  }
  if (was === null) return 'No limit is in force: a check is due at once.';
  if (is < was) return `Stricter than ${before}: a check is due at once, and a technician has to acknowledge it.`;
  if (is === was) return `The same limit as ${before}, ordered anew.`;
  return `Less strict than ${before}.`;
}
