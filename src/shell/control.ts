/**
 * The daemon's side of the control API: what each request means to the judge, and what is answered. The operator's holds
 * are kept here too, so that what was answered with "held" outlives a restart. Requests and sockets are report/control.ts's.
 */
import type { Logger } from 'pino';
import { type HoldScope, holdsMax, mayHold } from '../judge/hold.js';
import type { DestinationState } from '../judge/state.js';
import { termsOf } from '../judge/terms.js';
import { HoldFile } from '../remedy/hold-file.js';
import { type ControlHandlers, type ControlServer, Refusal, startControl } from '../report/control.js';
import { type Standing, standingOf } from '../report/standing.js';
import { bootMs } from './clock.js';
import { findDestination } from './destination-name.js';
import type { Loop, Message } from './loop.js';

/** What each request is answered with; `format` is 1 until a key changes its meaning. */
export interface DestinationAnswer extends Standing {
	format: 1;
}

export interface ReleaseAnswer {
	format: 1;
	/** Whom was asked for: an id, or `all`. */
	destination: HoldScope;
	/** The leases that are being ended. `written` is null where the monitor was asked and no weight was written. */
	leases: ReleasedLease[];
}

export interface ReleasedLease {
	destination: string;
	owed: number;
	written: number | null;
	state: string;
	/** A dry run's: no weight was written, and none will be. */
	rehearsed: boolean;
	/** For how long it is not taken out again. */
	handsOffMs: number;
}

export interface HoldAnswer {
	format: 1;
	destination: HoldScope;
	until: string | null;
	reason: string;
	/** Leases that stand: a hold does not end them. */
	leases: string[];
	/** Whether it outlives a restart of ipvigil. */
	remembered: boolean;
}

export interface ResumeAnswer {
	format: 1;
	destination: HoldScope;
	/** The holds that are over. */
	ended: HoldScope[];
	/** The hold on all destinations stands, so this one stays held. */
	stillHeld: boolean;
	/** Whether it outlives a restart of ipvigil: what could not be written down would be held again. */
	remembered: boolean;
}

const noReason = 'no reason was given';

export class Control {
	readonly holds: HoldFile;
	#server: ControlServer | undefined;

	constructor(
		private readonly runtimeDirectory: string,
		private readonly log: Logger,
	) {
		this.holds = new HoldFile(runtimeDirectory, (error) =>
			log.error({ err: error }, 'the holds could not be read or written; they may not outlive a restart'),
		);
	}

	/** What an earlier ipvigil was told to hold. */
	recall(): Message[] {
		return this.holds.recall().map(({ destination, untilMs, reason }) => {
			return { kind: 'hold', destination, untilMs, reason, remembered: true };
		});
	}

	/** @throws ListenError */
	async open(loop: Pick<Loop, 'state' | 'take'>): Promise<void> {
		this.#server = await startControl(this.runtimeDirectory, createHandlers(loop, this.holds), (error) =>
			this.log.error({ err: error }, 'a request on the control socket failed'),
		);
	}

	async close(): Promise<void> {
		await this.#server?.close();
	}
}

/** @param nowMs The boot clock. */
export function createHandlers(
	loop: Pick<Loop, 'state' | 'take'>,
	holds: Pick<HoldFile, 'remembers'>,
	nowMs: () => number = bootMs,
): ControlHandlers {
	const { state } = loop;
	return {
		destination: (name): DestinationAnswer => {
			const standing = standingOf(state, resolve(name, state.destinations.keys()), nowMs(), new Date());
			if (!standing) throw unknown(name, []);
			return { format: 1, ...standing };
		},
		release: ({ destination: name }): ReleaseAnswer => {
			const destination = scopeOf(name, state.destinations.keys());
			const leases = leased(loop, destination).map((one) => releasedOf(state, one));
			loop.take({ kind: 'release', destination, reason: 'the operator asked' });
			return { format: 1, destination, leases };
		},
		hold: ({ destination: name, forMs, reason: given = '' }): HoldAnswer => {
			const reason = given.trim() || noReason;
			const destination = scopeOf(name, state.destinations.keys());
			if (!mayHold(state, destination))
				throw new Refusal(409, `${holdsMax} destinations are held already.`, 'Hold all of them: ipvigil hold --all');
			const untilMs = forMs === undefined ? undefined : nowMs() + forMs;
			loop.take({ kind: 'hold', destination, untilMs, reason, remembered: false });
			const until = forMs === undefined ? null : new Date(Date.now() + forMs).toISOString();
			const leases = leased(loop, destination).map(({ id }) => id);
			return { format: 1, destination, until, reason, leases, remembered: holds.remembers };
		},
		resume: ({ destination: name }): ResumeAnswer => {
			const held = [...state.holds.keys()];
			const destination = scopeOf(name, new Set([...state.destinations.keys(), ...held.filter((id) => id !== 'all')]));
			loop.take({ kind: 'unhold', destination });
			const ended = held.filter((scope) => !state.holds.has(scope));
			return { format: 1, destination, ended, stillHeld: state.holds.has('all'), remembered: holds.remembers };
		},
	};
}

type Leased = DestinationState & { lease: NonNullable<DestinationState['lease']> };

function leased({ state }: Pick<Loop, 'state'>, scope: HoldScope): Leased[] {
	const candidates = scope === 'all' ? state.busyDestinations : [scope];
	return [...candidates]
		.flatMap((id) => state.destinations.get(id) ?? [])
		.filter((one): one is Leased => one.lease !== undefined);
}

function releasedOf(state: Loop['state'], { id, serviceId, lease, rehearsed }: Leased): ReleasedLease {
	const { holdDownMs } = termsOf(state, serviceId).policy;
	const { destination, written = null, state: leaseState } = lease;
	return { destination: id, owed: destination.weight, written, state: leaseState, rehearsed, handsOffMs: holdDownMs };
}

function scopeOf(name: string, known: Iterable<string>): HoldScope {
	return name === 'all' ? 'all' : resolve(name, known);
}

/** @throws Refusal where none, or more than one, is meant. */
function resolve(name: string, known: Iterable<string>): string {
	const found = findDestination(name, known);
	switch (found.kind) {
		case 'one':
			return found.id;
		case 'several':
			throw new Refusal(409, `"${name}" may mean ${found.ids.length} destinations.`, `Name one: ${listed(found.ids)}`);
		case 'none':
			throw unknown(name, found.near);
	}
}

function unknown(name: string, near: string[]): Refusal {
	const next = near.length === 0 ? 'See ipvigil table.' : `Do you mean ${listed(near)}?`;
	return new Refusal(404, `No destination is named "${name}".`, next);
}

/** Enough to choose from. */
const listedMax = 8;

function listed(ids: string[]): string {
	const named = ids.slice(0, listedMax).map((id) => `"${id}"`);
	return ids.length > listedMax ? `${named.join(', ')} and ${ids.length - listedMax} more` : named.join(', ');
}
