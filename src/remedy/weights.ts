/**
 * Takes destinations out and gives them back: the only code that writes IPVS, and it writes weights alone.
 *
 * Every other attribute goes back as it stands at the moment of writing, because SET_DEST replaces them all
 * (net/netfilter/ipvs/ip_vs_ctl.c, __ip_vs_update_dest). IPVS has no compare-and-set, so the destination is read again
 * just before and just after; what slips between that read and the write is seen by the audit hook, and judged there.
 * One write at a time: what a later one reads is what an earlier one has left. Whether to take or give back is not decided here. Nothing rejects: what became of it is the answer.
 */
import type { Input, Writer } from '../judge/input.js';
import type { EarlierWrite, Lease } from '../judge/lease.js';
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
	/** The boot clock, by which leases end. */
	nowMs: () => number;
	/** The audit map's last word on a destination, where the audit hook runs. */
	lastWriter?: (lease: Lease, earlier: EarlierWrite | undefined) => Writer | undefined;
}

/** A write on its conditions: the weights of which one must stand there, and who may forbid it at the last moment. */
interface Write {
	expected: (number | undefined)[];
	to: number;
	/** It takes out: another destination of the service must have a weight at the last moment, whatever was decided on. */
	keepsOne: boolean;
	objection?: () => WeightOutcome | undefined;
}

interface Standing {
	destination: Destination;
	isOnly: boolean;
}

export class Weights {
	readonly #options: WeightOptions;
	/** The last write that was asked for: the next one waits for it; undefined where none is under way. */
	#last: Promise<WeightOutcome> | undefined;

	constructor(options: WeightOptions) {
		this.#options = options;
	}

	/**
	 * Sets the destination's weight to `to` under the lease, which is entered in the ledger first.
	 *
	 * `done` and `dry-run` leave the lease in the ledger. `gone` and `changed` clear it: there is nothing of ours to give
	 * back. `failed` puts the ledger back as it was. `unknown`, when nobody can say whether the weight was written, keeps
	 * the lease on record, to be undone when it ends.
	 */
	take(lease: Lease, expect: number, to: number): Promise<WeightOutcome> {
		return this.#inTurn(() => this.#take(lease, expect, to));
	}

	/**
	 * Gives the weight owed back, if the destination still carries ours and nobody else has written it since.
	 * `failed` and `unknown` keep the lease on record; every other answer clears it.
	 */
	giveBack(lease: Lease): Promise<WeightOutcome> {
		return this.#inTurn(() => this.#giveBack(lease));
	}

	#inTurn(attempt: () => Promise<WeightOutcome>): Promise<WeightOutcome> {
		// At once where nothing is to be waited for: the lease is in the ledger before anything else happens.
		const outcome = this.#last === undefined ? answered(attempt) : this.#last.then(() => answered(attempt));
		this.#last = outcome;
		void outcome.then(() => {
			if (this.#last === outcome) this.#last = undefined;
		});
		return outcome;
	}

	async #take(lease: Lease, expect: number, to: number): Promise<WeightOutcome> {
		assert(lease.written === to, `the lease speaks of weight ${lease.written}, the action of ${to}`);
		const { ledger } = this.#options;
		const before = ledger.read(lease);
		try {
			ledger.enter(lease, earlierOf(before));
		} catch (error) {
			return failed(`the ledger cannot be written, so the weight was not: ${messageOf(error)}`);
		}
		// Where a weight of ours stands, whoever has written it since has spoken, the same value included.
		const earlier = earlierOf(before);
		const outcome = await this.#write(lease, {
			expected: [expect],
			to,
			keepsOne: true,
			...(earlier && { objection: () => this.#objection(lease, earlier) }),
		});
		return settle(outcome, () => this.#settleTake(lease, before, outcome.result));
	}

	#settleTake(lease: Lease, before: LedgerEntry | undefined, result: WeightOutcome['result']): void {
		const { ledger } = this.#options;
		switch (result) {
			case 'done':
			case 'dry-run':
				if (before) ledger.enter(lease);
				return;
			case 'failed':
				if (before) ledger.restore(before);
				else ledger.remove(lease);
				return;
			case 'gone':
			case 'changed':
				return ledger.remove(lease);
			case 'unknown':
				return;
		}
	}

	async #giveBack(lease: Lease): Promise<WeightOutcome> {
		const { ledger } = this.#options;
		const entry = ledger.read(lease);
		if (!entry) this.#recordAgain(lease);
		const outcome = await this.#writeOwed(lease, entry);
		const owing = outcome.result === 'failed' || outcome.result === 'unknown';
		return owing ? outcome : settle(outcome, () => ledger.remove(lease));
	}

	/** Somebody has cleared the record, and our weight may stand all the same. A full disk keeps no server out. */
	#recordAgain(lease: Lease): void {
		try {
			const { ledger, nowMs } = this.#options;
			ledger.enter({ ...lease, untilMs: Math.max(lease.untilMs, nowMs()) });
		} catch {
			// What is owed is written in any case; nothing needs undoing after that.
		}
	}

	async #writeOwed(lease: Lease, entry: LedgerEntry | undefined): Promise<WeightOutcome> {
		if (lease.written === undefined || lease.state !== 'held') return { result: 'done', detail: 'no weight was owed' };
		const owed = lease.destination.weight;
		return this.#write(lease, {
			// What a dry run took is still there, so that is what it must find.
			expected: this.#options.dryRun ? [owed] : [lease.written, entry?.earlier?.weight],
			to: owed,
			keepsOne: false,
			objection: () => this.#objection(lease, entry?.earlier),
		});
	}

	/** Somebody else's write since ours, the same value included. Who cannot be asked might object. */
	#objection(lease: Lease, earlier: EarlierWrite | undefined): WeightOutcome | undefined {
		try {
			const writer = this.#options.lastWriter?.(lease, earlier);
			if (!writer || writer.own) return undefined;
			return { result: 'changed', detail: `${writer.comm} (pid ${writer.pid}) wrote it last` };
		} catch (error) {
			return failed(`who wrote it last could not be asked: ${messageOf(error)}`);
		}
	}

	/** Reads the destination, compares its weight with what may stand there, asks for objections, writes. */
	async #write(lease: Lease, { expected, to, keepsOne, objection }: Write): Promise<WeightOutcome> {
		let standing: Standing | undefined;
		try {
			standing = await this.#standing(lease);
		} catch (error) {
			return failed(`the destination could not be read: ${messageOf(error)}`);
		}
		if (!standing) return { result: 'gone', detail: 'the destination is no longer in the table' };
		const { destination, isOnly } = standing;
		if (!expected.includes(destination.weight)) {
			return { result: 'changed', detail: `weight ${destination.weight} stands there, not ${expected[0]}` };
		}
		// After the reading, which takes its time: who wrote during it has spoken, and may have written our very weight.
		const objected = objection?.();
		if (objected) return objected;
		// A process that stood still for longer than its lease has been undone by the helper, which would not look again.
		if (this.#options.nowMs() >= lease.untilMs && to !== lease.destination.weight)
			return failed('its lease was over before it could be written');
		if (keepsOne && to === 0 && isOnly) return failed('no other destination of its service has a weight by now');
		if (this.#options.dryRun)
			return { result: 'dry-run', detail: `would have set weight ${destination.weight} to ${to}` };
		return this.#set(lease, destination, to);
	}

	/**
	 * The destination as it stands now. A dump that others write during may miss an entry (the kernel walks a list that
	 * moves; ip_vs_genl_dump_dests), and a debt must not be forgotten for that: absent is what two readings say.
	 */
	async #standing({ service, destination }: Lease): Promise<Standing | undefined> {
		const { table } = this.#options;
		return find(await table.service(service), destination) ?? find(await table.service(service), destination);
	}

	async #set(lease: Lease, destination: Destination, to: number): Promise<WeightOutcome> {
		try {
			const result = await this.#options.table.setDestination(lease.service, { ...destination, weight: to });
			if (result === 'gone') return { result, detail: 'the destination was removed meanwhile' };
		} catch (error) {
			return this.#afterLostReply(lease, destination.weight, to, messageOf(error));
		}
		return this.#confirm(lease, to);
	}

	/** Whoever wrote in between has spoken last. That it cannot be read makes what was written no less done. */
	async #confirm(lease: Lease, to: number): Promise<WeightOutcome> {
		try {
			const standing = await this.#standing(lease);
			if (!standing) return { result: 'gone', detail: 'the destination was removed right after the write' };
			const { weight } = standing.destination;
			if (weight !== to) return { result: 'changed', detail: `weight ${weight} was written over our ${to} at once` };
		} catch (error) {
			return { result: 'done', detail: `it could not be read afterwards: ${messageOf(error)}` };
		}
		return { result: 'done', detail: '' };
	}

	/** An error may mean "refused" or "done, but the reply was lost" (ENOBUFS, a time-out): the table knows. */
	async #afterLostReply(lease: Lease, before: number, to: number, why: string): Promise<WeightOutcome> {
		try {
			const standing = await this.#standing(lease);
			if (!standing) return { result: 'gone', detail: `the destination is no longer in the table (${why})` };
			const { weight } = standing.destination;
			if (weight === to) return { result: 'done', detail: `the weight stands, though its write said: ${why}` };
			if (weight === before) return failed(why);
			return { result: 'changed', detail: `weight ${weight} stands there now (${why})` };
		} catch (error) {
			return { result: 'unknown', detail: `${why}; nor could the destination be read: ${messageOf(error)}` };
		}
	}
}

/** Everything past the write answers for itself; so what arrives here, a mistake of our own, has written nothing. */
async function answered(attempt: () => Promise<WeightOutcome>): Promise<WeightOutcome> {
	try {
		return await attempt();
	} catch (error) {
		return failed(`nothing was written, by a mistake of ipvigil's own: ${messageOf(error)}`);
	}
}

/** The ledger's last step. If it fails, the file that is left says less than the truth, and the outcome says so. */
function settle({ result, detail }: WeightOutcome, step: () => void): WeightOutcome {
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

function earlierOf(entry: LedgerEntry | undefined): EarlierWrite | undefined {
	const { written, pid } = entry?.lease ?? {};
	return written === undefined || pid === undefined ? undefined : { weight: written, pid };
}

function assert(condition: boolean, message: string): void {
	if (!condition) throw new Error(message);
}

function find(service: Service | undefined, { address, port }: Destination): Standing | undefined {
	const destinations = service?.destinations ?? [];
	const destination = destinations.find((one) => one.address === address && one.port === port);
	if (!destination) return undefined;
	return { destination, isOnly: !destinations.some((one) => one !== destination && one.weight > 0) };
}

function failed(detail: string): WeightOutcome {
	return { result: 'failed', detail };
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
