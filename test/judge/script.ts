/**
 * Plays a script of inputs to the judge and writes down what it answers: the golden files of `test/scenarios/`.
 * A block is a command, `----`, and the answer. Time stands still but for `wait`, which delivers the ticks that
 * the judge asked for. Leases that the judge has entered are kept as the ledger would keep them, for `restart`.
 */
import { createEvidence, type EvidencePool, note, observe } from '../../src/evidence/evidence.js';
import type { Scope, SignalName } from '../../src/evidence/signal.js';
import type { Action, JournalEntry } from '../../src/judge/action.js';
import type { Asking } from '../../src/judge/asking.js';
import type { Hold } from '../../src/judge/hold.js';
import type { Input, ProbeOutcome, ProbePurpose } from '../../src/judge/input.js';
import type { Lease } from '../../src/judge/lease.js';
import {
	defaultActions,
	defaultPolicy,
	type Mode,
	type Policy,
	type RuleAction,
	type RuleName,
} from '../../src/judge/policy.js';
import { createState, type State } from '../../src/judge/state.js';
import { step } from '../../src/judge/step.js';
import type { Terms } from '../../src/judge/terms.js';
import { destinationId } from '../../src/table/identity.js';
import type { Endpoint, Snapshot } from '../../src/table/model.js';
import { parseRules } from '../../src/table/rules.js';

type Options = Terms & { dryRun: boolean; binding: boolean };
type InputBody = Input extends infer I ? (I extends Input ? Omit<I, 'nowMs'> : never) : never;

export class Script {
	/** What the journal would hold. */
	readonly journal: { bootMs: number; entry: JournalEntry }[] = [];
	private nowMs = 1_000_000;
	private state: State;
	private evidence: EvidencePool;
	private wakeMs = Number.POSITIVE_INFINITY;
	private named = new Map<string, Terms>();
	private ledger = new Map<string, Lease>();
	private calibrated: string[] = [];
	private holds: Hold[] = [];
	private snapshot: Snapshot = { services: [] };
	private lines: string[] = [];
	private options: Options = {
		mode: 'assist',
		dryRun: false,
		binding: false,
		// What most stories are not about.
		policy: { ...defaultPolicy, leaseJitter: 0, graceMs: 0, slowStartSteps: 1 },
		actions: { ...defaultActions },
		asking: { method: 'auto' },
	};

	constructor() {
		this.state = this.fresh(4711);
		this.evidence = createEvidence(() => this.options.policy.windowMs);
	}

	/** Runs one command (its first line; the rest is its body) and returns the answer. */
	run(command: string): string {
		const [head = '', ...body] = command.split('\n');
		const [verb = '', ...words] = head.split(' ');
		const handler = this.commands[verb];
		if (!handler) throw new Error(`no such command: ${verb}`);
		this.lines = [];
		handler(words, body);
		return this.lines.join('\n') || '(nothing)';
	}

	private commands: Record<string, (words: string[], body: string[]) => void> = {
		start: (words) => this.start(words),
		terms: (words) => this.terms(words),
		accepting: (words) => this.input({ kind: 'accepting', destinations: [words.join(' ')] }),
		// `table`, or `table 5ms`: a reading that began so long ago.
		table: ([age], body) => this.table(body.join('\n'), this.nowMs - (age ? milliseconds(age) : 0)),
		calibrated: (words) => this.input({ kind: 'probe', ...probeOf(words, 'calibrate', 'accepted') }),
		refusal: (words) => this.refusal(words),
		signal: (words) => this.signal(words),
		learned: (words) => this.learned(words),
		ways: (words) => this.ways(words),
		probe: (words) =>
			this.input({ kind: 'probe', ...probeOf(words, words.at(-2) as ProbePurpose, words.at(-1) as ProbeOutcome) }),
		outcome: (words) => this.outcome(words),
		write: (words) => this.write(words),
		wait: (words) => this.wait(milliseconds(words[0] ?? '')),
		release: (words) => this.input({ kind: 'release', destination: words.join(' '), reason: 'the operator asked' }),
		hold: (words) => this.hold(words),
		resume: (words) => this.input({ kind: 'unhold', destination: words.join(' ') }),
		stop: () => this.input({ kind: 'stop' }),
		restart: (words) => this.restart(words),
		show: () => this.show(),
	};

	private fresh(pid: number): State {
		const { dryRun, binding, ...terms } = this.options;
		return createState({ terms: { others: terms, named: this.named }, dryRun, binding, pid, seed: 1 });
	}

	private start(words: string[]): void {
		for (const word of words) {
			const [key = '', value = ''] = word.split('=');
			if (key === 'dryRun' || key === 'binding') this.options[key] = value === 'yes';
			else setTerm(this.options, key, value);
		}
		this.state = this.fresh(4711);
	}

	/** terms SERVICE (two words) KEY=VALUE...: what holds for that one only */
	private terms(words: string[]): void {
		const { mode, policy, actions, asking } = this.options;
		const own: Terms = { mode, policy: { ...policy }, actions: { ...actions }, asking };
		for (const word of words.slice(2)) setTerm(own, ...(word.split('=') as [string, string]));
		this.named.set(words.slice(0, 2).join(' '), own);
		this.state = this.fresh(4711);
	}

	private table(text: string, sinceMs = this.nowMs): void {
		const parsed = parseRules(text);
		if (!parsed.ok) throw new Error(JSON.stringify(parsed));
		this.snapshot = parsed.snapshot;
		this.input({ kind: 'table', snapshot: this.snapshot, sinceMs });
	}

	private refusal(words: string[]): void {
		const endpoint = endpointNamed(words);
		const event = {
			kind: 'refusal' as const,
			atUs: this.nowMs * 1000,
			endpoint,
			client: words[2] ?? '10.9.0.1',
			clientPort: 40_000,
			interfaceIndex: 2,
			answersSyn: words[3] !== 'stray',
			sender: 'known' as const,
			suppressed: 0,
		};
		const edge = observe(this.evidence, event, this.nowMs);
		if (edge) this.input({ kind: 'evidence', edge });
	}

	/** signal NAME [verified] [accepted 5ms ago] host ADDRESS | endpoint tcp|udp ADDRESS:PORT | destination (four words) port N, then client and detail */
	private signal([name, ...rest]: string[]): void {
		const verified = rest[0] === 'verified';
		const told = verified ? rest.slice(1) : rest;
		const acceptedAgoMs = told[0] === 'accepted' ? milliseconds(told[1] ?? '') : undefined;
		const [kind = '', ...words] = acceptedAgoMs === undefined ? told : told.slice(3);
		const taken = { host: 1, endpoint: 2, destination: 6 }[kind] ?? 0;
		const [client, ...detail] = words.slice(taken);
		const scope = scopeNamed(kind, words.slice(0, taken));
		const acceptedUs = acceptedAgoMs === undefined ? undefined : (this.nowMs - acceptedAgoMs) * 1_000;
		const said = { scope, verified, count: 1, client, acceptedUs, detail: detail.join(' ') };
		const signal = { name: name as SignalName, ...said };
		this.input({ kind: 'evidence', edge: note(this.evidence, signal, this.nowMs) });
	}

	/** learned DESTINATION at tcp ADDRESS:PORT [configured]; a firewall mark has four words: fwmark 7 > 10.1.0.11:0 */
	private learned(words: string[]): void {
		const at = words.indexOf('at');
		const destination = words.slice(0, at).join(' ');
		const configured = words.at(-1) === 'configured';
		this.input({ kind: 'learned', destination, endpoint: endpointNamed(words.slice(at + 1)), configured });
	}

	/** ways ADDRESS... REASON (one word); nothing: all are well again */
	private ways(words: string[]): void {
		const why = words.at(-1)?.replaceAll('_', ' ') ?? '';
		this.input({ kind: 'ways', impaired: new Map(words.slice(0, -1).map((address) => [address, why])) });
	}

	private outcome(words: string[]): void {
		const [id, result, ...detail] = words;
		this.input({ kind: 'outcome', action: Number(id), result: result as 'done', detail: detail.join(' ') });
	}

	/** write DESTINATION(3 words) add|edit|delete WEIGHT by COMM PID [own] */
	private write(words: string[]): void {
		const destination = words.slice(0, 4).join(' ');
		const [operation, weight, , comm = '', pid, own] = words.slice(4);
		const writer = { pid: Number(pid), comm, own: own === 'own' };
		this.input({ kind: 'write', destination, operation: operation as 'edit', weight: Number(weight), writer });
	}

	/** hold DESTINATION(4 words)|all [for TIME] REASON (one word, _ for a blank) */
	private hold(words: string[]): void {
		const count = words[0] === 'all' ? 1 : 4;
		const [destination, rest] = [words.slice(0, count).join(' '), words.slice(count)];
		const untilMs = rest[0] === 'for' ? this.nowMs + milliseconds(rest[1] ?? '') : undefined;
		const reason = rest.at(-1)?.replaceAll('_', ' ') ?? '';
		this.input({ kind: 'hold', destination, untilMs, reason, remembered: false });
	}

	private wait(ms: number): void {
		const endMs = this.nowMs + ms;
		while (this.wakeMs <= endMs) {
			this.nowMs = Math.max(this.nowMs, this.wakeMs);
			this.wakeMs = Number.POSITIVE_INFINITY;
			this.input({ kind: 'tick' });
		}
		this.nowMs = endMs;
	}

	/**
	 * A new process finds the ledger. `restart [earlier WEIGHT] [last-writer COMM PID]`: the weight that a write that was
	 * under way was to replace; who wrote last, according to the audit map.
	 */
	private restart(given: string[]): void {
		const earlier = given[0] === 'earlier' ? { weight: Number(given[1]), pid: 4711 } : undefined;
		const words = earlier === undefined ? given : given.slice(2);
		this.state = this.fresh(4712);
		this.wakeMs = Number.POSITIVE_INFINITY;
		for (const hold of this.holds) this.input({ kind: 'hold', ...hold, remembered: true });
		this.input({ kind: 'table', snapshot: this.snapshot, sinceMs: this.nowMs });
		const lastWriter = words[0] ? { comm: words[1] ?? '', pid: Number(words[2]), own: words[3] === 'own' } : undefined;
		const leases = [...this.ledger.values()].map((lease) => ({ lease, earlier, lastWriter }));
		this.input({ kind: 'resume', leases, calibrated: this.calibrated });
	}

	private show(): void {
		for (const { id, verdict, lease, destination, inTable } of this.state.destinations.values()) {
			const held = lease
				? `lease ${lease.state}, written ${lease.written ?? '-'}, owed ${lease.destination.weight}`
				: 'no lease';
			this.lines.push(`${id}: ${verdict}, ${inTable ? `weight ${destination.weight}` : 'not in table'}, ${held}`);
		}
		const { detected, enforced, overflow } = this.state.counters;
		this.lines.push(`detected ${detected}, enforced ${enforced}, overflow ${JSON.stringify(overflow)}`);
	}

	private input(body: InputBody): void {
		const { actions } = step(this.state, { ...body, nowMs: this.nowMs } as Input);
		for (const action of actions) this.note(action);
	}

	private note(action: Action): void {
		if (action.kind === 'schedule') {
			this.wakeMs = Math.min(this.wakeMs, action.atMs);
			return;
		}
		if (action.kind === 'setWeight' || action.kind === 'ledger')
			this.ledger.set(destinationId(action.lease.service, action.lease.destination), action.lease);
		if (action.kind === 'forget') this.ledger.delete(destinationId(action.service, action.destination));
		if (action.kind === 'journal') this.journal.push({ bootMs: this.nowMs, entry: action.entry });
		if (action.kind === 'keepHolds') this.holds = action.holds;
		if (action.kind === 'remember') this.calibrated.push(action.calibrated);
		this.lines.push(this.describe(action));
	}

	private describe(action: Exclude<Action, { kind: 'schedule' }>): string {
		switch (action.kind) {
			case 'probe':
				return `probe ${action.id} to ${action.purpose} within ${action.timeoutMs} ms`;
			case 'setWeight':
				return `(${action.id}) set weight of ${this.name(action.lease)} from ${action.expect} to ${action.to}, lease ${action.lease.untilMs - this.nowMs} ms`;
			case 'giveBack':
				return `(${action.id}) give ${this.name(action.lease)} back ${action.lease.destination.weight} for ${action.lease.written}`;
			case 'ledger':
				return `ledger ${this.name(action.lease)} ${action.lease.state} for ${action.lease.untilMs - this.nowMs} ms`;
			case 'forget':
				return `forget ${destinationId(action.service, action.destination)}`;
			case 'bind':
				return `bind ${destinationId(action.service, action.destination)} ${action.state}`;
			case 'remember':
				return `remember ${action.calibrated} is calibrated`;
			case 'keepHolds':
				return `keep holds: ${action.holds.map(({ destination }) => destination).join(', ') || 'none'}`;
			case 'tell':
				return `tell ${action.entry.scenario}`;
			case 'journal':
				return `journal ${action.entry.scenario}: ${action.entry.sentence}`;
		}
	}

	private name(lease: Lease): string {
		return destinationId(lease.service, lease.destination);
	}
}

function setTerm(terms: Terms, key: string, value: string): void {
	if (key === 'mode') terms.mode = value as Mode;
	else if (key === 'probe') terms.asking = { method: value as Asking['method'] };
	else if (key === 'request') terms.asking = { ...terms.asking, request: value };
	else if (key in terms.actions) terms.actions[key as RuleName] = value as RuleAction;
	else if (key in terms.policy) terms.policy[key as keyof Policy] = Number(value);
	else throw new Error(`no such option: ${key}`);
}

/** Plays a story again: the same commands, with the answers that the judge gives now. */
export function playStory(script: Script, story: string): string {
	const blocks = story.trimEnd().split(/\n\n+/);
	return `${blocks.map((block) => playBlock(script, block)).join('\n\n')}\n`;
}

function playBlock(script: Script, block: string): string {
	const lines = block.split('\n');
	const comments = lines.filter((line) => line.startsWith('#'));
	const [command = ''] = lines
		.filter((line) => !line.startsWith('#'))
		.join('\n')
		.split('\n----');
	if (command === '') return comments.join('\n');
	return [...comments, command, '----', script.run(command)].join('\n');
}

function scopeNamed(kind: string, words: string[]): Scope {
	if (kind === 'host') return { kind, address: words[0] ?? '' };
	if (kind === 'endpoint') return { kind, endpoint: endpointNamed(words) };
	return {
		kind: 'destination',
		destination: words.slice(0, 4).join(' '),
		port: words[5] === 'any' ? undefined : Number(words[5]),
	};
}

function endpointNamed(words: string[]): Endpoint {
	const match = /^(.*):(\d+)$/.exec(words[1] ?? '');
	if (!match?.[1]) throw new Error(`no endpoint: ${words.join(' ')}`);
	const address = match[1].replace(/^\[|\]$/g, '');
	return {
		protocol: words[0] as Endpoint['protocol'],
		family: address.includes(':') ? 'inet6' : 'inet',
		address,
		port: Number(match[2]),
	};
}

/** The listener's id, all words before its answer. */
function probeOf(words: string[], purpose: ProbePurpose, outcome: ProbeOutcome) {
	const said = words.at(-1) === outcome ? words.slice(0, -2) : words;
	const detail = outcome === 'error' ? 'EPERM' : '';
	return { listener: said.join(' '), purpose, outcome, latencyMs: 1, detail };
}

function milliseconds(text: string): number {
	const match = /^(\d+)(ms|s)$/.exec(text);
	if (!match) throw new Error(`no duration: ${text}`);
	return Number(match[1]) * (match[2] === 's' ? 1000 : 1);
}
