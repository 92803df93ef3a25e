import type { ServiceId, ServiceInfo } from "../contract/contract";

let known = new Map<ServiceId, string>();

/** The catalogue's names, for every sentence that speaks of a service. */
export function nameServices(catalogue: readonly ServiceInfo[]): void {
  known = new Map(catalogue.map((info) => [info.id, info.label]));
}

export function labelOf(id: ServiceId): string {
  return known.get(id) ?? id;
}
