/** The leases that an earlier ipvigil has left in the ledger, each with who wrote its destination last. */
import type { Logger } from 'pino';
import type { FoundLease, Writer } from '../judge/input.js';
import type { EarlierWrite, Lease } from '../judge/lease.js';
import type { Ledger } from '../remedy/ledger.js';

/** What cannot be read is told, and stays: it may be somebody's debt. */
export function found(
	ledger: Ledger,
	lastWriter: (lease: Lease, earlier: EarlierWrite | undefined) => Writer | undefined,
	log: Pick<Logger, 'error'>,
): FoundLease[] {
	const { entries, bad } = ledger.list();
	for (const { path, problem } of bad)
		log.error({ path, problem }, 'a file of the ledger cannot be read; it is left as it is');
	return entries.map(({ lease, earlier }) => ({ lease, earlier, lastWriter: lastWriter(lease, earlier) }));
}
