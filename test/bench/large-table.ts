/** A table as large as the goals speak of, and the judge's own steps over it, without any world around. */
import type { EvidenceEdge } from '../../src/evidence/evidence.js';
import { scopeId } from '../../src/evidence/signal.js';
import type { Action } from '../../src/judge/action.js';
import type { Input } from '../../src/judge/input.js';
import { defaultPolicy } from '../../src/judge/policy.js';
import { createState, type State } from '../../src/judge/state.js';
import { step } from '../../src/judge/step.js';
import { termsForAll } from '../../src/judge/terms.js';
import { endpointOf } from '../../src/table/identity.js';
import type { Snapshot } from '../../src/table/model.js';
import { parseRules } from '../../src/table/rules.js';

export const destinationsPerService = 16;

/** Each destination has an address of its own in 127.0.0.0/8, so that one listener can stand for all of them. */
export function rulesOf(services: number): string {
	const lines: string[] = [];
	for (let service = 0; service < services; service++) {
		const vip = `10.77.${service >> 8}.${service & 255}:80`;
		lines.push(`-A -t ${vip} -s wrr`);
		for (let index = 1; index <= destinationsPerService; index++)
			lines.push(`-a -t ${vip} -r 127.${index}.${service >> 8}.${service & 255}:8080 -m -w 100`);
	}
	return `${lines.join('\n')}\n`;
}

function snapshotOf(services: number): Snapshot {
	const result = parseRules(rulesOf(services));
	if (!result.ok) throw new Error(`line ${result.line}: ${result.found}`);
	return result.snapshot;
}

function elapsedUs(work: () => void): number {
	const beganNs = process.hrtime.bigint();
	work();
	return Number(process.hrtime.bigint() - beganNs) / 1e3;
}

/** A judge with a table, every probe of which is calibrated. */
export class Court {
	readonly #state: State;
	readonly #snapshot: Snapshot;
	#nowMs = 1_000_000;

	constructor(services: number) {
		this.#snapshot = snapshotOf(services);
		// One server that dies again and again, and comes back at once.
		const policy = {
			...defaultPolicy,
			graceMs: 0,
			slowStartSteps: 1,
			flapsMax: 1_000_000,
			ejectionsPerMinuteMax: 1_000_000,
		};
		const terms = termsForAll({ mode: 'assist', policy });
		this.#state = createState({ terms, pid: 1, dryRun: false, binding: false, seed: 1 });
		this.#take({ kind: 'table', snapshot: this.#snapshot, sinceMs: this.#nowMs });
		for (const listener of this.#state.listeners.values())
			Object.assign(listener, { calibrated: true, next: undefined });
		this.#state.busyListeners.clear();
	}

	/** The table is read again and nothing has changed. */
	sameTableUs(): number {
		const snapshot = structuredClone(this.#snapshot);
		return elapsedUs(() => this.#take({ kind: 'table', snapshot, sinceMs: this.#nowMs }));
	}

	/**
	 * A refusal is heard, the probe is refused, the weight is to be written; then all is put right again, unmeasured.
	 */
	decisionUs(): number {
		const edge = this.#edge();
		const answered = { kind: 'probe', listener: scopeId(edge.scope), latencyMs: 1, detail: '' } as const;
		let actions: Action[] = [];
		const tookUs = elapsedUs(() => {
			this.#take({ kind: 'evidence', edge });
			actions = this.#take({ ...answered, purpose: 'confirm', outcome: 'refused' });
		});
		this.#done(actions, 'setWeight');
		this.#done(this.#take({ ...answered, purpose: 'recover', outcome: 'accepted' }), 'giveBack');
		return tookUs;
	}

	#edge(): EvidenceEdge {
		const service = this.#snapshot.services.at(-1);
		const destination = service?.destinations[0];
		const endpoint = service && destination && endpointOf(service, destination);
		if (!endpoint) throw new Error('the table is empty');
		const atMs = this.#nowMs;
		const scope = { kind: 'endpoint', endpoint } as const;
		const seen = {
			verified: false,
			count: 1,
			clientPrefixes: 1,
			verifiedCount: 0,
			verifiedPrefixes: 0,
			client: '192.0.2.7',
			detail: '',
		};
		return { signal: 'refusal', scope, ...seen, firstMs: atMs, lastMs: atMs };
	}

	#done(actions: readonly Action[], kind: 'setWeight' | 'giveBack'): void {
		const action = actions.find((one) => one.kind === kind);
		if (action?.kind !== kind) throw new Error(`the judge did not ask for ${kind}`);
		this.#take({ kind: 'outcome', action: action.id, result: 'done', detail: '' });
	}

	/** Two seconds lie between two inputs: a confirming probe is always due. */
	#take(input: Input extends infer I ? (I extends Input ? Omit<I, 'nowMs'> : never) : never): Action[] {
		this.#nowMs += 2_000;
		return step(this.#state, { ...input, nowMs: this.#nowMs } as Input).actions;
	}
}
