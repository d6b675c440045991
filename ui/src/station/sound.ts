import type { SignalLevel } from '../shared/bindings/views';

/** How long the button keeps a page quiet that cannot ask the facility server to, ms. Colours stay. */
export const SILENCE_MS = 120_000;

/** One signal for the ward: tones in Hz, and after how many ms they come again. */
const SIGNALS: Record<Exclude<SignalLevel, 'quiet'>, { tones: number[]; again: number }> = {
  overdue: { tones: [660, 660], again: 20_000 },
  urgent: { tones: [660, 880, 660, 880], again: 10_000 },
  emergency: { tones: [880, 1175, 880, 1175, 880, 1175], again: 3_000 },
};
const RANK: Record<SignalLevel, number> = { quiet: 0, overdue: 1, urgent: 2, emergency: 3 };
const TONE_S = 0.18;

/**
 * The loudspeaker of this page. A browser keeps it shut until somebody has clicked or typed; until then `running` is
 * false, and the page has to say so.
 */
export class Loudspeaker {
  #context: AudioContext | null = null;
  #last = -Infinity;
  #sounding: SignalLevel = 'quiet';

  constructor(private readonly changed: () => void) {}

  get running(): boolean {
    return this.#context?.state === 'running';
  }

  /** To be called from a click or a key. */
  arm(): void {
    if (this.#context === null) {
      this.#context = new AudioContext();
      this.#context.onstatechange = this.changed;
    }
    if (!this.running) void this.#context.resume().then(this.changed, this.changed);
  }

  /** To be called often, with the level that is to be heard: sounds it when its time has come, a rise at once. */
  sound(level: SignalLevel, now: number): void {
    const rose = RANK[level] > RANK[this.#sounding];
    this.#sounding = level;
    if (level === 'quiet' || !this.running) return;
    const { tones, again } = SIGNALS[level];
    if (!rose && now - this.#last < again) return;
    this.#last = now;
    this.#play(tones);
  }

  #play(tones: number[]): void {
    const context = this.#context;
    if (context === null) return;
    tones.forEach((pitch, n) => {
      const from = context.currentTime + n * TONE_S * 1.35;
      const tone = context.createOscillator();
      const loudness = context.createGain();
      tone.type = 'triangle';
      tone.frequency.value = pitch;
      // A short rise and fall: without them each tone clicks.
      loudness.gain.setValueAtTime(0, from);
      loudness.gain.linearRampToValueAtTime(0.5, from + 0.02);
      loudness.gain.setValueAtTime(0.5, from + TONE_S - 0.04);
      loudness.gain.linearRampToValueAtTime(0, from + TONE_S);
      tone.connect(loudness).connect(context.destination);
      tone.start(from);
      tone.stop(from + TONE_S);
    });
  }
}
