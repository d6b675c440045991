import type { Bed } from '../shared/bindings/roster';

/** More than this at once is a slip of the pen. */
const MANY = 200;

/**
 * The labels that a few characters stand for: "201" one, "201, 203" two, "101-112" twelve, "101A-112B" every number
 * with A and with B. Null where it cannot be read, or stands for more than 200.
 */
export function spread(text: string): string[] | null {
  const labels: string[] = [];
  for (const piece of text.split(',').map((one) => one.trim())) {
    if (piece === '') continue;
    const range = /^(\D*?)(\d{1,5})([A-Za-z]?)\s*[-–]\s*(\D*?)(\d{1,5})([A-Za-z]?)$/.exec(piece);
    if (range === null) {
      labels.push(piece);
      continue;
    }
    const [, before = '', from = '', first = '', before2 = '', to = '', last = ''] = range;
    const letters = lettersFrom(first, last);
    if ((before2 !== '' && before2 !== before) || letters === null) return null;
    if (Number(to) < Number(from) || Number(to) - Number(from) >= MANY) return null;
    for (let n = Number(from); n <= Number(to); n += 1) {
      for (const letter of letters) labels.push(`${before}${String(n).padStart(from.length, '0')}${letter}`);
    }
  }
  return labels.length === 0 || labels.length > MANY ? null : labels;
}

/** "A" to "C" is A, B, C; nothing to nothing is one without a letter. */
function lettersFrom(first: string, last: string): string[] | null {
  if (first === '' && last === '') return [''];
  const [a, b] = [first.toUpperCase().charCodeAt(0), last.toUpperCase().charCodeAt(0)];
  if (Number.isNaN(a) || Number.isNaN(b) || b < a) return null;
  return Array.from({ length: b - a + 1 }, (_, n) => String.fromCharCode(a + n));
}

/** The room of a bed as most houses label them: "104A" stands in 104. */
export function roomOf(label: string): string {
  return /^(.*\d)[A-Za-z]$/.exec(label)?.[1] ?? label;
}

/** The same with the n-th moved by so many places; unmoved where it would leave the list. */
export function moved<T>(all: readonly T[], n: number, by: number): T[] {
  const to = n + by;
  const one = all[n];
  if (one === undefined || to < 0 || to >= all.length) return [...all];
  const rest = all.filter((_, at) => at !== n);
  return [...rest.slice(0, to), one, ...rest.slice(to)];
}

/** A label that two beds have; null where all differ. */
export function doubled(beds: readonly Pick<Bed, 'label'>[]): string | null {
  const seen = new Set<string>();
  for (const { label } of beds) {
    const one = label.trim().toUpperCase();
    if (seen.has(one)) return label.trim();
    seen.add(one);
  }
  return null;
}
