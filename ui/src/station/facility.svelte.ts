import type { Facility } from '../shared/bindings/station';
import { api, get, post } from './ask';
import { station, type Tried } from './station.svelte';

/** The facility as it is set up, as the server last said it. Every change answers with the whole of it. */
class SetUpOfFacility {
  now = $state.raw<Facility | null>(null);

  /** Asks again. What was refused stands above the page. */
  async load(): Promise<void> {
    const tried = await station.tried(() => get<Facility>(api.facility));
    if ('gave' in tried) this.now = tried.gave;
    else if (station.session) station.refusal = tried.refusal;
  }

  async save(path: string, body: unknown): Promise<Tried<Facility>> {
    const tried = await station.tried(() => post<Facility>(path, body));
    if ('gave' in tried) this.now = tried.gave;
    return tried;
  }

  wardName(id: string): string {
    return this.now?.wards.find((ward) => ward.id === id)?.name ?? 'a ward that is not yours';
  }

  forget(): void {
    this.now = null;
  }
}

export const facility = new SetUpOfFacility();
