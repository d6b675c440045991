/**
 * Every `data-testid` of the tablet, in one place. A story test may rely on these and on:
 *
 * - `card-<bed>` carries `data-state` (CardState) and `data-stay`; `status-strip` carries `data-online` and `data-waiting`
 * - `<body data-dead>` stands for the 0.7 s after a save in which taps are swallowed: wait until it is gone
 * - `<body data-screen>` is one of: starting, join, locked, board, pad, mood, behaviour, note, concern, not_done, day, emergency
 * - a chosen tile, chip or person has `aria-pressed="true"`
 * - `end-emergency` ends it at once and goes to the board; only a nurse has `acknowledge` on a concern
 * - `need-help` stands on every screen of a signed-in person, and on the locked one with the three other calls for help
 * - after the second tap of a check the screen goes back to the board; after a mood, behaviour, note or concern to the pad
 */
export const ids = {
  // join
  joinInvite: 'join-invite',
  joinName: 'join-name',
  joinSubmit: 'join-submit',
  refusal: 'refusal',

  // locked
  person: (given: string, number: string) => (number === '' ? `person-${given}` : `person-${given}-${number}`),
  personOther: 'person-other',
  pin: (digit: number) => `pin-${String(digit)}`,
  pinClear: 'pin-clear',
  pinBack: 'pin-back',
  pinMessage: 'pin-message',
  lockedOverdue: 'locked-overdue',
  lockedClock: 'locked-clock',
  waiting: 'waiting',

  // on several screens
  demo: 'demo-data',
  needHelp: 'need-help',
  notFound: 'not-found',
  notBreathing: 'not-breathing',
  danger: 'danger',
  silence: 'silence',
  toast: 'toast',
  undo: 'undo',
  wrongPatient: 'wrong-patient',
  notSaved: 'not-saved',
  tryAgain: 'try-again',
  willBeLate: 'will-be-late',
  save: 'save',
  close: 'close',
  statusStrip: 'status-strip',
  notUpdated: 'not-updated',

  // board
  board: 'board',
  card: (bed: string) => `card-${bed}`,
  holder: 'holder',
  tolerance: 'tolerance',
  takeOver: 'take-over',
  takeUp: 'take-up',
  knownAs: 'known-as',
  bed: (bed: string) => (bed === '' ? 'no-bed' : `bed-${bed}`),
  takeUpConfirm: 'take-up-confirm',
  seen: 'seen',
  overdue: 'overdue',
  due: 'due',
  notKnown: 'not-known',
  clock: 'clock',
  order: (order: string) => `order-${order}`,
  next: 'next',
  lock: 'lock',
  concern: (n: number) => `concern-${String(n)}`,
  emergency: (n: number) => `emergency-${String(n)}`,
  acknowledge: 'acknowledge',

  // pad
  place: (code: string) => `place-${code}`,
  activity: (code: string) => `activity-${code}`,
  morePlaces: 'place-more',
  moreActivities: 'activity-more',
  addMood: 'add-mood',
  addBehaviour: 'add-behaviour',
  addNote: 'add-note',
  addConcern: 'add-concern',
  notDone: 'not-done',
  openDay: 'open-day',
  acknowledgeLevel: 'acknowledge-level',
  startWatch: 'start-watch',
  endWatch: 'end-watch',

  // forms
  mood: (score: number) => `mood-${String(score)}`,
  moodSource: (source: string) => `source-${source}`,
  affect: (code: string) => `affect-${code}`,
  harm: (answer: string) => `harm-${answer}`,
  before: (code: string) => `before-${code}`,
  behaviour: (code: string) => `behaviour-${code}`,
  staffDid: (code: string) => `did-${code}`,
  then: (code: string) => `then-${code}`,
  affected: (code: string) => `affected-${code}`,
  reason: (code: string) => `reason-${code}`,
  words: 'words',
  draft: 'draft',
  draftContinue: 'draft-continue',
  draftDiscard: 'draft-discard',
  seenNow: 'seen-now',
  seenThen: 'seen-then',
  seenOther: 'seen-other',

  // emergency
  told: 'told',
  timer: 'timer',
  whoCame: 'who-came',
  caller: 'caller',
  claim: 'claim',
  found: 'found',
  endEmergency: 'end-emergency',
  handOver: 'hand-over',

  // day
  dayRow: (n: number) => `day-row-${String(n)}`,
  amend: 'amend',
  lateEntry: 'late-entry',

  // sheets
  censusCount: 'census-count',
  censusDiffers: 'census-differs',
  takeOverConfirm: 'take-over-confirm',
  verify: 'verify',
  theme: (theme: string) => `theme-${theme}`,
  trouble: 'trouble',

  // people, for the charge nurse
  people: 'people',
  lockedOut: (staff: string) => `locked-out-${staff}`,
  letIn: 'let-in',
  guest: (staff: string) => `guest-${staff}`,
  giveAccess: 'give-access',
  guestField: (field: string) => `guest-${field}`,
  hours: (hours: number) => `hours-${String(hours)}`,
  newPin: 'new-pin',
  newPinAgain: 'new-pin-again',
  pinsDiffer: 'pins-differ',
  giveAccessConfirm: 'give-access-confirm',
  back: 'back',
} as const;
