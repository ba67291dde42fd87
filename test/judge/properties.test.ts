/** What holds whatever happens: windows count what lies in them, leases have their length, floors stand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createEvidence, note } from '../../src/evidence/evidence.js';
import type { Action } from '../../src/judge/action.js';
import type { Input } from '../../src/judge/input.js';
import { leaseLengthMs } from '../../src/judge/lease.js';
import { defaultPolicy, type Policy } from '../../src/judge/policy.js';
import { createState, type State } from '../../src/judge/state.js';
import { step } from '../../src/judge/step.js';
import { termsForAll } from '../../src/judge/terms.js';
import { parseRules } from '../../src/table/rules.js';

const scope = { kind: 'destination', destination: 'd', port: 80 } as const;

test('a window counts the signals that lie in it, their networks, and the verified ones since the last acceptance', () =>
	fc.assert(
		fc.property(
			fc.array(
				fc.record({
					afterMs: fc.nat(4_000),
					network: fc.nat(5),
					verified: fc.boolean(),
					acceptedAgoMs: fc.option(fc.nat(3_000), { nil: undefined }),
				}),
				{ minLength: 1, maxLength: 60 },
			),
			(signals) => {
				const pool = createEvidence(() => 10_000);
				let nowMs = 0;
				const seen: { atMs: number; network: number; verified: boolean }[] = [];
				for (const { afterMs, network, verified, acceptedAgoMs } of signals) {
					nowMs += afterMs;
					seen.push({ atMs: nowMs, network, verified });
					const client = `10.${network}.0.7`;
					const acceptedUs = acceptedAgoMs === undefined ? undefined : (nowMs - acceptedAgoMs) * 1_000;
					const signal = { name: 'refusal', scope, verified, count: 1, client, acceptedUs, detail: '' } as const;
					const edge = note(pool, signal, nowMs);
					const within = seen.filter(({ atMs }) => nowMs - atMs < 10_000);
					const since = nowMs - (acceptedAgoMs ?? Number.POSITIVE_INFINITY);
					const proven = within.filter((one) => one.verified && one.atMs > since);
					assert.equal(edge.count, within.length);
					assert.equal(edge.clientPrefixes, new Set(within.map((one) => one.network)).size);
					assert.equal(edge.verifiedCount, proven.length);
					assert.equal(edge.verifiedPrefixes, new Set(proven.map((one) => one.network)).size);
				}
			},
		),
	));

test('a lease is never shorter than the base, nor longer than cap and jitter, and grows with each ejection', () =>
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 100_000 }),
			fc.integer({ min: 0, max: 1_000_000 }),
			fc.double({ min: 0, max: 1, noNaN: true }),
			fc.nat(100),
			fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
			(leaseMs, more, leaseJitter, ejections, share) => {
				const policy = { ...defaultPolicy, leaseMs, leaseCapMs: leaseMs + more, leaseJitter };
				const length = leaseLengthMs(policy, ejections, share);
				assert.ok(length >= leaseMs);
				assert.ok(length <= Math.ceil(policy.leaseCapMs * (1 + leaseJitter)));
				assert.ok(leaseLengthMs(policy, ejections + 1, share) >= length);
			},
		),
	));

type Body = Input extends infer I ? (I extends Input ? Omit<I, 'nowMs'> : never) : never;

/** A service under test: what is written lands in `weights`, and every write is answered. */
class Court {
	readonly weights: number[];
	readonly owed: number[];
	readonly takenMs: number[] = [];
	#nowMs = 1_000_000;
	readonly #state: State;

	constructor(
		weights: number[],
		readonly policy: Policy,
	) {
		this.weights = [...weights];
		this.owed = [...weights];
		const terms = termsForAll({ mode: 'assist', policy });
		this.#state = createState({ terms, pid: 1, dryRun: false, binding: false, seed: 1 });
		const servers = weights.map((weight, index) => `-a -t 10.0.0.100:80 -r 10.1.0.${index + 1}:80 -m -w ${weight}`);
		const parsed = parseRules(['-A -t 10.0.0.100:80 -s wrr', ...servers].join('\n'));
		assert.ok(parsed.ok);
		this.#take({ kind: 'table', snapshot: parsed.snapshot, sinceMs: this.#nowMs });
		for (const index of weights.keys()) this.probe(index, 'calibrate', 'accepted');
	}

	probe(index: number, purpose: 'calibrate' | 'confirm' | 'recover', outcome: 'accepted' | 'refused'): void {
		const listener = `tcp 10.1.0.${index + 1}:80`;
		this.#take({ kind: 'probe', listener, purpose, outcome, latencyMs: 1, detail: '' });
	}

	refuse(index: number): void {
		const endpoint = { protocol: 'tcp', family: 'inet', address: `10.1.0.${index + 1}`, port: 80 } as const;
		const figures = {
			count: 1,
			clientPrefixes: 1,
			verifiedCount: 0,
			verifiedPrefixes: 0,
			client: '10.9.0.1',
			detail: '',
		};
		const at = { firstMs: this.#nowMs, lastMs: this.#nowMs };
		const edge = {
			signal: 'refusal',
			scope: { kind: 'endpoint', endpoint },
			verified: false,
			...figures,
			...at,
		} as const;
		this.#take({ kind: 'evidence', edge });
	}

	wait(ms: number): void {
		this.#nowMs += ms;
		this.#take({ kind: 'tick' });
	}

	#take(body: Body): void {
		for (const action of step(this.#state, { ...body, nowMs: this.#nowMs } as Input).actions) this.#carryOut(action);
	}

	#carryOut(action: Action): void {
		if (action.kind !== 'setWeight' && action.kind !== 'giveBack') return;
		const { lease, id } = action;
		const index = Number(lease.destination.address.split('.').at(-1)) - 1;
		const to = action.kind === 'setWeight' ? action.to : lease.destination.weight;
		if (to < (this.weights[index] ?? 0)) this.#checkFloors(index, to);
		this.weights[index] = to;
		this.#take({ kind: 'outcome', action: id, result: 'done', detail: '' });
	}

	#checkFloors(index: number, to: number): void {
		const { takenShareMax, ejectionsPerMinuteMax } = this.policy;
		const others = this.weights.filter((weight, other) => other !== index && weight > 0);
		assert.ok(others.length > 0, 'the last one that has a weight keeps it');
		const whole = this.owed.reduce((sum, weight) => sum + weight, 0);
		const left = this.weights.reduce((sum, weight, other) => sum + (other === index ? to : weight), 0);
		assert.ok((whole - left) / whole <= takenShareMax + 1e-9, `${left} of ${whole} would be left`);
		this.takenMs.push(this.#nowMs);
		const recent = this.takenMs.filter((atMs) => this.#nowMs - atMs < 60_000);
		assert.ok(recent.length <= ejectionsPerMinuteMax, `${recent.length} within a minute`);
	}
}

test('floors stand whatever is refused, confirmed and recovered, in whatever order', () => {
	const deed = fc.record({
		what: fc.constantFrom('refuse', 'confirm', 'deny', 'return', 'wait'),
		whom: fc.nat(7),
		ms: fc.nat(3_000),
	});
	let taken = 0;
	fc.assert(
		fc.property(
			fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 8 }),
			fc.constantFrom(0.3, 0.5, 0.9, 1),
			fc.integer({ min: 1, max: 5 }),
			fc.array(deed, { minLength: 20, maxLength: 200 }),
			(weights, takenShareMax, ejectionsPerMinuteMax, deeds) => {
				const policy = { ...defaultPolicy, takenShareMax, ejectionsPerMinuteMax, graceMs: 0, frozenShare: 1 };
				const court = new Court(weights, policy);
				for (const { what, whom, ms } of deeds) {
					const index = whom % weights.length;
					if (what === 'refuse') court.refuse(index);
					else if (what === 'confirm') court.probe(index, 'confirm', 'accepted');
					else if (what === 'deny') court.probe(index, 'confirm', 'refused');
					else if (what === 'return') court.probe(index, 'recover', 'accepted');
					else court.wait(ms);
				}
				taken += court.takenMs.length;
			},
		),
		{ seed: 20_261_128, numRuns: 200 },
	);
	assert.ok(taken > 100, `only ${taken} were taken out: the floors were hardly tried`);
});
