/**
 * The contract of the lab's scenarios. A scenario is one file in scenarios/ whose default export is a Scenario (or a
 * list of them); it says in data which director it needs and in `run` what happens and what must then be true, in the
 * words of clients, servers, weights and the journal. It throws where something is not as it must be.
 *
 * With `--blind` a scenario that names its `signal` runs with that signal switched off, and must then fail: proof that
 * it was the signal that did the work and not something else. The scenario does the switching: it asks `lab.blind` and
 * configures the daemon so (refusals: `attach: none`, `attempts: wire`).
 */
import type { JournalLine } from '../../src/report/segments.js';
import type { KernelName } from './kernel.js';
import type { Topology } from './topology.js';

export interface Scenario {
	/** kebab-case; what `npm run lab -- NAME` takes. */
	name: string;
	/** What is shown, as a sentence: the name of its test. */
	sentence: string;
	/** What `--blind` switches off. Without it there is no blind run. */
	signal?: string;
	/** Which `all` runs it on; default every one. Empty: only by name (demonstrations, measurements). */
	kernels?: KernelName[];
	/**
	 * Which `npm test` runs it on, of those; default every one that it tests, which is for the core. Others name the one
	 * kernel where they take the least from the rest: the time of all of them is limited (lab.test.ts).
	 */
	ci?: KernelName[];
	topology: Topology;
	/** Guest time, set-up included. Default 120 s: an emulated guest on a busy machine is 5 to 20 times slow. */
	limitMs?: number;
	run(lab: Lab): Promise<void>;
}

/** What a scenario works with. All times are milliseconds of the guest's boot clock, as in ipvigil's journal. */
export interface Lab {
	readonly topology: Topology;
	readonly blind: boolean;
	/** For files of this scenario; kept on the host where a scenario fails. */
	readonly directory: string;
	readonly director: Director;
	readonly servers: RealServer[];
	/** The server of that name; its absence is the scenario's mistake. */
	server(name: string): RealServer;
	readonly clients: Clients;
	/** Sends them all, and resolves when they are sent. IPv4. */
	forge(lie: Lie): Promise<void>;
	nowMs(): number;
	sleep(durationMs: number): Promise<void>;
	/** A line of the timeline that people read; `atMs` where it happened earlier than now. */
	note(sentence: string, atMs?: number): void;
	/** A figure of the run, shown at its end and kept in its result. */
	fact(name: string, value: string | number | boolean): void;
	/** Fails with the sentence, and what was seen, unless the condition holds. (`run(lab: Lab)` has to name the type.) */
	expect(condition: boolean, sentence: string, seen?: unknown): asserts condition;
	/**
	 * Asks until the answer is something (not undefined, not false), and gives it back. Fails after the limit with
	 * `what` ("weight of 10.1.0.11:8080 is 0") and the last error, if the asking threw.
	 */
	until<T>(what: string, limitMs: number, ask: () => Answer<T> | Promise<Answer<T>>): Promise<T>;
	/** Runs a program in a node; its output, or an error with what it complained of. */
	exec(node: string, program: string, ...args: string[]): Promise<string>;
	/** Starts ipvigil in the director, and waits until it says that it observes. */
	daemon(config?: DaemonConfig, options?: DaemonOptions): Promise<Daemon>;
	/** Ends when the scenario does: keepalived, ldirectord, tcpdump and the like. */
	background(node: string, program: string, args: string[], env?: Record<string, string>): Background;
}

export type Answer<T> = T | undefined | false;

export interface Director {
	/** Weight by destination: `10.1.0.11:8080` or `[fd00::11]:8080`. Of several services the first that has it. */
	weights(): Promise<Map<string, number>>;
	weight(destination: string): Promise<number | undefined>;
	ipvsadm(...args: string[]): Promise<string>;
}

export interface RealServer {
	/** As its answers name it: the node's name. */
	readonly name: string;
	/** As IPVS names it. */
	readonly destination: string;
	/** Resolves when it listens. */
	start(): Promise<void>;
	/** kill -9: the kernel answers its clients with RST (or ICMP port unreachable, in UDP) from then on. */
	kill(): Promise<void>;
	/** SIGSTOP: its kernel still accepts, and nobody answers. */
	hang(): void;
	resume(): void;
	/** The switch's end of its link goes down: a host that is silent. Its own addresses and routes stay. */
	unplug(): Promise<void>;
	plug(): Promise<void>;
	/** Replaces the node's nftables rules; `''` removes them. */
	firewall(rules: string): Promise<void>;
}

export interface TrafficOptions {
	/** New connections per second, in turn from each source address. Default 20. */
	ratePerS?: number;
	to?: { address: string; port: number };
	from?: string[];
	timeoutMs?: number;
}

export interface Clients {
	start(options?: TrafficOptions): Traffic;
}

/** Packets that lie about where they come from: tools/forge.c says what each kind is. */
export interface Lie {
	kind: 'rst' | 'unreachable' | 'syn' | 'refused-syn';
	/** Where it is really sent from: a node and its interface towards the director. */
	from: { node: string; interface: string };
	/** Whom it claims to come from, or speaks of. */
	server: RealServer;
	count: number;
	ratePerS: number;
}

export interface Failure {
	result: 'refused' | 'timeout' | 'reset' | 'unreachable' | 'closed' | 'error';
	atMs: number;
	tookMs: number;
	from: string;
}

export interface Totals extends Record<Failure['result'] | 'ok' | 'started' | 'skipped' | 'open', number> {
	atMs: number;
	/** Answers by server name. */
	by: Record<string, number>;
}

export interface Traffic {
	readonly failures: Failure[];
	/** The newest, at most 200 ms old. */
	totals(): Totals;
	/** Ends it; the open attempts have their answers or time-outs by then. */
	stop(): Promise<Totals>;
}

/** ipvigil's configuration; the lab adds directories of its own for what is not given. */
export type DaemonConfig = Record<string, unknown>;

export interface DaemonOptions {
	env?: Record<string, string>;
	args?: string[];
	/** Do not wait for "observing": for runs that are meant to end before. */
	startOnly?: boolean;
}

export interface Background {
	readonly pid: number;
	/** What it wrote to stdout and stderr so far, by line. */
	readonly lines: string[];
	/** undefined while it runs; `SIGKILL` or the exit code. */
	readonly ended: number | string | undefined;
	signal(name: NodeJS.Signals): void;
	/** SIGTERM, and SIGKILL after the limit; resolves with what it ended with. */
	stop(limitMs?: number): Promise<number | string>;
	kill(): Promise<void>;
}

export interface Daemon extends Background {
	/** Log lines that are pino's. */
	log(): { level: string; msg: string; [key: string]: unknown }[];
	journal(): Promise<JournalLine[]>;
	/** The first journal line that fits, waited for. */
	journaled(what: string, limitMs: number, fits: (line: JournalLine) => boolean): Promise<JournalLine>;
	/** Waits until the probe of each destination is calibrated: before that, no refusal can convict. */
	calibrated(destinations: string[]): Promise<void>;
	readonly runtimeDirectory: string;
}
