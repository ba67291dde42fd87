/**
 * A rehearsal of the decision before the first real one: a made-up refusal goes the whole way from evidence to a weight
 * and back, on stand-ins. The first decision after a start would otherwise be the slowest, since Node compiles each
 * function when it is first called; and a server that dies just after an upgrade is as dead as any other.
 *
 * Nothing of it leaves this process but a TCP connection to a listener of its own on the loopback interface: the table
 * is an object, the ledger a directory that is removed, the journal and the log keep silent.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { defaultPolicy, type Policy } from '../judge/policy.js';
import { createState } from '../judge/state.js';
import { isSettled } from '../judge/step.js';
import { termsForAll } from '../judge/terms.js';
import { Calibration } from '../remedy/calibration.js';
import { Ledger } from '../remedy/ledger.js';
import { Prober } from '../remedy/probe.js';
import { type TableWriter, Weights } from '../remedy/weights.js';
import { Journal } from '../report/journal.js';
import { type Destination, type Endpoint, noStats, noTunnel, type Service, type Snapshot } from '../table/model.js';
import { bootMs } from './clock.js';
import { createExecutors } from './executor.js';
import { Loop } from './loop.js';
import { Witness } from './witness.js';

/** Calls after which V8 keeps a function's compiled code warm; more rounds were not measurably faster. */
const rounds = 3;
/** A rehearsal must never hold up the start: on a machine where even this is too short, it has done its work anyway. */
const longestMsDefault = 5_000;

/** Plays the decision through. Never throws: what goes wrong here is no reason not to start, and is told as such. */
export async function rehearse(runtimeDirectory: string, log: Logger, longestMs = longestMsDefault): Promise<void> {
	try {
		const directory = mkdtempSync(join(runtimeDirectory, 'rehearsal-'));
		try {
			await play(directory, bootMs() + longestMs);
		} finally {
			rmSync(directory, { recursive: true, force: true });
		}
	} catch (error) {
		log.warn(
			{ err: error },
			'the rehearsal of a decision failed: the first real one may be slow, or meet the same obstacle',
		);
	}
}

/** However it ends, no listener, timer or probe of it is left: any of them would keep this process from ending. */
async function play(directory: string, endMs: number): Promise<void> {
	const server = createServer((socket) => socket.destroy());
	let stage: Stage | undefined;
	try {
		const port = await listen(server, 0);
		stage = new Stage(directory, port);
		await perform(stage, server, port, endMs);
	} finally {
		server.close();
		stage?.close();
	}
}

async function perform(stage: Stage, server: Server, port: number, endMs: number): Promise<void> {
	stage.begin();
	await stage.until(() => stage.calibrated, endMs);
	for (let round = 0; round < rounds; round++) {
		await new Promise((resolve) => server.close(resolve));
		stage.refuse();
		await stage.until(() => stage.weight === 0, endMs);
		await listen(server, port);
		await stage.until(() => isSettled(stage.state) && stage.weight === 1, endMs);
	}
}

function listen(server: Server, port: number): Promise<number> {
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(port, '127.0.0.1', () => {
			const address = server.address();
			resolve(typeof address === 'object' && address ? address.port : port);
		});
	});
}

/** Without the times that are for real servers. */
const rehearsed: Policy = { ...defaultPolicy, confirmIntervalMs: 1, recoverIntervalMs: 5, graceMs: 0 };

/** A director of one service and two servers, of which one is the listener. */
class Stage implements TableWriter {
	readonly state = createState({
		terms: termsForAll({ mode: 'assist', policy: rehearsed, asking: { method: 'connect' } }),
		pid: process.pid,
		dryRun: false,
		binding: false,
		seed: 1,
	});
	readonly #witness = new Witness(() => rehearsed.windowMs, process.pid);
	readonly #prober = new Prober();
	readonly #endpoint: Endpoint;
	readonly #service: Service;
	readonly #calibration: Calibration;
	readonly #loop: Loop;

	constructor(directory: string, port: number) {
		this.#endpoint = { protocol: 'tcp', family: 'inet', address: '127.0.0.1', port };
		this.#service = rehearsalService(port);
		this.#calibration = new Calibration(directory, () => {});
		const ledger = new Ledger(join(directory, 'leases'));
		const journal = new Journal({ directory, segmentBytes: 65_536, segments: 2, waitingMax: 0 });
		const executors = createExecutors({
			probes: { probe: ({ endpoint }, asking, timeoutMs) => this.#prober.probe(endpoint, asking, timeoutMs) },
			weights: new Weights({ table: this, ledger, dryRun: false, nowMs: bootMs }),
			ledger,
			calibration: this.#calibration,
			holds: { keep: () => {} },
			binding: [],
			telling: [],
			journal,
			log: pino({ level: 'silent' }),
			dryRun: false,
			nowMs: bootMs,
			hearAudit: () => {},
			feed: (message) => this.#loop.take(message),
			noted: () => {},
		});
		this.#loop = new Loop(this.state, bootMs, executors);
	}

	/** The first snapshot sets everything going. */
	begin(): void {
		const snapshot: Snapshot = { services: [this.#service] };
		this.#loop.take({ kind: 'table', snapshot, sinceMs: bootMs() });
	}

	get calibrated(): boolean {
		return [...this.state.listeners.values()].some(({ calibrated }) => calibrated);
	}

	get weight(): number {
		return this.#service.destinations[0]?.weight ?? 0;
	}

	refuse(): void {
		const event = {
			kind: 'refusal' as const,
			atUs: 0,
			endpoint: this.#endpoint,
			client: '127.0.0.2',
			clientPort: 1,
			interfaceIndex: 1,
			answersSyn: true,
			sender: 'known' as const,
			suppressed: 0,
		};
		const message = this.#witness.hear(event, bootMs());
		if (message) this.#loop.take(message);
	}

	async service(): Promise<Service> {
		return this.#service;
	}

	async setDestination(_: unknown, written: Destination): Promise<'done'> {
		this.#service.destinations = this.#service.destinations.map((one) => (one.port === written.port ? written : one));
		return 'done';
	}

	async until(reached: () => boolean, endMs: number): Promise<void> {
		while (!reached()) {
			if (bootMs() > endMs) throw new Error('the rehearsal takes too long');
			await new Promise((resolve) => setTimeout(resolve, 1));
		}
	}

	close(): void {
		this.#loop.close();
		this.#prober.close();
		this.#calibration.flush();
	}
}

function rehearsalService(port: number): Service {
	const server = (at: number): Destination => ({
		family: 'inet',
		address: '127.0.0.1',
		port: at,
		forwarding: 'masq',
		weight: 1,
		upperThreshold: 0,
		lowerThreshold: 0,
		tunnel: noTunnel,
		activeConnections: 0,
		inactiveConnections: 0,
		persistentConnections: 0,
		stats: noStats,
	});
	return {
		address: { kind: 'address', protocol: 'tcp', family: 'inet', address: '127.0.0.1', port: 1 },
		scheduler: 'wrr',
		flags: 0,
		persistenceSeconds: 0,
		netmask: '255.255.255.255',
		persistenceEngine: '',
		stats: noStats,
		// Port 0 is no endpoint: the second server is there for the floor's sake and is never asked.
		destinations: [server(port), server(0)],
	};
}
