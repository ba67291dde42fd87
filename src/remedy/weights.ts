/**
 * Takes destinations out and gives them back: the only code that writes IPVS, and it writes weights alone.
 *
 * Every other attribute goes back as it stands at the moment of writing, because SET_DEST replaces them all
 * (net/netfilter/ipvs/ip_vs_ctl.c, __ip_vs_update_dest). IPVS has no compare-and-set, so the destination is read again
 * just before; what slips between that read and the write is seen by the audit hook, and judged there.
 * Whether to take or give back is not decided here. Nothing throws: what became of it is the answer.
 */
import type { Input, Writer } from '../judge/input.js';
import type { Lease } from '../judge/lease.js';
import type { Destination, Service, ServiceAddress } from '../table/model.js';
import type { LedgerEntry } from './lease-file.js';
import type { Ledger } from './ledger.js';

/** What is needed of the IPVS table: IpvsClient has it, and so has a recording stand-in. */
export interface TableWriter {
	/** The service as it stands now; undefined where there is none. */
	service(address: ServiceAddress): Promise<Service | undefined>;
	/** `gone` where the service or the destination has been removed (ESRCH, ENOENT). */
	setDestination(service: ServiceAddress, destination: Destination): Promise<'done' | 'gone'>;
}

export interface WeightOutcome {
	result: Extract<Input, { kind: 'outcome' }>['result'];
	/** For the operator: what was found, where that is not plain from the result. */
	detail: string;
}

export interface WeightOptions {
	table: TableWriter;
	ledger: Ledger;
	/** Everything but the last step: nothing is written to IPVS. */
	dryRun: boolean;
	/** The audit map's last word on a destination, where the audit hook runs. */
	lastWriter?: (lease: Lease) => Writer | undefined;
}

/** `unknown`: a write failed and nobody can say whether it took effect. */
type Attempt = WeightOutcome & { unknown?: true };

export class Weights {
	readonly #options: WeightOptions;

	constructor(options: WeightOptions) {
		this.#options = options;
	}

	/**
	 * Sets the destination's weight to `to` under the lease, which is entered in the ledger first.
	 *
	 * `done` and `dry-run` leave the lease in the ledger. `gone` and `changed` clear it: there is nothing of ours to give
	 * back. `failed` puts the ledger back as it was, unless nobody can say whether the weight was written: then the
	 * lease stays on record, to be undone when it ends.
	 */
	async take(lease: Lease, expect: number, to: number): Promise<WeightOutcome> {
		if (lease.written !== to) throw new Error(`the lease speaks of weight ${lease.written}, the action of ${to}`);
		const { ledger } = this.#options;
		const before = ledger.read(lease);
		try {
			ledger.enter(lease, before?.lease.written);
		} catch (error) {
			return failed(`the ledger cannot be written, so the weight was not: ${messageOf(error)}`);
		}
		const attempt = await this.#write(lease, [expect], to);
		return this.#settle(attempt, () => {
			if (attempt.result === 'done' || attempt.result === 'dry-run') {
				if (before) ledger.enter(lease);
			} else if (attempt.result !== 'failed') ledger.remove(lease);
			else if (!attempt.unknown) this.#withdraw(lease, before);
		});
	}

	/** Gives the weight owed back, if the destination still carries ours and nobody else has written it since. */
	async giveBack(lease: Lease): Promise<WeightOutcome> {
		const { ledger } = this.#options;
		const attempt = await this.#giveBack(lease, ledger.read(lease));
		return this.#settle(attempt, () => {
			if (attempt.result !== 'failed') ledger.remove(lease);
		});
	}

	async #giveBack(lease: Lease, entry: LedgerEntry | undefined): Promise<Attempt> {
		if (lease.written === undefined || lease.state !== 'held') return { result: 'done', detail: 'no weight was owed' };
		const writer = this.#options.lastWriter?.(lease);
		if (writer && !writer.own) return { result: 'changed', detail: `${writer.comm} (pid ${writer.pid}) wrote it last` };
		const owed = lease.destination.weight;
		// What a dry run took is still there, so that is what it must find.
		const ours = this.#options.dryRun ? [owed] : [lease.written, entry?.earlier];
		return this.#write(lease, ours, owed);
	}

	/** Reads the destination, compares its weight with what may stand there, writes. */
	async #write(lease: Lease, expected: (number | undefined)[], to: number): Promise<Attempt> {
		let service: Service | undefined;
		try {
			service = await this.#options.table.service(lease.service);
		} catch (error) {
			return failed(`the destination could not be read: ${messageOf(error)}`);
		}
		const destination = find(service, lease.destination);
		if (!destination) return { result: 'gone', detail: 'the destination is no longer in the table' };
		if (!expected.includes(destination.weight)) {
			return { result: 'changed', detail: `weight ${destination.weight} stands there, not ${expected[0]}` };
		}
		if (this.#options.dryRun)
			return { result: 'dry-run', detail: `would have set weight ${destination.weight} to ${to}` };
		return this.#set(lease, destination, to);
	}

	async #set(lease: Lease, destination: Destination, to: number): Promise<Attempt> {
		try {
			const result = await this.#options.table.setDestination(lease.service, { ...destination, weight: to });
			return { result, detail: result === 'gone' ? 'the destination was removed meanwhile' : '' };
		} catch (error) {
			return this.#afterLostReply(lease, destination.weight, to, messageOf(error));
		}
	}

	/** An error may mean "refused" or "done, but the reply was lost" (ENOBUFS, a time-out): the table knows. */
	async #afterLostReply(lease: Lease, before: number, to: number, why: string): Promise<Attempt> {
		try {
			const standing = find(await this.#options.table.service(lease.service), lease.destination);
			if (!standing) return { result: 'gone', detail: `the destination is no longer in the table (${why})` };
			if (standing.weight === to) return { result: 'done', detail: `the weight stands, though its write said: ${why}` };
			if (standing.weight === before) return failed(why);
			return { result: 'changed', detail: `weight ${standing.weight} stands there now (${why})` };
		} catch (error) {
			return { ...failed(`${why}; nor could the destination be read: ${messageOf(error)}`), unknown: true };
		}
	}

	/** A write that surely was not made leaves the debt as it was before. */
	#withdraw(lease: Lease, before: LedgerEntry | undefined): void {
		if (before) this.#options.ledger.restore(before);
		else this.#options.ledger.remove(lease);
	}

	/** The ledger's last step. If it fails, the file that is left says less than the truth, and the outcome says so. */
	#settle({ result, detail }: Attempt, step: () => void): WeightOutcome {
		try {
			step();
			return { result, detail };
		} catch (error) {
			return {
				result,
				detail: [detail, `the ledger could not be put right: ${messageOf(error)}`].filter(Boolean).join('; '),
			};
		}
	}
}

function find(service: Service | undefined, { address, port }: Destination): Destination | undefined {
	return service?.destinations.find((one) => one.address === address && one.port === port);
}

function failed(detail: string): WeightOutcome {
	return { result: 'failed', detail };
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
