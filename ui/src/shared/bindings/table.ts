// Generated from crates/domain/src/commands.rs. Do not edit.
import type { Acknowledge, Amend, BedChoice, Draft, DropDraft, EndEmergency, GiveAccess, Hello, Join, KeptDraft, Nothing, OfDay, OfPerson, OfRecord, OfStay, Pad, People, Raise, Raised, Save, Saved, Session, SetTheme, SignIn, Status, TakeOver, TakeUp, TakenUp } from "./commands";
import type { Board, Locked, PatientDay } from "./views";

export interface Commands {
  hello: { args: Nothing; reply: Hello };
  join: { args: Join; reply: Hello };
  locked: { args: Nothing; reply: Locked };
  sign_in: { args: SignIn; reply: Session };
  raise: { args: Raise; reply: Raised };
  status: { args: Nothing; reply: Status };
  silence: { args: Nothing; reply: Nothing };
  set_theme: { args: SetTheme; reply: Nothing };
  lock: { args: Nothing; reply: Nothing };
  touch: { args: Nothing; reply: Nothing };
  board: { args: Nothing; reply: Board };
  pad: { args: OfStay; reply: Pad };
  save: { args: Save; reply: Saved };
  keep_draft: { args: Draft; reply: Nothing };
  drop_draft: { args: DropDraft; reply: Nothing };
  drafts: { args: Nothing; reply: Array<KeptDraft> };
  amend: { args: Amend; reply: Saved };
  day: { args: OfDay; reply: PatientDay };
  take_up: { args: TakeUp; reply: TakenUp };
  beds: { args: Nothing; reply: Array<BedChoice> };
  take_over: { args: TakeOver; reply: Saved };
  start_watch: { args: OfStay; reply: Saved };
  end_watch: { args: OfStay; reply: Saved };
  acknowledge_level: { args: OfRecord; reply: Saved };
  acknowledge: { args: Acknowledge; reply: Saved };
  end_emergency: { args: EndEmergency; reply: Saved };
  claim: { args: OfRecord; reply: Saved };
  verify: { args: Nothing; reply: Saved };
  people: { args: Nothing; reply: People };
  let_in: { args: OfPerson; reply: People };
  give_access: { args: GiveAccess; reply: People };
}
