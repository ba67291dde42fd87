/**
 * What weight 0 does not do: the cases in which a destination that was taken out goes on serving clients. `explain` says
 * them beside what was decided.
 */
import type { ServiceId } from '../table/identity.js';
import { serviceFlags } from '../table/model.js';

const udp = 'UDP: a flow that IPVS knows already goes on to the same server at weight 0; only new flows are kept away.';
const persistent =
	'Persistence: a client that IPVS remembers goes on to the same server at weight 0, unless net.ipv4.vs.expire_quiescent_template is 1.';

/**
 * @param flags Of the service; undefined where only the history is known: then its persistence is not.
 * @param harm Why weight 0 does harm under its scheduler, if it does (`judge/guard.ts`).
 */
export function caveatsOf(service: ServiceId, flags: number | undefined, harm: string | undefined): string[] {
	return [
		...(service.startsWith('udp ') ? [udp] : []),
		...(flags !== undefined && flags & serviceFlags.persistent ? [persistent] : []),
		...(harm === undefined ? [] : [`Scheduler: ${harm}; it is not taken out by its weight.`]),
	];
}
