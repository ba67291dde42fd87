/**
 * A scenario's lab inside the guest: builds the topology, offers the handles of the contract, takes all of it down.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { asDaemon, daemonConfig, ipvigil } from './daemon.js';
import type { LabEvent } from './events.js';
import { forge, makeClients, makeDirector, makeServer } from './parts.js';
import { exec, type Processes, script } from './process.js';
import type { Answer, Daemon, DaemonConfig, DaemonOptions, Lab, Scenario } from './scenario.js';
import { namespacesOf, render, type Topology } from './topology.js';

/** Node starts in 2 to 3 s under emulation, BPF loads in 2; ten times that. */
const daemonStartLimitMs = 60_000;
const askEveryMs = 100;

/** CLOCK_MONOTONIC, which is CLOCK_BOOTTIME in a guest that never sleeps. */
export const nowMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;

export const sleep = (durationMs: number) => new Promise<void>((resolve) => setTimeout(resolve, durationMs));

export async function build(topology: Topology): Promise<void> {
	await exec(undefined, 'modprobe', '-a', ...topology.modules);
	for (const { namespace, script: text } of render(topology)) await script(namespace, text);
}

/** Deleting a namespace with its processes gone takes its devices, rules and IPVS table along. */
export async function takeDown(topology: Topology): Promise<void> {
	await script(
		undefined,
		`ip -force -batch - <<'END'\n${namespacesOf(topology)
			.map((n) => `netns del ${n}`)
			.join('\n')}\nEND`,
	);
	await rm('/run/ipvigil', { recursive: true, force: true });
	await rm('/sys/fs/bpf/ipvigil', { recursive: true, force: true }).catch(() => undefined);
}

export interface LabOptions {
	scenario: Scenario;
	blind: boolean;
	directory: string;
	processes: Processes;
	emit(event: LabEvent): void;
}

export function makeLab({ scenario, blind, directory, processes, emit }: LabOptions): Lab {
	const { name, topology } = scenario;
	const servers = topology.servers.map((place) => makeServer(place, topology, processes));
	const lab: Lab = {
		topology,
		blind,
		directory,
		director: makeDirector(topology.director),
		servers,
		server(wanted) {
			const found = servers.find((server) => server.name === wanted);
			if (!found) throw new Error(`the topology of ${name} has no server ${wanted}`);
			return found;
		},
		clients: makeClients(topology, processes),
		forge: (lie) => forge(topology, lie),
		nowMs,
		sleep,
		note: (sentence, atMs = nowMs()) => emit({ kind: 'note', atMs, scenario: name, sentence }),
		fact: (fact, value) => emit({ kind: 'fact', atMs: nowMs(), scenario: name, name: fact, value }),
		expect(condition, sentence, seen) {
			if (!condition)
				throw new Error(seen === undefined ? sentence : `${sentence}; seen: ${inspect(seen, { depth: 5 })}`);
		},
		until,
		exec,
		background: (node, program, args, env) => processes.start(node, program, args, env),
		daemon: (config = {}, options = {}) => startDaemon(lab, processes, config, options),
	};
	return lab;
}

async function until<T>(what: string, limitMs: number, ask: () => Answer<T> | Promise<Answer<T>>): Promise<T> {
	const endMs = nowMs() + limitMs;
	let lastError = '';
	for (;;) {
		try {
			const answer = await ask();
			if (answer !== undefined && answer !== false) return answer;
			lastError = '';
		} catch (error) {
			lastError = `: ${(error as Error).message}`;
		}
		if (nowMs() > endMs) throw new Error(`not within ${limitMs} ms: ${what}${lastError}`);
		await sleep(askEveryMs);
	}
}

/** YAML is a superset of JSON. */
async function startDaemon(
	lab: Lab,
	processes: Processes,
	config: DaemonConfig,
	options: DaemonOptions,
): Promise<Daemon> {
	const whole = daemonConfig(lab.directory, config);
	const file = join(lab.directory, 'ipvigil.yaml');
	await mkdir(whole.journalDirectory, { recursive: true });
	await writeFile(file, JSON.stringify(whole, null, '\t'));
	const args = [ipvigil, 'run', '--config', file, ...(options.args ?? [])];
	const process_ = processes.start(lab.topology.director, process.execPath, args, options.env);
	const daemon = asDaemon(process_, lab, whole.runtimeDirectory, whole.journalDirectory);
	if (options.startOnly) return daemon;
	await lab.until('ipvigil observes', daemonStartLimitMs, () => {
		if (daemon.ended !== undefined) return true;
		return daemon.log().some(({ msg }) => msg?.startsWith('observing'));
	});
	lab.expect(
		daemon.ended === undefined,
		`ipvigil ended with ${daemon.ended} instead of observing`,
		daemon.lines.slice(-20),
	);
	return daemon;
}
